-- SPDX-License-Identifier: Apache-2.0
-- ReplaceField: keeps, drops and renames fields.
local connect = require "connect"
local edit = require "connect.edit"
local errors = require "connect.errors"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = connect.schema

-- "old:new" items as Java splits them: trailing empty parts are lost. Answers the new names by old ones and
-- the old names in order, or nil and what is wrong.
local function parse(list)
  local renamed, order = {}, {}
  for _, item in ipairs(list) do
    local from, to = item:match "^([^:]*):([^:]+):*$"
    if not from then
      return nil, ("Invalid value [%s] for configuration renames: Invalid rename mapping: %s"):format(
        table.concat(list, ", "), item)
    end
    if not renamed[from] then order[#order + 1] = from end
    renamed[from] = to
  end
  return renamed, order
end

-- Old names by new ones. Of several that get one name the last counts, in the order of Java's HashMap.
local function inverted(renamed, order)
  local original, at = {}, {}
  for _, from in ipairs(order) do
    local to, bucket = renamed[from], edit.java_bucket(from, #order)
    if not at[to] or bucket >= at[to] then original[to], at[to] = from, bucket end
  end
  return original
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local function keeps(self, name)
  return not self.excluded[name] and (self.all or self.included[name])
end

-- What a schema's rules are for objects.
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
  local fields, sources = {}, {}
  for _, f in ipairs(from.fields) do
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
  self.shapes[from.uid] = edit.shape(from, to, sources, self.replace_null)
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
  doc = "Keeps, drops and renames fields.",
  config = {
    names("exclude", "Fields to drop, also when they are to be kept."),
    names("include", "Fields to keep; none named = all."),
    { name = "renames", type = "list", default = "", importance = "medium", doc = "old:new names." },
    rows.replace_null,
  },
  validate = function(config)
    local renamed, why = parse(config.renames or {})
    if not renamed then return { renames = { why } } end
    return {}
  end,
  configure = function(config, side)
    local self = { side = side, shapes = memo.new(), replace_null = config["replace.null.with.default"],
      excluded = set_of(config.exclude), included = set_of(config.include), all = #config.include == 0 }
    local renamed, order = parse(config.renames)
    if not renamed then errors.config("%s", order) end
    self.renamed, self.original = renamed, inverted(renamed, order)
    self.names = rules(self)
    return self
  end,
  apply = function(record, self)
    local side = self.side
    if edit.is_null(record, side) then return record end
    local value, uid = edit.open(record, side, "field replacement")
    if uid then
      edit.reshape(record, side, self.shapes[uid] or reshaped(self, edit.schema(record, side)))
    else
      edit.project(value, side, self.names)
    end
    return record
  end,
}
