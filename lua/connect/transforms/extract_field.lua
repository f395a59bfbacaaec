-- SPDX-License-Identifier: Apache-2.0
-- ExtractField: the key or value becomes one of its fields.
local edit = require "connect.edit"
local errors = require "connect.errors"
local field_path = require "connect.field_path"
local memo = require "connect.memo"
local rows = require "connect.rows"

local ILLEGAL = "java.lang.IllegalArgumentException"

-- What Java's list of all steps but the last says of a path without steps.
local function check_steps(self)
  if #self.steps == 0 then errors.throw(ILLEGAL, "fromIndex(0) > toIndex(-1)") end
end

-- The path through a schema's values.
local function path_from(self, from)
  check_steps(self)
  local s = from
  for _, step in ipairs(self.steps) do
    if s.type ~= "struct" then errors.throw(edit.DATA, "Cannot look up fields on non-struct type") end
    s = s:field(step)
    if not s then errors.throw(ILLEGAL, "Unknown field: %s", self.field) end
  end
  self.paths[from.uid] = edit.path(self.steps, from)
  return self.paths[from.uid]
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.ExtractField",
  sides = true,
  doc = "Replaces the key or value, a struct or a schemaless object, by one of its fields. Null stays null.",
  config = {
    { name = "field", type = "string", required = true, importance = "medium", doc = "Field to extract." },
    { name = "field.syntax.version", type = "string", default = "V1", values = { "V1", "V2" }, ignore_case = true,
      importance = "high", doc = "V1: field is the name of a field. V2: it is a path of names parted by dots; a name "
        .. "with dots in it stands between backticks." },
    rows.replace_null,
  },
  configure = function(config, side)
    local steps = field_path.parse(config.field, config["field.syntax.version"])
    return { side = side, field = config.field, paths = memo.new(), replace_null = config["replace.null.with.default"],
      steps = steps, path = edit.path(steps) }
  end,
  apply = function(record, self)
    local side = self.side
    local null = edit.is_null(record, side)
    if not null then edit.open(record, side, "field extraction") end
    local uid = edit.uid(record, side)
    local path = self.path
    if uid then
      path = self.paths[uid] or path_from(self, edit.schema(record, side))
    elseif not null then
      check_steps(self)
    end
    edit.extract(record, side, path, self.replace_null)
    return record
  end,
}
