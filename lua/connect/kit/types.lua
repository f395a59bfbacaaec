-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua types`: definitions of the API for editors that read LuaLS annotations.

local definitions = require "connect.kit.definitions"
local files = require "connect.kit.files"
local host = require "connect.host.c"
local options = require "connect.kit.options"

local HELP = [[
connect-lua types [DIR]
    writes what editors need to complete and check plugins (lua-language-server, LuaLS annotations):
    DIR/types/connect.lua and one file for each module, and DIR/.luarc.json that names them, unless there
    is one. Without DIR all definitions are printed.

A plugin that says what it is gets most of it:

  ---@type connect.Source
  local plugin = { api = 1, kind = "source", ... }
  return plugin

Exit codes: 0 done, 1 wrong usage, 2 a file cannot be written.
]]

local LUARC = [[
{
  "runtime.version": "LuaJIT",
  "workspace.library": ["types"],
  "workspace.checkThirdParty": false,
  "diagnostics.globals": ["describe", "it", "setup", "teardown", "before_each", "after_each"]
}
]]

local function write_all(folder, home)
  for _, path in ipairs { folder, folder .. "/types", folder .. "/types/connect" } do
    local ok, why = files.make_folder(path)
    if not ok then return nil, why end
  end
  for _, d in ipairs(definitions.all(home)) do
    local ok, why = files.write(folder .. "/types/" .. d.file, d.text)
    if not ok then return nil, why end
  end
  local luarc = folder .. "/.luarc.json"
  if files.exists(luarc) then
    return luarc .. ' is there already: see that its "workspace.library" names ' .. folder .. "/types"
  end
  local ok, why = files.write(luarc, LUARC)
  return ok and luarc, why
end

return function(args, home)
  local given, rest = options.parse(args, {})
  if not given then return options.USAGE end
  if given.help then
    io.stdout:write(HELP)
    return options.OK
  end
  if #rest > 1 then
    options.complain "usage: connect-lua types [DIR]; types --help says more"
    return options.USAGE
  end
  if not rest[1] then
    for _, d in ipairs(definitions.all(home)) do io.stdout:write("-- ", d.file, "\n", d.text, "\n") end
    return options.OK
  end
  local said, why = write_all(rest[1], home)
  if not said then
    options.complain("%s", why)
    return options.FAILED
  end
  print(("definitions for connect-lua %s in %s/types\n%s"):format(host.version, rest[1], said))
  return options.OK
end
