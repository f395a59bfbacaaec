-- SPDX-License-Identifier: Apache-2.0
-- Checks what a plugin file returned and makes its manifest: plain data for C.
-- Only the shape is checked here; types and defaults of config rows are C's (confdef.c).

local host = require "connect.host.c"

local M = {}

local API = 1
local WARN = 3

-- kind -> functions it may define; true = it must.
local CONNECTOR = { start = false, stop = false, reload = false, tasks = false, validate = false,
                    check = false, alter_offsets = false }
local VERBS = {
  source = { poll = true, commit = false, commit_record = false },
  sink = { put = true, flush = false, open = false, close = false },
  -- validate(config), as connectors have it: errors by key, asked while a config is validated. Unlike a
  -- connector's it gets the values typed by the rows, nil where a value is missing or cannot be read.
  transform = { apply = true, configure = false, validate = false, close = false },
  predicate = { test = true, configure = false, validate = false, close = false },
  converter = { decode = true, encode = true, configure = false, validate = false, close = false },
}
for name, required in pairs(CONNECTOR) do
  VERBS.source[name], VERBS.sink[name] = required, required
end
M.VERBS = VERBS
-- Members of a plugin that are no functions.
M.DATA = { api = true, kind = true, class = true, version = true, doc = true, aliases = true, config = true,
  sides = true, headers_only = true, tests = true }
-- Designed, and checked as the others are, but nobody calls them yet.
local PLUGIN_LATER = { close = true }
local LATER = { source = {}, sink = {}, transform = PLUGIN_LATER, predicate = PLUGIN_LATER, converter = PLUGIN_LATER }
local KINDS = "source, sink, transform, predicate or converter"

local function fail(file, text, ...)
  error(file .. ": " .. text:format(...), 0)
end

-- What a stranger sees of any value, without calling its metamethods.
local function show(value)
  local kind = type(value)
  if kind == "string" then return ("%q"):format(value) end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(value) end
  return "a " .. kind
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function optional_string(module, file, key, default)
  local value = rawget(module, key)
  if value == nil then return default end
  if type(value) ~= "string" then fail(file, "'%s' must be a string, not %s", key, show(value)) end
  return value
end

local function optional_flag(module, file, key, kind, of)
  local value = rawget(module, key)
  if value == nil then return nil end
  if type(value) ~= "boolean" then fail(file, "'%s' must be true or false, not %s", key, show(value)) end
  if kind ~= of then fail(file, "'%s' is for a %s, not for a %s", key, of, kind) end
  return value or nil
end

-- connectors/hello_source.lua -> hello_source; connectors/hello/init.lua -> hello
local function class_of(file)
  local name = file:match "([^/]+)/init%.lua$" or file:match "([^/]+)%.lua$"
  return name or file
end

local function kind_of(module, file)
  local kind = rawget(module, "kind")
  if type(kind) ~= "string" or not VERBS[kind] then
    fail(file, "'kind' must be %s, not %s", KINDS, show(kind))
  end
  return kind
end

local function check_api(module, file)
  local api = rawget(module, "api")
  if api == nil then fail(file, "'api = %d' is missing", API) end
  if api ~= API then fail(file, "'api' is %s, this worker speaks api %d", show(api), API) end
end

local function verbs_of(module, file, kind)
  local found = {}
  for _, name in ipairs(sorted_keys(VERBS[kind])) do
    local fn = rawget(module, name)
    if type(fn) == "function" then
      found[name] = true
    elseif fn ~= nil then
      fail(file, "'%s' must be a function, not %s", name, show(fn))
    elseif VERBS[kind][name] then
      fail(file, "a %s needs the function '%s'", kind, name)
    end
  end
  return found
end

local function warn_of_function(file, fn, text, ...)
  host.log(WARN, ("%s:%d: function "):format(file, debug.getinfo(fn, "S").linedefined) .. text:format(...))
end

