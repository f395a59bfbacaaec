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
struct cl_view_shape { int32_t :32; int32_t :32; };
struct cl_view_names { int32_t :32; int32_t :32; };
struct cl_view_path { int32_t :32; int32_t :32; };
struct cl_view_changes { int32_t :32; int32_t :32; };
struct cl_view_literal { int32_t :32; int32_t :32; };

/* The batch being worked on, whether its records may be changed, the datum a converter is at and what it has
 * done to it (address.DECODED, ENCODED): cells, because storing a pointer in a Lua variable would make an object
 * per record. */
struct cl_current { struct cl_batch *batch; struct cl_datum *datum; int32_t writable, done; };
]]

local voidp, bytep, u64 = ffi.typeof "void *", ffi.typeof "char *", ffi.typeof "uint64_t"

local ADDRESS = 0x0000ffffffffffffULL
local EPOCH = 0xffff000000000000ULL

local LIVES, EPOCHS = tonumber(C.CL_GENERATIONS) - 1, tonumber(C.CL_EPOCHS) - 1 -- masks

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
for _, name in ipairs { "shape", "names", "path", "changes", "literal" } do
  address[name .. "_ct"] = ffi.typeof("struct cl_view_" .. name)
  address[name .. "_view_p"] = ffi.typeof("struct cl_view_" .. name .. " *")
  address[name .. "_p"] = ffi.typeof("const struct cl_" .. name .. " *")
end

address.DECODED, address.ENCODED = 1, 2

--- What cl_record.timestamp is when there is none.
address.NO_TIMESTAMP = -0x7fffffffffffffffLL - 1

address.space = nil -- struct cl_space * of the task, set when the state is loaded

local lives -- struct cl_lives * of the space
local newest = 0 -- the generation that what is remembered belongs to
local turned = {} -- what is to be called when there is another

--- forget() is called when another generation of schemas begins, or there is another space.
function address.on_turn(forget) turned[#turned + 1] = forget end

local function turn()
  newest = lives and lives.newest or 0
  for i = 1, #turned do turned[i]() end
end

--- Makes space the one schemas and names are made in; nil = none.
function address.use_space(space)
  address.space = space ~= nil and cast("struct cl_space *", space) or nil
  lives = address.space and C.cl_ffi_lives(address.space)
  turn()
end

local epochs -- const uint16_t *: the pool's table, one pool per state

--- Makes batch the one being worked on; nil = none: then what is made lasts.
function address.enter(batch)
  current.batch = batch
  current.datum = nil
  current.writable = 0
  if lives then
    lives.lasting = batch == nil and 1 or 0
    if lives.newest ~= newest then turn() end
  end
  if batch ~= nil then
    epochs = batch.epochs
  end
end

--- What make answers, all of which lasts: for the few things that are looked up by name.
function address.lasting(make, ...)
  local was = lives.lasting -- there is a space, or nothing is made
  lives.lasting = 2
  local out = make(...)
  lives.lasting = was
  return out
end

local STALE = "stale view: its batch is finished; copy what you need (connect.copy) or batch:retain()"

--- The C object behind view v as ptr (a pointer type) and its epoch; raises when v is stale or
-- no view of type ct. Plugins call iterators and methods with what they like: an address must
-- never be made of anything but a view.
function address.resolve(ptr, v, ct)
  if not istype(ct, v) then error("a view expected, got " .. type(v), 3) end
  local at = cast(u64, cast(voidp, v))
  local epoch = tonumber(rshift(at, 48))
  if epochs == nil or epoch == 0 or epochs[band(epoch, EPOCHS)] ~= epoch then error(STALE, 3) end
  return cast(ptr, band(at, ADDRESS)), band(at, EPOCH)
end

--- The view of p as view_ptr (a pointer type) says. The epoch is added as to a pointer, not as
-- numbers: a view carried round a loop must have the type of a pointer there, or the loop does
-- not compile (165 instead of 3 ns per record).
function address.make(view_ptr, p, epoch) return cast(view_ptr, cast(bytep, p) + epoch)[0] end

local function epoch_of(batch) return (lshift(cast(u64, batch.epoch), 48)) end
address.epoch_of = epoch_of

-- Schemas and what is made of them outlive batches: in place of an epoch their addresses carry their
-- life (struct cl_lives), 0 = as long as the task.

local FORGOTTEN = "stale schema: schemas that come with records are forgotten when there are too many; remember what "
  .. "is made of one in a table of connect.memo, and make what is to last in configure or start"

local schema_ct, schema_p, schema_view_p = address.schema_ct, address.schema_p, address.schema_view_p

--- A schema's view, nil for NULL.
function address.schema_view(p)
  if p == nil then return nil end
  if p.life == 0 then return (cast(schema_view_p, p)[0]) end
  return (cast(schema_view_p, cast(bytep, p) + lshift(cast(u64, p.life), 48))[0])
end

--- The const struct cl_schema * behind a schema, which must be one, to look at it.
local function schema_at(s)
  if not istype(schema_ct, s) then error("a schema expected, got " .. type(s), 3) end
  local at = cast(u64, cast(voidp, s))
  local life = tonumber(rshift(at, 48))
  if life ~= 0 and (not lives or lives.alive[band(life - 1, LIVES)] ~= life) then error(FORGOTTEN, 3) end
  return (cast(schema_p, band(at, ADDRESS)))
end
address.schema_at = schema_at

--- p, or its twin that may be used now.
local function schema_now(p)
  if p.life == 0 or p.life == lives.newest then return p end
  local twin = C.cl_ffi_schema_now(address.space, p)
  if twin == nil then error("no memory left for a schema", 3) end
  return twin
end
address.schema_now = schema_now

--- The same to use it: in a record, or as a part of another one.
function address.schema_pointer(s) return (schema_now((schema_at(s)))) end

--- What plugins hold of p, which is made of schemas and has a life as they do (struct cl_shape and the like).
function address.hold(view_ptr, p) return (cast(view_ptr, cast(bytep, p) + lshift(cast(u64, p.life), 48))[0]) end

--- What was held, as ptr; raises when it is stale, or when h is nothing of type ct.
function address.held(ptr, h, ct)
  if not istype(ct, h) then error(("a %s expected, got %s"):format(tostring(ct):match "cl_view_(%w+)", type(h)), 3) end
  local at = cast(u64, cast(voidp, h))
  local life = tonumber(rshift(at, 48))
  if life ~= 0 and (not lives or lives.alive[band(life - 1, 15)] ~= life) then error(FORGOTTEN, 3) end
  return (cast(ptr, band(at, ADDRESS)))
end

--- Raises unless what has this life may be used in what is made now.
function address.check_newest(life)
  if life ~= 0 and life ~= lives.newest then error(FORGOTTEN, 3) end
end

--- The space in which schemas and the like are made; raises where there is none.
function address.some_space()
  return address.space or error("schemas and the like are made while a task or transform is being set up or runs", 3)
end

--- Raises unless the view with this epoch belongs to the batch whose records may be changed now.
function address.check_writable(epoch)
  if current.writable == 0 or epoch ~= epoch_of(current.batch) then
    error("a record can be changed inside a transform's apply only", 3)
  end
end

return address
