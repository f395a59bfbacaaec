-- SPDX-License-Identifier: Apache-2.0
-- A channel's messages in the order in which they were written.
--
-- Slack's history begins with the newest message, in pages that lead back in time. What is stored is the ts of the last
-- message sent on, so they must be sent in order: after a crash all that came after that ts is read again, and nothing
-- is missing or comes twice. So the pages are walked back to the oldest first, of which only the cursors are kept; then
-- they are read again, from the oldest on. When all fits into one page, as it mostly does, that is one request.
local connect = require "connect"

local History = {}
History.__index = History

-- One request.
local function read(self, ctx)
  local cursor = self.cursors[#self.cursors]
  if not cursor then -- a new walk. A latest is given because Slack may begin at oldest where there is none.
    self.back, self.oldest = true, self.ts
    self.latest = ("%d"):format(connect.time.now() / 1000 + 60)
  end
  local page = self.api:call(ctx, "conversations.history", { channel = self.channel, oldest = self.oldest,
    latest = self.latest, limit = self.api.page_size, cursor = cursor }, "invalid_cursor")
  if not page then -- Slack has forgotten it: walk anew, from the last message sent on
    self.cursors = {}
    return
  end
  local older = self.back and self.api.next_cursor(page)
  if older then
    self.cursors[#self.cursors + 1] = older
    return
  end
  self.back = false
  self.cursors[#self.cursors] = nil
  self.page, self.at = page.messages, #page.messages
  -- The newest page of several is not read by a cursor: there is none, and messages were written meanwhile. A new walk
  -- does it.
  self.last = not cursor
end

--- The next message; nil when there are more to be asked for, false when there are none now.
function History:next(ctx)
  if not self.page then read(self, ctx) end
  if not self.page then return nil end
  while self.at > 0 do
    local message = self.page[self.at]
    self.at = self.at - 1
    if message.ts > self.ts then -- as text: they are of one length
      self.ts = message.ts
      return message
    end
  end
  self.page = nil
  if self.last then return false end
  return nil
end

return {
  --- ts: of the last message that is done.
  new = function(api, channel, ts)
    return setmetatable({ api = api, channel = channel, ts = ts, cursors = {} }, History)
  end,
}
