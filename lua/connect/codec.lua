-- SPDX-License-Identifier: Apache-2.0
-- The codecs behind the built-in converters, to be called inside decode or encode with the datum
-- that those got (connect.host.datum).

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local here = require("connect.host.datum").here
local host = require "connect.host.c"

local current, istype, type = address.current, ffi.istype, type
local DECODED, ENCODED = address.DECODED, address.ENCODED
local json_p, charset_p = ffi.typeof "struct cl_json *", ffi.typeof "const struct cl_charset *"

local function check(rc, done)
  if rc ~= 0 then errors.throw_last() end
  current.done = done
end

local primitives = {}
for _, name in ipairs { "boolean", "int16", "int32", "int64", "float32", "float64" } do
  primitives[name] = tonumber(C["CL_TYPE_" .. name:upper()])
end

local codec = {}

--- A Java character set by any of its names, nil when there is none; for string_decode and string_encode.
function codec.charset(name)
  if type(name) ~= "string" then error("a character set's name is a string, not a " .. type(name), 2) end
  local charset = C.cl_ffi_charset(name, #name)
  if charset ~= nil then return charset end
end

local utf8 = codec.charset "UTF-8" -- C takes no NULL

local function charset_of(x)
  if x == nil then return utf8 end
  if not istype(charset_p, x) then error("a character set made by codec.charset expected, got " .. type(x), 3) end
  return x
end

function codec.string_decode(datum, charset)
  check(C.cl_ffi_string_decode(current.batch, here(datum), charset_of(charset)), DECODED)
end

function codec.string_encode(datum, charset)
  check(C.cl_ffi_string_encode(current.batch, here(datum), charset_of(charset)), ENCODED)
end

function codec.bytes_decode(datum) check(C.cl_ffi_bytes_decode(current.batch, here(datum)), DECODED) end

function codec.bytes_encode(datum) check(C.cl_ffi_bytes_encode(current.batch, here(datum)), ENCODED) end

local function primitive(name)
  return primitives[name] or error("boolean, int16, int32, int64, float32 or float64 expected", 3)
end

--- Big-endian numbers and booleans: name is "boolean", "int16", "int32", "int64", "float32" or "float64".
function codec.primitive_decode(datum, name)
  check(C.cl_ffi_primitive_decode(current.batch, here(datum), primitive(name)), DECODED)
end

function codec.primitive_encode(datum, name)
  check(C.cl_ffi_primitive_encode(current.batch, here(datum), primitive(name)), ENCODED)
end

--- Text that gets the type it looks like, and back: SimpleHeaderConverter.
function codec.header_decode(datum) check(C.cl_ffi_header_decode(current.batch, here(datum)), DECODED) end

function codec.header_encode(datum) check(C.cl_ffi_header_encode(current.batch, here(datum)), ENCODED) end

--- A JSON codec: { schemas_enable, schemas_cache_size, decimal_numeric,
-- replace_null_with_default, is_key, schema_content }.
function codec.json(conf)
  if type(conf) ~= "table" then error("codec.json: a table of options expected, not a " .. type(conf), 2) end
  local json = host.json_codec(conf)
  return ffi.gc(ffi.cast(json_p, json), function() host.free(json) end)
end

local function json_of(json)
  if not istype(json_p, json) then error("a codec made by codec.json expected, got " .. type(json), 3) end
  return json
end

function codec.json_decode(datum, json)
  check(C.cl_ffi_json_decode(json_of(json), current.batch, here(datum)), DECODED)
end

function codec.json_encode(datum, json)
  check(C.cl_ffi_json_encode(json_of(json), current.batch, here(datum)), ENCODED)
end

return codec
