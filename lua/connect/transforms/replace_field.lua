-- SPDX-License-Identifier: Apache-2.0
-- ReplaceField: keeps, drops and renames fields.
local connect = require "connect"
local edit = require "connect.edit"
local errors = require "connect.errors"
local schema = connect.schema

local CONFIG = "org.apache.kafka.common.config.ConfigException"

-- "old:new" items as Java splits them: trailing empty parts are lost.
local function rename_of(item)
  local from, to = item:match "^([^:]*):([^:]+):*$"
  if not from then
    errors.throw(CONFIG, "Invalid value %s for configuration renames: Invalid rename mapping: %s",
      "[" .. item .. "]", item)
  end
  return from, to
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local function keeps(self, name)
  return not self.excluded[name] and (self.all or self.included[name])
end

-- The same for objects.
local function rules(self)
  local out = {}
  for name in pairs(self.included) do out[name] = self.renamed[name] or name end
  for name, to in pairs(self.renamed) do
    if keeps(self, name) then out[name] = to end
  end
  for name in pairs(self.excluded) do out[name] = false end
  return edit.names(out, self.all)
end

local function reshaped(self, from)
  local old, fields, sources = from.fields, {}, {}
  for _, f in ipairs(old) do
    if keeps(self, f[1]) then fields[#fields + 1] = { self.renamed[f[1]] or f[1], f[2] } end
  end
  local to = schema.derive(from, { fields = fields, optional = false, default = false })
  -- Java looks each new name's old one up by reversing the renames, wherever the name came from.
  for i, f in ipairs(fields) do
    local name = self.original[f[1]] or f[1]
    local _, at = from:field(name)
    if not at then connect.data_error("%s is not a valid field name", name) end
    sources[i] = at
  end
  self.shapes[from.uid] = edit.shape(to, sources, self.replace_null)
  return self.shapes[from.uid]
end

local function names(name, doc)
  return { name = name, type = "list", default = "", importance = "medium", unique = true, doc = doc }
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.ReplaceField",
  sides = true,
  doc = "Filter or rename fields.",
  config = {
    names("exclude", "Fields to exclude. This takes precedence over the fields to include."),
    names("include", "Fields to include. If specified, only these fields will be used."),
    { name = "renames", type = "list", default = "", importance = "medium", doc = "Field rename mappings." },
    { name = "replace.null.with.default", type = "boolean", default = true, importance = "medium",
      doc = "Whether to replace fields that have a default value and that are null to the default value. When set to "
        .. "true, the default value is used, otherwise null is used." },
  },
  configure = function(config, side)
    local self = { side = side, shapes = {}, replace_null = config["replace.null.with.default"],
      excluded = set_of(config.exclude), included = set_of(config.include), all = #config.include == 0,
      renamed = {}, original = {} }
    for _, item in ipairs(config.renames) do
      local from, to = rename_of(item)
      self.renamed[from], self.original[to] = to, from
    end
    self.names = rules(self)
    return self
  end,
  apply = function(record, self)
    local side = self.side
    if edit.is_null(record, side) then return record end
    local value, from = edit.open(record, side, "field replacement")
    if from then
      edit.reshape(record, side, self.shapes[from.uid] or reshaped(self, from))
    else
      edit.project(value, side, self.names)
    end
    return record
  end,
}
