-- SPDX-License-Identifier: Apache-2.0
-- Views: what plugins hold of batches, records and containers in a batch's arena (see
-- connect.host.address). Views have no methods, since a method would hide a field of its
-- name; connect.fields, connect.copy and tostring work on them. Assignments are in
-- connect.host.write.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local header_view = require "connect.host.header_view"
local host = require "connect.host.c"
local values = require "connect.host.value"
local write = require "connect.host.write"

local cast, ffi_string, tonumber, type = ffi.cast, ffi.string, tonumber, type
local null = host.null
local resolve, make, epoch_of, current = address.resolve, address.make, address.epoch_of, address.current

local voidp, u64 = ffi.typeof "void *", ffi.typeof "uint64_t"
local batch_p, record_p = address.batch_p, address.record_p
local obj_p, arr_p, struct_p, map_p = address.object_p, address.array_p, address.struct_p, address.map_p
local batch_view_p, record_view_p = address.batch_view_p, address.record_view_p
local obj_view_p, arr_view_p = address.object_view_p, address.array_view_p
local struct_view_p, map_view_p = address.struct_view_p, address.map_view_p

local object_ct, struct_ct, map_ct, array_ct = address.object_ct, address.struct_ct, address.map_ct, address.array_ct
local record_ct, batch_ct = address.record_ct, address.batch_ct

local K = address.kind
local K_MISSING, K_NULL, K_FALSE, K_TRUE, K_INT = K.MISSING, K.NULL, K.FALSE, K.TRUE, K.INT
local K_FLOAT32, K_FLOAT64, K_NUMTEXT, K_BIGINT, K_DECIMAL = K.FLOAT32, K.FLOAT64, K.NUMTEXT, K.BIGINT, K.DECIMAL
local K_STRING, K_BYTES, K_DATE, K_TIME, K_TIMESTAMP = K.STRING, K.BYTES, K.DATE, K.TIME, K.TIMESTAMP
local K_ARRAY, K_OBJECT, K_MAP, K_STRUCT = K.ARRAY, K.OBJECT, K.MAP, K.STRUCT
local T_ARRAY, T_MAP = values.types.ARRAY, values.types.MAP

local view = { null = null, current = current, enter = address.enter }

-- ------------------------------------------------------------------- values

local decimal = require("connect.host.typed").new_decimal

local MAX_EXACT, MIN_EXACT = 0x1p53 + 0LL, -0x1p53 + 0LL

-- An int64 as a number, or as itself where that would lose digits. Compared as numbers: that compiles.
local function exact(i)
  local n = tonumber(i)
  if n < 0x1p53 and n > -0x1p53 or i == MAX_EXACT or i == MIN_EXACT then return n end
  return i
end

-- A struct cl_val * as a Lua value: nil when missing, connect.null when null.
local function read(v, epoch)
  local kind = v.kind
  if kind == K_STRING or kind == K_BYTES then return (ffi_string(v.s, v.len)) end
  if kind == K_INT or kind == K_DATE or kind == K_TIME or kind == K_TIMESTAMP then
    return (exact(v.i))
  end
  if kind == K_OBJECT then return (make(obj_view_p, v.obj, epoch)) end
  if kind == K_STRUCT then return (make(struct_view_p, v.st, epoch)) end
  if kind == K_ARRAY then return (make(arr_view_p, v.arr, epoch)) end
  if kind == K_NULL then return null end
  if kind == K_TRUE then return true end
  if kind == K_FALSE then return false end
  if kind == K_FLOAT64 or kind == K_FLOAT32 then return v.f end
  if kind == K_NUMTEXT then return (tonumber(ffi_string(v.s, v.len))) end
  if kind == K_MAP then return (make(map_view_p, v.map, epoch)) end
  if kind == K_BIGINT then return (decimal(ffi_string(v.s, v.len), 0)) end
  if kind == K_DECIMAL then return (decimal(ffi_string(v.dec.digits.p, v.dec.digits.len), v.dec.scale)) end
  return nil
end

--- A datum's value; epoch as in an address.
function view.read(batch, val) return (read(val, epoch_of(batch))) end

local function same(a, b)
  return type(a) == "cdata" and type(b) == "cdata" and ffi.typeof(a) == ffi.typeof(b)
    and cast(voidp, a) == cast(voidp, b)
