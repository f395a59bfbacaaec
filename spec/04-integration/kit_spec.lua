-- SPDX-License-Identifier: Apache-2.0
-- The verbs for authors, by the real binary.
local helpers = require "spec.helpers"
local json = require "dkjson"

local KINDS = { "source", "sink", "transform", "predicate", "converter" }

describe("for authors #embedded,", function()
  local folder

  before_each(function() folder = helpers.folder() end)
  after_each(helpers.clean)

  -- Output and exit code of a verb, called in the folder.
  local function run(line)
    return helpers.shell(("cd %s && %s %s"):format(folder, helpers.binary, line))
  end

  describe("new", function()
    for _, kind in ipairs(KINDS) do
      it("writes a " .. kind .. " that passes its test and is found", function()
        local text, code = run("new " .. kind .. " orders_2")
        assert.equal(0, code, text)
        assert.matches("%./orders_2%.lua\n%./orders_2_spec%.lua\n", text)
        assert.is_nil(helpers.read(folder .. "/orders_2.lua"):find("my_" .. kind, 1, true))
        text, code = run "test orders_2.lua"
        assert.matches("[1-9]%d* successes / 0 failures / 0 errors", text)
        assert.equal(0, code)
        helpers.write(folder .. "/worker.properties", helpers.properties { ["bootstrap.servers"] = "embedded",
          ["key.converter"] = "StringConverter", ["value.converter"] = "StringConverter", ["plugin.path"] = folder })
        text = run "plugins --worker worker.properties"
        assert.matches(kind .. "%a* +orders_2 +0%.1%.0 ", text)
        assert.is_nil(text:find("Not used", 1, true), text)
      end)
    end

    it("says what it wrote as JSON", function()
      local text, code = run "new sink out --json"
      assert.equal(0, code)
      assert.same({ files = { "./out.lua", "./out_spec.lua" } }, json.decode(text))
    end)

    it("overwrites nothing", function()
      helpers.write(folder .. "/a_spec.lua", "mine")
      local text, code = run "new sink a"
      assert.same({ "connect-lua: ./a_spec.lua is there already: it is left as it is, take another name\n", 2 }, { text, code })
      assert.equal("mine", helpers.read(folder .. "/a_spec.lua"))
      assert.is_nil(helpers.read(folder .. "/a.lua"))
    end)

    it("refuses what is wrong", function()
      for line, why in pairs {
        ["new pump a"] = 'there is no kind of plugin "pump"',
        ["new sink 'a b'"] = '"a b" is no name for a plugin',
        ["new sink ../a"] = '"../a" is no name for a plugin',
        ["new sink a_spec"] = '"a_spec" is no name for a plugin',
        ["new sink"] = "usage: connect-lua new KIND NAME",
        ["new sink a b"] = "what is b?",
        ["new sink a --dir"] = "--dir needs a value",
        ["new sink a --loud"] = "unknown option --loud",
      } do
        local text, code = run(line)
        assert.equal(1, code, line)
        assert.truthy(text:find(why, 1, true), text)
      end
      local text, code = run "new sink a --dir none"
      assert.same({ "connect-lua: none is no folder: make it first, mkdir -p none\n", 2 }, { text, code })
    end)
  end)

  describe("doc", function()
    it("prints a page of a file or a class", function()
      run "new source orders"
      local page, code = run "doc orders.lua"
      assert.equal(0, code, page)
      assert.truthy(page:find("# orders\n\nEmits a numbered record every interval.\n", 1, true), page)
      assert.truthy(page:find("| `topic` | string | required | not empty | high | Topic to write to. |", 1, true), page)
      assert.truthy(page:find("| `interval.ms` | int | `1000` | at least 0 | medium |", 1, true), page)
      for name, title in pairs { FileStreamSink = "FileStreamSinkConnector", JsonConverter = "JsonConverter",
        ["'Cast$Key'"] = "Cast", ["org.apache.kafka.connect.transforms.Cast"] = "Cast" } do
        page, code = run("doc " .. name)
        assert.equal(0, code)
        assert.equal("# " .. title .. "\n", page:match "^[^\n]*\n")
      end
      page = run "doc --json orders.lua"
      local plugin = json.decode(page)
      assert.same({ "orders", "source", "topic" }, { plugin.class, plugin.kind, plugin.config[1].name })
    end)

    it("shows examples that are valid", function()
      helpers.write(folder .. "/worker.properties", helpers.properties { ["bootstrap.servers"] = "embedded",
        ["key.converter"] = "StringConverter", ["value.converter"] = "StringConverter", ["plugin.path"] = folder })
      run "new sink out"
      run "new source orders"
      local files = { "out.lua", "orders.lua" }
      for name in helpers.shell("ls " .. helpers.root .. "/connectors/*.lua"):gmatch "%S+" do files[#files + 1] = name end
      for i, file in ipairs(files) do
        local example = run("doc " .. file):match "```json\n(.-)```"
        helpers.write(("%s/c%d.json"):format(folder, i), example)
      end
      local text, code = run "validate --worker worker.properties c*.json"
      assert.equal(0, code, text)
    end)

    it("writes a page for each that is bundled", function()
      local text, code = run "doc --all pages"
      assert.equal(0, code, text)
      local n, index = tonumber(text:match "^(%d+) pages"), helpers.read(folder .. "/pages/README.md")
      local links = 0
      for page in index:gmatch "%]%((%S+)%)" do
        links = links + 1
        assert.matches("^# %S.*## Configuration.*## Example", helpers.read(folder .. "/pages/" .. page))
      end
      assert.equal(n, links)
      assert.is_true(n >= 30)
    end)

    it("says what is wrong", function()
      local text, code = run "doc Nothing"
      assert.equal(2, code)
      assert.matches("there is no bundled plugin Nothing", text)
      helpers.write(folder .. "/bad.lua", "return {\n  api = 1, kind = 'sink' x }")
      text, code = run "doc bad.lua"
      assert.equal(2, code)
      assert.matches("bad%.lua:2: ", text)
      assert.equal(1, select(2, run "doc"))
      assert.equal(0, select(2, run "doc --help"))
    end)
  end)

  describe("types", function()
    it("writes definitions and says where they are", function()
      local text, code = run "types ."
      assert.equal(0, code, text)
      assert.same({ "types" }, json.decode(helpers.read(folder .. "/.luarc.json"))["workspace.library"])
      for name in helpers.shell("cd " .. folder .. " && find types -name '*.lua'"):gmatch "%S+" do
        assert(loadfile(folder .. "/" .. name))
      end
      assert.matches("function file.reader%(options%) end", helpers.read(folder .. "/types/connect/file.lua"))
    end)

    it("leaves a .luarc.json alone", function()
      helpers.write(folder .. "/.luarc.json", "mine")
      local text, code = run "types ."
      assert.equal(0, code)
      assert.matches("%.luarc%.json is there already", text)
      assert.equal("mine", helpers.read(folder .. "/.luarc.json"))
    end)

    it("prints them", function()
      local text, code = run "types"
      assert.equal(0, code)
      assert.matches("%-%-%-@class connect.SourceCtx", text)
      assert.equal(2, select(2, run "types none/none"))
    end)
  end)

  describe("test", function()
    local PLUGIN = [[
local function twice(x) return x * 2 end
return { api = 1, kind = "transform", version = "1.0.0", doc = "Doubles.", apply = function(r) return r end,
  tests = {
    ["twice is twice"] = function(t) t.equal(twice(2), 4) end,
    ["and no more"] = function(t) t.equal(twice(%s), 6) end,
  } }
]]

    it("runs a plugin's own tests and its spec", function()
      helpers.write(folder .. "/double.lua", PLUGIN:format "3")
      helpers.write(folder .. "/double_spec.lua", [[it("is a spec", function() assert.is_true(true) end)]])
      local text, code = run "test double.lua -o TAP"
      assert.equal(0, code, text)
      for _, name in ipairs { "is a spec", "double.lua twice is twice", "double.lua and no more" } do
        assert.truthy(text:find("- " .. name .. "\n", 1, true), text)
      end
      text, code = run "test . -o TAP"
      assert.equal(0, code, text)
      assert.matches("ok 3 %- ", text)
    end)

    it("tells which test failed, and where", function()
      helpers.write(folder .. "/double.lua", PLUGIN:format "4")
      local text, code = run "test double.lua"
      assert.equal(5, code)
      assert.truthy(text:find("double.lua:5: expected 6, got 8", 1, true), text)
      assert.truthy(text:find("1 success / 1 failure", 1, true) or text:find("1 success / 0 failures / 1 error", 1, true),
        text)
    end)

    it("runs them when the worker reads the plugin, too", function()
      local with_apply = [[
return { api = 1, kind = "transform", version = "1.0.0", doc = "Adds.",
  apply = function(record)
    record.value.n = record.value.n + 1
    return record
  end,
  tests = { ["adds one"] = function(t) t.equal(t.apply({ value = { n = 1 } }).value, { n = %d }) end } }
]]
      helpers.shell("mkdir " .. folder .. "/plugins")
      helpers.write(folder .. "/plugins/good.lua", with_apply:format(2))
      helpers.write(folder .. "/plugins/bad.lua", with_apply:format(3))
      helpers.write(folder .. "/worker.properties", helpers.properties { ["bootstrap.servers"] = "embedded",
        ["key.converter"] = "StringConverter", ["value.converter"] = "StringConverter",
        ["plugin.path"] = folder .. "/plugins" })
      local text = run "plugins --worker worker.properties"
      assert.matches("transformation good ", text)
      assert.matches("bad%.lua:6: expected {\"n\":3}, got {\"n\":2} %(test 'adds one'%)", text)
    end)

    it("says when there is nothing to test", function()
      helpers.write(folder .. "/a.lua", [[return { api = 1, kind = "sink", put = function() end }]])
      local text, code = run "test a.lua"
      assert.equal(1, code)
      assert.truthy(text:find("a.lua has no tests: write a_spec.lua beside it", 1, true), text)
      text, code = run "test ."
      assert.same({ "connect-lua: . has no tests: write a NAME_spec.lua into it; test --help says more\n", 1 }, { text, code })
    end)

    it("tells wrong usage from tests that fail", function()
      helpers.write(folder .. "/a_spec.lua", [[it("fails", function() assert.is_true(false) end)]])
      local text, code = run "test --nonsense a_spec.lua"
      assert.equal(1, code, text)
      assert.matches("nonsense", text)
      text, code = run "test --helper=none.lua a_spec.lua"
      assert.equal(1, code, text)
      text, code = run "test a_spec.lua"
      assert.equal(5, code, text)
    end)

    it("has its own help", function()
      local text, code = run "test --help"
      assert.equal(0, code)
      assert.matches("testkit", text)
    end)
  end)
end)
