-- SPDX-License-Identifier: Apache-2.0
-- A record as lines for people, and what changed between two moments: `connect-lua try`. Each
-- field is a line of its own with its exact type, so that 1 and "1", or int8 and int64, differ.

local ffi = require "ffi"

local C = require "connect.host.abi"
local kind = require("connect.host.address").kind

local M = {}

local NAMES = { [kind.NULL] = "", [kind.FALSE] = "boolean", [kind.TRUE] = "boolean", [kind.FLOAT32] = "float32",
  [kind.FLOAT64] = "float64", [kind.NUMTEXT] = "float64", [kind.BIGINT] = "integer", [kind.DECIMAL] = "Decimal",
  [kind.STRING] = "string", [kind.BYTES] = "bytes", [kind.DATE] = "Date", [kind.TIME] = "Time",
  [kind.TIMESTAMP] = "Timestamp" }
local SHOWN = 200 -- characters of one value

local function str(s)
  if s.p == nil then return nil end
  return ffi.string(s.p, s.len)
end

local function escape(c)
  if c == "\n" then return "\\n" end
  if c == '"' or c == "\\" then return "\\" .. c end
  return ("\\x%02x"):format(c:byte())
end

local function quote(s)
  local cut = #s > SHOWN and s:sub(1, SHOWN) .. "..." or s
  return '"' .. cut:gsub('[%c"\\]', escape) .. '"'
end

local text_out = ffi.new "struct cl_str"

local function scalar(batch, val)
  local k = val.kind
  if k == kind.NULL or k == kind.MISSING then return "null" end
  local name = k == kind.INT and "int" .. tonumber(val.aux) or NAMES[k]
  if k == kind.STRING then return quote(ffi.string(val.s, val.len)) .. " " .. name end
  if k == kind.BYTES then return ("%d bytes"):format(val.len) .. " " .. quote(ffi.string(val.s, val.len)) end
  if C.cl_ffi_text(batch, val, text_out) ~= 0 then return "? " .. name end
  return str(text_out) .. " " .. name
end

local flatten

local function field(batch, add, path, name, val) flatten(batch, add, path .. "." .. name, val) end

local function each(batch, add, path, val)
  local k = val.kind
  if k == kind.OBJECT then
    for i = 0, tonumber(val.obj.n) - 1 do
      local e = val.obj.e[i]
      field(batch, add, path, str(C.cl_ffi_sym_text(batch.space, e.sym)), e.val)
    end
    return "{}"
  elseif k == kind.STRUCT then
    for i = 0, tonumber(val.st.n) - 1 do
      field(batch, add, path, str(val.st.schema.fields[i].name), val.st.v[i])
    end
    return "Struct"
  elseif k == kind.ARRAY then
    for i = 0, tonumber(val.arr.n) - 1 do flatten(batch, add, ("%s[%d]"):format(path, i), val.arr.v[i]) end
    return "[]"
  end
  for i = 0, tonumber(val.map.n) - 1 do
    local e = val.map.e[i]
    flatten(batch, add, ("%s[%s]"):format(path, scalar(batch, e.key)), e.val)
  end
  return "Map"
end

-- add(path, text) for each leaf; an empty container is a leaf.
function flatten(batch, add, path, val)
  local k = val.kind
  if k ~= kind.OBJECT and k ~= kind.STRUCT and k ~= kind.ARRAY and k ~= kind.MAP then
    return add(path, scalar(batch, val))
  end
  local some = false
  local empty = each(batch, function(...)
    some = true
    add(...)
  end, path, val)
  if not some then add(path, empty) end
end

local TYPES = {}
for name in ("int8 int16 int32 int64 float32 float64 boolean string bytes array map struct"):gmatch "%S+" do
  TYPES[tonumber(C["CL_TYPE_" .. name:upper()])] = name
end

local function schema_text(schema)
  local name = str(schema.name)
  return ("%s%s%s%s"):format(TYPES[schema.type], name and " " .. name or "",
    schema.has_version ~= 0 and " version " .. schema.version or "", schema.optional ~= 0 and ", optional" or "")
end

-- {path}, and path -> text
local function snapshot(batch, rec)
  local paths, texts = {}, {}
  local function add(path, text)
    local unique, n = path, 1
    while texts[unique] do
      n = n + 1
      unique = path .. " #" .. n
    end
    paths[#paths + 1] = unique
    texts[unique] = text
  end
  add("topic", str(rec.topic) or "null")
  add("partition", rec.partition >= 0 and tostring(rec.partition) or "null")
  add("timestamp", rec.timestamp >= 0 and (tostring(rec.timestamp):gsub("LL$", "")) or "null")
  for _, side in ipairs { "key", "value" } do
    if rec[side].schema ~= nil then add(side .. " schema", schema_text(rec[side].schema)) end
    flatten(batch, add, side, rec[side].val)
  end
  for i = 0, tonumber(rec.n_headers) - 1 do
    flatten(batch, add, "header " .. str(rec.headers[i].name), rec.headers[i].d.val)
  end
  return { paths = paths, texts = texts }
end

local function show(out, before, after)
  for _, path in ipairs(before.paths) do
    if not after.texts[path] then out[#out + 1] = ("  - %s: %s"):format(path, before.texts[path]) end
  end
  for _, path in ipairs(after.paths) do
    local old, new = before.texts[path], after.texts[path]
    if not old then
      out[#out + 1] = ("  + %s: %s"):format(path, new)
    elseif old ~= new then
      out[#out + 1] = ("  ~ %s: %s -> %s"):format(path, old, new)
    end
  end
end

--- An observer of one record: step(name) after each step, lines() at the end.
function M.new(batch, rec)
  local out, last = {}, nil
  local function step(name)
    if rec.state ~= C.CL_RECORD_LIVE then
      out[#out + 1] = name .. ": dropped"
      return
    end
    local now = snapshot(batch, rec)
    local n = #out
    if last then
      out[n + 1] = name .. ":"
      show(out, last, now)
      if #out == n + 1 then out[n + 1] = name .. ": no change" end
    else
      for _, path in ipairs(now.paths) do out[#out + 1] = ("    %s: %s"):format(path, now.texts[path]) end
    end
    last = now
  end
  return { step = step, lines = function()
    for i, line in ipairs(out) do out[i] = line:gsub("%c", escape) end -- names and topics can hold any character
    return table.concat(out, "\n")
  end }
end

return M
