-- SPDX-License-Identifier: Apache-2.0
-- Which record's error is told when several of a batch fail, and what becomes of the others:
-- as if each record had gone through all stages before the next one was begun.
local connect = require "connect"
local task = require "spec.helpers.task"

-- Refuses texts that hold `bad`; "why" says for what: data, a bug, fatal, retriable.
local function refuse(text, bad, why)
  if type(text) ~= "string" or not text:find(bad, 1, true) then return end
  if why == "retriable" then connect.retriable("%s later", text) end
  if why == "fatal" then connect.fatal("%s ends it", text) end
  connect.data_error("%s refused", text)
end

local function converter(bad, why)
  return { kind = "converter", class = "test." .. bad, config = {},
    decode = function(d)
      refuse(d:text(), bad, why)
      d:set(d:text())
    end,
    encode = function(d)
      local x = d:get()
      if x == connect.null then return d:set_text(nil) end
      refuse(x, bad, why)
      d:set_text(x)
    end }
end

local function transform(bad, why)
  return { plugin = { kind = "transform", class = "test.T", config = {}, apply = function(r)
    refuse(r.value, bad, why)
    if r.value == "drop" then return nil end
    return r
  end } }
end

describe("the first failing record", function()
  local t

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  -- Stages fail for texts that hold K, V, H (converters), 1, 2 (transforms), and name the text.
  local function options(plugin)
    return { plugin = plugin, key = converter "K", value = converter "V", header = converter "H",
      transforms = { transform "1", transform "2" } }
  end

  local function sink(list)
    local calls = 0
    t = task.new(options { kind = "sink", put = function() calls = calls + 1 end })
    local ok, e = pcall(t.put, t, list)
    return ok and "put" or e.message, e, calls
  end

  local function source(list, change)
    local o = options { kind = "source", poll = function(ctx)
      for i, r in ipairs(list) do
        ctx:emit { topic = "t", key = r.key, value = r.value, headers = r.headers, source_partition = { p = 1 },
          source_offset = { n = i } }
      end
    end }
    if change then change(o) end
    t = task.new(o)
    local out, e = t:poll_some()
    local values = {}
    for i, r in ipairs(out) do values[i] = r.value or "dropped" end
    return e and e.message, e, values
  end

  it("of a sink is told, whatever stage failed first", function()
    assert.equal("a2 refused", (sink { "ok", "a2", "b1", "cV" }))
    t:close()
    assert.equal("aH refused", (sink { "ok", { value = "ok", headers = { { "h", "aH" } } }, { key = "bK", value = "cV" } }))
    t:close()
    local message, e, calls = sink { "ok", { value = "a1", offset = 41 }, { value = "x", key = "bK" } }
    assert.equal("a1 refused", message)
    assert.equal("TRANSFORMATION", e.stage)
    assert.equal(41, e.offset)
    assert.equal(0, calls) -- nothing of that poll is put, as in Apache
  end)

  it("fails with the first of its stages: of a sink key, value, headers, transforms", function()
    local r = { key = "K", value = "V12", headers = { { "h", "H" } } }
    assert.equal("K refused", (sink { "ok", r }))
    t:close()
    r.key = "ok"
    assert.equal("V12 refused", (sink { "ok", r }))
    t:close()
    r.value = "21"
    assert.equal("H refused", (sink { "ok", r }))
    t:close()
    r.headers = nil
    local message, e = sink { "ok", r }
    assert.equal("21 refused", message)
    assert.matches("transform 't1'", e.where)
  end)

  it("of a source transforms, headers, key, value", function()
    local r = { key = "K", value = "V1", headers = { h = "H" } }
    local _, e = source { { value = "ok" }, r }
    assert.matches("^V1 refused", e.message)
    assert.equal("TRANSFORMATION", e.stage)
    t:close()
    r.value = "V"
    assert.equal("H refused", (source { { value = "ok" }, r }))
    t:close()
    r.headers = nil
    assert.equal("K refused", (source { { value = "ok" }, r }))
    t:close()
    r.key = nil
    _, e = source { { value = "ok" }, r }
    assert.equal("VALUE_CONVERTER", e.stage)
  end)

  it("of a source leaves those before it to be sent", function()
    local message, _, left = source { { value = "a" }, { value = "drop" }, { value = "b" }, { value = "cV" },
      { value = "d1" }, { value = "e" } }
    assert.equal("cV refused", message)
    assert.same({ "a", "dropped", "b" }, left)
    t:close()
    message, _, left = source { { value = "V" }, { value = "a" } }
    assert.equal("V refused", message)
    assert.same({}, left)
  end)

  it("is forgotten with its batch", function()
    local message = source({ { value = "cV" } })
    assert.equal("cV refused", message)
    t:close()
    local list = { { value = "cV" } }
    source(list)
    list[1].value = "fine"
    local out, e = t:poll_some()
    assert.is_nil(e)
    assert.equal("fine", out[1].value)
  end)

  it("may be one that ends the task, and keeps its place too", function()
    local message, e, left = source({ { value = "a" }, { value = "F" }, { value = "1" } }, function(o)
      o.value = converter("F", "fatal")
    end)
    assert.equal("F ends it", message)
    assert.equal("fatal", e.class)
    assert.same({ "a" }, left)
    t:close()
    t = task.new { plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = "a" }
      ctx:record().value = "b"
      ctx:emit { topic = "t", value = "c" }
    end } }
    left, e = t:poll_some()
    assert.equal("poll left record 2 of ctx:record() without a topic", e.message)
    assert.equal(1, #left)
  end)

  it("that would be worth another try is an error of its own, with Apache's class", function()
    local _, e = source({ { value = "a" }, { value = "R" } }, function(o) o.value = converter("R", "retriable") end)
    assert.equal("R later", e.message)
    assert.equal("data", e.class)
    assert.equal("org.apache.kafka.connect.errors.RetriableException", e.java)
    t:close()
    t = task.new { plugin = { kind = "sink", put = function() end }, transforms = { transform("R", "retriable") } }
    local ok
    ok, e = pcall(t.put, t, { "R" })
    assert.is_false(ok)
    assert.equal("org.apache.kafka.connect.errors.RetriableException", e.java)
  end)

  it("of a source is named by its source offset", function()
    local function where(offset)
      t = task.new { value = converter "V", plugin = { kind = "source", poll = function(ctx)
        ctx:emit { topic = "t", value = "V", source_partition = { file = "a" }, source_offset = offset }
      end } }
      local _, e = t:poll_some()
      t:close()
      t = nil
      return e.where:match "^Error converting message value (.*) %(test%.V%)$"
    end
    local start = [[for topic 't' from source partition {"file":"a"}]]
    assert.equal(start, where(nil))
    assert.equal(start .. [[ at source offset {"n":5}]], where { n = 5 })
    assert.equal(start .. [[ at source offset {"at":"x","n":9007199254740993}]], where { n = 9007199254740993LL, at = "x" })
  end)

  it("of a file is named by its place in it", function()
    local path = os.tmpname()
    local f = assert(io.open(path, "w"))
    f:write "one\ntwo\nV\n"
    f:close()
    local reader
    t = task.new { value = converter "V", plugin = { kind = "source", poll = function(ctx)
      reader = reader or connect.file.reader { path = path }
      reader:fill { topic = "t", partition = ctx:partition { file = "a" } }
    end } }
    local out, e = t:poll_some()
    reader:close()
    os.remove(path)
    assert.equal(2, #out)
    assert.matches([[from source partition {"file":"a"} at source offset {"position":10} (]], e.where, 1, true)
  end)
end)

describe("commit_record", function()
  local t

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  -- What the plugin is shown of each record after its batch was sealed.
  local function shown(transforms, emit)
    local seen = {}
    t = task.new { value = "lua/connect/converters/json.lua", value_config = { ["schemas.enable"] = false },
      transforms = transforms, plugin = { kind = "source", poll = function(ctx) emit(ctx) end,
        commit_record = function(_, r, at)
          seen[#seen + 1] = { topic = r.topic, key = r.key, value = connect.copy(r.value), partition = r.partition,
            header = r.headers[1] and connect.copy(r.headers[1].value), headers = #r.headers, at = at }
        end } }
    t:poll_and_commit()
    return seen
  end

  local function change(r)
    if r.value.gone then return nil end
    r.value.n = 100
    r.value.list[1] = "changed"
    r.value.more = true
    r.topic, r.key, r.partition = "other", "k2", 3
    connect.headers.remove(r, "a")
    return r
  end

  it("gets the record as it was emitted, and where it is", function()
    local seen = shown({ { plugin = { kind = "transform", class = "test.T", config = {}, apply = change } } },
      function(ctx)
        for i = 1, 3 do
          ctx:emit { topic = "t", key = "k", value = { n = i, list = { "x" }, gone = i == 2 or nil },
            headers = { a = "1", b = "2" } }
        end
      end)
    local function record(i, at)
      return { topic = "t", key = "k", value = { n = i, list = { "x" }, gone = i == 2 or nil }, header = "1",
        headers = 2, at = at }
    end
    assert.same({ record(1, { topic = "other", partition = 7, offset = 0 }), record(2, nil),
      record(3, { topic = "other", partition = 7, offset = 2 }) }, seen)
  end)

  it("gets it without transforms too", function()
    local seen = shown(nil, function(ctx) ctx:emit { topic = "t", value = { n = 1 } } end)
    assert.same({ { topic = "t", key = connect.null, value = { n = 1 }, headers = 0,
      at = { topic = "t", partition = 7, offset = 0 } } }, seen)
  end)
end)
