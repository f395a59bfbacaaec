-- SPDX-License-Identifier: Apache-2.0
-- Runs converters over a batch, one record at a time under pcall, so that an error can name
-- its record. No table, closure or string per record.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local ctx = require "connect.host.ctx"
local datum = require("connect.host.datum").datum
local errors = require "connect.errors"
local place = require "connect.host.place"
local running = require "connect.host.running"
local view = require "connect.host.view"

local DECODED, ENCODED = address.DECODED, address.ENCODED
local LIVE = C.CL_RECORD_LIVE
local datum_p = ffi.typeof "struct cl_datum *"
local current = view.current
local pcall = pcall

local M = {}

local SLOTS = { key = C.CL_SLOT_KEY, value = C.CL_SLOT_VALUE, header = C.CL_SLOT_HEADER }
local STAGES = { key = "KEY_CONVERTER", value = "VALUE_CONVERTER", header = "HEADER_CONVERTER" }

--- part: {module, config, class} of the spec; role "key", "value" or "header".
function M.new(part, role)
  if not part then return nil end
  local module = part.module
  running.at[0] = SLOTS[role]
  local configure = rawget(module, "configure")
  return {
    class = part.class,
    role = role,
    decode = rawget(module, "decode"),
    encode = rawget(module, "encode"),
    state = configure and configure(ctx.without_nulls(part.config or {}), role),
  }
end

-- The header being converted, by its name, where the converter left it.
local function header_name(rec)
  for i = 0, tonumber(rec.n_headers) - 1 do
    local header = rec.headers + i
    if ffi.cast(datum_p, header.d) == current.datum then
      return ("header '%s'"):format(ffi.string(header.name.p, header.name.len))
    end
  end
  return "header"
end

local function failure(converter, e, rec, done)
  local role = converter.role
  local what = role == "header" and header_name(rec) or role
  local guess = (role == "header" or done ~= DECODED) and "" or place.guess(rec[role].bytes)
  current.datum = nil
  return place.failure(e, STAGES[role], rec, ("Error converting message %s %s (%s)%s"):format(what,
    place.text(rec), converter.class, guess))
end

-- What a converter has done wrong that did nothing: the record would go on with what it came with.
local function idle(done)
  return errors.new("data", done == DECODED
    and "decode set nothing: it must call datum:set, with connect.null where there is nothing"
    or "encode set nothing: it must call datum:set_text, with nil where there is nothing")
end

-- Connect adds headers one by one and checks each against the schema its converter gave.
local function check_header(d)
  if d.schema ~= nil and C.cl_ffi_header_fits(current.batch, d) ~= 0 then errors.throw_last() end
end

local function headers(convert, state, rec, done)
  for i = 0, tonumber(rec.n_headers) - 1 do
    local header = rec.headers + i
    current.datum, current.done = header.d, 0
    convert(datum, state)
    if current.done ~= done then error(idle(done), 0) end
    if done == DECODED then check_header(header.d) end
  end
end

-- One record's key, value or headers.
local function one(converter, rec, convert, done)
  if converter.role == "header" then return headers(convert, converter.state, rec, done) end
  current.datum, current.done = rec[converter.role], 0
  convert(datum, converter.state)
  if current.done ~= done then error(idle(done), 0) end
end

-- Whether the stage goes on.
local function fail(converter, e, rec, convert, done)
  local ok, last = place.retry(e, one, converter, rec, convert, done)
  return ok or place.fail(rec, failure(converter, last, rec, done), converter.class)
end

-- A loop of its own for each converter, so that each compiles for what it calls.
local LOOP = [[
local LIVE, current, datum, pcall, tonumber, fail, idle = ...
return function(batch, converter, convert, done)
  local state, is_key = converter.state, converter.role == "key"
  local records = batch.records
  for i = 0, tonumber(batch.n) - 1 do
    local rec = records + i
    if rec.state == LIVE then
      if is_key then current.datum = rec.key else current.datum = rec.value end
      current.done = 0
      local ok, e = pcall(convert, datum, state)
      if ok and current.done ~= done then ok, e = false, idle(done) end
      if not ok and not fail(converter, e, rec, convert, done) then return end
    end
  end
  current.datum = nil
end
]]

local function run(batch, converter, convert, done)
  running.at[0] = SLOTS[converter.role]
  if converter.role ~= "header" then
    converter.loop = converter.loop or assert(load(LOOP, "=convert"))(LIVE, current, datum, pcall, tonumber, fail, idle)
    return converter.loop(batch, converter, convert, done)
  end
  for i = 0, tonumber(batch.n) - 1 do
    local rec = batch.records + i
    if rec.n_headers > 0 and rec.state == LIVE then
      local ok, e = pcall(headers, convert, converter.state, rec, done)
      if not ok and not fail(converter, e, rec, convert, done) then return end
    end
  end
  current.datum = nil
end

--- Bytes to values. What becomes of a record that fails: connect.host.place.
function M.decode(batch, converter)
  if converter then run(batch, converter, converter.decode, DECODED) end
end

--- Values to bytes.
function M.encode(batch, converter)
  if converter then run(batch, converter, converter.encode, ENCODED) end
end

-- One record, for `connect-lua try`: converters = { key =, value =, header = }.
local function record(rec, converters, verb)
  local done = verb == "decode" and DECODED or ENCODED
  for _, role in ipairs(done == DECODED and { "key", "value", "header" } or { "header", "key", "value" }) do
    local converter = converters[role]
    if converter then
      local ok, e = pcall(one, converter, rec, converter[verb], done)
      if not ok then error(failure(converter, e, rec, done), 0) end
    end
  end
  current.datum = nil
end

--- Bytes to values: key, value, headers. Raises an error with its stage.
function M.decode_record(rec, converters) record(rec, converters, "decode") end

--- Values to bytes: headers, key, value.
function M.encode_record(rec, converters) record(rec, converters, "encode") end

return M
