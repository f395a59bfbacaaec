-- SPDX-License-Identifier: Apache-2.0
-- The datum that converters work on: decode(datum, state) and encode(datum, state) get the one the
-- host is at, valid during that call. A converter either hands it to a codec of connect.codec, or uses
--   datum:text()             the bytes as a Lua string, nil when there are none
--   datum:set(value, schema) the decoded value; schema as in ctx:emit, nil = schemaless
--   datum:get()              the value to encode: a Lua value or a view
--   datum:schema()           its schema (connect.schema), nil = it has none
--   datum:set_text(s)        the encoded bytes; nil = none
-- decode must set the value and encode the bytes, a null too: nothing done is an error (connect.host.convert).
--
-- There is one of them, a C value, so that nobody can make another or change its methods.

local ffi = require "ffi"

local address = require "connect.host.address"
local value = require "connect.host.value"
local view = require "connect.host.view"
local write = require "connect.host.write"

local current, istype, type = address.current, ffi.istype, type

ffi.cdef "struct cl_the_datum { int32_t :32; };"
local datum_ct = ffi.typeof "struct cl_the_datum"

-- The struct cl_datum * behind d.
local function here(d)
  if not istype(datum_ct, d) then error("a converter's datum expected, got " .. type(d), 3) end
  if current.datum == nil then error("a datum is to be used inside decode or encode only", 3) end
  return current.datum
end

local methods = {}

function methods:text()
  local bytes = here(self).bytes
  if bytes.p == nil then return nil end
  return ffi.string(bytes.p, bytes.len)
end

function methods:set(x, schema)
  write.set(current.batch, here(self), x, "value", schema)
  current.done = address.DECODED
end

function methods:get() return (view.datum(here(self), address.epoch_of(current.batch))) end

function methods:schema() return (address.schema_view(here(self).schema)) end

function methods:set_text(s)
  local datum = here(self)
  if s == nil then
    datum.bytes.p, datum.bytes.len = nil, 0
  elseif type(s) ~= "string" then
    error("datum:set_text takes a string or nil, not a " .. type(s), 2)
  else
    value.set_str(current.batch, datum.bytes, s)
  end
  current.done = address.ENCODED
end

ffi.metatype(datum_ct, { __index = methods, __newindex = function() error("datum is read-only", 2) end,
  __tostring = function() return "datum" end, __metatable = false })

return { datum = ffi.new(datum_ct), here = here }
