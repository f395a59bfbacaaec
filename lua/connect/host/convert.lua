-- SPDX-License-Identifier: Apache-2.0
-- Runs a converter over a batch, one record at a time under pcall, so that an error can
-- name its record. No table, closure or string per record.

local ffi = require "ffi"

local C = require "connect.host.abi"
local codec = require "connect.codec"
local ctx = require "connect.host.ctx"
local errors = require "connect.errors"
local view = require "connect.host.view"

local LIVE = C.CL_RECORD_LIVE
local current, datum = view.current, codec.datum
local pcall = pcall

local M = {}

--- part: {module, config, class} of the spec; role "key" or "value".
function M.new(part, role)
  if not part then return nil end
  local module = part.module
  local configure = rawget(module, "configure")
  return {
    class = part.class,
    role = role,
    decode = rawget(module, "decode"),
    encode = rawget(module, "encode"),
    state = configure and configure(ctx.without_nulls(part.config or {}), role),
  }
end

-- place(record) says which record it was. What a converter throws is that record's fault,
-- retriable or not: nobody converts a batch twice.
local function raise(converter, e, place)
  local class, message = errors.parts(e)
  if class ~= "fatal" and class ~= "stopped" then class = "data" end
  error(errors.new(class, ("Error converting message %s %s (%s): %s"):format(converter.role, place,
    converter.class, message)), 0)
end

local function run(batch, converter, convert, place, partition_text)
  local state, is_key = converter.state, converter.role == "key"
  local records = batch.records
  for i = 0, tonumber(batch.n) - 1 do
    local rec = records + i
    if rec.state == LIVE then
      if is_key then current.datum = rec.key else current.datum = rec.value end
      local ok, e = pcall(convert, state, datum)
      if not ok then
        current.datum = nil
        raise(converter, e, place(rec, partition_text))
      end
    end
  end
  current.datum = nil
end

local function str(s) return ffi.string(s.p, s.len) end

local function sink_place(rec)
  return ("in topic '%s' partition %d at offset %d"):format(str(rec.topic), rec.partition, tonumber(rec.offset))
end

local function source_place(rec, partition_text)
  return ("for topic '%s' from source partition %s"):format(str(rec.topic), partition_text(rec.slot))
end

--- Bytes to values.
function M.decode(batch, converter)
  if converter then run(batch, converter, converter.decode, sink_place) end
end

--- Values to bytes; partition_text(id) shows a source partition.
function M.encode(batch, converter, partition_text)
  if converter then run(batch, converter, converter.encode, source_place, partition_text) end
end

return M
