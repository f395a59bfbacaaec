-- SPDX-License-Identifier: Apache-2.0
-- What transforms that work on any record are written with: exact (a value keeps its kind, width
-- and schema), and without a table, string or closure per record. side is "key" or "value".
--
-- With a schema the operated value is a struct, and a transform that changes its fields makes a
-- shape once for each schema it meets and reshapes the struct of each record by it. Without one
-- it is an object, changed in place; `copied` then tells how Java's HashMap would have been
-- copied, which shows in the order of a key's fields.

local bit = require "bit"
local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local record_text = require "connect.host.record_text"
local value = require "connect.host.value"
local view = require "connect.host.view"
local write = require "connect.host.write"

local nulls = write.nulls
local current, resolve = address.current, address.resolve
local K = address.kind
local K_MISSING, K_NULL, K_ARRAY, K_OBJECT, K_STRUCT = K.MISSING, K.NULL, K.ARRAY, K.OBJECT, K.STRUCT
local record_p, record_ct = address.record_p, address.record_ct
local object_p, object_ct, struct_p, struct_ct = address.object_p, address.object_ct, address.struct_p,
  address.struct_ct
local istype, floor, tonumber = ffi.istype, math.floor, tonumber
local DATA = "org.apache.kafka.connect.errors.DataException"

local edit = { DATA = DATA, NO_TIMESTAMP = address.NO_TIMESTAMP }

-- The record's key or value, which is going to be changed.
local function datum_of(record, side)
  local rec, epoch = resolve(record_p, record, record_ct)
  address.check_writable(epoch)
  if side == "key" then return rec.key, epoch end
  return rec.value, epoch
end

-- --------------------------------------------------------------------- looking

--- The side's schema, nil = none.
function edit.schema(record, side) return (address.schema_view(datum_of(record, side).schema)) end

--- Whether the side is null, whatever its schema.
function edit.is_null(record, side)
  local kind = datum_of(record, side).val.kind
  return kind == K_NULL or kind == K_MISSING
end

--- The side's struct and schema, or its object and nil; raises Apache's error for anything else.
-- purpose is the word of its messages: "field insertion".
function edit.open(record, side, purpose)
  local d = datum_of(record, side)
  local kind = d.val.kind
  if d.schema ~= nil then
    if kind == K_STRUCT then return record[side], address.schema_view(d.schema) end
    errors.throw(DATA, "Only Struct objects supported for [%s], found: %s", purpose, ffi.string(C.cl_ffi_class(d.val)))
  end
  if kind == K_OBJECT then return record[side], nil end
  errors.throw(DATA, "Only Map objects supported in absence of schema for [%s], found: %s", purpose,
    ffi.string(C.cl_ffi_class(d.val)))
end

-- ----------------------------------------------------------------------- structs

--- How structs become ones of schema `to`: sources[i] = position of the old field that field i
-- is taken from, 0 or nil = it is left unset. replace_null: a null field that has a default is
-- read as it. Lives as long as the task: keep it by the old schema's uid.
function edit.shape(to, sources, replace_null)
  return write.shape(to, sources, replace_null and nulls.default or nulls.stay)
end

-- Where cl_ffi_reshape puts the struct it makes.
local made = ffi.new "struct cl_struct *[1]"

-- Copies the containers a struct shares with another one that stays.
local function own(st)
  for i = 0, tonumber(st.n) - 1 do
    local val = st.v + i
    if val.kind >= K_ARRAY and C.cl_ffi_copy(current.batch, val, val) ~= 0 then value.no_memory() end
  end
end

--- The side's struct becomes one of the shape's schema, or to_side gets the new one; answers it.
function edit.reshape(record, side, shape, to_side)
  local from = datum_of(record, side)
  if from.val.kind ~= K_STRUCT then error("edit.reshape: the " .. side .. " is no struct", 2) end
  if C.cl_ffi_reshape(current.batch, shape, from.val.st, made) ~= 0 then errors.throw_last() end
  local to = from
  if to_side then
    to = datum_of(record, to_side)
    own(made[0])
  end
  to.val.kind, to.val.st, to.schema = K_STRUCT, made[0], shape.to
  return record[to_side or side]
