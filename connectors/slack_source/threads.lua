-- SPDX-License-Identifier: Apache-2.0
-- New replies in the threads of a channel. Slack's history has the message that began a thread, and in it the ts of its
-- latest reply: it is looked through for threads with replies that are not sent on yet.
local connect = require "connect"

local DAY_S = 86400

local Threads = {}
Threads.__index = Threads

-- The ts of the thread's last reply that is done.
local function known(self, ctx, ts)
  local stored = not self.seen[ts] and ctx:offset { channel = self.channel, thread = ts }
  return self.seen[ts] or stored and stored.ts or ts
end

-- Each of these is one request.

local function look(self, ctx)
  local page = self.api:call(ctx, "conversations.history", { channel = self.channel, oldest = self.oldest,
    latest = self.upto, inclusive = true, limit = self.api.page_size, cursor = self.cursor })
  for _, message in ipairs(page.messages) do
    if message.latest_reply then
      local ts = known(self, ctx, message.ts)
      self.found[message.ts] = ts
      if message.latest_reply > ts then self.waiting[#self.waiting + 1] = message.ts end
    end
  end
  self.cursor = self.api.next_cursor(page)
  self.looked = not self.cursor
end

local function read(self, ctx)
  local thread = self.waiting[#self.waiting]
  local after = known(self, ctx, thread)
  local page = self.api:call(ctx, "conversations.replies", { channel = self.channel, ts = thread, oldest = after,
    limit = self.api.page_size, cursor = self.cursor })
  for _, reply in ipairs(page.messages) do
    if reply.ts > after then self.read[#self.read + 1] = reply end -- the thread's first message comes with each page
  end
  self.cursor = self.api.next_cursor(page)
  if self.cursor then return end
  self.waiting[#self.waiting] = nil
  table.sort(self.read, function(a, b) return a.ts > b.ts end) -- taken from the end
  self.thread, self.replies, self.read = thread, self.read, {}
end

--- The next reply and the ts of its thread; nil when there are more to be asked for, false when there are none now.
function Threads:next(ctx)
  while #self.replies > 0 do
    local reply = table.remove(self.replies)
    self.found[self.thread] = reply.ts
    -- One that was "also sent to the channel" is among the channel's messages.
    if reply.subtype ~= "thread_broadcast" then return reply, self.thread end
  end
  if not self.looked then
    look(self, ctx)
  elseif #self.waiting > 0 then
    read(self, ctx)
  else
    return false
  end
  return nil
end

--- Looks anew, at the messages of the last days up to one's ts.
function Threads:again(days, upto)
  self.seen, self.found = self.found, {} -- threads that are too old by now are forgotten
  self.oldest, self.upto = ("%d"):format(connect.time.now() / 1000 - days * DAY_S), upto
  self.looked = false
end

return {
  new = function(api, channel)
    local self = { api = api, channel = channel, found = {}, waiting = {}, read = {}, replies = {}, looked = true }
    return setmetatable(self, Threads)
  end,
}
