-- SPDX-License-Identifier: Apache-2.0
-- Headers of a value that a configuration gives as text. For the built-in transforms.

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local value = require "connect.host.value"

local current = address.current

local literal = {}

--- What SimpleHeaderConverter reads in a text, for add; made in configure it lives as long as the task.
function literal.new(text)
  local p = C.cl_ffi_literal(address.space, text, #text)
  if p == nil then errors.throw_last() end
  return p
end

--- Appends a header with the value and schema of a literal.
function literal.add(record, name, p)
  local rec, epoch = address.resolve(address.record_p, record, address.record_ct)
  address.check_writable(epoch)
  local header = C.cl_ffi_header_add(current.batch, rec, name, #name)
  if header == nil or C.cl_ffi_copy(current.batch, header.d.val, p.d.val) ~= 0 then value.no_memory() end
  header.d.schema = p.d.schema
end

return literal
