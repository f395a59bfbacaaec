-- SPDX-License-Identifier: Apache-2.0
-- Cast: fields, or the whole key or value, become another simple type.
local edit = require "connect.edit"
local errors = require "connect.errors"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = require("connect").schema

local TARGETS = "INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING"

local known = { BYTES = false, ARRAY = false, MAP = false, STRUCT = false }
for name in TARGETS:gmatch "%w+" do known[name] = name:lower() end

local function trim(text) return text:match "^[%z\1- ]*(.-)[%z\1- ]*$" end

-- Java's split(":"): trailing empty parts are lost, but a text without any colon stays.
local function split(item)
  if not item:find(":", 1, true) then return { item } end
  local parts = {}
  for part in (item:gsub(":+$", "") .. ":"):gmatch "([^:]*):" do parts[#parts + 1] = part end
  if #parts == 1 and parts[1] == "" then return {} end
  return parts
end

-- Of what is no ASCII, Java makes capitals of these two that types are spelt with.
local CAPITALS = { ["\196\177"] = "I", ["\197\191"] = "S" } -- a dotless i, a long s

local function type_of(text)
  local name = trim(text):upper():gsub("[\196\197][\177\191]", CAPITALS)
  if known[name] then return known[name] end
  if known[name] == false then
    return nil, ("Cast transformation does not support casting to %s; supported types are [%s]"):format(name, TARGETS)
  end
  return nil, ("Invalid value java.lang.IllegalArgumentException: No enum constant "
    .. "org.apache.kafka.connect.data.Schema.Type.%s for configuration Invalid type found in casting spec: %s"):format(
    name, trim(text))
end

-- What the spec asks for: the type of everything, or names and types of fields. Nil and why it cannot be.
local function parse(spec)
  if #spec == 0 then return nil, "Must specify at least one field to cast." end
  local out = { names = {}, types = {} }
  for _, item in ipairs(spec) do
    local parts = split(item)
    if #parts > 2 then
      return nil, ("Invalid value [%s] for configuration renames: Invalid rename mapping: %s"):format(
        table.concat(spec, ", "), item)
    elseif #parts == 0 then
      return nil, "Index 1 out of bounds for length 0"
    end
    local type, why = type_of(parts[#parts])
    if not type then return nil, why end
    if #parts == 1 then
      out.whole = type
    else
      local name = trim(parts[1])
      if not out.types[name] then out.names[#out.names + 1] = name end
      out.types[name] = type
    end
  end
  if out.whole and #spec > 1 then
    return nil, "Cast transformations that specify a type to cast the entire value to may only specify a single cast "
      .. "in their spec"
  end
  return out
end

-- -------------------------------------------------------------------- with a schema

-- A whole value keeps the schema's attributes, the name of a logical type too, and has its default cast.
local function plan_whole(self, from)
  local changes = edit.casts { { type = self.whole, from = from } }
  return { changes = changes, to = edit.with_default(schema.derive(from, { type = self.whole }), from, changes) }
end

local function plan_fields(self, from)
  local fields, sources, changes = from.fields, {}, {}
  if not fields then errors.throw(edit.DATA, "Cannot list fields on non-struct type") end
  for i, f in ipairs(fields) do
    local type, old = self.types[f[1]], f[2]
    if type then
      changes[#changes + 1] = { at = i, type = type, from = old }
      f[2] = edit.with_default(schema.make(type, { optional = old.optional }), old,
        edit.casts { { type = type, from = old } })
    end
    sources[i] = i
  end
  edit.with_default(from, from, edit.casts { { type = "string", from = from } }) -- raises: no struct can be cast
  local shape = edit.shape(from, schema.derive(from, { fields = fields }), sources, self.replace_null)
  return { changes = edit.casts(changes, shape) }
end

local function planned(self, from)
  self.plans[from.uid] = self.whole and plan_whole(self, from) or plan_fields(self, from)
  return self.plans[from.uid]
end

-- ------------------------------------------------------------------ without a schema

-- In the order in which Java's HashMap of them gives the fields.
local function object_changes(self)
  local list = {}
  for i, name in ipairs(edit.hash_order(self.names, 16)) do list[i] = { name = name, type = self.types[name] } end
  self.plans.object = edit.casts(list)
  return self.plans.object
end

local function cast_object(record, self)
  local object = edit.open(record, self.side, "cast types")
  edit.copied(object, self.side)
  edit.change_object(object, self.plans.object or object_changes(self))
  return record
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.Cast",
  sides = true,
  doc = "Gives fields, or the whole key or value, another type: numbers, booleans and texts become each other, bytes "
    .. "become base64 text.",
  config = {
    { name = "spec", type = "list", required = true, importance = "high",
      doc = "One type for the whole key or value, or field:type items. Types are int8, int16, int32, int64, float32, "
        .. "float64, boolean and string." },
    rows.replace_null,
  },
  validate = function(config)
    -- Apache's validator sees a missing spec, too.
    if not config.spec then return { spec = "Must specify at least one field to cast." } end
    local _, why = parse(config.spec)
    return { spec = why }
  end,
  configure = function(config, side)
    local self, why = parse(config.spec)
    if not self then errors.config("%s", why) end
    self.side, self.plans, self.replace_null = side, memo.new(), config["replace.null.with.default"]
    self.untyped = self.whole and edit.casts { { type = self.whole } }
    return self
  end,
  apply = function(record, self)
    local side = self.side
    if edit.is_null(record, side) then return record end
    local uid = edit.uid(record, side)
    if uid == nil then
      if not self.whole then return cast_object(record, self) end
      edit.change(record, side, self.untyped)
      return record
    end
    local plan = self.plans[uid] or planned(self, edit.schema(record, side))
    if self.whole then
      edit.change(record, side, plan.changes, plan.to)
    else
      edit.change_struct(record, side, plan.changes)
    end
    return record
  end,
}