-- A misspelt verb would silently never run, and so would one that comes with a later version.
local function warn_uncalled(module, file, kind)
  for key, value in next, module do
    if type(value) == "function" and type(key) == "string" then
      if VERBS[kind][key] == nil then
        warn_of_function(file, value, "'%s' is not a verb of a %s (verbs: %s)", key, kind,
          table.concat(sorted_keys(VERBS[kind]), ", "))
      elseif LATER[kind][key] then
        warn_of_function(file, value, "'%s' of a %s is not called yet", key, kind)
      end
    end
  end
end

local function aliases_of(module, file)
  local list = rawget(module, "aliases")
  local out = setmetatable({}, host.array_mt)
  if list == nil then return out end
  if type(list) ~= "table" then fail(file, "'aliases' must be a list of strings, not %s", show(list)) end
  for i = 1, #list do
    local alias = rawget(list, i)
    if type(alias) ~= "string" or alias == "" then
      fail(file, "alias %d must be a class name, not %s", i, show(alias))
    end
    out[i] = alias
  end
  return out
end

-- A copy without metatables, so that nothing of the plugin's runs while C reads it.
local function plain(value, file, what, depth)
  local kind = type(value)
  if kind == "table" then
    if depth > 5 then fail(file, "%s is nested too deep", what) end
    local to = setmetatable({}, rawget(value, 1) ~= nil and host.array_mt or nil)
    for k, v in next, value do to[k] = plain(v, file, what, depth + 1) end
    return to
  end
  if kind == "function" then
    fail(file, "%s holds a function (line %d): config rows are data, use the verb 'validate'", what,
      debug.getinfo(value, "S").linedefined)
  end
  if kind == "thread" or kind == "userdata" and value ~= host.null then
    fail(file, "%s holds a %s: config rows are data", what, kind)
  end
  return value
end

local function config_of(module, file)
  local rows = rawget(module, "config")
  local out = setmetatable({}, host.array_mt)
  if rows == nil then return out end
  if type(rows) ~= "table" then fail(file, "'config' must be a list of rows, not %s", show(rows)) end
  for key in next, rows do
    if type(key) ~= "number" then
      fail(file, "'config' must be a list of rows like { name = \"topic\", type = \"string\" }; "
        .. "it has the key %s", show(key))
    end
  end
  for i = 1, #rows do
    local row = rawget(rows, i)
    if type(row) ~= "table" then fail(file, "config row %d must be a table, not %s", i, show(row)) end
    local name = rawget(row, "name")
    if type(name) ~= "string" or name == "" then fail(file, "config row %d has no 'name'", i) end
    out[i] = plain(row, file, ("config row %d ('%s')"):format(i, name), 0)
  end
  return out
end

-- Run by connect.host.inline_tests.
local function check_tests(module, file)
  local tests = rawget(module, "tests")
  if tests == nil then return end
  if type(tests) ~= "table" then fail(file, "'tests' must be a table of functions by name, not %s", show(tests)) end
  for name, fn in next, tests do
    if type(name) ~= "string" or type(fn) ~= "function" then
      fail(file, "'tests' must hold functions by name; it has [%s] = %s", show(name), show(fn))
    end
  end
end

-- module: what the file returned. Answers the manifest, or raises "file: reason".
function M.check(module, file)
  check_api(module, file)
  local kind = kind_of(module, file)
  local manifest = {
    kind = kind,
    class = optional_string(module, file, "class", class_of(file)),
    version = optional_string(module, file, "version", "undefined"),
    doc = optional_string(module, file, "doc", ""),
    aliases = aliases_of(module, file),
    config = config_of(module, file),
    -- Two plugins, <class>$Key and <class>$Value: the host tells the instance its side.
    sides = optional_flag(module, file, "sides", kind, "transform"),
    -- Converts headers, but neither keys nor values.
    headers_only = optional_flag(module, file, "headers_only", kind, "converter"),
    verbs = verbs_of(module, file, kind),
  }
  check_tests(module, file)
  warn_uncalled(module, file, kind)
  return manifest
end

return M
