-- SPDX-License-Identifier: Apache-2.0
-- TimestampConverter: a time as text, as a number, as Date, Time or Timestamp becomes another of these.
local date_format = require "connect.date_format"
local edit = require "connect.edit"
local errors = require "connect.errors"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = require("connect").schema

local CONNECT = "org.apache.kafka.connect.errors.ConnectException"
local PURPOSE = "converting timestamp formats"
local K_NULL, K_INT, K_STRING = edit.kind.NULL, edit.kind.INT, edit.kind.STRING
local K_DATE, K_TIME, K_TIMESTAMP = edit.kind.DATE, edit.kind.TIME, edit.kind.TIMESTAMP
local DAY = 86400000LL
local MAX, MIN = 0x7fffffffffffffffLL, -0x7fffffffffffffffLL - 1LL

-- ------------------------------------------------------------------------- units
-- As Java's TimeUnit: towards zero, and never over the edge.

local function up(scale)
  local limit = MAX / scale
  return function(x)
    if x > limit then return MAX end
    if x < -limit then return MIN end
    return x * scale
  end
end

local function down(scale)
  return function(x) return x / scale end
end

local function same(x) return x end

-- unix.precision -> to milliseconds, from milliseconds
local UNITS = {
  seconds = { up(1000LL), down(1000LL) },
  milliseconds = { same, same },
  microseconds = { down(1000LL), up(1000LL) },
  nanoseconds = { down(1000000LL), up(1000000LL) },
}

local function time_of_day(ms)
  local rest = ms % DAY
  if rest < 0LL then return rest + DAY end
  return rest
end

-- ----------------------------------------------------------------------- reading
-- Each answers the value's milliseconds.

local function read_unix(self, val)
  if val.kind ~= K_INT or val.aux ~= 64 then
    errors.throw(edit.DATA, "Expected Unix timestamp to be a Long, but found class %s", edit.class_of_val(val))
  end
  return self.from_unix(val.i)
end

local function read_string(self, val)
  if val.kind ~= K_STRING then
    errors.throw(edit.DATA, "Expected string timestamp to be a String, but found class %s", edit.class_of_val(val))
  end
  if not self.format then
    errors.throw("java.lang.NullPointerException",
      'Cannot invoke "java.text.SimpleDateFormat.parse(String)" because "config.format" is null')
  end
  local ms = date_format.read(self.format, val)
  if ms == nil then
    errors.throw(edit.DATA, "Could not parse timestamp: value (%s) does not match pattern (%s)", edit.text_of(val),
      self.pattern)
  end
  return ms
end

local function read_date_as(name)
  return function(_, val)
    local kind = val.kind
    if kind ~= K_TIMESTAMP and kind ~= K_DATE and kind ~= K_TIME then
      errors.throw(edit.DATA, "Expected %s to be a java.util.Date, but found class %s", name, edit.class_of_val(val))
    end
    return val.i
  end
end
local READ = { date = read_date_as "Date", time = read_date_as "Time", timestamp = read_date_as "Timestamp" }

-- The reader of a schema's values; nil = they are no times.
local function reader_of(s)
  if READ[s.logical] then return READ[s.logical] end
  if s.type == "string" then return read_string end
  if s.type == "int64" then return read_unix end
end

local function bad_schema(s)
  errors.throw(CONNECT, "Schema %s does not correspond to a known timestamp type format", tostring(s))
end

-- ----------------------------------------------------------------------- writing

local function write_int(val, kind, width, i)
  val.kind, val.flags, val.aux, val.len, val.i = kind, 0, width, 0, i
end

-- target.type -> what writes it and the name of its schema
local TARGETS = {
  string = { function(self, val, ms) date_format.write(self.format, ms, val) end, "string" },
  unix = { function(self, val, ms) write_int(val, K_INT, 64, self.to_unix(ms)) end, "int64" },
  Date = { function(_, val, ms) write_int(val, K_DATE, 0, ms - time_of_day(ms)) end, "date" },
  Time = { function(_, val, ms) write_int(val, K_TIME, 0, time_of_day(ms)) end, "time" },
  Timestamp = { function(_, val, ms) write_int(val, K_TIMESTAMP, 0, ms) end, "timestamp" },
}

