-- SPDX-License-Identifier: Apache-2.0
-- HeaderFrom: copies or moves fields of the key or value into headers.
local edit = require "connect.edit"
local errors = require "connect.errors"
local headers = require "connect.headers"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = require "connect.schema"

local NULL_POINTER = "java.lang.NullPointerException"

-- How structs lose the fields that move.
local function without(self, from)
  local fields, sources = {}, {}
  for i, f in ipairs(from.fields) do
    if not self.moved[f[1]] then
      fields[#fields + 1] = f
      sources[#fields] = i
    end
  end
  local to = schema.derive(from, { fields = fields, optional = false, default = false })
  self.shapes[from.uid] = edit.shape(from, to, sources, self.replace_null)
  return self.shapes[from.uid]
end

local function no_field()
  errors.throw(NULL_POINTER, 'Cannot invoke "org.apache.kafka.connect.data.Field.schema()" because the return value '
    .. 'of "org.apache.kafka.connect.data.Schema.field(String)" is null')
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.HeaderFrom",
  sides = true,
  doc = "Copies or moves fields of the key or value into headers, each field into the header that stands at the same "
    .. "place of the other list.",
  config = {
    { name = "fields", type = "list", required = true, non_empty = true, importance = "high",
      doc = "Fields whose values become headers." },
    { name = "headers", type = "list", required = true, non_empty = true, importance = "high",
      doc = "Names of the headers, in the order of the fields." },
    { name = "operation", type = "string", required = true, values = { "move", "copy" }, importance = "high",
      doc = "move: the fields are removed from the key or value; copy: they stay." },
    rows.replace_null,
  },
  configure = function(config, side)
    if #config.fields ~= #config.headers then
      errors.config("'fields' config must have the same number of elements as 'headers' config.")
    end
    local moved = {}
    for _, name in ipairs(config.fields) do moved[name] = true end
    return { side = side, fields = config.fields, headers = config.headers, move = config.operation == "move",
      purpose = "header " .. config.operation, moved = moved, shapes = memo.new(),
      replace_null = config["replace.null.with.default"] }
  end,
  apply = function(record, self)
    local side, fields, names, move = self.side, self.fields, self.headers, self.move
    local value, uid = edit.open(record, side, self.purpose)
    -- value stays the struct it was
    if uid and move then
      edit.reshape(record, side, self.shapes[uid] or without(self, edit.schema(record, side)))
    end
    for i = 1, #fields do
      if not headers.add_field(record, names[i], value, fields[i], self.replace_null) and uid then no_field() end
    end
    if not uid then
      edit.copied(value, side)
      for i = 1, move and #fields or 0 do value[fields[i]] = nil end
    end
    return record
  end,
}
