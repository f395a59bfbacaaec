-- SPDX-License-Identifier: Apache-2.0
-- Runs converters over a batch, one record at a time under pcall, so that an error can name
-- its record. No table, closure or string per record.

local C = require "connect.host.abi"
local address = require "connect.host.address"
local ctx = require "connect.host.ctx"
local datum = require("connect.host.datum").datum
local errors = require "connect.errors"
local place = require "connect.host.place"
local view = require "connect.host.view"

local DECODED, ENCODED = address.DECODED, address.ENCODED
local LIVE = C.CL_RECORD_LIVE
local current = view.current
local pcall = pcall

local M = {}

local STAGES = { key = "KEY_CONVERTER", value = "VALUE_CONVERTER", header = "HEADER_CONVERTER" }

--- part: {module, config, class} of the spec; role "key", "value" or "header".
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

-- What a converter throws is that record's fault, retriable or not: nobody converts a batch twice.
local function raise(converter, e, rec)
  current.datum = nil
  place.raise(e, STAGES[converter.role], rec, ("Error converting message %s %s (%s)"):format(converter.role,
    place.text(rec), converter.class))
end

-- A converter that did nothing: the record would go on with what it came with.
local function raise_idle(converter, rec, done)
  raise(converter, errors.new("data", done == DECODED
    and "decode set nothing: it must call datum:set, with connect.null where there is nothing"
    or "encode set nothing: it must call datum:set_text, with nil where there is nothing"), rec)
end

--- Runs convert (the converter's decode or encode) on one key or value; raises with its place.
local function one(converter, convert, rec, d, done)
  current.datum, current.done = d, 0
  local ok, e = pcall(convert, datum, converter.state)
  if not ok then raise(converter, e, rec) end
  if current.done ~= done then raise_idle(converter, rec, done) end
end

-- Connect adds headers one by one and checks each against the schema its converter gave.
local function check_header(d)
  if d.schema ~= nil and C.cl_ffi_header_fits(current.batch, d) ~= 0 then errors.throw_last() end
end

local function decode_header(state, convert, header)
  current.datum, current.done = header.d, 0
  convert(datum, state)
  check_header(header.d)
end

local function headers(converter, convert, rec, decoding)
  for i = 0, tonumber(rec.n_headers) - 1 do
    local header = rec.headers + i
    if decoding then
      local ok, e = pcall(decode_header, converter.state, convert, header)
      if not ok then raise(converter, e, rec) end
      if current.done ~= DECODED then raise_idle(converter, rec, DECODED) end
    else
      one(converter, convert, rec, header.d, ENCODED)
    end
  end
end

-- A loop of its own for each converter, so that each compiles for what it calls.
local LOOP = [[
local LIVE, current, datum, pcall, tonumber, raise, raise_idle = ...
return function(batch, converter, convert, done)
  local state, is_key = converter.state, converter.role == "key"
  local records = batch.records
  for i = 0, tonumber(batch.n) - 1 do
    local rec = records + i
    if rec.state == LIVE then
      if is_key then current.datum = rec.key else current.datum = rec.value end
      current.done = 0
      local ok, e = pcall(convert, datum, state)
      if not ok then raise(converter, e, rec) end
      if current.done ~= done then raise_idle(converter, rec, done) end
    end
  end
  current.datum = nil
end
]]

local function run(batch, converter, convert, decoding)
  if converter.role ~= "header" then
    converter.loop = converter.loop or assert(load(LOOP, "=convert"))(LIVE, current, datum, pcall, tonumber, raise,
      raise_idle)
    return converter.loop(batch, converter, convert, decoding and DECODED or ENCODED)
  end
  for i = 0, tonumber(batch.n) - 1 do
    local rec = batch.records + i
    if rec.n_headers > 0 and rec.state == LIVE then headers(converter, convert, rec, decoding) end
  end
  current.datum = nil
end

--- Bytes to values.
function M.decode(batch, converter)
  if converter then run(batch, converter, converter.decode, true) end
end

--- Values to bytes.
function M.encode(batch, converter)
  if converter then run(batch, converter, converter.encode, false) end
end

-- One record, for `connect-lua try`: converters = { key =, value =, header = }.
local function record(rec, converters, verb)
  local decoding = verb == "decode"
  for _, role in ipairs(decoding and { "key", "value", "header" } or { "header", "key", "value" }) do
    local converter = converters[role]
    if converter and role == "header" then
      headers(converter, converter[verb], rec, decoding)
    elseif converter then
      one(converter, converter[verb], rec, rec[role], decoding and DECODED or ENCODED)
    end
  end
  current.datum = nil
end

--- Bytes to values: key, value, headers. Raises an error with its stage.
function M.decode_record(rec, converters) record(rec, converters, "decode") end

--- Values to bytes: headers, key, value.
function M.encode_record(rec, converters) record(rec, converters, "encode") end

return M
