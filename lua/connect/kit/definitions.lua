-- SPDX-License-Identifier: Apache-2.0
-- Definitions of the API in LuaLS annotations. Those of modules are made from the modules: their functions, their
-- parameters, and the comments above them. types_meta.lua has the rest.

local files = require "connect.kit.files"
local sandbox = require "connect.host.sandbox"

-- What a parameter's name says of it.
local PARAMETER = { attrs = "table?", batch = "connect.Batch", conf = "table", config = "table", data = "string",
  datum = "connect.Datum", field = "string", fields = "table?", message = "string", ms = "number", name = "string",
  options = "table?", path = "string", pattern = "string", pointer = "string", record = "connect.Record",
  replacement = "string", s = "connect.Schema|string|nil", side = '"key"|"value"', text = "string", t = "table",
  url = "string" }

-- What functions answer, where it helps an editor to know.
local RETURNS = { ["connect.array"] = "table", ["connect.file.reader"] = "connect.Reader",
  ["connect.file.writer"] = "connect.Writer?, string?", ["connect.json.decode"] = "any, string?",
  ["connect.json.encode"] = "string", ["connect.schema.array"] = "connect.Schema",
  ["connect.schema.date"] = "connect.Schema", ["connect.schema.decimal"] = "connect.Schema",
  ["connect.schema.derive"] = "connect.Schema", ["connect.schema.infer"] = "connect.Schema?",
  ["connect.schema.make"] = "connect.Schema", ["connect.schema.map"] = "connect.Schema",
  ["connect.schema.of"] = "connect.Schema", ["connect.schema.struct"] = "connect.Schema",
  ["connect.schema.time"] = "connect.Schema", ["connect.schema.timestamp"] = "connect.Schema",
  ["connect.text"] = "string", ["connect.time.monotonic"] = "number", ["connect.time.now"] = "number",
  ["connect.memo.new"] = "table", ["connect.put_field"] = "boolean", ["connect.json.pointer"] = "any",
  ["connect.http.client"] = "connect.HttpClient", ["connect.time.format"] = "string",
  ["connect.time.http_date"] = "string", ["connect.time.parse"] = "number?, string?",
  ["connect.time.parse_http"] = "number?, string?" }

for name in ("request get head post put patch delete"):gmatch "%S+" do
  RETURNS["connect.http." .. name] = "connect.HttpResponse?, connect.Error?"
end
for name in ("base64 base64url hex hmac jwt md5 random sha1 sha256 sha384 sha512 sign"):gmatch "%S+" do
  RETURNS["connect.crypto." .. name] = "string"
end
for name in ("from_base64 from_base64url from_hex"):gmatch "%S+" do
  RETURNS["connect.crypto." .. name] = "string?, string?"
end
for name in ("equal verify"):gmatch "%S+" do RETURNS["connect.crypto." .. name] = "boolean" end

-- Where a parameter's name says something else.
local OTHERWISE = { ["connect.bytes"] = { s = "string" }, ["connect.schema.derive"] = { s = "connect.Schema|string" } }

local M = { RETURNS = RETURNS, OTHERWISE = OTHERWISE } -- for its spec
local texts = {} -- path -> lines

local function lines_of(path)
  if not texts[path] then
    local lines = {}
    for line in ((files.read(path) or "") .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
    texts[path] = lines
  end
  return texts[path]
end

-- The comment right above a function.
local function comment_of(info)
  local path = info.source:match "^@(.*)$"
  local lines, out, at = path and lines_of(path) or {}, {}, info.linedefined - 1
  while at > 0 and (lines[at] or ""):find "^%s*%-%-" do
    table.insert(out, 1, "---" .. lines[at]:match "^%s*%-%-%-?%s?(.*)$")
    at = at - 1
  end
  return out
end

local function define_function(out, path, fn, module)
  local info = debug.getinfo(fn, "Su")
  for _, line in ipairs(comment_of(info)) do out[#out + 1] = line end
  local names, colon = {}, "."
  for i = 1, info.nparams do
    local name = debug.getlocal(fn, i)
    if name == "self" and i == 1 then
      colon = ":"
    else
      names[#names + 1] = name
      out[#out + 1] = ("---@param %s %s"):format(name, (OTHERWISE[path] or {})[name] or PARAMETER[name] or "any")
    end
  end
  if info.isvararg then
    names[#names + 1] = "..."
    out[#out + 1] = "---@param ... any"
  end
  if RETURNS[path] then out[#out + 1] = "---@return " .. RETURNS[path] end
  local member = path:match "[^.]+$"
  out[#out + 1] = ("function %s%s%s(%s) end\n"):format(module, colon, member, table.concat(names, ", "))
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local KINDS = { string = "string", number = "number", boolean = "boolean", userdata = "userdata" }

-- The definition file of a module. modules: module -> its name, of those with a file of their own.
local function define(name, module, modules)
  local own = name:match "[^.]+$"
  local out = { "---@meta " .. name .. "\n", "---@class " .. name, "local " .. own .. " = {}\n" }
  for _, member in ipairs(sorted_names(module)) do
    local x = module[member]
    if type(x) == "function" then
      define_function(out, name .. "." .. member, x, own)
    elseif type(x) == "table" and modules[x] then
      out[#out + 1] = ("%s.%s = require %q\n"):format(own, member, modules[x])
    else
      out[#out + 1] = ("---@type %s\n%s.%s = nil\n"):format(KINDS[type(x)] or type(x), own, member)
    end
  end
  out[#out + 1] = "return " .. own
  return table.concat(out, "\n") .. "\n"
end

--- name -> module, of all that plugins may require.
function M.modules(home)
  local folder = home .. "/lua/connect"
  local env = sandbox.load(folder .. "/kit/plugin_env.lua", folder .. "/kit")
  local out = { connect = require "connect" }
  for _, path in ipairs(files.list(folder, "*.lua")) do
    local name = "connect." .. path:match "([^/]+)%.lua$"
    if name ~= "connect.init" and pcall(env.require, name) then out[name] = require(name) end
  end
  return out
end

--- A list of { file, text }.
function M.all(home)
  local modules, names, out = M.modules(home), {}, {}
  for name, module in pairs(modules) do names[module] = name end
  for _, name in ipairs(sorted_names(modules)) do
    out[#out + 1] = { file = name:gsub("%.", "/") .. ".lua", text = define(name, modules[name], names) }
  end
  out[#out + 1] = { file = "connect_plugins.lua",
    text = assert(files.read(home .. "/lua/connect/kit/types_meta.lua")) }
  return out
end

return M