end

--- Raises unless each field of the side's struct has a value that its schema takes.
function edit.check(record, side)
  local st = datum_of(record, side).val.st
  for i = 0, tonumber(st.n) - 1 do
    local f = st.schema.fields[i]
    if C.cl_ffi_fits(st.v + i, f.schema, f.name.p, f.name.len) ~= 0 then errors.throw_last() end
  end
end

-- ----------------------------------------------------------------------- objects

--- Where a name stands in a HashMap of default capacity that was given n names: later buckets come later.
function edit.java_bucket(name, n)
  local cap, h = 16, C.cl_ffi_java_hash(name, #name)
  while n > cap * 0.75 do cap = cap * 2 end
  return bit.band(bit.bxor(h, bit.rshift(h, 16)), cap - 1)
end

--- The object is as if its HashMap had been copied. capacity: the least power of two that is at
-- least this; nil = what Java makes for a copy of its size.
function edit.copied(object, side, capacity)
  local obj = resolve(object_p, object, object_ct)
  if not capacity then capacity = obj.n > 0 and floor(obj.n / 0.75 + 1) or 16 end
  if C.cl_ffi_obj_copied(current.batch, obj, capacity, side == "key" and 1 or 0) ~= 0 then value.no_memory() end
end

--- Rules for `project`: rules[name] = a new name, or false to drop it; what has no rule stays
-- when keep_others is true. Lives as long as the task.
function edit.names(rules, keep_others)
  local n = 0
  for _ in pairs(rules) do n = n + 1 end
  local names = C.cl_ffi_names_new(address.space, n)
  if names == nil then value.no_memory() end
  names.keep_others = keep_others and 1 or 0
  local i = 0
  for name, to in pairs(rules) do
    if C.cl_ffi_names_set(address.space, names, i, name, #name, to or nil, to and #to or 0) ~= 0 then
      value.no_memory()
    end
    i = i + 1
  end
  return names
end

--- Applies all rules at once, as a copy into a HashMap with room for as many fields.
function edit.project(object, side, names)
  local obj = resolve(object_p, object, object_ct)
  if C.cl_ffi_obj_project(current.batch, obj, names, side == "key" and 1 or 0) ~= 0 then value.no_memory() end
end

local powers = {} -- as transforms were configured: few

-- What Java makes of a capacity that a HashMap is asked to have. Looked up, since a loop would not compile.
local function power_of_two(capacity)
  local known = powers[capacity]
  if known then return known end
  local cap = 1
  while cap < capacity do cap = cap * 2 end
  powers[capacity] = cap
  return cap
end

--- The side becomes a new object of the HashMap capacity; answers it.
function edit.new_object(record, side, capacity)
  local d = datum_of(record, side)
  local obj = C.cl_ffi_obj_new(current.batch, power_of_two(capacity or 16))
  if obj == nil then value.no_memory() end
  d.val.kind, d.val.obj, d.schema = K_OBJECT, obj, nil
  return record[side]
end

-- ------------------------------------------------------------------ exact copies

-- Where `name` of a container is to be written.
local function target(container, name)
  if istype(object_ct, container) then
    local obj, epoch = resolve(object_p, container, object_ct)
    address.check_writable(epoch)
    local val = C.cl_ffi_obj_put(current.batch, obj, name, #name)
    if val == nil then value.no_memory() end
    return val
  end
  local st, epoch = resolve(struct_p, container, struct_ct)
  address.check_writable(epoch)
  local val = C.cl_ffi_struct_find(st, name, #name)
  if val == nil then errors.throw(DATA, "%s is not a valid field name", name) end
  return val
end

--- to[name] = from[from_name] exactly as it is; null when there is no such field.
function edit.put(to, name, from, from_name)
  local source, _, epoch = view.slot(from, from_name)
  local val = target(to, name)
  if source == nil then
    val.kind = K_NULL
  else
    value.copy(current.batch, val, source, epoch)
  end
end

--- Names of fields, each inside the one before, for `extract`. Lives as long as the task.
function edit.path(steps)
  local path = C.cl_ffi_path_new(address.space, #steps)
  if path == nil then value.no_memory() end
  for i, name in ipairs(steps) do
    if C.cl_ffi_path_set(address.space, path, i - 1, name, #name) ~= 0 then value.no_memory() end
  end
  return path
end

--- The side becomes the field at the end of a path; s is that one's schema. Null when there is none, or
-- when something on the way is null. A field on the way is read with its default, the last one with
-- replace_null only.
function edit.extract(record, side, path, s, replace_null)
  local p = s and address.schema_pointer(s) or nil
  if C.cl_ffi_extract(current.batch, datum_of(record, side), path, p, replace_null and 1 or 0) ~= 0 then
    errors.throw_last()
  end
end

--- The side becomes null, of this schema or none.
function edit.nothing(record, side, s)
  local d = datum_of(record, side)
  d.val.kind = K_NULL
  d.schema = s and address.schema_pointer(s) or nil
end

--- The side becomes an object or, with a schema, a struct that holds it as its one field.
function edit.wrap(record, side, name, to)
  local d = datum_of(record, side)
  if to == nil then
    local obj = C.cl_ffi_obj_new(current.batch, 16)
    local val = obj ~= nil and C.cl_ffi_obj_put(current.batch, obj, name, #name) or nil
    if val == nil then value.no_memory() end
    ffi.copy(val, d.val, 16)
    if val.kind == K_MISSING then val.kind = K_NULL end
    d.val.kind, d.val.obj = K_OBJECT, obj
    return
  end
  local p = address.schema_pointer(to)
  if C.cl_ffi_fits(d.val, p.fields[0].schema, name, #name) ~= 0 then errors.throw_last() end
  local st = C.cl_ffi_struct_new(current.batch, p)
  if st == nil then value.no_memory() end
  ffi.copy(st.v, d.val, 16)
  d.val.kind, d.val.st, d.schema = K_STRUCT, st, p
end

-- ------------------------------------------------------------------------- flat

--- The schema of what `flatten` makes of structs of a schema.
function edit.flat_schema(from, delimiter)
  local p = C.cl_ffi_flat_schema(current.batch, address.schema_pointer(from), delimiter, #delimiter)
  if p == nil then errors.throw_last() end
  return address.schema_view(p)
end

--- The side's struct, or its object (to nil), without structs and objects inside.
function edit.flatten(record, side, delimiter, to)
  local d = datum_of(record, side)
  local rc
  if to then
    local p = address.schema_pointer(to)
    rc = C.cl_ffi_flat_struct(current.batch, p, d.val)
    d.schema = p
  else
    rc = C.cl_ffi_flat_object(current.batch, d.val, delimiter, #delimiter, side == "key" and 1 or 0)
  end
  if rc ~= 0 then errors.throw_last() end
end

-- ------------------------------------------------------------- values in place
-- A struct cl_val is changed where it is: transforms of this tree that turn a value into one of
-- another kind get it by these, and read its kind (edit.kind), i, f, s and len.

edit.kind, edit.types = K, value.types

--- A value of nobody's, for a step between.
edit.scratch = ffi.new "struct cl_val"

--- The record itself, struct cl_record *.
function edit.record(record)
  local rec, epoch = resolve(record_p, record, record_ct)
  address.check_writable(epoch)
  return rec
end

--- The record as Java prints it, for errors.
function edit.record_text(record) return record_text(edit.record(record)) end

--- The side's value.
function edit.value(record, side) return datum_of(record, side).val end

--- Field `at` (from 1) of the side's struct.
function edit.field(record, side, at) return datum_of(record, side).val.st.v + (at - 1) end

--- An object's field, made null when it is not there.
function edit.entry(object, name)
  local val = target(object, name)
  if val.kind == K_MISSING then val.kind = K_NULL end
  return val
end

--- The side's value has become one of schema `to`, nil = none.
function edit.set_schema(record, side, to) datum_of(record, side).schema = to and address.schema_pointer(to) or nil end

--- Java's class of a value.
function edit.class_of_val(val) return ffi.string(C.cl_ffi_class(val)) end

--- The text of a string.
function edit.text_of(val) return ffi.string(val.s, val.len) end

--- The value becomes one of the type (of edit.types), as Cast does it. from: its schema, nil = none.
function edit.cast(val, from, type)
  local p = from and address.schema_pointer(from) or nil
  if C.cl_ffi_cast(current.batch, val, p, type) ~= 0 then errors.throw_last() end
end

--- The order in which a HashMap of this capacity would give these names.
function edit.hash_order(names, capacity)
  local obj = C.cl_ffi_obj_new(current.batch, power_of_two(capacity))
  if obj == nil then value.no_memory() end
  for _, name in ipairs(names) do
    if C.cl_ffi_obj_put(current.batch, obj, name, #name) == nil then value.no_memory() end
  end
  if C.cl_ffi_obj_copied(current.batch, obj, 1, 1) ~= 0 then value.no_memory() end
  local out = {}
  for i = 1, tonumber(obj.n) do
    local key = C.cl_ffi_sym_text(address.space, obj.e[i - 1].sym)
    out[i] = ffi.string(key.p, key.len)
  end
  return out
end

-- ------------------------------------------------------- structs changed in place

-- Where Struct.put of a null fails: the position, from 1.
local function misplaced_null(shape, st)
  for i = 1, tonumber(shape.n) do
    local at = shape.source[i - 1]
    if at >= 0 and shape.to.fields[i - 1].schema.optional == 0 then
      local kind = st.v[at].kind
      local has_default = st.schema.fields[at].schema.def.kind ~= K_MISSING
      if (kind == K_NULL or kind == K_MISSING) and not (has_default and shape.nulls == nulls.default) then return i end
    end
  end
end

--- Reshapes the side's struct by plan.shape, whose fields at the positions plan.at will be changed next:
-- plan.change(self, val, plan, k) does it to the k-th. When a null cannot be, the errors of the changes to
-- the fields before it come first, as they do where Java goes from field to field.
function edit.reshape_for(record, side, plan, self)
  local from = datum_of(record, side)
  if C.cl_ffi_reshape(current.batch, plan.shape, from.val.st, made) == 0 then
    from.val.st, from.schema = made[0], plan.shape.to
    return
  end
  local e_class, e_text = C.cl_ffi_error_class(), ffi.string(C.cl_ffi_error())
  local st, last = from.val.st, misplaced_null(plan.shape, from.val.st)
  local copy = ffi.new "struct cl_val"
  for k, at in ipairs(plan.at) do
    local source = st.v + plan.shape.source[at - 1]
    local def = st.schema.fields[plan.shape.source[at - 1]].schema.def
    if not last or at >= last then break end
    local is_null = source.kind == K_NULL or source.kind == K_MISSING
    if is_null and def.kind ~= K_MISSING and plan.shape.nulls == 1 then source = def end
    if C.cl_ffi_copy(current.batch, copy, source) ~= 0 then value.no_memory() end
    if copy.kind == K_MISSING then copy.kind = K_NULL end
    plan.change(self, copy, plan, k)
  end
  errors.throw(e_class ~= nil and ffi.string(e_class) or DATA, "%s", e_text)
end

--- What Cast or MaskField does to some fields: a list of { at = its position in a struct (from 1) or name = its
-- name in an object, type = of edit.types and from = its schema for a cast; neither for a mask }, in the order of
-- the fields. Lives as long as the task.
function edit.changes(list, replacement)
  local brief = 0
  for _, one in ipairs(list) do
    if one.from then brief = 1 end
  end
  local changes = C.cl_ffi_changes_new(address.space, #list, brief, replacement, replacement and #replacement or 0)
  if changes == nil then value.no_memory() end
  for i, one in ipairs(list) do
    local change = changes.change[i - 1]
    change.at, change.type = (one.at or 1) - 1, one.type or 0
    change.from = one.from and address.schema_pointer(one.from) or nil
    if one.name and C.cl_ffi_changes_name(address.space, changes, i - 1, one.name, #one.name) ~= 0 then
      value.no_memory()
    end
  end
  return changes
end

--- Reshapes the side's struct and changes its fields.
function edit.change_struct(record, side, shape, changes)
  local from = datum_of(record, side)
  if C.cl_ffi_change_struct(current.batch, shape, changes, from.val.st, made) ~= 0 then errors.throw_last() end
  from.val.st, from.schema = made[0], shape.to
end

--- Changes the object's fields; those it has not are made null.
function edit.change_object(object, changes)
  local obj, epoch = resolve(object_p, object, object_ct)
  address.check_writable(epoch)
  if C.cl_ffi_change_object(current.batch, changes, obj) ~= 0 then errors.throw_last() end
end

--- A copy of a schema's default, to be changed and given to edit.remade; nil = it has none.
function edit.default(s)
  local def = address.schema_pointer(s).def
  if def.kind == K_MISSING then return nil end
  local val = ffi.new "struct cl_val"
  if C.cl_ffi_copy(current.batch, val, def) ~= 0 then value.no_memory() end
  return val
end

--- The struct in val becomes one of the shape's schema.
function edit.reshape_val(val, shape)
  if C.cl_ffi_reshape(current.batch, shape, val.st, made) ~= 0 then errors.throw_last() end
  val.st = made[0]
end

--- s with this default (struct cl_val *, nil = none) and, when a type is given (of edit.types), of that
-- simple type.
function edit.remade(s, def, type)
  local draft = ffi.new "struct cl_schema"
  ffi.copy(draft, address.schema_pointer(s), ffi.sizeof "struct cl_schema")
  if type then
    draft.type, draft.fields, draft.n_fields, draft.key, draft.value = type, nil, 0, nil, nil
  end
  draft.def.kind = K_MISSING
  if def then
    if draft.type ~= value.types.STRUCT and C.cl_ffi_fits(def, draft, nil, 0) ~= 0 then
      errors.throw("org.apache.kafka.connect.errors.SchemaBuilderException", "Invalid default value")
    end
    draft.def = def
  end
  local p = C.cl_ffi_schema(address.space, draft)
  if p == nil then value.no_memory() end
  return address.schema_view(p)
end

-- ------------------------------------------------------------------------ topics

local text, text_size = nil, 0

-- Room for n bytes.
local function room(n)
  if n > text_size then
    text_size = n * 2
    text = ffi.new("char[?]", text_size)
  end
  return text
end

local function join(pieces, val)
  local size = #pieces[1] + (#pieces - 1) * tonumber(val.len)
  for i = 2, #pieces do size = size + #pieces[i] end
  local to, at = room(size), #pieces[1]
  ffi.copy(to, pieces[1], at)
  for i = 2, #pieces do
    ffi.copy(to + at, val.s, val.len)
    at = at + tonumber(val.len)
    ffi.copy(to + at, pieces[i], #pieces[i])
    at = at + #pieces[i]
  end
  return to, size
end

--- The topic becomes the pieces with the text of val (a string) between each two. Two pieces are the common
-- case, which is to compile without a loop.
function edit.set_topic(record, pieces, val)
  local rec = edit.record(record)
  local to, size
  if #pieces == 2 then
    local first, last, len = pieces[1], pieces[2], tonumber(val.len)
    size = #first + len + #last
    to = room(size)
    ffi.copy(to, first, #first)
    ffi.copy(to + #first, val.s, len)
    ffi.copy(to + (#first + len), last, #last)
  else
    to, size = join(pieces, val)
  end
  if C.cl_ffi_put_str(current.batch, rec.topic, to, size) ~= 0 then value.no_memory() end
end

return edit
