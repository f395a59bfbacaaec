-- SPDX-License-Identifier: Apache-2.0
-- Plugin files as their manifests, and the one that a class names, for verbs that only read.

local errors = require "connect.errors"
local files = require "connect.kit.files"
local host = require "connect.host.c"
local manifest = require "connect.host.manifest"
local sandbox = require "connect.host.sandbox"

local catalogue = {}

--- What the file says of itself, and where it is (path); nil and the reason.
function catalogue.read(path)
  local ok, result = pcall(function()
    local made = manifest.check(sandbox.load(path, (files.split(path))), path)
    host.check_rows(made.config, path)
    return made
  end)
  if ok then
    result.path = path
    return result
  end
  local _, why = errors.parts(result)
  return nil, why:sub(1, #path) == path and why or path .. ": " .. why
end

--- All that is bundled, by path.
function catalogue.bundled(home)
  local out = {}
  for _, folder in ipairs(files.bundled(home)) do
    for _, path in ipairs(files.plugins(folder)) do out[#out + 1] = assert(catalogue.read(path)) end
  end
  return out
end

local SUFFIXES = { source = "Connector", sink = "Connector", converter = "Converter" }

-- All that a plugin may be called.
local function names_of(plugin)
  local names, suffix = {}, SUFFIXES[plugin.kind]
  local function add(name)
    local simple = name:match "[^.]+$"
    names[name], names[simple] = true, true
    if suffix then names[(simple:gsub(suffix .. "$", ""))] = true end
  end
  add(plugin.class)
  for _, alias in ipairs(plugin.aliases) do add(alias) end
  return names
end

--- The bundled plugin of this class, alias or simple name, also with $Key or $Value; nil when there is none.
function catalogue.find(home, name)
  local plain = name:gsub("%$Key$", ""):gsub("%$Value$", "")
  for _, plugin in ipairs(catalogue.bundled(home)) do
    if names_of(plugin)[plugin.sides and plain or name] then return plugin end
  end
end

return catalogue
