-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua lint`: each bad plugin of spec/fixtures/lint has one fault, named in its first line; what is bundled
-- has none.
local helpers = require "spec.helpers"
local json = require "dkjson"

local function files(pattern)
  local out = {}
  for path in helpers.shell("ls " .. pattern):gmatch "%S+%.lua" do out[#out + 1] = path end
  return out
end

describe("lint #embedded", function()
  local folder

  before_each(function() folder = helpers.folder() end)
  after_each(helpers.clean)

  local function lint(what, environment)
    return helpers.shell(("%s %s lint %s"):format(environment or "", helpers.binary, what))
  end

  describe("finds the fault of", function()
    local list, found = files "spec/fixtures/lint/*.lua", {}

    setup(function()
      local text, code = lint("--json " .. table.concat(list, " "))
      assert.equal(5, code, text)
      for _, f in ipairs(assert(json.decode(text))) do
        found[f.file] = found[f.file] or {}
        table.insert(found[f.file], f)
      end
    end)

    it("at least twenty plugins", function() assert.is_true(#list >= 20) end)

    for _, path in ipairs(list) do
      it(path, function()
        local expect = helpers.read(path):match "^%-%- expect: ([^\n]+)\n"
        local faults = found[path] or {}
        assert.equal(1, #faults, json.encode(faults))
        local text = faults[1].rule .. ": " .. faults[1].message
        assert.truthy(text:find(expect, 1, true), text)
        assert.is_true(faults[1].line >= 1)
      end)
    end
  end)

  it("finds nothing in what is bundled", function()
    local text, code = lint("connectors lua/connect/transforms lua/connect/predicates lua/connect/converters config/plugins "
      .. "lua/connect/kit/templates")
    assert.same({ "", 0 }, { text, code })
    text = lint "--json connectors"
    assert.same({}, json.decode(text))
  end)

  it("says where a fault is, and lets pass what is allowed", function()
    local path = helpers.write(folder .. "/a.lua", [[
return { api = 1, kind = "source", version = "1", doc = "A.",
  poll = function(ctx)
    n = ctx:sleep(1)
    m = 2 -- lint: allow global-set
    o = 3 -- lint: allow busy-wait, global-set
  end }
]])
    local text, code = lint(path)
    assert.same({ path .. ":3: global-set: n is a global: write local n, or keep it in ctx\n", 5 }, { text, code })
  end)

  it("takes what a module's function returns for no part of the module", function()
    local path = helpers.write(folder .. "/a.lua", [[
local util = require "util"
return { api = 1, kind = "sink", version = "1", doc = "A.", put = function() end,
  validate = function(config)
    local out = util.check(config)
    out.topic = "is bad"
    return out
  end }
]])
    helpers.write(folder .. "/util.lua", "return { check = function() return {} end }")
    assert.same({ "", 0 }, { lint(path) })
  end)

  it("looks at modules beside plugins, but not as plugins", function()
    helpers.write(folder .. "/util.lua", "return { twice = function(x) return 2 * y end }")
    local text = lint(folder)
    assert.truthy(text:find("util.lua:1: global-read: there is no y in a plugin", 1, true), text)
    assert.is_nil(text:find("manifest", 1, true), text)
  end)

  it("says that luacheck is missing, and finds what it can", function()
    local path = helpers.write(folder .. "/a.lua", [[
return { api = 1, kind = "source", version = "1", doc = "A.", poll = function(ctx) local n = ctx:slep(1) end,
  stop = function(ctx) ctx:sleep(1) end }
]])
    local jit_only = package.searchpath("jit.vmdef", package.path):gsub("jit/vmdef", "?")
    local text, code = lint(path, "LUA_PATH='" .. jit_only .. "'")
    assert.equal(5, code)
    assert.truthy(text:find("luacheck is not installed (apt-get install lua-check)", 1, true), text)
    assert.truthy(text:find("ctx-name: there is no ctx:slep of a source: did you mean ctx:sleep?", 1, true), text)
    assert.is_nil(text:find("luacheck-", 1, true), text)
    assert.truthy(lint(path):find("luacheck-211: unused variable 'n'", 1, true))
  end)

  it("refuses what is no file", function()
    local text, code = lint "/nowhere.lua"
    assert.equal(2, code)
    assert.matches("/nowhere.lua: No such file", text)
    assert.equal(1, select(2, lint ""))
    assert.equal(0, select(2, lint "--help"))
  end)
end)
