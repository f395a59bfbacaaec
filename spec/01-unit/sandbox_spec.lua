-- SPDX-License-Identifier: Apache-2.0
-- The sandbox: what a plugin file can do, and every way out that was ever tried.
local sandbox = require "connect.host.sandbox"
local host = require "connect.host.c"

local folder = os.tmpname()

local function write(name, text)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- What the plugin's code returns, as the field `value` of its module.
local function run(code, name)
  return sandbox.load(write(name or "p.lua", "return { value = (function()\n" .. code .. "\nend)() }"), folder).value
end

-- The error of running code; fails when there is none.
local function fails(code)
  local ok, why = pcall(run, code)
  assert.is_false(ok, "ran: " .. code)
  return why
end

describe("sandbox", function()
  setup(function()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder .. "/sub") == 0)
  end)
  teardown(function() os.execute("rm -rf " .. folder) end)

  it("runs a file and answers its table", function()
    assert.equal(3, run "return 1 + 2")
    assert.equal("a-b", run "return table.concat({ 'a', 'b' }, '-')")
    assert.equal("HELLO", run "return ('hello'):upper()")
    assert.equal("2,1", run [[
      local t = { 1, 2 }
      table.sort(t, function(a, b) return a > b end)
      return table.concat(t, ',')]])
    assert.equal("[x]", (run "return (('x'):gsub('%w', function(c) return '[' .. c .. ']' end))"))
    assert.equal("yes", (run "return (('x'):gsub('%w', { x = 'yes' }))"))
    assert.equal(7, run "return coroutine.wrap(function(a) local b = coroutine.yield(a) return a + b end)(7)")
    assert.equal(2, run "return load('return 1 + 1')()")
    assert.equal(5, run "return load('return x', '=x', 't', { x = 5 })()")
    assert.equal("ab", run [[
      local parts, i = { "return ", "'ab'" }, 0
      return load(function() i = i + 1 return parts[i] end)()]])
    assert.is_true(run "return os.time() > 0 and type(os.date()) == 'string'")
    local day = { year = 2001, month = 2, day = 3 }
    assert.equal(os.time(day), run "return os.time { year = 2001, month = 2, day = 3 }")
    assert.equal("1 a nil x 5", run [[
      local x = setmetatable({}, { __tostring = function() return "x" end })
      return ("%d %s %s %s %d"):format(1, "a", nil, x, 5)]])
    assert.is_false(run "return (pcall(string.format, '%s'))")
    assert.equal(6, run "return bit.band(7, 14)")
    assert.is_true(run "return collectgarbage('count') > 0")
  end)

  it("names file and line", function()
    assert.matches("p%.lua:3: boom", fails "\nerror 'boom'")
    assert.matches("p%.lua:2: '<name>' expected", fails "local = 1")
    local ok, why = pcall(sandbox.load, folder .. "/none.lua", folder)
    assert.is_false(ok)
    assert.matches("none%.lua: No such file", why)
    ok, why = pcall(sandbox.load, write("p.lua", "return 1"), folder)
    assert.is_false(ok)
    assert.matches("p%.lua: a plugin file must return one table", why)
  end)

  -- ------------------------------------------------------------------ removed

  for _, name in ipairs { "ffi", "debug", "io", "jit", "package", "getfenv", "setfenv", "newproxy", "module", "dofile",
    "loadfile", "arg", "gcinfo", "os.execute", "os.exit", "os.remove", "os.rename", "os.tmpname", "os.getenv",
    "os.setlocale", "string.dump", "_G.debug", "_G.io", "_G._G.package" } do
    it("has no " .. name, function() assert.is_nil(run("return " .. name)) end)
  end

  it("keeps its globals to itself", function()
    run "leak = 1 _G.other = 2 string.upper = nil table.concat = nil math.pi = 3"
    assert.is_nil(rawget(_G, "leak"))
    assert.is_nil(rawget(_G, "other"))
    assert.is_nil(run "return leak or other")
    assert.equal("A", run "return string.upper 'a'")
    assert.is_function(string.upper)
    assert.is_function(table.concat)
    assert.is_true(math.pi > 3.1)
  end)

  -- ------------------------------------------------------------------ escapes

  it("does not give out the string metatable", function()
    assert.is_nil(run "return getmetatable('')")
  end)

  it("has no dump through strings", function()
    assert.is_nil(run "return ('').dump")
    assert.is_nil(run "return ('').buffer")
  end)

  it("refuses to change what strings reach", function()
    fails "(''). x = 1"
    run "string.len = function() return 42 end"
    assert.equal(1, run "return ('x'):len()")
  end)

  it("refuses bytecode, in every way in", function()
    local code = string.dump(function() return 1 end)
    local quoted = ("%q"):format(code):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("%z", "\\0")
    assert.is_nil(run("return (load(" .. quoted .. "))"))
    assert.is_nil(run("return (load(" .. quoted .. ", 'x', 'b'))"))
    assert.is_nil(run("return (load(" .. quoted .. ", 'x', 'bt'))"))
    assert.is_nil(run("return (loadstring(" .. quoted .. "))"))
    assert.is_nil(run("local t, n = " .. quoted .. ", 0\n" ..
      "return (load(function() n = n + 1 return n == 1 and t or nil end))"))
    assert.is_false((pcall(sandbox.load, write("p.lua", code), folder)))
    write("bytes.lua", code)
    fails "require 'bytes'"
  end)

  it("loads text into the plugin's own environment only", function()
    for _, name in ipairs { "debug", "io", "ffi", "package" } do
      assert.is_nil(run("return load('return " .. name .. "')()"))
      assert.is_nil(run("return loadstring('return " .. name .. "')()"))
    end
    fails "load('return 1', 'x', 't', 1)"
    fails "load(1)"
  end)

  it("keeps collectgarbage to counting", function()
    for _, what in ipairs { "'stop'", "'collect'", "'setpause', 1", "" } do fails("collectgarbage(" .. what .. ")") end
  end)

  it("leaves cdata literals without power", function()
    assert.equal("ffi", run "return getmetatable(1LL)")
    fails "return (1LL)()"
    fails "return (1LL).x"
    fails "setmetatable(1LL, {})"
  end)

  -- Everything a plugin can get hold of by fields and metatables, against what it must not.
  local function reachable(value, look, seen, path)
    local kind = type(value)
    if (kind ~= "table" and kind ~= "function") or seen[value] then return end
    seen[value] = path
    if kind == "function" then return end
    for k, v in next, value do
      reachable(k, look, seen, path .. ".<key>")
      reachable(v, look, seen, path .. "." .. tostring(k))
    end
    reachable(look(value), look, seen, path .. ".<metatable>")
  end

  it("cannot reach any privileged function or table", function()
    local seen = {}
    local env, look = unpack(run "return { _G, getmetatable }")
    reachable(env, look, seen, "_G")
    reachable(run "return require 'connect'", look, seen, "connect")
    local forbidden = { [_G] = "_G", [package] = "package", [package.loaded] = "package.loaded",
      [require "ffi"] = "ffi", [host] = "connect.host.c", [string] = "string", [table] = "table", [os] = "os" }
    for _, lib in ipairs { "io", "debug", "jit", "ffi", "package" } do
      for name, value in pairs(require(lib)) do
        if type(value) == "function" or type(value) == "table" then forbidden[value] = lib .. "." .. name end
      end
    end
    for _, name in ipairs { "execute", "exit", "remove", "rename", "getenv", "tmpname", "setlocale" } do
      forbidden[os[name]] = "os." .. name
    end
    for _, name in ipairs { "require", "load", "loadstring", "dofile", "loadfile", "getfenv", "setfenv", "newproxy",
      "module", "getmetatable", "collectgarbage" } do
      forbidden[_G[name]] = name
    end
    forbidden[string.dump], forbidden[string.gsub] = "string.dump", "string.gsub"
    forbidden[host.array_mt] = "array_mt"
    for value, name in pairs(forbidden) do
      assert.is_nil(seen[value], name .. " is at " .. tostring(seen[value]))
    end
    assert.is_truthy(seen[env.string]) -- the walk works
  end)

  -- ------------------------------------------------------------------ require

  describe("require", function()
    it("finds files beside the plugin, once, in its environment", function()
      write("helper.lua", "count = (count or 0) + 1 return { n = count, io = io, name = ... }")
      write("sub/init.lua", "return 'sub'")
      write("sub/deep.lua", "return require 'helper'.n")
      assert.same({ n = 1, name = "helper" }, run "require 'helper' return require 'helper'")
      assert.equal("sub", run "return require 'sub'")
      assert.equal(1, run "return require 'sub.deep'")
    end)

    it("is each plugin's own", function()
      write("shared.lua", "return { v = 1 }")
      run "require('shared').v = 2"
      assert.equal(1, run "return require('shared').v")
    end)

    it("gives copies of the API, so that nobody spoils it for others", function()
      run "local c = require 'connect' c.fatal = nil c.json.decode = nil c.new = 1"
      assert.is_function(run "return require('connect').fatal")
      assert.is_function(run "return require('connect').json.decode")
      assert.is_function(require("connect").fatal)
      assert.is_nil(require("connect").new)
    end)

    it("refuses every other name", function()
      for _, name in ipairs { "ffi", "debug", "io", "jit", "jit.util", "os", "package", "string.buffer", "table.new",
        "connect.host.c", "connect.host", "connect.host.abi", "connect.host.sandbox", "connect.converters.string",
        "connect.nothing", "nothing", "../p", "..", "/etc/passwd", "a/b", "a..b", ".a", "a.", "", "a\\0b", "%a",
        "_G" } do
        fails("require '" .. name .. "'")
      end
      fails "require(1)"
      fails "require {}"
      fails "require(setmetatable({}, { __tostring = function() return 'ffi' end }))"
    end)

    it("is the same for the built-in plugins", function()
      local file = assert(io.open "lua/connect/transforms/cast.lua")
      local text = file:read "*a"
      file:close()
      for _, part in ipairs { "edit", "regex", "date_format", "rows" } do run("return require 'connect." .. part .. "'") end
      assert.equal("transform", sandbox.load(write("cast.lua", text), folder).kind)
      fails "require 'connect.edit.fields'"
    end)

    it("blames the line that requires", function()
      assert.matches("p%.lua:3: there is no module 'nothing'", fails "\nrequire 'nothing'")
      assert.matches("p%.lua:2: module 'connect%.host%.abi' is not for plugins", fails "require 'connect.host.abi'")
      write("broken.lua", "\nlocal x = = 1")
      assert.matches("broken%.lua:2: ", fails "require 'broken'")
    end)

    it("sees a file that requires itself", function()
      write("loop.lua", "return require 'loop2'")
      write("loop2.lua", "return require 'loop'")
      assert.matches("requires itself", fails "require 'loop'")
    end)
  end)

  -- -------------------------------------------------------------------- depth

  -- With the JIT on; tests/unit/vm_control.c does the same on a 4 MB thread.
  for name, bomb in pairs {
    gsub = "local function f() return (('x'):gsub('x', f)) end f()",
    ["gsub by table"] = [[
      local t = setmetatable({}, {})
      getmetatable(t).__index = function() return (('x'):gsub('x', t)) end
      return t.a]],
    sort = "local function f() table.sort({ 1, 2, 3 }, f) end f()",
    coroutines = [[
      local function f()
        local ok, e = coroutine.resume(coroutine.create(f))
        if not ok then error(e, 0) end
      end
      f()]],
    mixed = [[
      local function f()
        table.sort({ 1, 2 }, function() coroutine.wrap(function() return (('x'):gsub('x', f)) end)() end)
      end
      f()]],
  } do
    it("stops endless recursion through " .. name, function() assert.matches("stack overflow", fails(bomb)) end)
  end

  it("survives what a plugin returns", function()
    local path = write("p.lua", "return setmetatable({}, { __index = error, __metatable = 1 })")
    assert.is_table(sandbox.load(path, folder))
  end)
end)
