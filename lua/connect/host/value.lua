-- SPDX-License-Identifier: Apache-2.0
-- Lua values into struct cl_val, in the arena of the batch being worked on: schemaless (set),
-- in place of a value whose kind they keep (change), or as a schema says (fit).

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local emit = require "connect.host.emit"
local errors = require "connect.errors"
local host = require "connect.host.c"
local typed = require "connect.host.typed"

local null = host.null
local K = address.kind
local K_NULL, K_FALSE, K_TRUE, K_INT = K.NULL, K.FALSE, K.TRUE, K.INT
local K_FLOAT32, K_FLOAT64, K_NUMTEXT, K_BYTES = K.FLOAT32, K.FLOAT64, K.NUMTEXT, K.BYTES
local K_DATE, K_TIME, K_TIMESTAMP = K.DATE, K.TIME, K.TIMESTAMP
local K_ARRAY, K_OBJECT, K_MAP, K_STRUCT = K.ARRAY, K.OBJECT, K.MAP, K.STRUCT
local int64_ct, float_ct, val_p = ffi.typeof "int64_t", ffi.typeof "float", ffi.typeof "struct cl_val *"
local typed_ct, is_decimal, is_bytes = typed.number_ct, typed.is_decimal, typed.is_bytes
local object_ct, array_ct, struct_ct, map_ct = address.object_ct, address.array_ct, address.struct_ct, address.map_ct
local resolve = address.resolve
local floor, tonumber, type, rawget = math.floor, tonumber, type, rawget

local value = {}

local no_memory = emit.no_memory
value.no_memory = no_memory

-- ------------------------------------------------------------------- schemaless

local function is_view(x)
  return ffi.istype(object_ct, x) or ffi.istype(struct_ct, x) or ffi.istype(array_ct, x) or ffi.istype(map_ct, x)
end

-- Points val at what the view stands for: the view's epoch, nil when x is no view.
local function point_at(val, x)
  local epoch
  if ffi.istype(object_ct, x) then
    val.kind, val.obj, epoch = K_OBJECT, resolve(address.object_p, x, object_ct)
  elseif ffi.istype(struct_ct, x) then
    val.kind, val.st, epoch = K_STRUCT, resolve(address.struct_p, x, struct_ct)
  elseif ffi.istype(array_ct, x) then
    val.kind, val.arr, epoch = K_ARRAY, resolve(address.array_p, x, array_ct)
  elseif ffi.istype(map_ct, x) then
    val.kind, val.map, epoch = K_MAP, resolve(address.map_p, x, map_ct)
  end
  return epoch
end

--- val points at the container of a view; answers its epoch, nil = x is none.
value.point_at = point_at

--- Copies from to out; from is of a batch with this epoch.
function value.copy(batch, out, from, epoch)
  local rc
  if epoch == address.epoch_of(batch) then
    rc = C.cl_ffi_copy(batch, out, from)
  else
    rc = C.cl_ffi_copy_other(batch, out, from)
  end
  if rc == host.EDATA then errors.throw_last() end
  if rc ~= 0 then no_memory() end
end

--- A number with a type of its own, of the fields of connect.int32(5) and the like.
local function set_typed(val, kind, aux, i, f)
  val.kind, val.aux = kind, aux
  if kind == K_FLOAT32 or kind == K_FLOAT64 then val.f = f else val.i = i end
end
value.set_typed = set_typed

local viewed = ffi.new "struct cl_val"

