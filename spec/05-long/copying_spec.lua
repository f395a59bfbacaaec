-- SPDX-License-Identifier: Apache-2.0
-- The long runs, on a real broker: scripts/test --long.
local copying = require "spec.helpers.copying"
local helpers = require "spec.helpers"
local poison = require "spec.helpers.poison"

describe("a long copy through a real broker #kafka #long", function()
  after_each(helpers.clean)

  it("of 1,000,000 lines is byte-identical", function() copying.whole(1000000) end)
  it("loses nothing to twenty kill -9", function() copying.with_kills(20) end)
  it("of 100,000 records, 1,000 of them poison, loses none to five kill -9", function()
    poison.with_kills(100000, 100, 5)
  end)
  it("goes on by itself after the broker was away for 30 s", function() copying.with_outage(30) end)
end)
