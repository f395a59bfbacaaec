-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua test`: the tests of plugins, and busted's specs, in this binary.

local files = require "connect.kit.files"
local options = require "connect.kit.options"

local HELP = [[
connect-lua test [FILE | DIR ...] [BUSTED OPTIONS]
    runs tests; no broker is needed. Of a plugin, FILE, those are NAME_spec.lua beside it and its own,
    tests = { ["name"] = function(t) ... end }. Of a folder they are the *_spec.lua in it and below, and
    the own tests of the plugins in it. A FILE may be a spec, too.

Specs are busted's (Debian: lua-busted); require "connect.testkit" gives them a task without Kafka, a
clock that sleeping moves, and an HTTP server with prepared answers. Useful options of busted:

  -o TAP | json | junit    another report
  --filter PATTERN         only the tests whose name holds the pattern
  -t TAG                   only the tests with #TAG in their name
  -v                       with traces of errors

Exit codes: 0 all passed, 1 wrong usage or nothing to test, 2 busted is not installed, 5 a test failed.
]]

-- busted ends by os.exit. What it said, and whether it had begun with the tests: until then it refuses options.
local function run_busted()
  local exit, code, begun = os.exit, nil, false
  local EXIT = {}
  local execute = require "busted.execute"
  package.loaded["busted.execute"] = function(...)
    begun = true
    return execute(...)
  end
  os.exit = function(c) -- luacheck: ignore 122
    code = c == true and 0 or c == false and 1 or c or 0
    error(EXIT, 0)
  end
  local ok, e = xpcall(function() require "busted.runner" { standalone = false } end, function(why)
    if why == nil then code = 1 end -- how it ends after a failed test where it may not call os.exit
    return (why == nil or why == EXIT) and EXIT or debug.traceback(tostring(why), 2)
  end)
  os.exit = exit -- luacheck: ignore 122
  package.loaded["busted.execute"] = execute
  if not ok and e ~= EXIT then error(e, 0) end
  return code or 0, begun
end

-- The specs of one plugin: beside it those of its name, of a folder's init.lua all there.
local function specs_of(plugin)
  local folder, name = files.split(plugin)
  if name == "init.lua" then return files.list(folder, "*_spec.lua") end
  local spec = plugin:gsub("%.lua$", "_spec.lua")
  return files.exists(spec) and { spec } or {}
end

local inline = require "connect.kit.inline"

local function has_specs(folder)
  for _, path in ipairs(require("pl.dir").getallfiles(folder)) do
    if files.is_spec(path) then return true end
  end
  return false
end

-- What busted is called with: specs in place of plugins, whose own tests wait in connect.kit.inline. Nil and the
-- plugin or folder that has no tests.
local function arguments(args, home)
  local out, any = {}, false
  for _, arg in ipairs(args) do
    if arg:find "%.lua$" and inline.is_plugin(arg) then
      local specs, own = specs_of(arg), inline.add(arg)
      if #specs == 0 and not own then return nil, arg end
      for _, spec in ipairs(specs) do out[#out + 1] = spec end
      any = any or own
    else
      out[#out + 1] = arg
      if files.is_folder(arg) then
        local own = inline.add_folder(arg)
        if not own and not has_specs(arg) then return nil, arg end
        any = any or own
      end
    end
  end
  if any then out[#out + 1] = home .. "/lua/connect/kit/inline_spec.lua" end
  return out
end

return function(args, home)
  for _, arg in ipairs(args) do
    if arg == "--help" or arg == "-h" then
      io.stdout:write(HELP)
      return options.OK
    end
  end
  if not package.searchpath("busted.runner", package.path) then
    options.complain "busted is not installed, which runs the tests: apt-get install lua-busted"
    return options.FAILED
  end
  local list, untested = arguments(args, home)
  if not list then
    local where = files.is_folder(untested) and "a NAME_spec.lua into it"
      or untested:gsub("%.lua$", "_spec.lua") .. " beside it, or tests = { ... } into it"
    options.complain("%s has no tests: write %s; test --help says more", untested, where)
    return options.USAGE
  end
  -- busted gives each file fresh modules, but the host's may be loaded only once in a state: FFI types keep the
  -- first metatable they get.
  require "connect"
  require "connect.host"
  require "connect.testkit"
  list[0] = "connect-lua test"
  arg = list -- luacheck: ignore 121
  local code, begun = run_busted()
  return code == 0 and options.OK or begun and options.FOUND or options.USAGE
end
