-- SPDX-License-Identifier: Apache-2.0
-- Structs and values with a schema, made in the batch being worked on.

local ffi = require "ffi"

local address = require "connect.host.address"
local value = require "connect.host.value"
local view = require "connect.host.view"
local write = require "connect.host.write"

local current = address.current

local struct = {}

--- A struct of this schema with the fields of the table; the rest is unset. It lives as long as
-- the batch that is being worked on.
function struct.new(s, fields)
  local batch = current.batch
  if batch == nil then error("connect.struct: structs are made while records are worked on", 2) end
  local p = address.schema_pointer(s)
  if p.type ~= value.types.STRUCT then error("Not a struct schema: " .. tostring(s), 2) end
  local val = ffi.new "struct cl_val"
  value.fit(batch, val, fields or {}, p)
  return view.read(batch, val)
end

--- record.value = x (side "value" or "key") with a schema or its name; nil = schemaless.
function struct.set(record, side, x, s)
  if side ~= "value" and side ~= "key" then error("connect.set: a side is \"key\" or \"value\"", 2) end
  local rec, epoch = address.resolve(address.record_p, record, address.record_ct)
  address.check_writable(epoch)
  write.set(current.batch, rec[side], x, side, s)
end

return struct
