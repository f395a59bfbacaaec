-- SPDX-License-Identifier: Apache-2.0
-- Of connect.edit: structs of one schema become ones of another.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local side_of = require "connect.host.side"
local value = require "connect.host.value"
local write = require "connect.host.write"

local nulls = write.nulls
local current, held = address.current, address.held
local shape_p, shape_ct = address.shape_p, address.shape_ct
local K = address.kind
local K_ARRAY, K_OBJECT, K_STRUCT = K.ARRAY, K.OBJECT, K.STRUCT
local tonumber, type = tonumber, type

local shape = {}

--- How structs of schema from become ones of schema `to`: sources[i] = position of the old field that field i is
-- taken from, 0 or nil = it is left unset. replace_null: a null field that has a default is read as it. A field
-- whose schema is not the old one's is checked in each record.
function shape.shape(from, to, sources, replace_null)
  address.some_space()
  if type(sources) ~= "table" then error("a list of the old fields' positions expected, got " .. type(sources), 2) end
  local p = write.shape(from, to, sources, replace_null and nulls.default or nulls.stay)
  return address.hold(address.shape_view_p, p)
end

-- Where C puts the struct it makes.
local made = ffi.new "struct cl_struct *[1]"

-- Copies the containers a struct shares with another one that stays.
local function own(st)
  for i = 0, tonumber(st.n) - 1 do
    local val = st.v + i
    if val.kind >= K_ARRAY and C.cl_ffi_copy(current.batch, val, val) ~= 0 then value.no_memory() end
  end
end

--- The side's struct becomes one of the shape's schema, or to_side gets the new one; answers it.
function shape.reshape(record, side, how, to_side)
  local from = side_of.struct(record, side)
  local p = held(shape_p, how, shape_ct)
  if C.cl_ffi_reshape(current.batch, p, from.val.st, made) ~= 0 then errors.throw_last() end
  local to = from
  if to_side then
    to = side_of.datum(record, to_side)
    own(made[0])
  end
  to.val.kind, to.val.st, to.schema = K_STRUCT, made[0], p.to
  return record[to_side or side]
end

local function check_delimiter(delimiter)
  if type(delimiter) ~= "string" then error("a delimiter is a string, not a " .. type(delimiter), 3) end
end

--- The shape by which `flatten` makes structs of schema from flat.
function shape.flat(from, delimiter)
  local batch = side_of.batch()
  check_delimiter(delimiter)
  local old = address.schema_at(from)
  if old.type ~= value.types.STRUCT then error("a struct's schema expected", 2) end
  local p = C.cl_ffi_flat_shape(batch, old, delimiter, #delimiter)
  if p == nil then errors.throw_last() end
  return address.hold(address.shape_view_p, p)
end

--- The side becomes one without structs and objects inside: a struct by its flat shape, an object (how = nil) with
-- this delimiter.
function shape.flatten(record, side, delimiter, how)
  local rc
  if how ~= nil then
    local d = side_of.struct(record, side)
    local p = held(shape_p, how, shape_ct)
    rc = C.cl_ffi_flat_struct(current.batch, p, d.val)
    if rc == 0 then d.schema = p.to end
  else
    local d = side_of.datum(record, side)
    check_delimiter(delimiter)
    if d.val.kind ~= K_OBJECT or d.schema ~= nil then error("the " .. tostring(side) .. " is no object", 2) end
    rc = C.cl_ffi_flat_object(current.batch, d.val, delimiter, #delimiter, side == "key" and 1 or 0)
  end
  if rc ~= 0 then errors.throw_last() end
end

return shape
