-- SPDX-License-Identifier: Apache-2.0
-- Which record it was: errors of converters and transforms name topic, partition and offset,
-- or source partition and source offset. And which record of a batch is the first to fail.

local ffi = require "ffi"

local C = require "connect.host.abi"
local errors = require "connect.errors"
local host = require "connect.host.c"
local view = require "connect.host.view"

local INT, NULL, FAILED = C.CL_INT, C.CL_NULL, C.CL_RECORD_FAILED
local DATA = "org.apache.kafka.connect.errors.DataException"
local RETRIABLE = "org.apache.kafka.connect.errors.RetriableException"

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

-- " at source offset {...}"; nothing where there is none.
local function source_offset(rec)
  local d = rec.source_offset
  if d.kind <= NULL then return "" end
  local offset
  if d.kind == INT then
    offset = { [str(rec.batch.offset_name)] = d.i }
  else
    offset = view.copy(view.read(rec.batch, d))
  end
  return " at source offset " .. host.json_encode(offset)
end

--- ", which looks like text": of bytes that a converter has refused.
function M.guess(bytes) return ", which " .. ffi.string(C.cl_ffi_guess(bytes)) end

--- "in topic 't' partition 0 at offset 5": before any transform.
function M.text(rec)
  local topic = rec.orig_topic.p ~= nil and rec.orig_topic or rec.topic
  if partition_text then
    return ("for topic '%s' from source partition %s%s"):format(str(topic), partition_text(rec.slot),
      source_offset(rec))
  end
  return ("in topic '%s' partition %d at offset %d"):format(str(topic), rec.orig_partition, tonumber(rec.offset))
end

-- -------------------------------------------------------------- failed records

local NO_MEMORY = "not enough memory" -- what a pcall makes of Lua's memory being used up

--- e, whatever it is, as this record's error: of a stage of Connect's (VALUE_CONVERTER,
-- TRANSFORMATION, ...) and with where before its message. One that ends the task stays one.
function M.failure(e, stage, rec, where)
  if e == NO_MEMORY then error(e, 0) end -- the task's fault, not the record's: src/vm/call.c tells it
  local class, message, java, trace = errors.parts(e)
  if class == "retriable" then java = java or RETRIABLE end
  if class ~= "fatal" and class ~= "stopped" then class = "data" end
  local out = errors.new(class, message)
  out.stage, out.java, out.where, out.trace = stage, java, where, trace
  out.offset = rec and tonumber(rec.offset)
  return out
end

-- Stages run over the whole batch one after the other, Connect runs them all over one record
-- after the other. With errors.tolerance=none its order is kept by ending the batch at a record
-- that has failed: the stages after this one see the records before it only, so that what fails
-- last is the first record to fail, at its first stage. With `all` the stages after this one pass
-- over it. Either way the batch has its failures, which C reports (src/task/policy.c).
local tolerant, failed

--- all: errors.tolerance=all.
function M.tolerate(all) tolerant = all end

local function note(rec, failure, plugin)
  if C.cl_ffi_fail(rec, failure.stage, plugin, failure.java or DATA, failure.message, failure.trace or "") ~= 0 then
    errors.throw_last()
  end
end

--- rec has failed with what failure() made of it, in this class of plugin. False: its stage ends here.
function M.fail(rec, failure, plugin)
  if failure.class == "stopped" then error(failure, 0) end
  if failure.class ~= "fatal" then note(rec, failure, plugin) end
  if tolerant and failure.class ~= "fatal" then
    rec.state = FAILED
    return true
  end
  failed, rec.batch.n = failure, rec - rec.batch.records
  return false
end

--- A stage has raised e for a record: when that may pass, again(...) is called until it has, as long
-- as errors.retry.* allow. Answers whether it has, and else the last error.
function M.retry(e, again, ...)
  local attempt, since = 1, nil
  while errors.parts(e) == "retriable" do
    since = since or host.now_ms()
    local once_more = host.retry(attempt, since)
    if once_more == nil then error(errors.new("stopped", "stopped between two tries of a record"), 0) end
    if not once_more then break end
    local ok
    ok, e = pcall(again, ...)
    if ok then return true end
    attempt = attempt + 1
  end
  return false, e
end

--- Before the stages of a batch.
function M.begin() failed = nil end

--- After its stages: raises what ends the task, if anything does.
function M.finish()
  if failed then error(failed, 0) end
end

return M
