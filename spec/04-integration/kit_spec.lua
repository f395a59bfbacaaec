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

    it("says when there is nothing to test", function()
      helpers.write(folder .. "/a.lua", [[return { api = 1, kind = "sink", put = function() end }]])
      local text, code = run "test a.lua"
      assert.equal(1, code)
      assert.truthy(text:find("a.lua has no tests: write a_spec.lua beside it", 1, true), text)
    end)

    it("has its own help", function()
      local text, code = run "test --help"
      assert.equal(0, code)
      assert.matches("testkit", text)
    end)
  end)
end)
