-- SPDX-License-Identifier: Apache-2.0
-- TimestampConverter: a time as text, as a number, as Date, Time or Timestamp becomes another of these.
local date_format = require "connect.date_format"
local edit = require "connect.edit"
local errors = require "connect.errors"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = require("connect").schema

local PURPOSE = "converting timestamp formats"

-- target.type -> the form it stands for and the name of its schema
local TARGETS = {
  string = { "string", "string" }, unix = { "unix", "int64" },
  Date = { "date", "date" }, Time = { "time", "time" }, Timestamp = { "timestamp", "timestamp" },
}

-- ---------------------------------------------------------------------- by schema

-- Schemas without attributes, optional as the source.
local function target_schema(self, optional) return schema.of(optional and self.schema .. "?" or self.schema) end

local function plan_whole(self, from)
  return { changes = edit.moments({ { from = from } }, self.form), to = target_schema(self, from.optional) }
end

local function plan_field(self, from)
  local fields, sources, list = from.fields, {}, {}
  if not fields then errors.throw(edit.DATA, "Cannot list fields on non-struct type") end
  for i, f in ipairs(fields) do
    sources[i] = i
    if f[1] == self.field then
      list[1] = { at = i, from = f[2] }
      f[2] = target_schema(self, f[2].optional)
    end
  end
  local to, changes = schema.derive(from, { fields = fields, default = false }), nil
  local function shape_to(s)
    changes = edit.moments(list, self.form, edit.shape(from, s, sources, self.replace_null))
  end
  shape_to(to)
  if from.default ~= nil then -- of a struct with a default it is converted too
    to = edit.with_default(to, from, changes)
    shape_to(to)
  end
  return { changes = changes, to = to }
end

local function planned(self, record)
  local from = edit.schema(record, self.side)
  if self.field ~= "" and not edit.is_null(record, self.side) then edit.open(record, self.side, PURPOSE) end
  self.plans[from.uid] = self.field == "" and plan_whole(self, from) or plan_field(self, from)
  return self.plans[from.uid]
end

local function apply_schemaless(record, self)
  local side = self.side
  if self.field == "" then
    edit.change(record, side, self.untyped)
  elseif not edit.is_null(record, side) then
    local object = edit.open(record, side, PURPOSE)
    edit.copied(object, side)
    edit.change_object(object, self.untyped)
  end
  return record
end

-- ------------------------------------------------------------------------- config

-- A format may be given, and must be a good one, for any target.
local function format_of(pattern, target)
  if not pattern:find "[^%z\1- ]" then
    if target == "string" then
      errors.config("TimestampConverter requires format option to be specified when using string timestamps")
    end
    return nil
  end
  local ok, format = pcall(date_format.new, pattern)
  if ok then return format end
  local _, why, java = errors.parts(format)
  if java ~= "java.lang.IllegalArgumentException" then error(format, 0) end
  errors.config("Invalid value %s: %s for configuration TimestampConverter requires a "
    .. "SimpleDateFormat-compatible pattern for string timestamps: %s", java, why, pattern)
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.TimestampConverter",
  sides = true,
  doc = "Turns moments into another form: Unix time, text, or Connect's Date, Time and Timestamp, in a field or the "
    .. "whole key or value.",
  config = {
    { name = "field", type = "string", default = "", importance = "high",
      doc = "Field that holds the moment; empty = the whole key or value." },
    { name = "target.type", type = "string", required = true, importance = "high",
      values = { "string", "unix", "Date", "Time", "Timestamp" },
      doc = "Form to make: string, unix, Date, Time or Timestamp." },
    { name = "format", type = "string", default = "", importance = "medium",
      doc = "SimpleDateFormat pattern of texts, those that are read and those that are made, in UTC." },
    { name = "unix.precision", type = "string", default = "milliseconds", importance = "low",
      values = { "nanoseconds", "microseconds", "milliseconds", "seconds" },
      doc = "Unit of Unix times, those that are read and those that are made. Parts of a millisecond are lost." },
    rows.replace_null,
  },
  configure = function(config, side)
    local target = TARGETS[config["target.type"]]
    local self = { side = side, field = config.field, plans = memo.new(),
      schema = target[2], replace_null = config["replace.null.with.default"],
      form = { target = target[1], unit = config["unix.precision"], pattern = config.format,
        format = format_of(config.format, config["target.type"]) } }
    self.untyped = edit.moments({ { name = self.field } }, self.form)
    return self
  end,
  apply = function(record, self)
    local side = self.side
    local uid = edit.uid(record, side)
    if uid == nil then return apply_schemaless(record, self) end
    local plan = self.plans[uid] or planned(self, record)
    if self.field == "" then
      edit.change(record, side, plan.changes, plan.to)
    elseif edit.is_null(record, side) then
      edit.nothing(record, side, plan.to)
    else
      edit.change_struct(record, side, plan.changes)
    end
    return record
  end,
}
