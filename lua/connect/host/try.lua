-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua try`: one record at a time through input converters, chain and output converters,
-- in a state without a task (src/vm/try.c). What each step changed is told in lines for people.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local chain = require "connect.host.chain"
local convert = require "connect.host.convert"
local describe = require "connect.host.describe"
local errors = require "connect.errors"
local place = require "connect.host.place"
local view = require "connect.host.view"

local batch_p = ffi.typeof "struct cl_batch *"
local LIVE = C.CL_RECORD_LIVE

local M = {}

local input, output, stages, source, telling

local ROLES = { "key", "value", "header" }

local function converters(parts)
  local out = {}
  for _, role in ipairs(ROLES) do out[role] = convert.new(parts[role], role) end
  return out
end

--- spec: space, source, steps, input and output (each key, value, header), transforms.
function M.load(spec)
  address.use_space(spec.space)
  source, telling = spec.source, spec.steps
  place.set_source(source and function() return "none" end or nil)
  input = converters(spec.input)
  output = converters(spec.output)
  stages = chain.new(spec.transforms)
end

-- Java's records have no such timestamp; Connect looks when it makes a sink record, and when it
-- hands a source record to the producer.
local function check_timestamp(rec)
  if rec.timestamp >= -1 or rec.timestamp == address.NO_TIMESTAMP then return end
  local e = errors.new("data", ("Invalid record timestamp %s"):format((tostring(rec.timestamp):gsub("LL$", ""))))
  e.java, e.stage = "org.apache.kafka.common.InvalidRecordException", "WORKER"
  error(e, 0)
end

-- Answers whether the record lives.
local function steps(rec, tell)
  convert.decode_record(rec, input)
  if not source then
    check_timestamp(rec)
    if rec.timestamp == -1LL then rec.timestamp = address.NO_TIMESTAMP end
  end
  tell "input"
  if not chain.apply(rec, stages, tell) then return false end
  convert.encode_record(rec, output)
  if source then check_timestamp(rec) end
  return true
end

local CLASSES = {
  data = "org.apache.kafka.connect.errors.DataException",
  retriable = "org.apache.kafka.connect.errors.RetriableException",
}
local OTHER = "org.apache.kafka.connect.errors.ConnectException"

local function silent() end

--- Runs the only record of the batch: "live", "dropped" or "error"; lines or nil; an error's
-- stage, Java class, bare message, and where it was and its cause (each nil = not known).
function M.run(lud)
  local batch = ffi.cast(batch_p, lud)
  view.enter(batch)
  local rec = batch.records
  if source then rec.offset = -1 end -- as emitted: Kafka has not given it one
  local told = telling and describe.new(batch, rec)
  local ok, e = pcall(steps, rec, told and told.step or silent)
  local lines = told and told.lines()
  view.enter(nil)
  if ok then return e and rec.state == LIVE and "live" or "dropped", lines end
  local class, message, java, trace = errors.parts(e)
  local stage = type(e) == "table" and rawget(e, "stage") or "WORKER"
  return "error", lines, stage, java or CLASSES[class] or OTHER, message,
    type(e) == "table" and rawget(e, "where") or nil, trace
end

return M
