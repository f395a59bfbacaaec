-- SPDX-License-Identifier: Apache-2.0
-- Where plugin files run: an environment made of an allowed list, never the real globals
-- with things taken out. Each plugin has its own copies and its own `require`.
-- Runs in every state (task, control, busted); the host's own modules stay outside of it.

local files = require "connect.host.files"
local host = require "connect.host.c"
local rights = require "connect.host.rights"

local M = {}

-- The host's own references, taken before any plugin runs.
local check_stack, compile, read_file = host.check_stack, host.compile, host.read
local raw_load, raw_require = load, require
local gsub, gmatch, find, format = string.gsub, string.gmatch, string.find, string.format
local sort, time = table.sort, os.time
local resume, wrap = coroutine.resume, coroutine.wrap
local getmetatable, type, error = getmetatable, type, error
local select, tostring, pcall, pairs, rawget = select, tostring, pcall, pairs, rawget
local concat = table.concat

local function pick(from, names)
  local to = {}
  for name in names:gmatch "%S+" do to[name] = rawget(from, name) end
  return to
end

-- ------------------------------------------------------------ guarded functions
-- Each of these lets Lua call C call Lua, on the thread's C stack, which LuaJIT overruns
-- without looking: check_stack looks.

local function safe_gsub(s, pattern, replacement, n)
  if type(replacement) ~= "string" then check_stack() end
  return gsub(s, pattern, replacement, n)
end

local function safe_sort(list, less)
  check_stack()
  return sort(list, less)
end

local function safe_resume(co, ...)
  check_stack()
  return resume(co, ...)
end

local function safe_wrap(fn)
  local run = wrap(fn)
  return function(...)
    check_stack()
    return run(...)
  end
end

-- %s calls __tostring. Plain values, the common case, stay free of the C call, so that
-- format still compiles.
local function safe_format(text, ...)
  local a, b, c, d = ...
  if type(a) == "table" or type(b) == "table" or type(c) == "table" or type(d) == "table"
    or select("#", ...) > 4 then
    check_stack()
  end
  return format(text, ...)
end

local function safe_time(fields)
  if fields == nil then return time() end
  check_stack() -- reads fields through __index
  return time(fields)
end

-- Metatables of strings and of the host's own values stay out of reach.
local function safe_getmetatable(value)
  local mt = getmetatable(value)
  if type(mt) ~= "table" then return mt or nil end
  local name = rawget(mt, "__name")
  if type(name) == "string" and find(name, "^connect%.") then return nil end
  return mt
end

local count = collectgarbage
local function safe_collectgarbage(what)
  if what ~= "count" then error("collectgarbage: only \"count\" is allowed", 2) end
  return count "count"
end

