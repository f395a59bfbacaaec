-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua new KIND NAME`: a plugin to start from and its test, copies of lua/connect/kit/templates.

local files = require "connect.kit.files"
local options = require "connect.kit.options"

local HELP = [[
connect-lua new source|sink|transform|predicate|converter NAME [--dir DIR] [--json]
    writes NAME.lua, a plugin that works and says what can be changed, and NAME_spec.lua, its test,
    into DIR (default: the current folder). What is there already is left alone.

NAME is what configurations will call the plugin: small letters, digits and _, a letter first.

  connect-lua new source orders --dir plugins
  connect-lua test plugins/orders.lua
  connect-lua run plugins/orders.lua --config topic=orders

Exit codes: 0 written, 1 wrong usage, 2 a file cannot be written or is there already.
]]
local KINDS = { source = true, sink = true, transform = true, predicate = true, converter = true }

local function check(kind, name)
  if not KINDS[kind] then
    return ("there is no kind of plugin %q: it is source, sink, transform, predicate or converter"):format(kind)
  end
  if not name:find "^[a-z][a-z0-9_]*$" or #name > 60 then
    return ("%q is no name for a plugin: small letters, digits and _, a letter first, 60 at most"):format(name)
  end
  if name:find "_spec$" or name == "init" then
    return ("%q is no name for a plugin: files of that name are not read as plugins"):format(name)
  end
end

-- name of the template -> name of the copy
local function copies(kind, name, folder)
  return { { "my_" .. kind .. ".lua", folder .. "/" .. name .. ".lua" },
    { "my_" .. kind .. "_spec.lua", folder .. "/" .. name .. "_spec.lua" } }
end

local function write(kind, name, folder, home)
  if not files.is_folder(folder) then return nil, folder .. " is no folder: make it first, mkdir -p " .. folder end
  local list, written = copies(kind, name, folder), {}
  for _, copy in ipairs(list) do
    if files.exists(copy[2]) then return nil, copy[2] .. " is there already: it is left as it is, take another name" end
  end
  for _, copy in ipairs(list) do
    local text, why = files.read(home .. "/lua/connect/kit/templates/" .. copy[1])
    local ok
    -- Templates call themselves my_<kind>.
    if text then ok, why = files.write(copy[2], (text:gsub("my_" .. kind, name))) end
    if not ok then return nil, why end
    written[#written + 1] = copy[2]
  end
  return written
end

return function(args, home)
  local given, rest = options.parse(args, { dir = "value", json = true })
  if not given then return options.USAGE end
  if given.help then
    io.stdout:write(HELP)
    return options.OK
  end
  local kind, name = rest[1], rest[2]
  local why = not name and "usage: connect-lua new KIND NAME [--dir DIR]; new --help says more"
    or rest[3] and "what is " .. rest[3] .. "? connect-lua new takes a kind and a name" or check(kind, name)
  if why then
    options.complain("%s", why)
    return options.USAGE
  end
  local folder = given.dir or "."
  local written, problem = write(kind, name, folder, home)
  if not written then
    options.complain("%s", problem)
    return options.FAILED
  end
  if given.json then
    print(require("connect.json").encode { files = written })
  else
    print(("%s\n%s\nTry them: connect-lua test %s"):format(written[1], written[2], written[1]))
  end
  return options.OK
end
