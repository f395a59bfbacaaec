-- SPDX-License-Identifier: Apache-2.0
-- Modules that are loaded when they are used.
describe("connect", function()
  for _, name in ipairs { "crypto", "http" } do
    it("has all of connect." .. name, function()
      local late, real = require("connect")[name], require("connect." .. name)
      for key, value in pairs(real) do
        assert.equal(type(value), type(late[key]), key)
      end
      for key in pairs(late) do assert.is_function(real[key], key) end
    end)
  end

  it("names the caller's line when a late module complains", function()
    local connect = require "connect"
    local ok, why = pcall(function() connect.http.get(5) end)
    assert.is_false(ok)
    assert.matches("lazy_spec.lua:%d+: connect.http: ", tostring(why))
  end)
end)
