-- SPDX-License-Identifier: Apache-2.0
-- Views as addresses: a reference to a struct without named members (a member would hide a
-- field of that name), whose address is the C object's with the batch's epoch in bits 48-63.
-- Every access checks the epoch against the pool's table of live ones, so a view kept too long
-- raises instead of reading somebody else's record.
--
-- Here and in connect.host.view and .value a call that is returned stands in brackets where
-- records pass: a trace may hold no more than loopunroll tail calls (src/vm/state.c).

local bit = require "bit"
local ffi = require "ffi"

local C = require "connect.host.abi"

local band, lshift, rshift = bit.band, bit.lshift, bit.rshift
local cast, istype, tonumber, type = ffi.cast, ffi.istype, tonumber, type

ffi.cdef [[
struct cl_view_batch  { int32_t :32; int32_t :32; };
struct cl_view_record { int32_t :32; int32_t :32; };
struct cl_view_draft  { int32_t :32; int32_t :32; };
struct cl_view_object { int32_t :32; int32_t :32; };
struct cl_view_array  { int32_t :32; int32_t :32; };
struct cl_view_struct { int32_t :32; int32_t :32; };
struct cl_view_map    { int32_t :32; int32_t :32; };
struct cl_view_schema { int32_t :32; int32_t :32; };

/* The batch being worked on, whether its records may be changed, the datum a converter is at and what it has
 * done to it (address.DECODED, ENCODED): cells, because storing a pointer in a Lua variable would make an object
 * per record. */
struct cl_current { struct cl_batch *batch; struct cl_datum *datum; int32_t writable, done; };
]]

local voidp, bytep, u64 = ffi.typeof "void *", ffi.typeof "char *", ffi.typeof "uint64_t"

local ADDRESS = 0x0000ffffffffffffULL
local EPOCH = 0xffff000000000000ULL

local address = {
  current = ffi.new "struct cl_current",
  kind = {}, -- "INT" -> CL_INT
}
local current = address.current

for _, name in ipairs { "MISSING", "NULL", "FALSE", "TRUE", "INT", "FLOAT32", "FLOAT64", "NUMTEXT", "BIGINT", "DECIMAL",
  "STRING", "BYTES", "DATE", "TIME", "TIMESTAMP", "ARRAY", "OBJECT", "MAP", "STRUCT" } do
  address.kind[name] = tonumber(C["CL_" .. name])
end

-- C types of views, and of pointers to them and to what they stand for.
for _, name in ipairs { "batch", "record", "draft", "object", "array", "struct", "map", "schema" } do
  address[name .. "_ct"] = ffi.typeof("struct cl_view_" .. name)
  address[name .. "_view_p"] = ffi.typeof("struct cl_view_" .. name .. " *")
end
for name, c in pairs { batch = "cl_batch", record = "cl_record", object = "cl_obj", array = "cl_arr",
  struct = "cl_struct", map = "cl_map", schema = "cl_schema" } do
  address[name .. "_p"] = ffi.typeof((name == "schema" and "const " or "") .. "struct " .. c .. " *")
end

address.DECODED, address.ENCODED = 1, 2

--- What cl_record.timestamp is when there is none.
address.NO_TIMESTAMP = -0x7fffffffffffffffLL - 1

address.space = nil -- struct cl_space * of the task, set when the state is loaded
address.space_number = 0 -- another one for each space: a new one may lie where a freed one lay

--- Makes space the one schemas and names are made in.
function address.use_space(space)
  address.space, address.space_number = cast("struct cl_space *", space), address.space_number + 1
end

local epochs -- const uint16_t *: the pool's table, one pool per state

--- Makes batch the one being worked on; nil = none.
function address.enter(batch)
  current.batch = batch
  current.datum = nil
  current.writable = 0
  if batch ~= nil then
    epochs = batch.epochs
  end
end

local STALE = "stale view: its batch is finished; copy what you need (connect.copy) or batch:retain()"

--- The C object behind view v as ptr (a pointer type) and its epoch; raises when v is stale or
-- no view of type ct. Plugins call iterators and methods with what they like: an address must
-- never be made of anything but a view.
function address.resolve(ptr, v, ct)
  if not istype(ct, v) then error("a view expected, got " .. type(v), 3) end
  local at = cast(u64, cast(voidp, v))
  local epoch = tonumber(rshift(at, 48))
  if epochs == nil or epoch == 0 or epochs[band(epoch, 255)] ~= epoch then error(STALE, 3) end
  return cast(ptr, band(at, ADDRESS)), band(at, EPOCH)
end

--- The view of p as view_ptr (a pointer type) says. The epoch is added as to a pointer, not as
-- numbers: a view carried round a loop must have the type of a pointer there, or the loop does
-- not compile (165 instead of 3 ns per record).
function address.make(view_ptr, p, epoch) return cast(view_ptr, cast(bytep, p) + epoch)[0] end

local function epoch_of(batch) return (lshift(cast(u64, batch.epoch), 48)) end
address.epoch_of = epoch_of

--- A schema's view, nil for NULL. Schemas live as long as the task: their addresses carry no epoch.
function address.schema_view(p)
  if p == nil then return nil end
  return (cast(address.schema_view_p, p)[0])
end

--- The const struct cl_schema * behind a schema, which must be one.
function address.schema_pointer(s)
  if not istype(address.schema_ct, s) then error("a schema expected, got " .. type(s), 3) end
  return (cast(address.schema_p, cast(voidp, s)))
end

--- Raises unless the view with this epoch belongs to the batch whose records may be changed now.
function address.check_writable(epoch)
  if current.writable == 0 or epoch ~= epoch_of(current.batch) then
    error("a record can be changed inside a transform's apply only", 3)
  end
end

return address
