-- SPDX-License-Identifier: Apache-2.0
-- ValueToKey: makes the key of fields of the value.
local connect = require "connect"
local edit = require "connect.edit"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = connect.schema

local function key_shape(self, from)
  local fields, sources = {}, {}
  for i, name in ipairs(self.fields) do
    local s, at = from:field(name)
    if not s then connect.data_error("Field does not exist: %s", name) end
    fields[i], sources[i] = { name, s }, at
  end
  self.shapes[from.uid] = edit.shape(from, schema.struct { fields = fields }, sources, self.replace_null)
  return self.shapes[from.uid]
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.ValueToKey",
  doc = "Makes a new key of fields of the value.",
  config = {
    { name = "fields", type = "list", required = true, unique = true, non_empty = true, importance = "high",
      doc = "Those fields, in the order they have in the key." },
    rows.replace_null,
  },
  configure = function(config)
    return { fields = config.fields, shapes = memo.new(), replace_null = config["replace.null.with.default"] }
  end,
  apply = function(record, self)
    local value, uid = edit.open(record, "value", "copying fields from value to key")
    if uid then
      edit.reshape(record, "value", self.shapes[uid] or key_shape(self, edit.schema(record, "value")), "key")
      return record
    end
    local fields = self.fields
    local key = edit.new_object(record, "key", #fields)
    for i = 1, #fields do
      if not connect.put_field(key, fields[i], value, fields[i]) then key[fields[i]] = connect.null end
    end
    return record
  end,
}
