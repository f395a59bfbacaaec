-- SPDX-License-Identifier: Apache-2.0
-- The codecs behind the built-in converters, and the datum that converters work on.
--
-- decode(state, datum) and encode(state, datum) get the one datum the host is at; it is
-- valid during that call. A converter either hands it to a codec below, or uses
--   datum:text()             the bytes as a Lua string, nil when there are none
--   datum:set(value, schema) the decoded value; schema as in ctx:emit, nil = schemaless
--   datum:get()              the value to encode: a Lua value or a view
--   datum:schema()           name of its type ("string", "struct", ...) or nil
--   datum:set_text(s)        the encoded bytes; nil = none

local ffi = require "ffi"

local C = require "connect.host.abi"
local errors = require "connect.errors"
local host = require "connect.host.c"
local value = require "connect.host.value"
local view = require "connect.host.view"
local write = require "connect.host.write"

local current = view.current
local json_p = ffi.typeof "struct cl_json *"

local function check(rc)
  if rc ~= 0 then errors.throw_last() end
end

local function here()
  if current.datum == nil then error("a datum is to be used inside decode or encode only", 3) end
  return current.datum
end

local types = {}
for _, name in ipairs { "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes", "array",
  "map", "struct" } do
  types[tonumber(C["CL_TYPE_" .. name:upper()])] = name
end

local primitives = {}
for _, name in ipairs { "boolean", "int16", "int32", "int64", "float32", "float64" } do
  primitives[name] = tonumber(C["CL_TYPE_" .. name:upper()])
end

local methods = {}

function methods.text()
  local bytes = here().bytes
  if bytes.p == nil then return nil end
  return ffi.string(bytes.p, bytes.len)
end

function methods.set(_, x, schema) write.set(current.batch, here(), x, "value", schema) end

function methods.get() return view.read(current.batch, here().val) end

function methods.schema()
  local schema = here().schema
  if schema == nil then return nil end
  return types[schema.type]
end

function methods.set_text(_, s)
  local datum = here()
  if s == nil then
    datum.bytes.p, datum.bytes.len = nil, 0
  else
    value.set_str(current.batch, datum.bytes, s)
  end
end

local codec = {}

codec.datum = setmetatable({}, { __index = methods, __newindex = function() error("datum is read-only", 2) end,
  __metatable = false })

-- The datum is the current one, whatever was passed: there is only one.
--- A Java character set by any of its names, nil when there is none; for string_decode and string_encode.
function codec.charset(name)
  local charset = C.cl_ffi_charset(name, #name)
  if charset ~= nil then return charset end
end

local utf8 = codec.charset "UTF-8" -- C takes no NULL

function codec.string_decode(_, charset) check(C.cl_ffi_string_decode(current.batch, here(), charset or utf8)) end

function codec.string_encode(_, charset) check(C.cl_ffi_string_encode(current.batch, here(), charset or utf8)) end

function codec.bytes_decode() check(C.cl_ffi_bytes_decode(current.batch, here())) end

function codec.bytes_encode() check(C.cl_ffi_bytes_encode(current.batch, here())) end

--- Big-endian numbers and booleans: type is "boolean", "int16", "int32", "int64", "float32" or "float64".
function codec.primitive_decode(_, type)
  check(C.cl_ffi_primitive_decode(current.batch, here(), primitives[type]))
end

function codec.primitive_encode(_, type)
  check(C.cl_ffi_primitive_encode(current.batch, here(), primitives[type]))
end

--- Text that gets the type it looks like, and back: SimpleHeaderConverter.
function codec.header_decode() check(C.cl_ffi_header_decode(current.batch, here())) end

function codec.header_encode() check(C.cl_ffi_header_encode(current.batch, here())) end

--- A JSON codec: { schemas_enable, schemas_cache_size, decimal_numeric,
-- replace_null_with_default, is_key, schema_content }.
function codec.json(conf) return ffi.cast(json_p, host.json_codec(conf)) end

local function json_of(json)
  if json == nil then error("a codec made by codec.json expected", 3) end
  return json
end

function codec.json_decode(json) check(C.cl_ffi_json_decode(json_of(json), current.batch, here())) end

function codec.json_encode(json) check(C.cl_ffi_json_encode(json_of(json), current.batch, here())) end

return codec
