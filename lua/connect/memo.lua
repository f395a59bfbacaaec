-- SPDX-License-Identifier: Apache-2.0
-- Tables that remember what was worked out for a schema, by its uid:
--
--   configure = function() return { shapes = memo.new() } end
--   ... self.shapes[from.uid] or work_it_out(self, from)
--
-- Schemas that come with records are forgotten when there are too many, and with them what was made of
-- them. These tables are emptied then, between two batches: so they need no ceiling of their own, and
-- hold nothing that is stale.

local memo = {}

local next, rawset = next, rawset
local all = setmetatable({}, { __mode = "k" })

--- An empty table that is emptied in time.
function memo.new()
  local t = {}
  all[t] = true
  return t
end

local function empty()
  for t in next, all do
    for key in next, t do rawset(t, key, nil) end
  end
end
require("connect.host.address").on_turn(empty)

return memo
