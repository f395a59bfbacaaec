-- SPDX-License-Identifier: Apache-2.0
-- Messages of Slack channels into a topic, oldest first; README.md beside this file says how it is set up.
--   slack.lua    one call of Slack's API, and what becomes of its errors
--   history.lua  a channel's messages in the order in which they were written
--   threads.lua  the replies to them
local connect = require "connect"

local history = require "history"
local slack = require "slack"
local threads = require "threads"

local TS = "^%d+%.?%d*$" -- Slack's timestamps: seconds and, as a serial number, six digits

-- A list comes as text to the connector's side.
local function list_of(x)
  if type(x) == "table" then return x end
  local out = {}
  for item in (x or ""):gmatch "[^,%s]+" do out[#out + 1] = item end
  return out
end

local function emit(ctx, channel, message, partition)
  message.channel = channel
  ctx:emit {
    topic = ctx.config.topic,
    key = channel, key_schema = "string", -- a channel's messages stay in order: they go to one partition
    value = message,
    timestamp = math.floor(tonumber(message.ts) * 1000),
    source_partition = partition,
    source_offset = { ts = message.ts },
  }
end

-- Each of these emits what one request brings, or the rest of it, and answers false when all is read.

local function read_messages(ctx, channel)
  while not ctx.full do
    local message = channel.history:next(ctx)
    if not message then return message == nil end
    emit(ctx, channel.id, message, { channel = channel.id })
  end
  return true
end

local function read_replies(ctx, channel)
  while not ctx.full do
    local reply, thread = channel.threads:next(ctx)
    if not reply then return reply == nil end
    emit(ctx, channel.id, reply, { channel = channel.id, thread = thread })
  end
  return true
end

-- The messages, and when all are read the replies. False: all is read.
local function read_channel(ctx, channel)
  if channel.in_threads then
    channel.in_threads = read_replies(ctx, channel)
    return channel.in_threads
  end
  local more = read_messages(ctx, channel)
  if more or not ctx.config.threads then return more end
  channel.threads:again(ctx.config["threads.days"], channel.history.ts)
  channel.in_threads = true
  return true
end

return {
  api = 1,
  kind = "source",
  aliases = { "SlackSource", "SlackSourceConnector" },
  version = "1.0.0",
  doc = "Reads the messages of Slack channels, oldest first.",
  config = {
    { name = "topic", type = "string", required = true, non_empty = true, importance = "high",
      doc = "Topic to write to." },
    { name = "token", type = "password", required = true, importance = "high",
      doc = "A bot's token (xoxb-...), with the scope channels:history, for private channels groups:history." },
    { name = "channels", type = "list", required = true, unique = true, importance = "high",
      doc = "The channels' ids, as C0123456789; the bot must be a member of each." },
    { name = "start.ts", type = "string", default = "0",
      doc = "Where to begin in a channel that was not read before, in seconds since 1970; 0 = at its first message." },
    { name = "threads", type = "boolean", default = false, doc = "Also read the replies in threads." },
    { name = "threads.days", type = "int", default = 7, min = 1,
      doc = "How old a thread's first message may be for its replies to be read." },
    { name = "poll.interval.ms", type = "long", default = 10000, min = 0,
      doc = "Pause once all is read. Each look takes a request for each channel; Slack allows about 50 a minute." },
    { name = "page.size", type = "int", default = 200, min = 1, max = 999, importance = "low",
      doc = "Messages asked for at once. Apps that Slack has not approved get 15 at most." },
    { name = "base.url", type = "string", default = "https://slack.com/api", importance = "low",
      doc = "Where Slack's API is." },
  },

  validate = function(config)
    local errors, ids = {}, list_of(config.channels)
    if config.channels and #ids == 0 then errors.channels = "at least one channel's id is needed" end
    for _, id in ipairs(ids) do
      if not id:find "^[CGD][%u%d]+$" then
        errors.channels = ("'%s' is no channel's id (C0123456789): Slack shows it in the channel's details"):format(id)
      end
    end
    local start, url = config["start.ts"], config["base.url"]
    if start and not start:find(TS) then errors["start.ts"] = "seconds since 1970, as 1700000000" end
    if url and not url:find "^https?://[^/]" then errors["base.url"] = "a URL that begins with https://" end
    return errors
  end,

  -- The channels are dealt out; a channel is never divided. No task without a channel.
  tasks = function(config, max)
    local channels, configs = list_of(config.channels), {}
    for i = 1, math.max(1, math.min(max, #channels)) do
      local mine = {}
      for j = i, #channels, max do mine[#mine + 1] = channels[j] end
      configs[i] = {}
      for name, value in pairs(config) do configs[i][name] = value end
      configs[i].channels = table.concat(mine, ",")
    end
    return configs
  end,

  start = function(ctx)
    ctx.api = slack.new(ctx.config)
    ctx.channels, ctx.turn, ctx.done = {}, 0, 0 -- done: how many in a row were read to their end
    for i, id in ipairs(ctx.config.channels) do
      local stored = ctx:offset { channel = id }
      ctx.channels[i] = { id = id, threads = threads.new(ctx.api, id),
        history = history.new(ctx.api, id, stored and stored.ts or ctx.config["start.ts"]) }
    end
  end,

  -- One request for one channel, then one for the next, so that a busy channel does not hold up the others.
  poll = function(ctx)
    if ctx.done == #ctx.channels then
      if ctx:sleep(ctx.config["poll.interval.ms"]) then return end
      ctx.done = 0
    end
    local channel = ctx.channels[ctx.turn % #ctx.channels + 1]
    local more = read_channel(ctx, channel)
    ctx.turn, ctx.done = ctx.turn + 1, more and 0 or ctx.done + 1
  end,

  -- Any message's ts; without an offset the channel is read anew.
  alter_offsets = function(_, offsets)
    for _, item in ipairs(offsets) do
      if item.offset and not (type(item.offset.ts) == "string" and item.offset.ts:find(TS)) then
        connect.fatal 'an offset is {"ts": "1700000000.000100"}: the ts of the last message that is done'
      end
    end
    return true
  end,
}
