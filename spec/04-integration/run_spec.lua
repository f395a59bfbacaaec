-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua run`: one connector on the embedded broker, its records on standard output.
local helpers = require "spec.helpers"
local json = require "dkjson"
local process = require "spec.helpers.process"

local function source(poll)
  return ([[
return { api = 1, kind = "source", version = "1.0.0", doc = "A source.",
  config = { { name = "topic", type = "string", required = true, doc = "The topic." } },
  start = function(ctx) ctx.n = 0 end,
  poll = function(ctx)
    %s
  end }
]]):format(poll)
end

local COUNT = source [[if ctx:sleep(10) then return end
    ctx.n = ctx.n + 1
    ctx:emit { topic = ctx.config.topic, key = "k" .. ctx.n, value = { n = ctx.n }, headers = { of = "me" } }]]

local SINK = [[
local connect = require "connect"
return { api = 1, kind = "sink", version = "1.0.0", doc = "A sink.",
  config = { { name = "file", type = "string", required = true, doc = "The file." } },
  start = function(ctx) ctx.out = connect.file.writer { path = ctx.config.file } end,
  put = function(ctx, batch)
    for _, record in batch:records() do
      if record.value == "bad" then error "no bad ones" end
      ctx.out:line(record.value)
    end
  end,
  flush = function(ctx) ctx.out:sync() end,
  stop = function(ctx) ctx.out:close() end }
]]

describe("run #embedded", function()
  local folder

  before_each(function()
    folder = helpers.folder()
    helpers.write(folder .. "/count.lua", COUNT)
    helpers.write(folder .. "/out.lua", SINK)
  end)
  after_each(function()
    process.reap()
    helpers.clean()
  end)

  -- Standard output and exit code, and what was said on standard error.
  local function run(line, input)
    local text, code = helpers.shell(("cd %s && { %s %s run %s 2>errors; }"):format(folder,
      input and "printf '" .. input .. "' |" or "", helpers.binary, line))
    return text, code, helpers.read(folder .. "/errors")
  end

  it("shows what a source emits", function()
    local text, code, errors = run "count.lua --config topic=numbers --count 3"
    assert.equal(0, code, errors)
    assert.equal('numbers-0@0  k1  {"n":1}  (of: me)\nnumbers-0@1  k2  {"n":2}  (of: me)\n'
      .. 'numbers-0@2  k3  {"n":3}  (of: me)\n', text)
  end)

  it("shows it as JSON, an object a line", function()
    local text, code = run "count.lua -c topic=numbers --count 2 --json"
    assert.equal(0, code)
    local first, second = text:match "^([^\n]+)\n([^\n]+)\n$"
    first, second = json.decode(first, 1, json.null), json.decode(second)
    assert.equal("number", type(first.timestamp))
    first.timestamp = nil
    assert.same({ topic = "numbers", partition = 0, offset = 0, key = "k1", value = '{"n":1}',
      headers = { { "of", "me" } } }, first)
    assert.equal("k2", second.key)
  end)

  it("shows records of every topic, what is no text too", function()
    helpers.write(folder .. "/two.lua", source [[if ctx:sleep(5) then return end
    ctx.n = ctx.n + 1
    if ctx.n > 4 then return end
    ctx:emit { topic = ctx.config.topic .. ctx.n % 2, value = require("connect").bytes "\255\n" }]])
    local text, code, errors = run("two.lua -c topic=t --count 4 "
      .. "-c value.converter=org.apache.kafka.connect.converters.ByteArrayConverter")
    assert.equal(0, code, errors)
    local seen = {}
    for line in text:gmatch "[^\n]+" do seen[#seen + 1] = line end
    table.sort(seen)
    assert.equal(4, #seen)
    for i, place in ipairs { "t0-0@0", "t0-0@1", "t1-0@0", "t1-0@1" } do
      assert.equal(place .. [[  null  \xff\n]], seen[i])
    end
  end)

  it("feeds a sink lines and ends with them", function()
    local text, code, errors = run("out.lua -c file=out.txt", [[a\nb b\n\nc]])
    assert.equal(0, code, errors)
    assert.equal("a\nb b\n\nc\n", helpers.read(folder .. "/out.txt"))
    assert.equal("input-0@0  null  a\ninput-0@1  null  b b\ninput-0@2  null  \ninput-0@3  null  c\n", text)
  end)

  it("feeds a sink a file's lines, no more than are asked for", function()
    local lines = {}
    for i = 1, 3000 do lines[i] = ("line %d %s"):format(i, ("x"):rep(i % 100)) end
    helpers.write(folder .. "/in.txt", table.concat(lines, "\n") .. "\n")
    local text, code, errors = run "out.lua -c file=out.txt -c topics=t,u --input in.txt"
    assert.equal(0, code, errors)
    assert.equal(helpers.read(folder .. "/in.txt"), helpers.read(folder .. "/out.txt"))
    assert.equal("t-0@2999  null  line 3000 ", text:sub(-200):match "\n(t%-0@2999  null  line 3000 )")
    text, code = run "out.lua -c file=few.txt --input in.txt --count 2"
    assert.equal(0, code)
    assert.equal(2, select(2, text:gsub("\n", "")))
    assert.matches("^line 1 x\nline 2 xx\n$", helpers.read(folder .. "/few.txt"))
  end)

  it("runs a connector file, with transforms of other folders", function()
    helpers.shell("mkdir " .. folder .. "/more")
    helpers.write(folder .. "/more/upper.lua", [[
return { api = 1, kind = "transform", version = "1.0.0", doc = "Upper case.",
  apply = function(record)
    record.value = record.value:upper()
    return record
  end }
]])
    helpers.write(folder .. "/c.json", json.encode { name = "c", config = { name = "c", topics = "t",
      ["connector.class"] = "FileStreamSink", file = "out.txt", transforms = "u", ["transforms.u.type"] = "upper" } })
    local _, code, errors = run("c.json --plugins more", [[a\n]])
    assert.equal(0, code, errors)
    assert.equal("A\n", helpers.read(folder .. "/out.txt"))
    assert.equal("", (errors:gsub("^[^\n]*EMBEDDED BROKER[^\n]*\n", "")))
    helpers.write(folder .. "/c.properties", "name=c\nconnector.class=FileStreamSource\nfile=none\ntopic=t\n")
    assert.equal('lines-0@0  null  "A"\n', (run "c.properties -c file=out.txt -c topic=lines --count 1"))
  end)

  it("ends with Ctrl-C, cleanly", function()
    local output = folder .. "/output"
    local p = process.start({ helpers.binary, "run", folder .. "/count.lua", "-c", "topic=t" },
      { output = output, errors = folder .. "/errors" })
    helpers.wait_for("records", function() return (helpers.read(output) or ""):find("@3 ", 1, true) end)
    p:kill "INT"
    assert.equal(0, (p:wait(60)))
    local n = 0
    for offset in helpers.read(output):gmatch "t%-0@(%d+)  k%d+  {[^\n]+\n" do
      assert.equal(n, tonumber(offset)) -- none is missing, none comes twice
      n = n + 1
    end
    assert.is_true(n >= 4)
  end)

  it("goes on with the plugin as it is changed", function()
    local output = folder .. "/output"
    local p = process.start({ helpers.binary, "run", folder .. "/count.lua", "-c", "topic=t" },
      { output = output, errors = folder .. "/errors" })
    local function shows(text) return (helpers.read(output) or ""):find(text, 1, true) end
    helpers.wait_for("records", function() return shows "  k1  " end)
    helpers.write(folder .. "/count.lua", (COUNT:gsub('"k"', '"changed"')))
    helpers.wait_for("records of the changed plugin", function() return shows "  changed1  " end)
    p:kill "INT"
    assert.equal(0, (p:wait(60)))
  end)

  it("says what plugins print, and where they fail", function()
    helpers.write(folder .. "/bad.lua", source [[print("hello from poll")
    error "no more"]])
    local text, code, errors = run "bad.lua -c topic=t"
    assert.same({ "", 4 }, { text, code })
    assert.truthy(errors:find("hello from poll", 1, true), errors)
    assert.matches("bad%.lua:6: no more\n.*connect%-lua: task 0 failed\n$", errors)
    text, code, errors = run("out.lua -c file=out.txt", [[a\nbad\n]])
    assert.equal(4, code, text)
    assert.matches("out%.lua:7: no bad ones", errors)
  end)

  it("refuses what cannot run", function()
    helpers.write(folder .. "/broken.lua", "return {\n  api = 1 kind = 2 }")
    helpers.write(folder .. "/t.lua",
      [[return { api = 1, kind = "predicate", version = "1", doc = "A.", test = function() return true end }]])
    helpers.write(folder .. "/c.json", [[{"name":"c","config":{"connector.class":"Nothing"}}]])
    for line, want in pairs {
      ["count.lua"] = { 3, 'Missing required configuration "topic"' },
      ["broken.lua"] = { 3, "broken.lua:2: " },
      ["t.lua"] = { 3, "a predicate does not run by itself: connect-lua try shows" },
      ["c.json"] = { 3, "there is no connector Nothing: --plugins DIR names its folder" },
      ["none.lua"] = { 3, "none.lua: No such file" },
      ["count.lua -c topic=t --input x"] = { 2, "x: No such file" },
      ["count.lua -c topic=t --topic x"] = { 3, "--input and --topic are for sinks" },
      ["out.lua -c file=x -c topics.regex=a.*"] = { 3, "say --topic NAME" },
      ["count.lua -c topic"] = { 1, "--config takes KEY=VALUE" },
      ["count.lua --count 0"] = { 1, "--count takes a number" },
      [""] = { 1, "usage: connect-lua run" },
    } do
      local _, code, errors = run(line)
      assert.equal(want[1], code, line .. ": " .. errors)
      assert.truthy(errors:find(want[2], 1, true), errors)
    end
    assert.equal(0, select(2, run "--help"))
  end)
end)
