-- SPDX-License-Identifier: Apache-2.0
-- A record's key or value, which is going to be changed.

local address = require "connect.host.address"

local resolve, record_p, record_ct = address.resolve, address.record_p, address.record_ct
local K_STRUCT = address.kind.STRUCT

local side = {}

--- The struct cl_datum * of a side, "key" or "value", of the record that a transform is at.
function side.datum(record, name)
  local rec, epoch = resolve(record_p, record, record_ct)
  address.check_writable(epoch)
  if name == "key" then return rec.key end
  return rec.value
end

--- The same, which must hold a struct.
function side.struct(record, name)
  local d = side.datum(record, name)
  if d.val.kind ~= K_STRUCT then error("the " .. (name == "key" and "key" or "value") .. " is no struct", 3) end
  return d
end

--- The batch that is worked on; raises when there is none.
function side.batch()
  local batch = address.current.batch
  if batch == nil then error("this is to be done while records are worked on", 3) end
  return batch
end

return side
