-- SPDX-License-Identifier: Apache-2.0
-- HoistField: the key or value becomes the one field of a struct or object.
local edit = require "connect.edit"
local memo = require "connect.memo"
local schema = require("connect").schema

local function hoisted(self, from)
  self.schemas[from.uid] = schema.struct { fields = { { self.field, from } } }
  return self.schemas[from.uid]
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.HoistField",
  sides = true,
  doc = "Makes the key or value the one field of a struct, or of an object where there is no schema.",
  config = {
    { name = "field", type = "string", required = true, importance = "medium",
      doc = "Name of that field." },
  },
  configure = function(config, side) return { side = side, field = config.field, schemas = memo.new() } end,
  apply = function(record, self)
    local side = self.side
    local uid = edit.uid(record, side)
    edit.wrap(record, side, self.field, uid and (self.schemas[uid] or hoisted(self, edit.schema(record, side))))
    return record
  end,
}
