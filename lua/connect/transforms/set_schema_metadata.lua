-- SPDX-License-Identifier: Apache-2.0
-- SetSchemaMetadata: the schema of the key or value gets another name or version.
local edit = require "connect.edit"
local errors = require "connect.errors"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = require "connect.schema"

local function renamed(self, from)
  -- Java asks for the fields, whatever the type.
  if from.type ~= "struct" then errors.throw(edit.DATA, "Cannot list fields on non-struct type") end
  local sources = {}
  for i = 1, #from do sources[i] = i end
  local to = schema.derive(from, { name = self.name, version = self.version })
  self.schemas[from.uid], self.shapes[from.uid] = to, edit.shape(from, to, sources, self.replace_null)
  return to
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.SetSchemaMetadata",
  sides = true,
  doc = "Gives the schema of the key or value, which must be a struct, a name, a version, or both.",
  config = {
    { name = "schema.name", type = "string", importance = "high", doc = "The schema's new name." },
    { name = "schema.version", type = "int", importance = "high", doc = "The schema's new version." },
    rows.replace_null,
  },
  configure = function(config, side)
    local name, version = config["schema.name"], config["schema.version"]
    if not name and not version then errors.config("Neither schema name nor version configured") end
    return { side = side, name = name, version = version, schemas = memo.new(), shapes = memo.new(),
      replace_null = config["replace.null.with.default"] }
  end,
  apply = function(record, self)
    local side = self.side
    local uid, null = edit.uid(record, side), edit.is_null(record, side)
    if not uid then
      if not null then errors.throw(edit.DATA, "Schema required for [updating schema metadata]") end
      return record
    end
    local to = self.schemas[uid] or renamed(self, edit.schema(record, side))
    if null then
      edit.nothing(record, side, to)
    else
      edit.reshape(record, side, self.shapes[uid])
    end
    return record
  end,
}