end

-- --------------------------------------------------------------- containers

-- A container notes what schema it has when it is read out of one that has a schema, so that what is written
-- into it can be checked (connect.host.write).
-- A schema that is not of its type says nothing about it.
local function tell(v, s)
  local kind = v.kind
  local type_, of = s ~= nil and s.type or 0, nil
  if kind == K_ARRAY then
    if type_ == T_ARRAY then of = s end
    v.arr.schema = of
  elseif kind == K_OBJECT then
    if type_ == T_MAP and s.key ~= nil and s.value ~= nil then of = s end
    v.obj.schema = of
  elseif kind == K_MAP then
    if type_ == T_MAP and s.key ~= nil and s.value ~= nil then of = s end
    v.map.schema = of
  end
end

-- A part of a container of schema s, NULL = none.
local function read_part(v, epoch, s)
  if s ~= nil and v.kind >= K_ARRAY then tell(v, s.value) end
  return (read(v, epoch))
end

-- Stateless iterators: for position, key, value in connect.fields(v). A plugin may call them with
-- any position, or with what looks like one: a table's arithmetic is the plugin's and would be handed a pointer.
local function within(i, n) return type(i) == "number" and i >= 0 and i < n end

-- How many fields come before the next one of a walk that gave position i last: fewer than i where some were
-- removed since. What was added since the walk began is not walked.
local function before_next(c, i)
  if not within(i, 0x1p32) then return nil end
  if i == 0 then
    c.walk.bound = c.n
  elseif c.walk.at == i then
    i = i - c.walk.gone
  end
  if not (i < c.n and i < c.walk.bound) then return nil end
  c.walk.at, c.walk.gone = i + 1, 0
  return i
end

local function entry_at(obj, i, epoch)
  local e = obj.e + i
  local key = C.cl_ffi_sym_text(address.space, e.sym)
  return i + 1, ffi_string(key.p, key.len), read_part(e.val, epoch, obj.schema)
end

local function next_entry(self, i)
  local obj, epoch = resolve(obj_p, self, object_ct)
  i = before_next(obj, i)
  if i then return entry_at(obj, i, epoch) end
end

-- A default is everybody's: one that can be written to becomes the struct's own.
local function default_of(v, s, epoch)
  if s.def.kind < K_ARRAY or current.batch == nil or epoch ~= epoch_of(current.batch) then return s.def end
  if C.cl_ffi_copy(current.batch, v, s.def) ~= 0 then values.no_memory() end
  return v
end

local function field_value(st, i, epoch)
  local v, s = st.v + i, st.schema.fields[i].schema
  if v.kind == K_MISSING then v = default_of(v, s, epoch) end
  if v.kind >= K_ARRAY then tell(v, s) end
  return (read(v, epoch))
end

local function field_at(st, i, epoch)
  local name = st.schema.fields[i].name
  return i + 1, ffi_string(name.p, name.len), field_value(st, i, epoch)
end

local function next_field(self, i)
  local st, epoch = resolve(struct_p, self, struct_ct)
  i = before_next(st, i)
  if i then return field_at(st, i, epoch) end
end

local function pair_at(map, i, epoch)
  local e = map.e + i
  return i + 1, read(e.key, epoch), read_part(e.val, epoch, map.schema)
end

local function next_pair(self, i)
  local map, epoch = resolve(map_p, self, map_ct)
  i = before_next(map, i)
  if i then return pair_at(map, i, epoch) end
end

local function next_item(self, i)
  local arr, epoch = resolve(arr_p, self, array_ct)
  if not within(i, arr.n) then return nil end
  return i + 1, i + 1, read_part(arr.v + i, epoch, arr.schema)
end

-- pairs(v) cannot be stateless, since its control value is the key.
local function pairs_of(next_one)
  return function(self)
    local i = 0
    return function()
      local at, key, value = next_one(self, i)
      i = at or i
      return key, value
    end
  end
end

local function item(self, i)
  local arr, epoch = resolve(arr_p, self, array_ct)
  if type(i) ~= "number" or not (i >= 1 and i <= arr.n) then return nil end
  return (read_part(arr.v + (i - 1), epoch, arr.schema))
