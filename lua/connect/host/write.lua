-- SPDX-License-Identifier: Apache-2.0
-- Assignments to views, in a transform's apply: record.value.email = "x", record.topic = "t".
--
-- nil removes a field, connect.null writes null. A number keeps the type of the number it
-- takes the place of. What is assigned is copied, views too. A struct takes what its schema
-- says; a field it has not makes it a struct of a schema with that field more (and nil makes
-- it one with a field less), which only works for the key or value itself: the schema of a
-- struct inside is part of the one around it.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local host = require "connect.host.c"
local schema = require "connect.schema"
local value = require "connect.host.value"

local null = host.null
local current = address.current
local resolve, check_writable = address.resolve, address.check_writable
local K = address.kind
local K_NULL, K_STRUCT, K_MISSING, K_INT = K.NULL, K.STRUCT, K.MISSING, K.INT
local object_p, array_p, struct_p, map_p, record_p = address.object_p, address.array_p, address.struct_p, address.map_p,
  address.record_p
local object_ct, array_ct, struct_ct, map_ct, record_ct = address.object_ct, address.array_ct, address.struct_ct,
  address.map_ct, address.record_ct
local change, fit, no_memory, set_typed = value.change, value.fit, value.no_memory, value.set_typed
local typed_ct = value.typed_ct
local istype, type, tonumber = ffi.istype, type, tonumber

local write = {}

-- What is written is made here first: a value that cannot be leaves nothing behind, and a
-- container that is put into itself is copied before it changes.
local made, made_key = ffi.new "struct cl_val", ffi.new "struct cl_val"

-- ------------------------------------------------------------------- containers

