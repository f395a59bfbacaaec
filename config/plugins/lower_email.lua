-- SPDX-License-Identifier: Apache-2.0
-- The README's example of a transform.
local connect = require "connect"
return {
  api = 1, kind = "transform", version = "1.0.0", doc = "Emails in lower case, and where they are from.",
  config = { { name = "drop.without", type = "boolean", default = false, doc = "Drop records that have no email." } },
  apply = function(record, config)
    local email = record.value.email
    if email == nil or email == connect.null then
      if config["drop.without"] then return nil end      -- nil drops the record
      return record
    end
    record.value.email = email:lower()
    record.value.domain = email:match "@(.+)$" or ""
    record.value.password = nil                          -- nil removes a field, connect.null writes null
    connect.headers.add(record, "seen", true)
    return record
  end,
}
