-- SPDX-License-Identifier: Apache-2.0
-- A record as Java prints it, which some of Apache's messages do. For errors only: slow.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local host = require "connect.host.c"
local place = require "connect.host.place"
local value = require "connect.host.value"

local scratch = ffi.new "struct cl_val"
local out = ffi.new "struct cl_str"

local TIMESTAMP_TYPES = { [0] = "NoTimestampType", "CreateTime", "LogAppendTime" }

local function str(s)
  if s.p == nil then return "null" end
  return ffi.string(s.p, s.len)
end

local function text(val)
  if val.kind <= address.kind.NULL then return "null" end
  if C.cl_ffi_text(address.current.batch, val, out) ~= 0 then errors.throw_last() end
  return str(out)
end

-- A source partition's JSON.
local function partition_text(json)
  if not json or json:sub(1, 1) ~= "{" then return "null" end
  value.set(address.current.batch, scratch, host.json_decode(json), "source partition")
  return text(scratch)
end

local function int(i)
  return (tostring(i):gsub("LL$", ""))
end

local function some(i) return i == -1 and "null" or int(i) end

local function moment(ms) return ms == address.NO_TIMESTAMP and "null" or int(ms) end

local function schema_text(p) return p ~= nil and tostring(address.schema_view(p)) or "null" end

local function header_text(h)
  return ("ConnectHeader(key=%s, value=%s, schema=%s)"):format(str(h.name), text(h.d.val), schema_text(h.d.schema))
end

local function headers_text(rec)
  local list = {}
  for i = 0, tonumber(rec.n_headers) - 1 do list[i + 1] = header_text(rec.headers[i]) end
  return #list == 0 and "" or "[" .. table.concat(list, ", ") .. "]"
end

local function source_text(rec)
  local offset
  if rec.source_offset.kind == address.kind.INT then
    offset = ("{%s=%s}"):format(str(rec.batch.offset_name), int(rec.source_offset.i))
  else
    offset = text(rec.source_offset)
  end
  return ("SourceRecord{sourcePartition=%s, sourceOffset=%s}"):format(
    partition_text(place.source_partition(rec)), offset)
end

local function sink_text(rec)
  return ("SinkRecord{kafkaOffset=%s, timestampType=%s, originalTopic=%s, originalKafkaPartition=%d, "
    .. "originalKafkaOffset=%s}"):format(int(rec.offset), TIMESTAMP_TYPES[rec.timestamp_type], str(rec.orig_topic),
    rec.orig_partition, int(rec.offset))
end

--- rec: struct cl_record *.
return function(rec)
  return ("%s ConnectRecord{topic='%s', kafkaPartition=%s, key=%s, keySchema=%s, value=%s, "
    .. "valueSchema=%s, timestamp=%s, headers=ConnectHeaders(headers=%s)}"):format(
    rec.offset < 0 and source_text(rec) or sink_text(rec), str(rec.topic), some(rec.partition), text(rec.key.val),
    schema_text(rec.key.schema), text(rec.value.val), schema_text(rec.value.schema), moment(rec.timestamp),
    headers_text(rec))
end
