-- SPDX-License-Identifier: Apache-2.0
-- Clocks in milliseconds.

local host = require "connect.host.c"

return {
  --- Since the epoch, as record timestamps are.
  now = function() return host.wall_ms() end,
  --- For intervals: never jumps.
  monotonic = function() return host.now_ms() end,
}
