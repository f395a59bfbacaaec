-- SPDX-License-Identifier: Apache-2.0
-- Flatten: what is inside structs and objects comes to the top, under names that tell the way to it.
local edit = require "connect.edit"
local memo = require "connect.memo"

local function flat(self, from)
  self.shapes[from.uid] = edit.flat(from, self.delimiter)
  return self.shapes[from.uid]
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.Flatten",
  sides = true,
  doc = "Makes one level of a nested struct or schemaless object: a field's new name is made of the names on the "
    .. "way to it, with a delimiter between them.",
  config = {
    { name = "delimiter", type = "string", default = ".", importance = "medium",
      doc = "Text between the names that make up a field's new name." },
  },
  configure = function(config, side) return { side = side, delimiter = config.delimiter, shapes = memo.new() } end,
  apply = function(record, self)
    local side = self.side
    if edit.is_null(record, side) then return record end
    local _, uid = edit.open(record, side, "flattening")
    edit.flatten(record, side, self.delimiter, uid and (self.shapes[uid] or flat(self, edit.schema(record, side))))
    return record
  end,
}
