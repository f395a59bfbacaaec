-- SPDX-License-Identifier: Apache-2.0
-- Which record it was: errors of converters and transforms name topic, partition and offset,
-- or the source partition.

local ffi = require "ffi"

local errors = require "connect.errors"

local M = {}

local partition_text -- of a source; nil in a sink

--- partition_text(id) shows a source partition; a sink has none.
function M.set_source(text) partition_text = text end

--- A source record's partition as JSON; nil in a sink.
function M.source_partition(rec) return partition_text and partition_text(rec.slot) end

local function str(s)
  if s.p == nil then return "?" end
  return ffi.string(s.p, s.len)
end

--- "in topic 't' partition 0 at offset 5": before any transform.
function M.text(rec)
  local topic = rec.orig_topic.p ~= nil and rec.orig_topic or rec.topic
  if partition_text then
    return ("for topic '%s' from source partition %s"):format(str(topic), partition_text(rec.slot))
  end
  return ("in topic '%s' partition %d at offset %d"):format(str(topic), rec.orig_partition, tonumber(rec.offset))
end

--- Raises e, whatever it is, as this record's error: of a stage of Connect's (VALUE_CONVERTER,
-- TRANSFORMATION, ...) and with where before its message. One that ends the task stays one.
function M.raise(e, stage, rec, where)
  local class, message, java = errors.parts(e)
  if class ~= "fatal" and class ~= "stopped" then class = "data" end
  local out = errors.new(class, message)
  out.stage, out.java, out.where = stage, java, where
  out.offset = rec and tonumber(rec.offset)
  error(out, 0)
end

return M
