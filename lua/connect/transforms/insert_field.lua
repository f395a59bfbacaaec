-- SPDX-License-Identifier: Apache-2.0
-- InsertField: adds where a record came from, or a fixed text, to its key or value.
local connect = require "connect"
local edit = require "connect.edit"
local errors = require "connect.errors"
local memo = require "connect.memo"
local rows = require "connect.rows"
local schema = connect.schema

-- "name!" is a required field, "name?" and "name" an optional one.
local function field_of(text)
  if text == nil then return nil end
  local mark = text:match "[!?]$"
  return { name = mark and text:sub(1, -2) or text, optional = mark ~= "!" }
end

-- Records' fields, then the new ones.
local function extended(self, from)
  local fields, sources = from.fields, {}
  for i = 1, #fields do sources[i] = i end
  local function append(field, name)
    if field then fields[#fields + 1] = { field.name, field.optional and name .. "?" or name } end
  end
  append(self.topic, "string")
  append(self.partition, "int32")
  append(self.offset, "int64")
  append(self.timestamp, "timestamp")
  append(self.static, "string")
  local to = schema.derive(from, { fields = fields, optional = false, default = false })
  self.shapes[from.uid] = edit.shape(from, to, sources, self.replace_null)
  return self.shapes[from.uid]
end

local function insert(record, self, value, with_schema)
  if self.topic then value[self.topic.name] = record.topic end
  if self.partition and record.partition then value[self.partition.name] = connect.int32(record.partition) end
  if self.offset then
    if not record.offset then
      connect.data_error("Only SinkRecord supported for [field insertion], found: "
        .. "org.apache.kafka.connect.source.SourceRecord")
    end
    value[self.offset.name] = connect.int64(record.offset)
  end
  local timestamp = self.timestamp and record.timestamp
  if timestamp then
    value[self.timestamp.name] = with_schema and connect.timestamp(timestamp) or connect.int64(timestamp)
  end
  if self.static then value[self.static.name] = self.static_value end
end

local function text(name, doc) return { name = name, type = "string", importance = "medium", doc = doc } end

local function field(name, what)
  return text(name, "Field for the " .. what
    .. ". A name that ends in ! makes a required field, ? or nothing an optional one.")
end

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.InsertField",
  sides = true,
  doc = "Adds fields that say where a record came from, or hold a fixed text, to its key or value.",
  config = {
    field("topic.field", "topic"),
    field("partition.field", "partition"),
    field("offset.field", "offset (in sinks only)"),
    field("timestamp.field", "timestamp"),
    field("static.field", "fixed text static.value"),
    text("static.value", "That text."),
    rows.replace_null,
  },
  configure = function(config, side)
    local self = { side = side, shapes = memo.new(), replace_null = config["replace.null.with.default"] }
    for _, name in ipairs { "topic", "partition", "offset", "timestamp", "static" } do
      self[name] = field_of(config[name .. ".field"])
    end
    if not (self.topic or self.partition or self.offset or self.timestamp or self.static) then
      errors.config("No field insertion configured")
    end
    self.static_value = config["static.value"]
    if self.static and not self.static_value then
      errors.config("Invalid value null for configuration static.value: No value specified for static field: "
        .. "org.apache.kafka.connect.transforms.InsertField$InsertionSpec@0")
    end
    return self
  end,
  apply = function(record, self)
    local side = self.side
    if edit.is_null(record, side) then return record end
    local value, uid = edit.open(record, side, "field insertion")
    if uid then
      value = edit.reshape(record, side, self.shapes[uid] or extended(self, edit.schema(record, side)))
    else
      edit.copied(value, side)
    end
    insert(record, self, value, uid and true or false)
    return record
  end,
}
