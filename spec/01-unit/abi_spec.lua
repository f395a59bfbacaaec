-- SPDX-License-Identifier: Apache-2.0
-- What C and Lua share has a number of its own for each of its forms.

local bit = require "bit"

local C = require "connect.host.abi"
local host = require "connect.host.c"

local FORM = { 13, "fff06c50" } -- CL_ABI_VERSION and the form it stands for

-- A number of the declarations, whatever is said about them and however they are laid out.
local function form_of(text)
  local h = 5381
  text = text:gsub("/%*.-%*/", " "):gsub("%s+", " ")
  for i = 1, #text do h = bit.bxor(h * 33 % 2 ^ 32, text:byte(i)) % 2 ^ 32 end
  return ("%08x"):format(h)
end

describe("abi.h", function()
  it("gets another version when it changes", function()
    assert.same(FORM, { tonumber(C.CL_ABI_VERSION), form_of(host.abi_text()) },
      "what C and Lua share has changed: raise CL_ABI_VERSION, connect.host.abi's VERSION, and note the form here")
  end)

  it("is told apart by a field, not by a comment", function()
    assert.equal(form_of "struct a { int b; };", form_of "struct a { /* x */\n  int b; };")
    assert.not_equal(form_of "struct a { int b; };", form_of "struct a { int c; };")
  end)
end)