end

local function next_index(self, i)
  local value = item(self, i + 1)
  if value ~= nil then return i + 1, value end
end

local function text(self) return view.text(self) end

local function metatype(name, mt)
  mt.__eq, mt.__tostring = same, mt.__tostring or text
  mt.__metatable = false
  ffi.metatype(name, mt)
end

metatype("struct cl_view_object", {
  __index = function(self, key)
    local obj, epoch = resolve(obj_p, self, object_ct)
    if type(key) ~= "string" then return nil end
    local v = C.cl_ffi_obj_find(address.space, obj, key, #key)
    if v == nil then return nil end
    return (read_part(v, epoch, obj.schema))
  end,
  __newindex = write.object,
  __pairs = pairs_of(next_entry),
})

metatype("struct cl_view_struct", {
  __index = function(self, key)
    local st, epoch = resolve(struct_p, self, struct_ct)
    if type(key) ~= "string" then return nil end
    local v = C.cl_ffi_struct_find(st, key, #key)
    if v == nil then return nil end
    return (field_value(st, v - st.v, epoch))
  end,
  __newindex = write.struct,
  __pairs = pairs_of(next_field),
})

-- Position of a key, counted from 0, or nil.
local function find_pair(map, key, epoch)
  for i = 0, tonumber(map.n) - 1 do
    if read(map.e[i].key, epoch) == key then return i end
  end
end

metatype("struct cl_view_map", {
  __index = function(self, key)
    local map, epoch = resolve(map_p, self, map_ct)
    local i = find_pair(map, write.plain_key(key), epoch)
    if not i then return nil end
    return (read_part(map.e[i].val, epoch, map.schema))
  end,
  __newindex = function(self, key, x) return write.map(self, key, x, find_pair) end,
  __pairs = pairs_of(next_pair),
})

metatype("struct cl_view_array", {
  __index = item,
  __newindex = write.array,
  __len = function(self) return (resolve(arr_p, self, array_ct)).n end,
  __pairs = pairs_of(next_item),
  __ipairs = function(self) return next_index, self, 0 end,
})


--- for position, key, value in connect.fields(v): objects, structs, maps and arrays in order, a record's headers.
-- Fields may be removed on the way; what is added is not walked.
function view.fields(v)
  if ffi.istype(object_ct, v) then return next_entry, v, 0 end
  if ffi.istype(struct_ct, v) then return next_field, v, 0 end
  if ffi.istype(map_ct, v) then return next_pair, v, 0 end
  if ffi.istype(array_ct, v) then return next_item, v, 0 end
  local step, list = header_view.fields(v)
  if step then return step, list, 0 end
  error("connect.fields: a view of an object, struct, map or array expected, got " .. type(v), 2)
end

local function is_container(v)
  return type(v) == "cdata" and (ffi.istype(object_ct, v) or ffi.istype(struct_ct, v) or ffi.istype(map_ct, v)
    or ffi.istype(array_ct, v))
end

--- A bare struct cl_val as plain Lua values: what is no part of a batch (a schema's default).
function view.copy_val(val)
  if val.kind == K_MISSING then return nil end
  if val.kind < K_ARRAY then return (read(val, 0ULL)) end
  local out = {}
  if val.kind == K_ARRAY then
    for i = 0, tonumber(val.arr.n) - 1 do out[i + 1] = view.copy_val(val.arr.v[i]) end
    return setmetatable(out, host.array_mt)
  elseif val.kind == K_MAP then
    for i = 0, tonumber(val.map.n) - 1 do out[view.copy_val(val.map.e[i].key)] = view.copy_val(val.map.e[i].val) end
  elseif val.kind == K_STRUCT then
    for i = 0, tonumber(val.st.n) - 1 do
      out[ffi_string(val.st.schema.fields[i].name.p, val.st.schema.fields[i].name.len)] = view.copy_val(val.st.v[i])
    end
  end
  return out
end

-- Container by container without the iterators, as a plugin may be walking this one.
local function copy_parts(out, v)
  if ffi.istype(array_ct, v) then
    setmetatable(out, host.array_mt)
    for i = 1, #v do out[i] = view.copy(v[i]) end
  elseif ffi.istype(object_ct, v) then
    local obj, epoch = resolve(obj_p, v, object_ct)
    for i = 0, tonumber(obj.n) - 1 do
      local _, key, value = entry_at(obj, i, epoch)
      out[key] = view.copy(value)
    end
  elseif ffi.istype(struct_ct, v) then
    local st, epoch = resolve(struct_p, v, struct_ct)
    for i = 0, tonumber(st.n) - 1 do
      local _, name, value = field_at(st, i, epoch)
      out[name] = view.copy(value)
    end
  else
    local map, epoch = resolve(map_p, v, map_ct)
    for i = 0, tonumber(map.n) - 1 do
      local _, key, value = pair_at(map, i, epoch)
      out[view.copy(key)] = view.copy(value)
    end
  end
  return out
end

--- The value as plain Lua tables, which outlive the batch.
function view.copy(v)
  if is_container(v) then return copy_parts({}, v) end
  local headers = type(v) == "cdata" and header_view.list(v)
  if not headers then return v end
  for i, h in ipairs(headers) do headers[i] = { name = h.name, value = view.copy(h.value), schema = h.schema } end
  return headers
end

-- ------------------------------------------------------------------ records

local function some(i) if i >= 0 then return i end end

-- Nil for none.
local function some_exact(i)
  if tonumber(i) >= 0 then return (exact(i)) end
end

local function moment(ms)
  if tonumber(ms) > -0x1p63 then return (exact(ms)) end
end

local timestamp_types = { [0] = "NoTimestampType", "CreateTime", "LogAppendTime" }

local function str(s) if s.p ~= nil then return (ffi_string(s.p, s.len)) end end

-- A struct remembers whose value it is: that one's schema changes with it (connect.host.write).
local function datum(d, epoch)
  local kind = d.val.kind
  if kind == K_STRUCT then
    d.val.st.owner = d
  elseif kind >= K_ARRAY and d.schema ~= nil then
    tell(d.val, d.schema)
  end
  return (read(d.val, epoch))
end

--- The same of a header, or of what is converted: a struct there gets and loses no fields.
function view.datum(d, epoch)
  if d.schema ~= nil and d.val.kind >= K_ARRAY then tell(d.val, d.schema) end
  return (read(d.val, epoch))
end
header_view.read = view.datum

local function record_field(self, key)
  local rec, epoch = resolve(record_p, self, record_ct)
  if key == "value" then return (datum(rec.value, epoch)) end
  if key == "key" then return (datum(rec.key, epoch)) end
  if key == "topic" then return (str(rec.topic)) end
  if key == "partition" then return (some(rec.partition)) end
  if key == "offset" then return (some_exact(rec.offset)) end
  if key == "timestamp" then return (moment(rec.timestamp)) end
  if key == "headers" then return (make(header_view.list_view_p, rec, epoch)) end
  if key == "value_schema" then return (address.schema_view(rec.value.schema)) end
  if key == "key_schema" then return (address.schema_view(rec.key.schema)) end
  if key == "timestamp_type" then return timestamp_types[rec.timestamp_type] end
  if key == "original_topic" then return (str(rec.orig_topic)) end
  if key == "original_partition" then return (some(rec.orig_partition)) end
  return nil
end

--- What the record's key or value reads as.
function view.of(d, batch) return (datum(d, epoch_of(batch))) end

metatype("struct cl_view_record", {
  __index = record_field,
  __newindex = write.record,
  __tostring = function(self)
    local rec = resolve(record_p, self, record_ct)
    return ("record %s-%d@%d"):format(str(rec.topic) or "?", rec.partition, tonumber(rec.offset))
  end,
})

function view.record(rec) return (make(record_view_p, rec, epoch_of(rec.batch))) end

--- The record behind a view; raises when it is none or stale.
function view.record_of(v)
  if not ffi.istype(record_ct, v) then error("a record expected, got " .. type(v), 3) end
  return (resolve(record_p, v, record_ct))
end

--- The same for a record being filled (connect.host.draft).
function view.draft_of(v) return (resolve(record_p, v, address.draft_ct)) end

--- A view of p (a struct cl_record * and the like) as view_ptr says.
function view.make(view_ptr, p, batch) return (make(view_ptr, p, epoch_of(batch))) end

-- ------------------------------------------------------------------ batches

local function count(batch)
  if batch.live ~= nil then return batch.n_live end
  return batch.n
end

local function record_at(batch, i, epoch)
  if batch.live ~= nil then return (make(record_view_p, batch.live[i], epoch)) end
  return (make(record_view_p, batch.records + i, epoch))
end

local function next_record(self, i)
  local batch, epoch = resolve(batch_p, self, batch_ct)
  if not within(i, count(batch)) then return nil end
  return i + 1, record_at(batch, i, epoch)
end

local retained = {} -- address -> how often this state retained it

local function key_of(batch) return tonumber(cast(u64, cast(voidp, batch))) end

local batch_methods = {
  --- for i, record in batch:records() do
  records = function(self)
    resolve(batch_p, self, batch_ct)
    return next_record, self, 0
  end,
  --- Keeps the batch and its views alive until release.
  retain = function(self)
    local batch = resolve(batch_p, self, batch_ct)
    local key = key_of(batch)
    retained[key] = (retained[key] or 0) + 1
    C.cl_ffi_batch_ref(batch)
  end,
  release = function(self)
    local batch = resolve(batch_p, self, batch_ct)
    local key = key_of(batch)
    local n = retained[key]
    if not n then error("batch:release() without batch:retain()", 2) end
    retained[key] = n > 1 and n - 1 or nil
    C.cl_ffi_batch_unref(batch)
  end,
}

metatype("struct cl_view_batch", {
  __len = function(self) return count((resolve(batch_p, self, batch_ct))) end,
  __newindex = function() error("a batch cannot be written to", 2) end,
  __index = function(self, key)
    if type(key) == "number" then
      local batch, epoch = resolve(batch_p, self, batch_ct)
      if not (key >= 1 and key <= count(batch)) then return nil end
      return record_at(batch, key - 1, epoch)
    end
    return batch_methods[key]
  end,
  __tostring = function(self) return ("batch of %d records"):format(#self) end,
})

function view.batch(batch) return make(batch_view_p, batch, epoch_of(batch)) end

--- The struct cl_batch * behind a view; raises when it is none or stale.
function view.batch_of(v)
  if not ffi.istype(batch_ct, v) then error("a batch expected, got " .. type(v), 3) end
  return (resolve(batch_p, v, batch_ct))
end

-- --------------------------------------------------------------------- text

local out_text = ffi.new "struct cl_str"
local scratch = ffi.new "struct cl_val"

--- A container's field as struct cl_val *, its schema (nil = none) and its batch's epoch; nil when it has no
-- such field. A struct's null field is its default, if it has one, but as_is.
function view.slot(v, name, as_is)
  if ffi.istype(object_ct, v) then
    local obj, epoch = resolve(obj_p, v, object_ct)
    local val = C.cl_ffi_obj_find(address.space, obj, name, #name)
    if val ~= nil then return val, nil, epoch end
  elseif ffi.istype(struct_ct, v) then
    local st, epoch = resolve(struct_p, v, struct_ct)
    local val = C.cl_ffi_struct_find(st, name, #name)
    if val ~= nil then
      local s = st.schema.fields[val - st.v].schema
      if not as_is and (val.kind == K_MISSING or val.kind == K_NULL) and s.def.kind ~= K_MISSING then
        return s.def, s, epoch
      end
      return val, s, epoch
    end
  else
    error("an object or a struct expected, got " .. type(v), 2)
  end
  return nil
end

--- Java's text of a value, as FileStreamSink prints it: null, {a=1}, Struct{a=1}, [1, 2].
function view.text(v)
  if type(v) == "string" then return v end
  if v == null then return "null" end
  local val = type(v) == "cdata" and values.point_at(scratch, v) and scratch
  if not val then
    if type(v) == "number" and v % 1 == 0 and v <= 0x1p53 and v >= -0x1p53 then return ("%d"):format(v) end
    return (tostring(v):gsub("U?LL$", ""))
  end
  if current.batch == nil then error("the text of a view is to be had while its batch is worked on", 2) end
  if C.cl_ffi_text(current.batch, val, out_text) ~= 0 then errors.throw_last() end
  return ffi_string(out_text.p, out_text.len)
end

return view
