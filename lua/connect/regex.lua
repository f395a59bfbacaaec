-- SPDX-License-Identifier: Apache-2.0
-- Regular expressions as Java has them, over topics: no string is made per record.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local host = require "connect.host.c"

local current, resolve = address.current, address.resolve
local record_p, record_ct = address.record_p, address.record_ct

local regex_p = ffi.typeof "struct cl_regex *"

local regex = {}

--- Compiles one; it lives as long as the task. Raises what is wrong with it.
function regex.new(pattern)
  if type(pattern) ~= "string" then error("a regular expression is a string, not a " .. type(pattern), 2) end
  return ffi.cast(regex_p, host.regex(pattern))
end

local function check(re)
  if not ffi.istype(regex_p, re) then error("a regular expression made by regex.new expected, got " .. type(re), 3) end
end

--- Whether the whole topic matches.
function regex.topic_matches(re, record)
  check(re)
  local topic = resolve(record_p, record, record_ct).topic
  if topic.p == nil then return false end
  local rc = C.cl_ffi_regex_matches(re, topic.p, topic.len)
  if rc < 0 then errors.throw_last() end
  return rc == 1
end

--- The first match in the topic gives way to the replacement, as Matcher.replaceFirst has it.
function regex.replace_topic(re, record, replacement)
  check(re)
  if type(replacement) ~= "string" then error("a replacement is a string, not a " .. type(replacement), 2) end
  local rec, epoch = resolve(record_p, record, record_ct)
  address.check_writable(epoch)
  if C.cl_ffi_regex_replace_first(re, current.batch, rec.topic, replacement, #replacement, rec.topic) ~= 0 then
    errors.throw_last()
  end
end

return regex