-- A number with a type of its own: its fields are read before any C function is called, or the
-- compiler would have to make the object.
local function put_typed(obj, key, kind, aux, i, f)
  local val = C.cl_ffi_obj_put(current.batch, obj, key, #key)
  if val == nil then no_memory() end
  set_typed(val, kind, aux, i, f)
end

function write.object(self, key, x)
  local obj, epoch = resolve(object_p, self, object_ct)
  check_writable(epoch)
  if type(key) ~= "string" then error("an object's field is named by a string, not a " .. type(key), 2) end
  if istype(typed_ct, x) then
    put_typed(obj, key, x.kind, x.aux, x.i, x.f)
    return
  end
  if x == nil then
    C.cl_ffi_obj_remove(address.space, obj, key, #key)
    return
  end
  local old = C.cl_ffi_obj_find(address.space, obj, key, #key)
  if old ~= nil then
    ffi.copy(made, old, 16)
    change(current.batch, made, x, key)
    ffi.copy(old, made, 16)
    return
  end
  made.kind = K_MISSING
  change(current.batch, made, x, key)
  local val = C.cl_ffi_obj_put(current.batch, obj, key, #key)
  if val == nil then no_memory() end
  ffi.copy(val, made, 16)
end

function write.array(self, i, x)
  local arr, epoch = resolve(array_p, self, array_ct)
  check_writable(epoch)
  if type(i) ~= "number" or i % 1 ~= 0 or i < 1 or i > arr.n + 1 then
    error(("a list of %d takes positions 1 to %d"):format(arr.n, arr.n + 1), 2)
  end
  if x == nil then
    if i ~= arr.n then error("only a list's last item can be removed by nil", 2) end
    arr.n = arr.n - 1
    return
  end
  if i <= arr.n then
    ffi.copy(made, arr.v + (i - 1), 16)
    change(current.batch, made, x, "item")
    ffi.copy(arr.v + (i - 1), made, 16)
    return
  end
  made.kind = K_MISSING
  if i > 1 then made.kind, made.aux = arr.v[i - 2].kind, arr.v[i - 2].aux end
  change(current.batch, made, x, "item")
  local val = C.cl_ffi_arr_put(current.batch, arr, i - 1)
  if val == nil then no_memory() end
  ffi.copy(val, made, 16)
end

--- find(self, key) answers the map's entry or nil.
function write.map(self, key, x, find)
  local map, epoch = resolve(map_p, self, map_ct)
  check_writable(epoch)
  local at = find(self, key)
  if x == nil then
    if at then
      local rest = map.n - at - 1
      for i = at, at + rest - 1 do map.e[i] = map.e[i + 1] end
      map.n = map.n - 1
    end
    return
  end
  made.kind = K_MISSING
  if at then made.kind, made.aux = map.e[at].val.kind, map.e[at].val.aux end
  change(current.batch, made, x, "value")
  if at then
    ffi.copy(map.e[at].val, made, 16)
    return
  end
  made_key.kind = K_MISSING
  if map.n > 0 then made_key.kind, made_key.aux = map.e[0].key.kind, map.e[0].key.aux end
  change(current.batch, made_key, key, "key")
  local e = C.cl_ffi_map_add(current.batch, map)
  if e == nil then no_memory() end
  ffi.copy(e.key, made_key, 16)
  ffi.copy(e.val, made, 16)
end

-- ---------------------------------------------------------------------- structs

-- What a schema becomes with a field more or less is worked out once:
-- changes[uid][name][uid of the new field's schema, 0 = without] = shape.
local changes, changes_space = {}, nil
local function known(st, name, field_uid)
  if changes_space ~= address.space_number then changes, changes_space = {}, address.space_number end
  local of_schema = changes[tonumber(st.schema.uid)]
  local of_name = of_schema and of_schema[name]
  return of_name and of_name[field_uid]
end

--- Null fields of a struct that is reshaped (abi.h: cl_shape.nulls).
write.nulls = { stay = 0, default = 1, unseen = 2 }

--- How structs become ones of schema `to`: sources[i] = position of the old field that field i is
-- taken from, 0 or nil = it is left unset. Lives as long as the task.
function write.shape(to, sources, nulls)
  local p = address.schema_pointer(to)
  local shape = C.cl_ffi_shape_new(address.space, p)
  if shape == nil then no_memory() end
  shape.nulls = nulls
  for i = 1, tonumber(p.n_fields) do shape.source[i - 1] = (sources[i] or 0) - 1 end
  return shape
end

local function remember(st, name, field_uid, to, sources)
  local uid, shape = tonumber(st.schema.uid), write.shape(to, sources, write.nulls.unseen)
  changes[uid] = changes[uid] or {}
  changes[uid][name] = changes[uid][name] or {}
  changes[uid][name][field_uid] = shape
  return shape
end

local reshaped = ffi.new "struct cl_struct *[1]"

-- The struct gets the shape's schema and fields in place: views of it stay good.
local function restructure(st, shape)
  local owner = st.owner
  if owner == nil or owner.val.kind ~= K_STRUCT or owner.val.st ~= st then
    error("this struct is part of another one, whose schema says what it has: build a new one (connect.struct)", 3)
  end
  if C.cl_ffi_reshape(current.batch, shape, st, reshaped) ~= 0 then errors.throw_last() end
  st.schema, st.n, st.v = shape.to, shape.n, reshaped[0].v
  owner.schema = shape.to
end

local function shape_without(st, name, at)
  local from = address.schema_view(st.schema)
  local list, sources = {}, {}
  for i, f in ipairs(from.fields) do
    if i ~= at then
      list[#list + 1] = f
      sources[#list] = i
    end
  end
  return remember(st, name, 0, schema.derive(from, { fields = list }), sources)
end

local function shape_with(st, name, s)
  local from = address.schema_view(st.schema)
  local list, sources = from.fields, {}
  for i = 1, #list do sources[i] = i end
  list[#list + 1] = { name, s }
  return remember(st, name, s.uid, schema.derive(from, { fields = list }), sources)
end

-- The schema of a value that brings it along, or the one it gets.
local function schema_of(x, name)
  if istype(struct_ct, x) then return address.schema_view((resolve(struct_p, x, struct_ct)).schema) end
  return schema.infer(x)
    or error(("%s: a %s has no schema of its own: build the struct with connect.struct"):format(name, type(x)), 4)
end

local function add_field(st, name, x)
  local s = schema_of(x, name)
  made.kind = K_MISSING
  fit(current.batch, made, x, address.schema_pointer(s), name)
  restructure(st, known(st, name, s.uid) or shape_with(st, name, s))
  ffi.copy(st.v + (st.n - 1), made, 16)
end

local function fit_typed(st, key, kind, aux, i, f)
  local v = C.cl_ffi_struct_find(st, key, #key)
  if v == nil then return false end
  set_typed(made, kind, aux, i, f)
  if C.cl_ffi_fits(made, st.schema.fields[v - st.v].schema, key, #key) ~= 0 then errors.throw_last() end
  ffi.copy(v, made, 16)
  return true
end

function write.struct(self, key, x)
  local st, epoch = resolve(struct_p, self, struct_ct)
  check_writable(epoch)
  if type(key) ~= "string" then error("a struct's field is named by a string, not a " .. type(key), 2) end
  if istype(typed_ct, x) and fit_typed(st, key, x.kind, x.aux, x.i, x.f) then return end
  local v = C.cl_ffi_struct_find(st, key, #key)
  if v == nil then
    if x ~= nil then add_field(st, key, x) end
  elseif x == nil then
    restructure(st, known(st, key, 0) or shape_without(st, key, v - st.v + 1))
  else
    made.kind = K_MISSING
    fit(current.batch, made, x, st.schema.fields[v - st.v].schema, key)
    ffi.copy(v, made, 16)
  end
end

-- ---------------------------------------------------------------------- records

--- Sets a datum to a Lua value with a schema (a schema, its name, or nil = schemaless).
function write.set(batch, datum, x, name, s)
  made.kind = K_MISSING
  local p = nil
  if s ~= nil then
    p = address.schema_pointer(schema.of(s))
    fit(batch, made, x, p)
  else
    value.set(batch, made, x, name)
    if made.kind == K_STRUCT then p = made.st.schema end
  end
  ffi.copy(datum.val, made, 16)
  datum.schema = p
end

-- record.value = x: a schema it has stays while x fits it.
local function assign(batch, datum, x, name)
  if x == nil then
    datum.val.kind, datum.schema = K_NULL, nil
  elseif datum.schema == nil or istype(struct_ct, x) then
    if datum.schema == nil and type(x) == "number" and datum.val.kind >= K_INT then
      change(batch, datum.val, x, name)
    else
      write.set(batch, datum, x, name)
    end
  elseif x == null then
    if datum.schema.optional == 0 then datum.schema = nil end
    datum.val.kind = K_NULL
  else
    write.set(batch, datum, x, name, address.schema_view(datum.schema))
  end
end

function write.topic(batch, rec, topic)
  if type(topic) ~= "string" or topic == "" then error("topic must be a string that is not empty", 0) end
  value.set_str(batch, rec.topic, topic)
end

function write.partition(rec, partition)
  if type(partition) ~= "number" or partition % 1 ~= 0 or partition < 0 or partition > 0x7fffffff then
    error("partition must be a whole number from 0", 0)
  end
  rec.partition = partition
end

function write.timestamp(rec, timestamp)
  if type(timestamp) ~= "number" or not (timestamp >= 0 and timestamp < 0x1p63) then -- NaN is neither
    error("timestamp must be milliseconds since the epoch", 0)
  end
  rec.timestamp = timestamp
end

function write.record(self, name, x)
  local rec, epoch = resolve(record_p, self, record_ct)
  check_writable(epoch)
  local batch = current.batch
  if name == "value" then
    assign(batch, rec.value, x, "value")
  elseif name == "key" then
    assign(batch, rec.key, x, "key")
  elseif name == "topic" then
    write.topic(batch, rec, x)
  elseif name == "partition" then
    if x == nil then rec.partition = -1 else write.partition(rec, x) end
  elseif name == "timestamp" then
    if x == nil then rec.timestamp = address.NO_TIMESTAMP else write.timestamp(rec, x) end
  elseif name == "headers" then
    error("headers are changed with connect.headers", 2)
  else
    error(("a record's field '%s' cannot be changed"):format(tostring(name)), 2)
  end
end

return write
