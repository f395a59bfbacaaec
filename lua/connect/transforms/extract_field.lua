-- SPDX-License-Identifier: Apache-2.0
-- ExtractField: the key or value becomes one of its fields.
local connect = require "connect"
local edit = require "connect.edit"
local errors = require "connect.errors"
local field_path = require "connect.field_path"

local ILLEGAL = "java.lang.IllegalArgumentException"

-- The schema at the end of the path, nil when a step is missing.
local function leaf(self, from)
  local s = from
  for i, step in ipairs(self.path) do
    if s.type ~= "struct" then errors.throw(edit.DATA, "Cannot look up fields on non-struct type") end
    s = s:field(step)
    if not s then errors.throw(ILLEGAL, "Unknown field: %s", self.field) end
    if i == #self.path then break end
  end
  self.leaves[from.uid] = s
  return s
end

-- The container that holds the last step; nil when a null is on the way.
local function holder(self, value, with_schema)
  local path = self.path
  for i = 1, #path - 1 do
    value = value[path[i]]
    if value == nil or value == connect.null then return nil end
    if not with_schema then edit.check_map(value, "nested field access") end
  end
  return value
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.ExtractField",
  sides = true,
  doc = "Extract the specified field from a Struct when schema present, or a Map in the case of schemaless data. Any "
    .. "null values are passed through unmodified.",
  config = {
    { name = "field", type = "string", required = true, importance = "medium", doc = "Field name to extract." },
    { name = "field.syntax.version", type = "string", default = "V1", values = { "V1", "V2" }, ignore_case = true,
      importance = "high", doc = "Defines the version of the syntax to access fields. If set to V1, then the field "
        .. "paths are limited to access the elements at the root level of the struct or map. If set to V2, the syntax "
        .. "will support accessing nested elements. To access nested elements, dotted notation is used. If dots are "
        .. "already included in the field name, then backtick pairs can be used to wrap field names containing dots." },
    { name = "replace.null.with.default", type = "boolean", default = true, importance = "medium",
      doc = "Whether to replace fields that have a default value and that are null to the default value. When set to "
        .. "true, the default value is used, otherwise null is used." },
  },
  configure = function(config, side)
    return { side = side, field = config.field, leaves = {}, replace_null = config["replace.null.with.default"],
      path = field_path.parse(config.field, config["field.syntax.version"]) }
  end,
  apply = function(record, self)
    local side, path = self.side, self.path
    local from = edit.schema(record, side)
    local s = from and (self.leaves[from.uid] or leaf(self, from))
    if edit.is_null(record, side) then
      edit.nothing(record, side, s)
      return record
    end
    if #path == 0 then errors.throw(ILLEGAL, "fromIndex(0) > toIndex(-1)") end
    local value = holder(self, edit.open(record, side, "field extraction"), from ~= nil)
    if value == nil then
      edit.nothing(record, side, s)
    else
      edit.become(record, side, value, path[#path], self.replace_null)
    end
    return record
  end,
}