local function convert(self, val, read)
  if val.kind > K_NULL then self.write(self, val, read(self, val)) end
end

local function convert_untyped(self, val)
  local kind = val.kind
  if kind <= K_NULL then return end
  if kind == K_STRING then
    self.write(self, val, read_string(self, val))
  elseif kind == K_INT and val.aux == 64 then
    self.write(self, val, self.from_unix(val.i))
  elseif kind == K_TIMESTAMP or kind == K_DATE or kind == K_TIME then
    self.write(self, val, val.i)
  else
    errors.throw(edit.DATA, "TimestampConverter does not support class %s objects as timestamps",
      edit.class_of_val(val))
  end
end

-- ---------------------------------------------------------------------- by schema

-- Schemas without attributes, optional as the source.
local function target_schema(self, optional) return schema.of(optional and self.schema .. "?" or self.schema) end

local function change(self, val, plan)
  if not plan.read then bad_schema(plan.source) end
  convert(self, val, plan.read)
end

local function plan_whole(self, from)
  local read = reader_of(from) or bad_schema(from)
  return { read = read, to = target_schema(self, from.optional) }
end

-- A struct with a default has it converted too.
local function convert_default(self, plan, def, to)
  edit.reshape_val(def, plan.shape)
  if plan.position then change(self, def.st.v + (plan.position - 1), plan) end
  return edit.remade(to, def)
end

local function plan_field(self, from)
  local fields, sources, plan = from.fields, {}, { at = {}, change = change }
  if not fields then errors.throw(edit.DATA, "Cannot list fields on non-struct type") end
  for i, f in ipairs(fields) do
    sources[i] = i
    if f[1] == self.field then
      plan.position, plan.at[1], plan.source, plan.read = i, i, f[2], reader_of(f[2])
      f[2] = target_schema(self, f[2].optional)
    end
  end
  local def = edit.default(from)
  plan.to = schema.derive(from, { fields = fields, default = false })
  plan.shape = edit.shape(plan.to, sources, self.replace_null)
  if def then
    plan.to = convert_default(self, plan, def, plan.to)
    plan.shape = edit.shape(plan.to, sources, self.replace_null)
  end
  return plan
end

local function planned(self, record, from)
  local plan
  if self.field == "" then
    plan = plan_whole(self, from)
  else
    if not edit.is_null(record, self.side) then edit.open(record, self.side, PURPOSE) end
    plan = plan_field(self, from)
  end
  self.plans[from.uid] = plan
  return plan
end

local function apply_schemaless(record, self)
  local side = self.side
  if self.field == "" then
    convert_untyped(self, edit.value(record, side))
  elseif not edit.is_null(record, side) then
    local object = edit.open(record, side, PURPOSE)
    edit.copied(object, side)
    convert_untyped(self, edit.entry(object, self.field))
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
    local target, unit = TARGETS[config["target.type"]], UNITS[config["unix.precision"]]
    return { side = side, field = config.field, pattern = config.format, plans = memo.new(),
      format = format_of(config.format, config["target.type"]), write = target[1], schema = target[2],
      from_unix = unit[1], to_unix = unit[2], replace_null = config["replace.null.with.default"] }
  end,
  apply = function(record, self)
    local side = self.side
    local from = edit.schema(record, side)
    if from == nil then return apply_schemaless(record, self) end
    local plan = self.plans[from.uid] or planned(self, record, from)
    if self.field == "" then
      convert(self, edit.value(record, side), plan.read)
      edit.set_schema(record, side, plan.to)
    elseif edit.is_null(record, side) then
      edit.set_schema(record, side, plan.to)
    else
      edit.reshape_for(record, side, plan, self)
      if plan.position then change(self, edit.field(record, side, plan.position), plan) end
    end
    return record
  end,
}
