-- SPDX-License-Identifier: Apache-2.0
-- Views: what plugins hold of batches, records and containers in a batch's arena.
--
-- A view is a reference to a struct without named members (a member would hide a field of
-- that name), whose address is the C object's with the batch's epoch in bits 48-63. Every
-- access checks the epoch against the pool's table of live ones, so a view kept too long
-- raises instead of reading somebody else's record. Views have no methods, for the same
-- reason; connect.fields, connect.copy and tostring work on them.

local bit = require "bit"
local ffi = require "ffi"

local C = require "connect.host.abi"
local errors = require "connect.errors"
local host = require "connect.host.c"

local band, rshift = bit.band, bit.rshift
local cast, ffi_string, tonumber, type = ffi.cast, ffi.string, tonumber, type
local null = host.null

ffi.cdef [[
struct cl_view_batch  { int32_t :32; int32_t :32; };
struct cl_view_record { int32_t :32; int32_t :32; };
struct cl_view_object { int32_t :32; int32_t :32; };
struct cl_view_array  { int32_t :32; int32_t :32; };
struct cl_view_struct { int32_t :32; int32_t :32; };
struct cl_view_map    { int32_t :32; int32_t :32; };
]]

local voidp, bytep, u64 = ffi.typeof "void *", ffi.typeof "char *", ffi.typeof "uint64_t"
local batch_p, record_p = ffi.typeof "struct cl_batch *", ffi.typeof "struct cl_record *"
local obj_p, arr_p = ffi.typeof "struct cl_obj *", ffi.typeof "struct cl_arr *"
local struct_p, map_p = ffi.typeof "struct cl_struct *", ffi.typeof "struct cl_map *"
local batch_view_p, record_view_p = ffi.typeof "struct cl_view_batch *", ffi.typeof "struct cl_view_record *"
local obj_view_p, arr_view_p = ffi.typeof "struct cl_view_object *", ffi.typeof "struct cl_view_array *"
local struct_view_p, map_view_p = ffi.typeof "struct cl_view_struct *", ffi.typeof "struct cl_view_map *"

local ADDRESS = 0x0000ffffffffffffULL
local EPOCH = 0xffff000000000000ULL
local MAX_EXACT, MIN_EXACT = 0x1p53 + 0LL, -0x1p53 + 0LL

local K = {}
for _, name in ipairs { "MISSING", "NULL", "FALSE", "TRUE", "INT", "FLOAT32", "FLOAT64", "NUMTEXT", "BIGINT", "DECIMAL",
  "STRING", "BYTES", "DATE", "TIME", "TIMESTAMP", "ARRAY", "OBJECT", "MAP", "STRUCT" } do
  K[name] = tonumber(C["CL_" .. name])
end
local K_MISSING, K_NULL, K_FALSE, K_TRUE, K_INT = K.MISSING, K.NULL, K.FALSE, K.TRUE, K.INT
local K_FLOAT32, K_FLOAT64, K_NUMTEXT, K_BIGINT, K_DECIMAL = K.FLOAT32, K.FLOAT64, K.NUMTEXT, K.BIGINT, K.DECIMAL
local K_STRING, K_BYTES, K_DATE, K_TIME, K_TIMESTAMP = K.STRING, K.BYTES, K.DATE, K.TIME, K.TIMESTAMP
local K_ARRAY, K_OBJECT, K_MAP, K_STRUCT = K.ARRAY, K.OBJECT, K.MAP, K.STRUCT

local view = { null = null }

-- The batch being worked on, and the datum a converter is at: cells, because storing a
-- pointer in a Lua variable would make an object per record.
ffi.cdef [[ struct cl_current { struct cl_batch *batch; struct cl_datum *datum; }; ]]
local current = ffi.new "struct cl_current"
view.current = current

local epochs -- const uint16_t *: the pool's table, one pool per state
local space  -- struct cl_space *

--- Makes batch the one being worked on; nil = none.
function view.enter(batch)
  current.batch = batch
  current.datum = nil
  if batch ~= nil then
    epochs, space = batch.epochs, batch.space
  end
end

-- ---------------------------------------------------------------- addresses

