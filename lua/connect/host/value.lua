-- SPDX-License-Identifier: Apache-2.0
-- Writing: Lua values into the datums of a batch, with or without a schema.

local ffi = require "ffi"

local C = require "connect.host.abi"
local emit = require "connect.host.emit"
local errors = require "connect.errors"
local host = require "connect.host.c"

local null = host.null
local int64, val_p = ffi.typeof "int64_t", ffi.typeof "struct cl_val *"
local floor, type = math.floor, type

local K_NULL, K_FALSE, K_TRUE = C.CL_NULL, C.CL_FALSE, C.CL_TRUE
local K_INT, K_FLOAT32, K_FLOAT64 = C.CL_INT, C.CL_FLOAT32, C.CL_FLOAT64

local value = {}

local function no_memory() errors.fatal("no memory left in the batch: emit fewer or smaller records per poll") end

-- What emit.c asks about a cdata inside a value: nil when written, else what is wrong.
local function set_cdata(x, out)
  if not ffi.istype(int64, x) then
    return ffi.istype("uint64_t", x) and "an unsigned 64-bit integer has no Connect type"
      or "cannot convert a view: use connect.copy"
  end
  local val = ffi.cast(val_p, out)
  val.kind, val.aux, val.i = K_INT, 64, x
end

--- A schemaless value: integral numbers become int64, others float64; tables with keys 1..n
-- arrays, tables with names objects with sorted keys. name is what errors call it.
local function set_plain(batch, val, x, name)
  local t = type(x)
  if t == "string" then
    if C.cl_ffi_put_string(batch, val, x, #x) ~= 0 then no_memory() end
  elseif t == "number" then
    if x >= -0x1p63 and x < 0x1p63 and floor(x) == x then
      val.kind, val.aux, val.i = K_INT, 64, x
    else
      val.kind, val.f = K_FLOAT64, x
    end
  elseif x == nil or x == null then
    val.kind = K_NULL
  else
    emit.set_val(batch, val, x, set_cdata, name)
  end
end

-- ------------------------------------------------------------------ schemas

local function integer(width)
  local max = width < 64 and 2 ^ (width - 1) or nil
  return function(_, val, x)
    if width == 64 and ffi.istype(int64, x) then
      val.i = x
    else
      local limit = max or 0x1p63
      if type(x) ~= "number" or floor(x) ~= x or x < -limit or x >= limit then return false end
      val.i = x
    end
    val.kind, val.aux = K_INT, width
    return true
  end
end

local function float(kind)
  return function(_, val, x)
    if type(x) ~= "number" then return false end
    val.kind, val.f = kind, kind == K_FLOAT32 and tonumber(ffi.new("float", x)) or x
    return true
  end
end

local function text(put)
  return function(batch, val, x)
    if type(x) ~= "string" then return false end
    if C[put](batch, val, x, #x) ~= 0 then no_memory() end
    return true
  end
end

local function boolean(_, val, x)
  if type(x) ~= "boolean" then return false end
  val.kind = x and K_TRUE or K_FALSE
  return true
end

local schemas = {}
for name, set in pairs {
  int8 = integer(8), int16 = integer(16), int32 = integer(32), int64 = integer(64),
  float32 = float(K_FLOAT32), float64 = float(K_FLOAT64), boolean = boolean,
  string = text "cl_ffi_put_string", bytes = text "cl_ffi_put_bytes",
} do
  local schema_type = tonumber(C["CL_TYPE_" .. name:upper()])
  schemas[name] = { type = schema_type, set = set, optional = 0 }
  schemas[name .. "?"] = { type = schema_type, set = set, optional = 1 }
end

local function set_typed(batch, datum, x, name, schema_name)
  local schema = schemas[schema_name]
  if not schema then
    errors.fatal("%s: unknown schema %s; known are int8, int16, int32, int64, float32, float64, boolean, string, "
      .. "bytes, each with a ? when it is optional", name, tostring(schema_name))
  end
  datum.schema = C.cl_ffi_primitive(batch, schema.type, schema.optional)
  if datum.schema == nil then no_memory() end
  if x == nil or x == null then
    if schema.optional == 0 then errors.data_error("%s: null, but its schema %s is required", name, schema_name) end
    datum.val.kind = K_NULL
  elseif not schema.set(batch, datum.val, x) then
    errors.data_error("%s: a %s does not fit its schema %s", name, type(x), schema_name)
  end
end

--- Sets a datum's value and schema; schema_name nil = schemaless.
function value.set(batch, datum, x, name, schema_name)
  if schema_name ~= nil then return set_typed(batch, datum, x, name, schema_name) end
  datum.schema = nil
  set_plain(batch, datum.val, x, name)
end

--- Sets a bare value, e.g. a source offset.
value.set_plain = set_plain

--- Copies a string to where out (struct cl_str) points it.
function value.set_str(batch, out, s)
  if C.cl_ffi_put_str(batch, out, s, #s) ~= 0 then no_memory() end
end

return value
