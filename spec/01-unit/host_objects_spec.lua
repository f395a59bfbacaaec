-- SPDX-License-Identifier: Apache-2.0
-- host.date_format and host.regex, and the functions that work with what they make.
local ffi = require "ffi"
local errors = require "connect.errors"
local host = require "connect.host.c"
local C = require "connect.host.abi"

describe("host.date_format", function()
  it("makes a format that parses", function()
    local f = ffi.cast("struct cl_date_format *", host.date_format "yyyy-MM-dd HH:mm")
    local ms = ffi.new "int64_t[1]"
    assert.equal(0, C.cl_ffi_date_parse(f, "1970-01-02 00:01", 16, ms))
    assert.equal(86460000, tonumber(ms[0]))
    assert.is_true(C.cl_ffi_date_parse(f, "x", 1, ms) < 0)
    assert.equal("Could not parse timestamp: value (x) does not match pattern (yyyy-MM-dd HH:mm)",
      ffi.string(C.cl_ffi_error()))
  end)

  it("raises Java's text for a pattern that is none", function()
    local ok, e = pcall(host.date_format, "bad-format")
    assert.is_false(ok)
    assert.equal("Illegal pattern character 'b'", select(2, errors.parts(e)))
  end)
end)

describe("host.regex", function()
  it("makes a regex of Java's syntax for whole texts", function()
    local r = ffi.cast("struct cl_regex *", host.regex "[a-z&&[^b]]+")
    assert.equal(1, C.cl_ffi_regex_matches(r, "ac", 2))
    assert.equal(0, C.cl_ffi_regex_matches(r, "ab", 2))
  end)

  it("raises for a pattern that is none", function()
    local ok, e = pcall(host.regex, "a(")
    assert.is_false(ok)
    assert.matches("^Invalid regex: ", select(2, errors.parts(e)))
  end)
end)
