-- SPDX-License-Identifier: Apache-2.0
-- Assignments to views, in a transform's apply: record.value.email = "x", record.topic = "t".
--
-- nil removes a field, connect.null writes null. A number keeps the type of the number it
-- takes the place of. What is assigned is copied, views too. A struct, and a list or map that was
-- read out of one, takes what its schema says; a field a struct has not makes it a struct of a schema with that
-- field more (and nil makes it one with a field less), which only works for the key or value itself: the schema
-- of a struct inside is part of the one around it. write.put says the schema of a field, write.put_field copies one.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local memo = require "connect.memo"
local host = require "connect.host.c"
local schema = require "connect.schema"
local typed = require "connect.host.typed"
local value = require "connect.host.value"
local where = require "connect.host.where"

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
local typed_ct = typed.number_ct
local T_STRUCT = value.types.STRUCT
local istype, type, tonumber = ffi.istype, type, tonumber

local write = {}

-- What is written is made here first: a value that cannot be leaves nothing behind, and a
-- container that is put into itself is copied before it changes.
local made, made_key, made_field = ffi.new "struct cl_val", ffi.new "struct cl_val", ffi.new "struct cl_val"

-- ------------------------------------------------------------------- containers

-- A number with a type of its own: its fields are read before any C function is called, or the
-- compiler would have to make the object.
local function put_typed(obj, key, kind, aux, i, f)
  local val = C.cl_ffi_obj_put(current.batch, obj, key, #key)
  if val == nil then no_memory() end
  set_typed(val, kind, aux, i, f)
end

-- x as a part of a container that has a schema; the error of one that does not fit says which part of what.
local function make_part(container, key, x, s)
  made.kind = K_MISSING
  if pcall(fit, current.batch, made, x, s, "item") then return end
  local step = type(key) == "string" and "." .. key or ("[%s]"):format(tostring(key))
  local path = where(container)
  made.kind = K_MISSING
  fit(current.batch, made, x, s, path and path ~= "" and path .. step or (step:gsub("^%.", "")))
end

function write.object(self, key, x)
  local obj, epoch = resolve(object_p, self, object_ct)
  check_writable(epoch)
  if type(key) ~= "string" then error("an object's field is named by a string, not a " .. type(key), 2) end
  if obj.schema == nil and istype(typed_ct, x) then
    put_typed(obj, key, x.kind, x.aux, x.i, x.f)
    return
  end
  if x == nil then
    C.cl_ffi_obj_remove(address.space, obj, key, #key)
    return
  end
  if obj.schema ~= nil then
    make_part(obj, key, x, obj.schema.value)
  else
    local old = C.cl_ffi_obj_find(address.space, obj, key, #key)
    if old ~= nil then
      ffi.copy(made, old, 16)
      change(current.batch, made, x, key)
      ffi.copy(old, made, 16)
      return
    end
    made.kind = K_MISSING
    change(current.batch, made, x, key)
  end
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
  if arr.schema ~= nil then
    make_part(arr, i, x, arr.schema.value)
  else
    made.kind = K_MISSING
    if i <= arr.n then
      ffi.copy(made, arr.v + (i - 1), 16)
    elseif i > 1 then
      made.kind, made.aux = arr.v[i - 2].kind, arr.v[i - 2].aux
    end
    change(current.batch, made, x, "item")
  end
  local val = C.cl_ffi_arr_put(current.batch, arr, i - 1)
  if val == nil then no_memory() end
  ffi.copy(val, made, 16)
end

--- A key as views read it: connect.int32(5) is 5.
function write.plain_key(key)
  if istype(typed_ct, key) then
    if key.kind == K.FLOAT32 or key.kind == K.FLOAT64 then return key.f end
    return key.i
  end
  if typed.is_bytes(key) then return (typed.bytes_text(key)) end
  return key
end

local function remove_pair(map, at)
  local rest = map.n - at - 1
  for i = at, at + rest - 1 do map.e[i] = map.e[i + 1] end
  map.n = map.n - 1
  if at < map.walk.at then map.walk.gone = map.walk.gone + 1 end
  if at < map.walk.bound then map.walk.bound = map.walk.bound - 1 end
end

--- find(map, key, epoch) answers the position of the map's entry, from 0, or nil.
function write.map(self, key, x, find)
  local map, epoch = resolve(map_p, self, map_ct)
  check_writable(epoch)
  local at = find(map, write.plain_key(key), epoch)
  if x == nil then
    if at then remove_pair(map, at) end
    return
  end
  if map.schema ~= nil then
    make_part(map, key, x, map.schema.value)
  else
    made.kind = K_MISSING
    if at then made.kind, made.aux = map.e[at].val.kind, map.e[at].val.aux end
    change(current.batch, made, x, "value")
  end
  if at then
    ffi.copy(map.e[at].val, made, 16)
    return
  end
  made_key.kind = K_MISSING
  if map.schema ~= nil then
    fit(current.batch, made_key, key, map.schema.key, (where(map) or "map") .. "'s key")
  else
    if map.n > 0 then made_key.kind, made_key.aux = map.e[0].key.kind, map.e[0].key.aux end
    change(current.batch, made_key, key, "key")
  end
  local e = C.cl_ffi_map_add(current.batch, map)
  if e == nil then no_memory() end
  ffi.copy(e.key, made_key, 16)
  ffi.copy(e.val, made, 16)
end

-- ---------------------------------------------------------------------- structs

-- What a schema becomes with a field more or less is worked out once:
-- changes[uid][name][uid of the new field's schema, 0 = without] = shape.
local changes = memo.new()
local function known(st, name, field_uid)
  local of_schema = changes[tonumber(st.schema.uid)]
  local of_name = of_schema and of_schema[name]
  return of_name and of_name[field_uid]
end

--- Null fields of a struct that is reshaped (abi.h: cl_shape.nulls).
write.nulls = { stay = 0, default = 1, unseen = 2 }

--- How structs of schema from become ones of schema `to`: sources[i] = position of the old field that field i is
-- taken from, 0 or nil = it is left unset. A struct cl_shape *, to be kept in a memo.
function write.shape(from, to, sources, nulls)
  local old, p = address.schema_at(from), address.schema_pointer(to)
  if old.type ~= T_STRUCT or p.type ~= T_STRUCT then error("two schemas of structs expected", 3) end
  local shape = C.cl_ffi_shape_new(address.space, old, p)
  if shape == nil then no_memory() end
  shape.nulls = nulls
  for i = 1, tonumber(p.n_fields) do
    local at = rawget(sources, i) or 0
    if type(at) ~= "number" or at % 1 ~= 0 or at < 0 or at > 0x7fffffff then
      error("a field's position is a whole number from 1", 3)
    end
    if at ~= 0 and C.cl_ffi_shape_set(shape, old, i - 1, at - 1) ~= 0 then errors.throw_last() end
  end
  return shape
end

local function remember(st, name, field_uid, from, to, sources)
  local uid, shape = tonumber(st.schema.uid), write.shape(from, to, sources, write.nulls.unseen)
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
    error("this struct is part of another one, whose schema says what it has: build a new one "
      .. "(connect.struct) and connect.put it there", 3)
  end
  if C.cl_ffi_reshape(current.batch, shape, st, reshaped) ~= 0 then errors.throw_last() end
  st.schema, st.n, st.v = shape.to, shape.n, reshaped[0].v
  owner.schema = shape.to
end

-- A field is removed: a walk goes on with the one behind it.
local function cut(st, shape, at)
  restructure(st, shape)
  if at < st.walk.at then st.walk.gone = st.walk.gone + 1 end
  if at < st.walk.bound then st.walk.bound = st.walk.bound - 1 end
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
  return remember(st, name, 0, from, schema.derive(from, { fields = list }), sources)
end

-- With a field of schema s more, or with s instead of what the field at this position (from 1) has.
local function shape_with(st, name, s, at)
  local from = address.schema_view(st.schema)
  local list, sources = from.fields, {}
  for i = 1, #list do sources[i] = i end
  at = at or #list + 1
  list[at], sources[at] = { name, s }, nil
  return remember(st, name, s.uid, from, schema.derive(from, { fields = list }), sources)
end

-- The schema of a value that brings it along, or the one it gets.
local function schema_of(x, name)
  local s
  if istype(struct_ct, x) then
    s = (resolve(struct_p, x, struct_ct)).schema
  elseif istype(array_ct, x) then
    s = (resolve(array_p, x, array_ct)).schema
  elseif istype(object_ct, x) then
    s = (resolve(object_p, x, object_ct)).schema
  elseif istype(map_ct, x) then
    s = (resolve(map_p, x, map_ct)).schema
  else
    return schema.infer(x) or error(("%s: a %s has no schema of its own: connect.put says one"):format(name,
      x == null and "null" or type(x)), 4)
  end
  return address.schema_view(s) or error(name .. ": this value has no schema: connect.put says one", 4)
end

-- The struct gets the field, or the field gets the schema, with what was made; at counts from 0, nil = it is new.
local function set_field(st, name, s, at)
  local value_made = made_field
  ffi.copy(value_made, made, 16)
  restructure(st, known(st, name, s.uid) or shape_with(st, name, s, at and at + 1))
  ffi.copy(st.v + (at or st.n - 1), value_made, 16)
end

local function add_field(st, name, x, s, at)
  made.kind = K_MISSING
  fit(current.batch, made, x, address.schema_pointer(s), name)
  set_field(st, name, s, at)
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
    if x ~= nil then add_field(st, key, x, schema_of(x, key)) end
  elseif x == nil then
    local at = v - st.v
    cut(st, known(st, key, 0) or shape_without(st, key, at + 1), at)
  else
    made.kind = K_MISSING
    if st.owner ~= nil then
      fit(current.batch, made, x, st.schema.fields[v - st.v].schema, key)
    else -- inside something: an error says where
      make_part(st, key, x, st.schema.fields[v - st.v].schema)
    end
    ffi.copy(v, made, 16)
  end
end

-- ------------------------------------------------------------ fields with a schema

-- Where a struct's field is, counted from 0, nil = nowhere; and whether its schema is s.
local function field_of(st, name, s)
  local v = C.cl_ffi_struct_find(st, name, #name)
  if v == nil then return nil, false end
  local at = tonumber(v - st.v)
  return at, st.schema.fields[at].schema.uid == s.uid
end

local function check_name(name, level)
  if type(name) ~= "string" then error("a field's name is a string, not a " .. type(name), level + 1) end
end

--- container.name = x as a schema (or its name) says; nil = as an assignment does. A struct's field has that
-- schema then. In an object the value is of that type.
function write.put(container, name, x, s)
  check_name(name, 2)
  local is_struct = istype(struct_ct, container)
  if not is_struct and not istype(object_ct, container) then
    error("connect.put: a struct or an object expected, got " .. type(container), 2)
  end
  if s == nil or x == nil then
    container[name] = x
    return
  end
  s = schema.of(s)
  if is_struct then
    local st, epoch = resolve(struct_p, container, struct_ct)
    check_writable(epoch)
    local at, same = field_of(st, name, s)
    if same then return write.struct(container, name, x) end
    return add_field(st, name, x, s, at)
  end
  local obj, epoch = resolve(object_p, container, object_ct)
  check_writable(epoch)
  if obj.schema ~= nil and obj.schema.value.uid ~= s.uid then
    error(("connect.put: this map's values are %s"):format(tostring(address.schema_view(obj.schema.value))), 2)
  end
  made.kind = K_MISSING
  fit(current.batch, made, x, address.schema_pointer(s), name)
  local val = C.cl_ffi_obj_put(current.batch, obj, name, #name)
  if val == nil then no_memory() end
  ffi.copy(val, made, 16)
end

-- The value, schema (nil = none) and batch's epoch of a container's field; nil when there is no such one.
local function field_with_schema(from, field)
  if istype(object_ct, from) then
    local obj, epoch = resolve(object_p, from, object_ct)
    local val = C.cl_ffi_obj_find(address.space, obj, field, #field)
    if val == nil then return nil end
    return val, obj.schema ~= nil and obj.schema.value or nil, epoch
  elseif not istype(struct_ct, from) then
    error("connect.put_field: a struct or an object expected, got " .. type(from), 3)
  end
  local st, epoch = resolve(struct_p, from, struct_ct)
  local val = C.cl_ffi_struct_find(st, field, #field)
  if val == nil then return nil end
  local s = st.schema.fields[val - st.v].schema
  if val.kind == K_MISSING then return s.def, s, epoch end
  return val, s, epoch
end

-- A value read and told again: the schema that a value of its kind gets.
local function schema_of_val(val, name)
  if val.kind == K_STRUCT then return address.schema_view(val.st.schema) end
  local kind = val.kind
  if kind == K.STRING then return schema.of "string?" end
  if kind == K.BYTES then return schema.of "bytes?" end
  if kind == K.TRUE or kind == K.FALSE then return schema.of "boolean?" end
  if kind == K.FLOAT64 or kind == K.NUMTEXT then return schema.of "float64?" end
  if kind == K.DECIMAL then return schema.decimal(val.dec.scale, { optional = true }) end
  if kind == K_INT or kind == K.FLOAT32 or kind == K.DATE or kind == K.TIME or kind == K.TIMESTAMP then
    return schema.infer(typed_ct(kind, val.aux, 0, 0))
  end
  error(name .. ": the value to copy has no schema of its own: connect.put says one", 3)
end

--- to.name becomes exactly what from.field is: value, type and, in a struct, schema. False, and nothing is done,
-- when from has no such field.
function write.put_field(to, name, from, field)
  check_name(name, 2)
  check_name(field, 2)
  local val, s, from_epoch = field_with_schema(from, field)
  if val == nil then return false end
  if istype(struct_ct, to) then
    local st, epoch = resolve(struct_p, to, struct_ct)
    check_writable(epoch)
    value.copy(current.batch, made, val, from_epoch)
    local view = s ~= nil and address.schema_view(address.schema_now(s)) or schema_of_val(made, name)
    local at, same = field_of(st, name, view)
    if same then
      ffi.copy(st.v + at, made, 16)
    else
      set_field(st, name, view, at)
    end
    return true
  elseif not istype(object_ct, to) then
    error("connect.put_field: a struct or an object expected, got " .. type(to), 2)
  end
  local obj, epoch = resolve(object_p, to, object_ct)
  check_writable(epoch)
  value.copy(current.batch, made, val, from_epoch)
  if made.kind == K_MISSING then made.kind = K_NULL end
  if obj.schema ~= nil and C.cl_ffi_fits(made, obj.schema.value, name, #name) ~= 0 then errors.throw_last() end
  local out = C.cl_ffi_obj_put(current.batch, obj, name, #name)
  if out == nil then no_memory() end
  ffi.copy(out, made, 16)
  return true
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

local header_made = ffi.new "struct cl_datum"

--- Appends a header of this value and schema, which are copied.
function write.append_header(rec, name, d)
  local header = C.cl_ffi_header_add(current.batch, rec, name, #name)
  if header == nil then no_memory() end
  header.d.schema = d.schema
  ffi.copy(header.d.val, d.val, 16)
end

--- Removes the headers of this name: how many.
function write.remove_headers(rec, name)
  local n = C.cl_ffi_header_remove(rec, name, #name)
  if n < 0 then errors.throw_last() end
  return n
end

--- The same of a Lua value; one that cannot be a header leaves none behind. With alone those of its name go.
function write.header(rec, name, x, s, alone)
  header_made.schema = nil
  write.set(current.batch, header_made, x, "header " .. name, s)
  if C.cl_ffi_header_fits(current.batch, header_made) ~= 0 then errors.throw_last() end
  if alone then write.remove_headers(rec, name) end
  write.append_header(rec, name, header_made)
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
    error("headers are changed one by one: record.headers.name = x, connect.headers.add", 2)
  else
    error(("a record's field '%s' cannot be changed"):format(tostring(name)), 2)
  end
end

return write
