-- SPDX-License-Identifier: Apache-2.0
-- Of connect.edit: what Cast, MaskField and TimestampConverter do to values. A list of changes says to which: each is
-- { at = position of a struct's field (from 1) or name = an object's field, from = the old schema, nil = none }, in the
-- order of the fields; neither at nor name for the one change of a whole value. Changes of structs have a shape, too.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local side_of = require "connect.host.side"
local value = require "connect.host.value"

local current, held, resolve = address.current, address.held, address.resolve
local changes_p, changes_ct = address.changes_p, address.changes_ct
local shape_p, shape_ct = address.shape_p, address.shape_ct
local object_p, object_ct = address.object_p, address.object_ct
local K_MISSING, K_NULL, K_STRUCT = address.kind.MISSING, address.kind.NULL, address.kind.STRUCT
local types = value.types
local format_p = ffi.typeof "const struct cl_date_format *"
local rawget, type = rawget, type

local fields = {}

-- ----------------------------------------------------------------------- making

local TYPES = {}
for name in ("int8 int16 int32 int64 float32 float64 boolean string"):gmatch "%S+" do
  TYPES[name] = types[name:upper()]
end

local function type_of(name)
  return TYPES[name] or error("int8, int16, int32, int64, float32, float64, boolean or string expected", 4)
end

