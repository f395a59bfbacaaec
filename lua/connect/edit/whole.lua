-- SPDX-License-Identifier: Apache-2.0
-- Of connect.edit: a record's key or value as a whole.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local record_text = require "connect.host.record_text"
local side_of = require "connect.host.side"
local value = require "connect.host.value"
local view = require "connect.host.view"

local current, datum = address.current, side_of.datum
local K = address.kind
local K_MISSING, K_NULL, K_OBJECT, K_STRUCT = K.MISSING, K.NULL, K.OBJECT, K.STRUCT
local T_STRUCT = value.types.STRUCT
local tonumber, type = tonumber, type
local DATA = "org.apache.kafka.connect.errors.DataException"

local whole = {}

--- The side's schema, nil = none.
function whole.schema(record, side) return (address.schema_view(datum(record, side).schema)) end

--- Its uid alone, which is quicker.
function whole.uid(record, side)
  local s = datum(record, side).schema
  if s == nil then return nil end
  return (tonumber(s.uid))
end

--- Whether the side is null, whatever its schema.
function whole.is_null(record, side)
  local kind = datum(record, side).val.kind
  return kind == K_NULL or kind == K_MISSING
end

-- Apache's error for a value that is of another kind.
local function refuse(d, purpose)
  errors.throw(DATA, d.schema ~= nil and "Only Struct objects supported for [%s], found: %s"
    or "Only Map objects supported in absence of schema for [%s], found: %s", tostring(purpose),
    ffi.string(C.cl_ffi_class(d.val)))
end

--- The side's struct and its schema's uid, or its object and nil; raises Apache's error for anything else.
-- purpose is the word of its messages: "field insertion".
function whole.open(record, side, purpose)
  local d = datum(record, side)
  local kind = d.val.kind
  if d.schema == nil then
    if kind ~= K_OBJECT then refuse(d, purpose) end
    return view.of(d, current.batch), nil
  end
  if kind ~= K_STRUCT then refuse(d, purpose) end
  return view.of(d, current.batch), tonumber(d.schema.uid)
end

--- The side becomes null, of this schema or none.
function whole.nothing(record, side, s)
  local d = datum(record, side)
  local p = s and address.schema_pointer(s) or nil
  d.val.kind, d.schema = K_NULL, p
end

--- The side becomes a new object of the HashMap capacity; answers it.
function whole.new_object(record, side, capacity)
  local d = datum(record, side)
  if capacity ~= nil and not (type(capacity) == "number" and capacity >= 0 and capacity < 0x1p31) then
    error("a capacity is a number from 0", 2)
  end
  local obj = C.cl_ffi_obj_new(current.batch, capacity or 16)
  if obj == nil then value.no_memory() end
  d.val.kind, d.val.obj, d.schema = K_OBJECT, obj, nil
  return record[side]
end

local function wrap_in_object(d, name)
  local obj = C.cl_ffi_obj_new(current.batch, 16)
  local val = obj ~= nil and C.cl_ffi_obj_put(current.batch, obj, name, #name) or nil
  if val == nil then value.no_memory() end
  ffi.copy(val, d.val, 16)
  if val.kind == K_MISSING then val.kind = K_NULL end
  d.val.kind, d.val.obj, d.schema = K_OBJECT, obj, nil
end

--- The side becomes an object or, with a schema of one field, a struct that holds it as that field.
function whole.wrap(record, side, name, to)
  local d = datum(record, side)
  if type(name) ~= "string" then error("a field's name is a string, not a " .. type(name), 2) end
  if to == nil then return wrap_in_object(d, name) end
  local p = address.schema_pointer(to)
  if p.type ~= T_STRUCT or p.n_fields ~= 1 then error("a struct's schema with one field expected", 2) end
  if C.cl_ffi_fits(d.val, p.fields[0].schema, name, #name) ~= 0 then errors.throw_last() end
  local st = C.cl_ffi_struct_new(current.batch, p)
  if st == nil then value.no_memory() end
  ffi.copy(st.v, d.val, 16)
  d.val.kind, d.val.st, d.schema = K_STRUCT, st, p
end

--- The record as Java prints it, for errors.
function whole.record_text(record)
  datum(record, "value")
  return record_text(view.record_of(record))
end

return whole