local STALE = "stale view: its batch is finished; copy what you need (connect.copy) or batch:retain()"

local function resolve(ptr, v)
  local address = cast(u64, cast(voidp, v))
  local epoch = tonumber(rshift(address, 48))
  if epochs == nil or epochs[band(epoch, 255)] ~= epoch then error(STALE, 3) end
  return cast(ptr, band(address, ADDRESS)), band(address, EPOCH)
end

-- Added as to a pointer, not as numbers: a view carried round a loop must have the type of
-- a pointer there, or the loop does not compile (165 instead of 3 ns per record).
local function make(view_ptr, p, epoch) return cast(view_ptr, cast(bytep, p) + epoch)[0] end

local function epoch_of(batch) return bit.lshift(cast(u64, batch.epoch), 48) end

-- ------------------------------------------------------------------- values

local decimal_mt = {}
decimal_mt.__index = decimal_mt
function decimal_mt:__tostring()
  local digits, sign = self.digits, ""
  if digits:sub(1, 1) == "-" then digits, sign = digits:sub(2), "-" end
  if self.scale <= 0 then return sign .. digits .. ("0"):rep(digits == "0" and 0 or -self.scale) end
  digits = ("0"):rep(self.scale - #digits + 1) .. digits
  return sign .. digits:sub(1, -self.scale - 1) .. "." .. digits:sub(-self.scale)
end

-- A number beyond what Lua holds exactly: decimal digits and scale (digits * 10^-scale).
local function decimal(digits, scale) return setmetatable({ digits = digits, scale = scale }, decimal_mt) end

-- A struct cl_val * as a Lua value: nil when missing, connect.null when null.
local function read(v, epoch)
  local kind = v.kind
  if kind == K_STRING or kind == K_BYTES then return ffi_string(v.s, v.len) end
  if kind == K_INT or kind == K_DATE or kind == K_TIME or kind == K_TIMESTAMP then
    local i = v.i
    if i <= MAX_EXACT and i >= MIN_EXACT then return tonumber(i) end
    return i
  end
  if kind == K_OBJECT then return make(obj_view_p, v.obj, epoch) end
  if kind == K_STRUCT then return make(struct_view_p, v.st, epoch) end
  if kind == K_ARRAY then return make(arr_view_p, v.arr, epoch) end
  if kind == K_NULL then return null end
  if kind == K_TRUE then return true end
  if kind == K_FALSE then return false end
  if kind == K_FLOAT64 or kind == K_FLOAT32 then return v.f end
  if kind == K_NUMTEXT then return tonumber(ffi_string(v.s, v.len)) end
  if kind == K_MAP then return make(map_view_p, v.map, epoch) end
  if kind == K_BIGINT then return decimal(ffi_string(v.s, v.len), 0) end
  if kind == K_DECIMAL then return decimal(ffi_string(v.dec.digits.p, v.dec.digits.len), v.dec.scale) end
  return nil
end

--- A datum's value; epoch as in an address.
function view.read(batch, val) return read(val, epoch_of(batch)) end

local function same(a, b)
  return type(a) == "cdata" and type(b) == "cdata" and ffi.typeof(a) == ffi.typeof(b)
    and cast(voidp, a) == cast(voidp, b)
end

local function read_only() error("a view cannot be written to", 2) end

-- --------------------------------------------------------------- containers

-- Stateless iterators: for position, key, value in connect.fields(v).
local function next_entry(self, i)
  local obj, epoch = resolve(obj_p, self)
  if i >= obj.n then return nil end
  local e = obj.e + i
  local key = C.cl_ffi_sym_text(space, e.sym)
  return i + 1, ffi_string(key.p, key.len), read(e.val, epoch)
end

local function field_value(st, i, epoch)
  local v = st.v + i
  if v.kind == K_MISSING then v = st.schema.fields[i].schema.def end
  return read(v, epoch)
end

local function next_field(self, i)
  local st, epoch = resolve(struct_p, self)
  if i >= st.n then return nil end
  local name = st.schema.fields[i].name
  return i + 1, ffi_string(name.p, name.len), field_value(st, i, epoch)
end

local function next_pair(self, i)
  local map, epoch = resolve(map_p, self)
  if i >= map.n then return nil end
  local e = map.e + i
  return i + 1, read(e.key, epoch), read(e.val, epoch)
end

local function next_item(self, i)
  local arr, epoch = resolve(arr_p, self)
  if i >= arr.n then return nil end
  return i + 1, i + 1, read(arr.v + i, epoch)
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
  local arr, epoch = resolve(arr_p, self)
  if type(i) ~= "number" or not (i >= 1 and i <= arr.n) then return nil end
  return read(arr.v + (i - 1), epoch)
end

local function next_index(self, i)
  local value = item(self, i + 1)
  if value ~= nil then return i + 1, value end
end

local function text(self) return view.text(self) end

local function metatype(name, mt)
  mt.__newindex, mt.__eq, mt.__tostring = read_only, same, mt.__tostring or text
  mt.__metatable = false
  ffi.metatype(name, mt)
end

metatype("struct cl_view_object", {
  __index = function(self, key)
    local obj, epoch = resolve(obj_p, self)
    if type(key) ~= "string" then return nil end
    local v = C.cl_ffi_obj_find(space, obj, key, #key)
    if v == nil then return nil end
    return read(v, epoch)
  end,
  __pairs = pairs_of(next_entry),
})

metatype("struct cl_view_struct", {
  __index = function(self, key)
    local st, epoch = resolve(struct_p, self)
    if type(key) ~= "string" then return nil end
    local v = C.cl_ffi_struct_find(st, key, #key)
    if v == nil then return nil end
    return field_value(st, v - st.v, epoch)
  end,
  __pairs = pairs_of(next_field),
})

metatype("struct cl_view_map", {
  __index = function(self, key)
    for _, k, value in next_pair, self, 0 do
      if k == key then return value end
    end
  end,
  __pairs = pairs_of(next_pair),
})

metatype("struct cl_view_array", {
  __index = item,
  __len = function(self) return (resolve(arr_p, self)).n end,
  __pairs = pairs_of(next_item),
  __ipairs = function(self) return next_index, self, 0 end,
})

local object_ct, struct_ct = ffi.typeof "struct cl_view_object", ffi.typeof "struct cl_view_struct"
local map_ct, array_ct = ffi.typeof "struct cl_view_map", ffi.typeof "struct cl_view_array"

--- for position, key, value in connect.fields(v): objects, structs, maps and arrays, in order.
function view.fields(v)
  if ffi.istype(object_ct, v) then return next_entry, v, 0 end
  if ffi.istype(struct_ct, v) then return next_field, v, 0 end
  if ffi.istype(map_ct, v) then return next_pair, v, 0 end
  if ffi.istype(array_ct, v) then return next_item, v, 0 end
  error("connect.fields: a view of an object, struct, map or array expected, got " .. type(v), 2)
end

local function is_container(v)
  return type(v) == "cdata" and (ffi.istype(object_ct, v) or ffi.istype(struct_ct, v) or ffi.istype(map_ct, v)
    or ffi.istype(array_ct, v))
end

--- The value as plain Lua tables, which outlive the batch.
function view.copy(v)
  if not is_container(v) then return v end
  local out = ffi.istype(array_ct, v) and setmetatable({}, host.array_mt) or {}
  for _, key, value in view.fields(v) do out[key] = view.copy(value) end
  return out
end

-- ------------------------------------------------------------------ records

local function some(i) if i >= 0 then return i end end

local function str(s) if s.p ~= nil then return ffi_string(s.p, s.len) end end

local function headers(rec)
  local list = {}
  for i = 0, tonumber(rec.n_headers) - 1 do
    local h = rec.headers[i]
    list[i + 1] = { name = str(h.name), value = str(h.d.bytes) or null }
  end
  return list
end

local function record_field(self, key)
  local rec, epoch = resolve(record_p, self)
  if key == "value" then return read(rec.value.val, epoch) end
  if key == "key" then return read(rec.key.val, epoch) end
  if key == "topic" then return str(rec.topic) end
  if key == "partition" then return some(rec.partition) end
  if key == "offset" then return tonumber(rec.offset) end
  if key == "timestamp" then return some(tonumber(rec.timestamp)) end
  if key == "headers" then return headers(rec) end
  return nil
end

metatype("struct cl_view_record", {
  __index = record_field,
  __tostring = function(self)
    local rec = resolve(record_p, self)
    return ("record %s-%d@%d"):format(str(rec.topic) or "?", rec.partition, tonumber(rec.offset))
  end,
})

function view.record(rec) return make(record_view_p, rec, epoch_of(rec.batch)) end

--- The record behind a view; raises when it is none or stale.
function view.record_of(v)
  if not ffi.istype("struct cl_view_record", v) then error("a record expected, got " .. type(v), 3) end
  return (resolve(record_p, v))
end

--- The same for a record being filled (connect.host.draft).
function view.draft_of(v) return (resolve(record_p, v)) end

--- A view of p (a struct cl_record * and the like) as view_ptr says.
function view.make(view_ptr, p, batch) return make(view_ptr, p, epoch_of(batch)) end

-- ------------------------------------------------------------------ batches

local function count(batch)
  if batch.live ~= nil then return batch.n_live end
  return batch.n
end

local function record_at(batch, i, epoch)
  if batch.live ~= nil then return make(record_view_p, batch.live[i], epoch) end
  return make(record_view_p, batch.records + i, epoch)
end

local function next_record(self, i)
  local batch, epoch = resolve(batch_p, self)
  if i >= count(batch) then return nil end
  return i + 1, record_at(batch, i, epoch)
end

local retained = {} -- address -> how often this state retained it

local function key_of(batch) return tonumber(cast(u64, cast(voidp, batch))) end

local batch_methods = {
  --- for i, record in batch:records() do
  records = function(self)
    resolve(batch_p, self)
    return next_record, self, 0
  end,
  --- Keeps the batch and its views alive until release.
  retain = function(self)
    local batch = resolve(batch_p, self)
    local key = key_of(batch)
    retained[key] = (retained[key] or 0) + 1
    C.cl_ffi_batch_ref(batch)
  end,
  release = function(self)
    local batch = resolve(batch_p, self)
    local key = key_of(batch)
    local n = retained[key]
    if not n then error("batch:release() without batch:retain()", 2) end
    retained[key] = n > 1 and n - 1 or nil
    C.cl_ffi_batch_unref(batch)
  end,
}

local batch_ct = ffi.typeof "struct cl_view_batch"

metatype("struct cl_view_batch", {
  __len = function(self) return count((resolve(batch_p, self))) end,
  __index = function(self, key)
    if type(key) == "number" then
      local batch, epoch = resolve(batch_p, self)
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
  return (resolve(batch_p, v))
end

-- --------------------------------------------------------------------- text

-- The C value a container view was made from.
local out_text = ffi.new "struct cl_str"
local scratch = ffi.new "struct cl_val"

local function container_val(v)
  if ffi.istype(object_ct, v) then
    scratch.kind, scratch.obj = K_OBJECT, (resolve(obj_p, v))
  elseif ffi.istype(struct_ct, v) then
    scratch.kind, scratch.st = K_STRUCT, (resolve(struct_p, v))
  elseif ffi.istype(map_ct, v) then
    scratch.kind, scratch.map = K_MAP, (resolve(map_p, v))
  elseif ffi.istype(array_ct, v) then
    scratch.kind, scratch.arr = K_ARRAY, (resolve(arr_p, v))
  else
    return nil
  end
  return scratch
end

--- Java's text of a value, as FileStreamSink prints it: null, {a=1}, Struct{a=1}, [1, 2].
function view.text(v)
  if type(v) == "string" then return v end
  if v == null then return "null" end
  local val = type(v) == "cdata" and container_val(v)
  if not val then
    if type(v) == "number" and v % 1 == 0 and v <= 0x1p53 and v >= -0x1p53 then return ("%d"):format(v) end
    return (tostring(v):gsub("U?LL$", ""))
  end
  if current.batch == nil then error("the text of a view is to be had while its batch is worked on", 2) end
  if C.cl_ffi_text(current.batch, val, out_text) ~= 0 then errors.data_error("%s", ffi_string(C.cl_ffi_error())) end
  return ffi_string(out_text.p, out_text.len)
end

return view
