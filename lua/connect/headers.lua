-- SPDX-License-Identifier: Apache-2.0
-- A record's headers: an ordered list in which a name may occur more than once.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local value = require "connect.host.value"
local view = require "connect.host.view"
local write = require "connect.host.write"

local current = address.current
local K_MISSING, K_NULL = address.kind.MISSING, address.kind.NULL
local resolve, record_p, record_ct = address.resolve, address.record_p, address.record_ct

local made = ffi.new "struct cl_datum" -- a header that cannot be leaves nothing behind

local headers = {}

local function check_name(name)
  if type(name) ~= "string" then error("a header's name is a string, not a " .. type(name), 3) end
end

local function writable(record)
  local rec, epoch = resolve(record_p, record, record_ct)
  address.check_writable(epoch)
  return rec
end

--- Whether there is one of this name.
function headers.has(record, name)
  local rec = resolve(record_p, record, record_ct)
  check_name(name)
  return C.cl_ffi_header_last(rec, name, #name) ~= nil
end

--- Value and schema (nil = none) of the last one of this name; nil when there is none.
function headers.last(record, name)
  local rec = resolve(record_p, record, record_ct)
  check_name(name)
  local header = C.cl_ffi_header_last(rec, name, #name)
  if header == nil then return nil end
  return view.datum(header.d, address.epoch_of(rec.batch)), address.schema_view(header.d.schema)
end

--- Appends one; s is a schema or its name, nil = none.
function headers.add(record, name, x, s)
  local rec = writable(record)
  check_name(name)
  write.header(rec, name, x, s)
end

--- Appends one with exactly the value and schema of a struct's or object's field; with replace_null a
-- struct's null field is read as its default. False = there is no such field: a header of null was
-- appended then, without schema.
function headers.add_field(record, name, container, field, replace_null)
  local rec = writable(record)
  check_name(name)
  if type(field) ~= "string" then error("a field's name is a string, not a " .. type(field), 2) end
  local val, s, epoch = view.slot(container, field, not replace_null)
  made.val.kind, made.schema = K_NULL, nil
  if val ~= nil then
    value.copy(current.batch, made.val, val, epoch)
    if made.val.kind == K_MISSING then made.val.kind = K_NULL end
    made.schema = s and address.schema_now(s)
    if C.cl_ffi_header_fits(current.batch, made) ~= 0 then errors.throw_last() end
  end
  write.append_header(rec, name, made)
  return val ~= nil
end

--- What SimpleHeaderConverter reads in a text, for add_literal; made in configure it lives as long as the task.
function headers.literal(text)
  if type(text) ~= "string" then error("headers.literal: a text expected, not a " .. type(text), 2) end
  local p = C.cl_ffi_literal(address.some_space(), text, #text)
  if p == nil then errors.throw_last() end
  return address.hold(address.literal_view_p, p)
end

--- Appends a header with the value and schema of a literal.
function headers.add_literal(record, name, literal)
  local rec = writable(record)
  check_name(name)
  local p = address.held(address.literal_p, literal, address.literal_ct)
  if C.cl_ffi_copy(current.batch, made.val, p.d.val) ~= 0 then value.no_memory() end
  made.schema = p.d.schema
  write.append_header(rec, name, made)
end

--- Removes all of this name: how many.
function headers.remove(record, name)
  local rec = writable(record)
  check_name(name)
  return (write.remove_headers(rec, name))
end

return headers
