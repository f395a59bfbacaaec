-- SPDX-License-Identifier: Apache-2.0
-- Java's SimpleDateFormat, English and in UTC: for connect.edit's moments, and for topics.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local host = require "connect.host.c"
local value = require "connect.host.value"

local format_p = ffi.typeof "const struct cl_date_format *"
local current, resolve = address.current, address.resolve
local record_p, record_ct, NO_TIMESTAMP = address.record_p, address.record_ct, address.NO_TIMESTAMP
local istype, rawget, tonumber, type = ffi.istype, rawget, tonumber, type

local date_format = {}

--- The format of a pattern, which lives as long as the task; raises what Java throws for one that is none.
function date_format.new(pattern)
  if type(pattern) ~= "string" then error("a pattern is a string, not a " .. type(pattern), 2) end
  local ok, format = pcall(host.date_format, pattern)
  if ok then return ffi.cast(format_p, format) end
  local _, why, java = errors.parts(format)
  if not java then error(format, 0) end
  errors.throw(java, "%s", why)
end

local stamp = ffi.new "struct cl_val"
local text, text_size = nil, 0

-- Room for n bytes.
local function room(n)
  if n > text_size then
    text_size = n * 2
    text = ffi.new("char[?]", text_size)
  end
  return text
end

local function check_piece(piece)
  if type(piece) ~= "string" then error("a topic's pieces are strings, not " .. type(piece), 3) end
end

-- Any number of pieces: rare.
local function join(pieces)
  local list, between = {}, ffi.string(stamp.s, stamp.len)
  for i = 1, value.length(pieces) do
    list[i] = rawget(pieces, i)
    check_piece(list[i])
  end
  return table.concat(list, between)
end

--- The topic becomes the pieces with the record's timestamp, which it must have, between each two. Two pieces are the
-- common case, for which no string is made.
function date_format.stamp_topic(record, format, pieces)
  local rec, epoch = resolve(record_p, record, record_ct)
  address.check_writable(epoch)
  if not istype(format_p, format) then error("a date format expected, got " .. type(format), 2) end
  if type(pieces) ~= "table" then error("a list of texts expected, got " .. type(pieces), 2) end
  if rec.timestamp == NO_TIMESTAMP then error("the record has no timestamp", 2) end
  if C.cl_ffi_date_format(format, current.batch, rec.timestamp, stamp) ~= 0 then errors.throw_last() end
  local first, last = rawget(pieces, 1), rawget(pieces, 2)
  if last == nil or rawget(pieces, 3) ~= nil then
    value.set_str(current.batch, rec.topic, join(pieces))
    return
  end
  check_piece(first)
  check_piece(last)
  local len = tonumber(stamp.len)
  local size = #first + len + #last
  local to = room(size)
  ffi.copy(to, first, #first)
  ffi.copy(to + #first, stamp.s, len)
  ffi.copy(to + (#first + len), last, #last)
  if C.cl_ffi_put_str(current.batch, rec.topic, to, size) ~= 0 then value.no_memory() end
end

return date_format