local function set_decimal(batch, val, digits, scale)
  if C.cl_ffi_put_decimal(batch, val, digits, #digits, scale) ~= 0 then no_memory() end
end

local function set_bytes(batch, val, s)
  if C.cl_ffi_put_bytes(batch, val, s, #s) ~= 0 then no_memory() end
end

-- Whether x was a decimal or bytes, which are written.
local function set_tagged(batch, val, x)
  if is_decimal(x) then
    set_decimal(batch, val, typed.decimal_parts(x))
  elseif is_bytes(x) then
    set_bytes(batch, val, typed.bytes_text(x))
  else
    return false
  end
  return true
end

-- A cdata: nil when written, else what is wrong. A view's containers are copied, so that no
-- change of one value shows in another.
local function set_cdata(batch, val, x)
  if ffi.istype(typed_ct, x) then
    set_typed(val, x.kind, x.aux, x.i, x.f)
  elseif ffi.istype(int64_ct, x) then
    val.kind, val.aux, val.i = K_INT, 64, x
  elseif is_view(x) then
    local epoch = point_at(viewed, x) -- not in val: val may be part of what x shows
    value.copy(batch, val, viewed, epoch)
  elseif ffi.istype("uint64_t", x) then
    return "an unsigned 64-bit integer has no Connect type"
  else
    return "a record or batch is no value"
  end
end

-- What emit.c asks about cdata and tables with a metatable: nil when written, else what is wrong; false = it
-- is a table like others.
local function set_special(x, out)
  local batch, val = address.current.batch, ffi.cast(val_p, out)
  if type(x) == "cdata" then return set_cdata(batch, val, x) end
  if not set_tagged(batch, val, x) then return false end
end

--- A schemaless value: integral numbers become int64 (but for -0.0), others float64; tables with keys 1..n
-- arrays, tables with names objects with sorted keys. name is what errors call it.
local function set(batch, val, x, name)
  local t = type(x)
  if t == "string" then
    if C.cl_ffi_put_string(batch, val, x, #x) ~= 0 then no_memory() end
  elseif t == "number" then
    if x >= -0x1p63 and x < 0x1p63 and floor(x) == x and (x ~= 0 or 1 / x > 0) then
      val.kind, val.aux, val.i = K_INT, 64, x
    else
      val.kind, val.f = K_FLOAT64, x
    end
  elseif x == nil or x == null then
    val.kind = K_NULL
  elseif t == "boolean" then
    val.kind = x and K_TRUE or K_FALSE
  elseif t == "cdata" then
    local why = set_cdata(batch, val, x)
    if why then error(name .. ": " .. why, 0) end
  elseif not set_tagged(batch, val, x) then
    emit.set_val(batch, ffi.cast(val_p, val), x, set_special, name)
  end
end
value.set = set

local WIDTHS = { [8] = 2 ^ 7, [16] = 2 ^ 15, [32] = 2 ^ 31, [64] = 2 ^ 63 }

--- The same in place of what val holds: a number keeps the width or kind it had while it fits, and text that
-- takes the place of bytes is bytes.
function value.change(batch, val, x, name)
  local kind = val.kind
  if type(x) == "string" and kind == K_BYTES then return set_bytes(batch, val, x) end
  if type(x) ~= "number" then return set(batch, val, x, name) end
  if kind == K_FLOAT64 or kind == K_FLOAT32 then
    val.f = kind == K_FLOAT32 and tonumber(ffi.cast(float_ct, x)) or x
  elseif kind == K_NUMTEXT then
    val.kind, val.f = K_FLOAT64, x
  elseif floor(x) ~= x then
    set(batch, val, x, name)
  elseif kind == K_INT then
    local limit = WIDTHS[val.aux]
    if x >= -limit and x < limit then val.i = x else set(batch, val, x, name) end
  elseif kind == K_DATE or kind == K_TIME or kind == K_TIMESTAMP then
    val.i = x
  else
    set(batch, val, x, name)
  end
end

-- ------------------------------------------------------------------ by schema

local T = {}
for _, name in ipairs { "INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES", "ARRAY",
  "MAP", "STRUCT" } do
  T[name] = tonumber(C["CL_TYPE_" .. name])
end
local WIDTH = { [T.INT8] = 8, [T.INT16] = 16, [T.INT32] = 32, [T.INT64] = 64 }
local MOMENT = {
  [tonumber(C.CL_LOGICAL_DATE)] = K_DATE, [tonumber(C.CL_LOGICAL_TIME)] = K_TIME,
  [tonumber(C.CL_LOGICAL_TIMESTAMP)] = K_TIMESTAMP,
}
local LOGICAL_DECIMAL = tonumber(C.CL_LOGICAL_DECIMAL)
local MAX_ZEROS = 10000 -- that a decimal is given to reach its schema's scale
value.types = T

local fit

local function fit_number(val, x, schema)
  local kind, width = MOMENT[schema.logical], WIDTH[schema.type]
  if kind or width then
    local limit = kind and 0x1p63 or WIDTHS[width]
    if floor(x) ~= x or x < -limit or x >= limit then return false end
    val.kind, val.aux, val.i = kind or K_INT, kind and 0 or width, x
  elseif schema.type == T.FLOAT32 then
    val.kind, val.f = K_FLOAT32, tonumber(ffi.cast(float_ct, x))
  elseif schema.type == T.FLOAT64 then
    val.kind, val.f = K_FLOAT64, x
  else
    return false
  end
  return true
end

local function fit_string(batch, val, x, schema)
  if schema.type == T.STRING then
    if C.cl_ffi_put_string(batch, val, x, #x) ~= 0 then no_memory() end
  elseif schema.type == T.BYTES and schema.logical ~= LOGICAL_DECIMAL then
    set_bytes(batch, val, x)
  else
    return false
  end
  return true
end

--- How many items a list has. Counted, since # asks a metatable, which may answer anything.
function value.length(list)
  local n = 0
  while rawget(list, n + 1) ~= nil do n = n + 1 end
  return n
end

-- A decimal with the schema's scale, as far as that changes nothing: 1.5 is 1.50 where the scale is 2.
local function rescaled(x, schema, name)
  local digits, scale = typed.decimal_parts(x)
  local want = scale
  for i = 0, tonumber(schema.n_params) - 1 do
    local p = schema.params[i]
    if ffi.string(p.name.p, p.name.len) == "scale" then want = tonumber(ffi.string(p.value.p, p.value.len)) or want end
  end
  local more = want - scale
  if more < 0 and digits:sub(more):find "^0+$" and #digits > -more then
    digits = digits:sub(1, more - 1)
  elseif more > 0 and more <= MAX_ZEROS then
    digits = digits == "0" and digits or digits .. ("0"):rep(more)
  elseif more ~= 0 and digits ~= "0" then
    errors.data_error("%s: the decimal %s has no scale of %d without rounding", name or "value",
      more > 0 and digits .. "e" .. -scale or tostring(x), want)
  end
  return digits, want
end

-- A Lua table as array, map or struct.
local function fit_table(batch, val, x, schema, name)
  if schema.type == T.ARRAY then
    local n = value.length(x)
    local arr = C.cl_ffi_arr_new(batch, n)
    if arr == nil then no_memory() end
    for i = 1, n do fit(batch, arr.v + (i - 1), rawget(x, i), schema.value, name) end
    val.kind, val.arr = K_ARRAY, arr
  elseif schema.type == T.MAP then
    local map = C.cl_ffi_map_new(batch)
    if map == nil then no_memory() end
    for k, item in next, x do
      local e = C.cl_ffi_map_add(batch, map)
      if e == nil then no_memory() end
      fit(batch, e.key, k, schema.key, name)
      fit(batch, e.val, item, schema.value, name)
    end
    val.kind, val.map = K_MAP, map
  elseif schema.type == T.STRUCT then
    local st = C.cl_ffi_struct_new(batch, schema)
    if st == nil then no_memory() end
    for k, item in next, x do
      local v = type(k) == "string" and C.cl_ffi_struct_find(st, k, #k) or nil
      if v == nil then errors.data_error("%s is not a valid field name", tostring(k)) end
      fit(batch, v, item, schema.fields[v - st.v].schema, k)
    end
    val.kind, val.st = K_STRUCT, st
  else
    return false
  end
  return true
end

local function misfit(x, schema, name)
  local schema_text = tostring(address.schema_view(schema))
  errors.data_error("%s: %s does not fit its %s", name, type(x) == "string" and ("the string %.40q"):format(x)
    or type(x) == "number" and "the number " .. x or "a " .. type(x), schema_text)
end

--- x as the schema (const struct cl_schema *) says; a data error when it does not fit. name is
-- the field's, or nil.
function fit(batch, val, x, schema, name)
  local t = type(x)
  if t == "number" then
    if not fit_number(val, x, schema) then misfit(x, schema, name or "value") end
  elseif t == "string" then
    if not fit_string(batch, val, x, schema) then misfit(x, schema, name or "value") end
  elseif t == "table" and not is_decimal(x) and not is_bytes(x) then
    if not fit_table(batch, val, x, schema, name) then misfit(x, schema, name or "value") end
  elseif t == "table" and schema.logical == LOGICAL_DECIMAL and is_decimal(x) then
    set_decimal(batch, val, rescaled(x, schema, name))
  else
    set(batch, val, x, name or "value")
    if C.cl_ffi_fits(val, schema, name, name and #name or 0) ~= 0 then errors.throw_last() end
  end
end
value.fit = fit

--- Copies a string to where out (struct cl_str) points it.
function value.set_str(batch, out, s)
  if C.cl_ffi_put_str(batch, out, s, #s) ~= 0 then no_memory() end
end

return value