local function fill(space, changes, i, one, is_cast)
  local at, name, from = rawget(one, "at") or 1, rawget(one, "name"), rawget(one, "from")
  if type(at) ~= "number" or at % 1 ~= 0 or at < 1 or at > 0x7fffffff then
    error("a field's position is a whole number from 1", 3)
  end
  local change = changes.change[i - 1]
  change.at, change.type = at - 1, is_cast and type_of(rawget(one, "type")) or 0
  change.from = from and address.schema_pointer(from) or nil
  if name == nil then return end
  if type(name) ~= "string" then error("a field's name is a string, not a " .. type(name), 3) end
  if C.cl_ffi_changes_name(space, changes, i - 1, name, #name) ~= 0 then value.no_memory() end
end

-- Changes that hold a shape may not outlive it.
local function shape_of(x)
  if x == nil then return nil, 0 end
  local shape = held(shape_p, x, shape_ct)
  if shape.life == 0 then return shape, 0 end
  address.check_newest(shape.life)
  return shape, 1
end

-- A struct cl_changes *.
local function new(list, kind, text, its_shape)
  local space = address.some_space()
  local shape, brief = shape_of(its_shape)
  if type(list) ~= "table" then error("a list of changes expected, got " .. type(list), 3) end
  local n = value.length(list)
  for i = 1, n do
    local one = rawget(list, i)
    if type(one) ~= "table" then error("a change is a table, not a " .. type(one), 3) end
    local from = rawget(one, "from")
    if from and address.schema_pointer(from).life ~= 0 then brief = 1 end
  end
  if text ~= nil and type(text) ~= "string" then error("a text expected, got " .. type(text), 3) end
  local changes = C.cl_ffi_changes_new(space, n, kind, brief, text, text and #text or 0)
  if changes == nil then value.no_memory() end
  changes.shape = shape
  for i = 1, n do fill(space, changes, i, rawget(list, i), kind == C.CL_CHANGE_CAST) end
  return changes
end

local function hold(changes) return address.hold(address.changes_view_p, changes) end

--- Each value becomes one of its change's type, the name of a simple one, as Cast does it.
function fields.casts(list, shape) return hold(new(list, C.CL_CHANGE_CAST, nil, shape)) end

--- Each becomes its type's empty value or, where it is given, a replacement, as MaskField does it.
function fields.masks(list, replacement, shape) return hold(new(list, C.CL_CHANGE_MASK, replacement, shape)) end

local TARGETS = { string = C.CL_MOMENT_STRING, unix = C.CL_MOMENT_UNIX, date = C.CL_MOMENT_DATE,
  time = C.CL_MOMENT_TIME, timestamp = C.CL_MOMENT_TIMESTAMP }
local UNITS = { seconds = -1000, milliseconds = 1, microseconds = 1000, nanoseconds = 1000000 }

--- Each, a moment, becomes another form of it, as TimestampConverter does it. form has: target, "string", "unix",
-- "date", "time" or "timestamp"; unit, that of Unix times (seconds to nanoseconds); format (connect.date_format)
-- and its pattern, those of texts, no format = there are none.
function fields.moments(list, form, shape)
  if type(form) ~= "table" then error("a table that says the form expected, got " .. type(form), 2) end
  local target, unit, format = rawget(form, "target"), rawget(form, "unit"), rawget(form, "format")
  if not (target and TARGETS[target]) then error("string, unix, date, time or timestamp expected", 2) end
  if not (unit and UNITS[unit]) then error("seconds, milliseconds, microseconds or nanoseconds expected", 2) end
  if format ~= nil and not ffi.istype(format_p, format) then
    error("a date format expected, got " .. type(format), 2)
  end
  if target == "string" and format == nil then error("texts need a format", 2) end
  local changes = new(list, C.CL_CHANGE_MOMENT, rawget(form, "pattern"), shape)
  changes.target, changes.unit, changes.format = TARGETS[target], UNITS[unit], format
  return hold(changes)
end

-- ------------------------------------------------------------------------ using

local made = ffi.new "struct cl_struct *[1]"

--- Reshapes the side's struct by the changes' shape and changes its fields, as Java does: the first one that cannot
-- be fails.
function fields.change_struct(record, side, changes)
  local from = side_of.struct(record, side)
  if C.cl_ffi_change_struct(current.batch, held(changes_p, changes, changes_ct), from.val.st, made) ~= 0 then
    errors.throw_last()
  end
  from.val.st, from.schema = made[0], made[0].schema
end

--- Changes the object's fields; those it has not are made null.
function fields.change_object(object, changes)
  local obj, epoch = resolve(object_p, object, object_ct)
  address.check_writable(epoch)
  if C.cl_ffi_change_object(current.batch, held(changes_p, changes, changes_ct), obj) ~= 0 then errors.throw_last() end
end

--- The whole side is changed and gets this schema, nil = none. Its type is what the value becomes.
function fields.change(record, side, changes, to)
  local d = side_of.datum(record, side)
  local p = to and address.schema_pointer(to) or nil
  if C.cl_ffi_change_whole(current.batch, held(changes_p, changes, changes_ct), d.val, p) ~= 0 then
    errors.throw_last()
  end
  d.schema = p
end

local function with(p, def)
  local draft = ffi.new "struct cl_schema"
  ffi.copy(draft, p, ffi.sizeof "struct cl_schema")
  draft.def = def
  local out = C.cl_ffi_schema(address.space, draft)
  if out == nil then errors.throw_last() end
  return (address.schema_view(out))
end

-- The same of structs: p is the old schema.
local function struct_with(p, changes)
  local shape = changes.shape
  if p.uid ~= shape.from then error("this shape is for structs of another schema", 3) end
  if p.def.kind ~= K_MISSING then
    local def = ffi.new "struct cl_val"
    def.kind = K_NULL
    if p.def.kind == K_STRUCT then
      if C.cl_ffi_change_default(current.batch, changes, p, made) ~= 0 then errors.throw_last() end
      def.kind, def.st = K_STRUCT, made[0]
    end
    return with(shape.to, def)
  end
  return (address.schema_view(shape.to))
end

--- Schema `to` with the default that the changes make of from's; as it is when from has none. It is that of the
-- changes' shape, when they have one.
function fields.with_default(to, from, changes)
  local batch, p, how = side_of.batch(), address.schema_at(from), held(changes_p, changes, changes_ct)
  if how.shape ~= nil then return struct_with(p, how) end
  local out = address.schema_pointer(to)
  if p.def.kind == K_MISSING then return to end
  local def = ffi.new "struct cl_val"
  if C.cl_ffi_copy(batch, def, p.def) ~= 0 or C.cl_ffi_change_whole(batch, how, def, nil) ~= 0 then
    errors.throw_last()
  end
  if out.type == types.STRUCT then return to end
  if C.cl_ffi_fits(def, out, nil, 0) ~= 0 then
    errors.throw("org.apache.kafka.connect.errors.SchemaBuilderException", "Invalid default value")
  end
  return with(out, def)
end

return fields
