-- SPDX-License-Identifier: Apache-2.0
-- MaskField: fields become the empty value of their type, or a fixed text or number.
local edit = require "connect.edit"
local memo = require "connect.memo"
local rows = require "connect.rows"

local function struct_changes(self, from)
  local sources, list = {}, {}
  for i, f in ipairs(from.fields) do
    sources[i] = i
    if self.masked[f[1]] then list[#list + 1] = { at = i } end
  end
  self.changes[from.uid] = edit.masks(list, self.replacement, edit.shape(from, from, sources, self.replace_null))
  return self.changes[from.uid]
end

-- In the order in which Java's HashSet of them gives the fields.
local function object_changes(self)
  local list = {}
  local names = edit.hash_order(self.names, math.max(16, math.floor(#self.names / 0.75) + 1))
  for i, name in ipairs(names) do list[i] = { name = name } end
  self.changes.object = edit.masks(list, self.replacement)
  return self.changes.object
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.MaskField",
  sides = true,
  doc = "Hides what fields hold: 0, false, an empty text, list or map, as their type has it, or a replacement of one's "
    .. "own in numbers and texts.",
  config = {
    { name = "fields", type = "list", required = true, unique = true, non_empty = true, importance = "high",
      doc = "Fields to hide." },
    { name = "replacement", type = "string", non_empty = true, importance = "low",
      doc = "What stands in the fields instead, a number's text for numbers." },
    rows.replace_null,
  },
  configure = function(config, side)
    local masked = {}
    for _, name in ipairs(config.fields) do masked[name] = true end
    return { side = side, names = config.fields, masked = masked, replacement = config.replacement,
      changes = memo.new(), replace_null = config["replace.null.with.default"] }
  end,
  apply = function(record, self)
    local side = self.side
    local value, uid = edit.open(record, side, "mask fields")
    if uid then
      edit.change_struct(record, side, self.changes[uid] or struct_changes(self, edit.schema(record, side)))
    else
      edit.copied(value, side)
      edit.change_object(value, self.changes.object or object_changes(self))
    end
    return record
  end,
}