local function print_to_log(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  host.log(2, concat(parts, "\t"))
end

local STRING = "byte char find format gmatch gsub len lower match rep reverse sub upper"

local function string_library()
  local lib = pick(string, STRING)
  lib.gsub, lib.format = safe_gsub, safe_format
  return lib
end

-- "text":method() reaches this copy; nobody can get hold of it to change it.
local string_mt = debug.getmetatable ""
string_mt.__index = string_library()
string_mt.__metatable = false

-- ------------------------------------------------------------------ environment

-- load in text mode only; the source is joined first, so that no reader runs inside C.
local function loader(env)
  return function(source, name, mode, wanted)
    if type(source) == "function" then
      local parts = {}
      while true do
        local part = source()
        if part == nil or part == "" then break end
        if type(part) ~= "string" then return nil, "reader function must return a string" end
        parts[#parts + 1] = part
      end
      source = concat(parts)
    elseif type(source) ~= "string" then
      error("bad argument #1 to 'load' (string or function expected)", 2)
    end
    if mode ~= nil and mode ~= "t" and mode ~= "bt" then
      return nil, "attempt to load chunk with wrong mode"
    end
    if wanted ~= nil and type(wanted) ~= "table" then
      error("bad argument #4 to 'load' (table expected)", 2)
    end
    return raw_load(source, type(name) == "string" and name or nil, "t", wanted or env)
  end
end

-- What a worker file may grant beyond the list. os.exit stays out: it would end the worker.
local GRANTS = {
  io = function(env)
    env.io = pick(io, "close input lines open output popen read stderr stdin stdout tmpfile type write")
  end,
  os = function(env)
    for name, fn in pairs(pick(os, "execute getenv remove rename setlocale tmpname")) do env.os[name] = fn end
  end,
  debug = function(env) env.debug = debug end,
  jit = function(env) env.jit = jit end,
}

local function environment(granted)
  local env = pick(_G, [[assert error ipairs next pairs pcall rawequal rawget rawset select
    setmetatable tonumber tostring type unpack xpcall _VERSION]])
  env._G = env
  env.getmetatable = safe_getmetatable
  env.collectgarbage = safe_collectgarbage
  env.print = print_to_log
  env.load = loader(env)
  env.loadstring = function(source, name) return env.load(source, name) end
  env.string = string_library()
  env.table = pick(table, "concat insert maxn move pack remove")
  env.table.sort = safe_sort
  env.math = pick(math, [[abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log
    log10 max min modf pi pow rad random randomseed sin sinh sqrt tan tanh]])
  env.bit = pick(require "bit", "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex")
  env.os = pick(os, "clock date difftime")
  env.os.time = safe_time
  env.coroutine = pick(coroutine, "create isyieldable running status yield")
  env.coroutine.resume, env.coroutine.wrap = safe_resume, safe_wrap
  for name, give in pairs(GRANTS) do
    if granted[name] then give(env) end
  end
  return env
end

-- ----------------------------------------------------------------------- require

-- A plugin gets its own copy of an API module's tables, so that what it changes there is
-- seen by nobody else. Tables with a metatable are the module's business.
local function copy(value, seen)
  if type(value) ~= "table" or getmetatable(value) ~= nil then return value end
  if seen[value] then return seen[value] end
  local to = {}
  seen[value] = to
  for k, v in pairs(value) do to[k] = copy(v, seen) end
  return to
end

-- What plugins may require: modules whose functions are safe with any argument, which
-- spec/01-unit/sandbox_reach_spec.lua tries. The built-in ones may no more.
local PUBLIC = {}
for name in ("codec crypto date_format edit errors field_path file headers http http_config json log memo metrics "
  .. "regex rows schema struct time"):gmatch "%S+" do PUBLIC["connect." .. name] = true end
PUBLIC.connect = true

-- Answers a function that loads the API module, or nil and why not.
local function find_api(name, granted)
  if not PUBLIC[name] then return nil, "module '" .. name .. "' is not for plugins" end
  return function()
    local module = copy(raw_require(name), {})
    local file = name == "connect" and module.file or name == "connect.file" and module
    if file and granted.files then file.reader, file.writer = files.reader, files.writer end
    return module
  end
end

-- The text of a module beside the plugin and its path, or nil. sources: what the plugin was read as, nil = the disk.
local function read_own(root, name, sources)
  local base = root .. "/" .. gsub(name, "%.", "/")
  local path = base .. ".lua"
  local text = read_file(path, sources)
  if not text then
    path = base .. "/init.lua"
    text = read_file(path, sources)
  end
  return text, path
end

-- The same for a file beside the plugin.
local function find_own(env, root, name, sources)
  local text, path = read_own(root, name, sources)
  if not text then
    return nil, "there is no module '" .. name
      .. "' (a plugin may require connect, connect.* and files beside it)"
  end
  local chunk, why = compile(text, "@" .. path, env)
  return chunk and function() return chunk(name) end, why
end

local LOADING = {}

local function is_name(name)
  return type(name) == "string" and find(name, "^[%w_][%w_.]*$") and not find(name, "..", 1, true)
    and not find(name, "%.$")
end

local function is_api(name) return name == "connect" or find(name, "^connect%.") ~= nil end

local function own_require(env, root, granted, sources)
  local loaded = { ffi = granted.ffi and raw_require "ffi" or nil }
  return function(name)
    if not is_name(name) then
      error("a module's name may have letters, digits, _ and single dots only", 2)
    end
    if loaded[name] == LOADING then error("module '" .. name .. "' requires itself", 2) end
    if loaded[name] ~= nil then return loaded[name] end
    check_stack()
    local load_it, why
    if is_api(name) then
      load_it, why = find_api(name, granted)
    else
      load_it, why = find_own(env, root, name, sources)
    end
    if not load_it then error(why, 2) end
    loaded[name] = LOADING
    local ok, module = pcall(load_it)
    loaded[name] = nil
    if not ok then error(module, 0) end
    if module == nil then module = true end
    loaded[name] = module
    return module
  end
end

-- -------------------------------------------------------------------- entry point

-- Runs the plugin at file and answers the table it returned. root is the folder its own require may read; sources
-- (userdata, nil = the disk) what file and modules are read from.
function M.load(file, root, sources)
  local text, why = read_file(file, sources)
  if not text then error(why, 0) end
  local granted = rights.of(file)
  local env = environment(granted)
  env.require = own_require(env, root, granted, sources)
  local chunk, syntax = compile(text, "@" .. file, env)
  if not chunk then error(syntax, 0) end
  local module = chunk()
  if type(module) ~= "table" then
    error(("%s: a plugin file must return one table, this one returned a %s value"):format(file, type(module)), 0)
  end
  return module
end

-- Reads the modules that text names and those that they name, for open sources to keep: what is required inside a
-- function is so of the same generation as the rest.
function M.read_named(text, root, sources, seen)
  seen = seen or {}
  for name in gmatch(text, "require%s*%(?%s*[\"']([%w_.]+)[\"']") do
    if not seen[name] and is_name(name) and not is_api(name) then
      seen[name] = true
      local more = read_own(root, name, sources)
      if more then M.read_named(more, root, sources, seen) end
    end
  end
end

return M
