-- SPDX-License-Identifier: Apache-2.0
-- Trouble while records move, in the short form; spec/05-long has the long one.
local copying = require "spec.helpers.copying"
local helpers = require "spec.helpers"

describe("a copy through a real broker #kafka", function()
  after_each(helpers.clean)

  it("loses nothing to kill -9", function() copying.with_kills(2) end)
  it("goes on by itself after the broker was away", function() copying.with_outage(5) end)
  it("is byte-identical", function() copying.whole(20000) end)
end)
