-- SPDX-License-Identifier: Apache-2.0
-- Each record becomes a message in Slack; README.md beside this file says how it is set up.
--   slack.lua     sends a message, and says what became of it
--   template.lua  makes texts of records
--
-- Slack takes about one message a second in a channel, Kafka hands over hundreds of records at once. So put sends for a
-- few seconds and then asks for what is left of the batch again (ctx:rewind): the task stays in its consumer group,
-- stops at once, and only the offsets of what Slack has answered are committed. The same is done when a message fails
-- behind others that were sent: put ends before it, and meets it again as the first of the next batch.
local connect = require "connect"

local slack = require "slack"
local template = require "template"

local PUT_MS = 5000 -- how long one put goes on sending
local BACKOFF_MS, BACKOFF_MAX_MS = 1000, 60000

-- --------------------------------------------------------------------- messages
-- By value.format.

local messages = {}

function messages.text(ctx, record)
  return { channel = ctx.channel and ctx.channel(record), text = ctx.text(record) }
end

-- The value is the message, with blocks, thread_ts and whatever else Slack knows.
function messages.message(ctx, record)
  local message = connect.copy(record.value)
  if type(message) == "string" then message = connect.json.decode(message) end
  if type(message) ~= "table" then message = {} end -- Slack says what is missing
  if message.channel == nil then message.channel = ctx.channel and ctx.channel(record) end
  return message
end

-- ---------------------------------------------------------------------- sending

-- Waits until the channel may get its next message; false when that is not in this put, or the task is to stop.
local function wait_for(ctx, channel, ends)
  local now = connect.time.monotonic()
  local due = ctx.due[channel] or now
  return not ctx:sleep(math.min(due, ends) - now) and due <= ends
end

-- How long to leave the channel alone after an answer.
local function pause_after(ctx, e, asked)
  if not e or e.class ~= "retriable" then
    ctx.backoff = nil
    return ctx.config["message.interval.ms"]
  end
  ctx.backoff = math.min(ctx.backoff and ctx.backoff * 2 or BACKOFF_MS, BACKOFF_MAX_MS)
  return asked or ctx.backoff
end

-- True when the record is done with. first: nothing before it in this batch was sent, so that an error may be raised.
local function deliver(ctx, record, ends, first)
  local message = ctx.message(ctx, record)
  local channel = message.channel or ""
  if not wait_for(ctx, channel, ends) then return false end
  local ok, sent, e, asked = pcall(ctx.slack.send, ctx.slack, message)
  if not ok then -- broken off by the stop: what was sent before it shall count
    if ctx:stopping() and not first then return false end
    error(sent)
  end
  local pause = pause_after(ctx, e, asked)
  ctx.due[channel] = connect.time.monotonic() + pause
  if sent then return true end
  if not first then return false end
  if e.class == "data" then
    ctx:reject(record, e) -- raises, unless errors.tolerance = all
    return true
  end
  if e.class == "retriable" then ctx:timeout(pause) end -- the same batch is put again, then
  error(e)
end

return {
  api = 1,
  kind = "sink",
  aliases = { "SlackSink", "SlackSinkConnector" },
  version = "1.0.0",
  doc = "Sends each record as a message to Slack.",
  config = {
    { name = "webhook.url", type = "password", importance = "high",
      doc = "An incoming webhook (https://hooks.slack.com/services/...); its channel gets the messages." },
    { name = "token", type = "password", importance = "high",
      doc = "In place of a webhook a bot's token (xoxb-...) with the scope chat:write." },
    { name = "channel", type = "string", default = "", importance = "high",
      doc = "With a token: the channel's id, as C0123456789; of records as in text, ${value.channel}." },
    { name = "value.format", type = "string", default = "text", values = { "text", "message" },
      doc = "text: what the key text says is sent. message: the value is a whole message of Slack's, with blocks ..." },
    { name = "text", type = "string", default = "${value}", non_empty = true,
      doc = "The message's text. ${key}, ${value}, ${topic}, ${partition}, ${offset}, ${timestamp}, and fields as "
        .. "${value.user.name} or ${headers.name}, stand for the record's." },
    { name = "message.interval.ms", type = "long", default = 1000, min = 0, importance = "low",
      doc = "Pause between two messages to a channel." },
    { name = "base.url", type = "string", default = "https://slack.com/api", importance = "low",
      doc = "Where Slack's API is." },
  },

  validate = function(config)
    local errors, webhook = {}, config["webhook.url"]
    if not webhook and not config.token then return { ["webhook.url"] = "either webhook.url or token is needed" } end
    if webhook and config.token then
      errors.token = "there is a webhook.url: only one of them is used"
    end
    if webhook and not webhook:find "^https?://[^/]" then errors["webhook.url"] = "a URL that begins with https://" end
    if config["base.url"] and not config["base.url"]:find "^https?://[^/]" then
      errors["base.url"] = "a URL that begins with https://"
    end
    if not webhook and (config.channel or "") == "" and config["value.format"] ~= "message" then
      errors.channel = "a token needs a channel"
    end
    for _, name in ipairs { "text", "channel" } do
      errors[name] = errors[name] or config[name] and template.check(config[name])
    end
    return errors
  end,

  -- Each task takes partitions; messages of one partition keep their order.
  tasks = function(config, max)
    local configs = {}
    for i = 1, max do configs[i] = config end
    return configs
  end,

  start = function(ctx)
    local config = ctx.config
    ctx.slack, ctx.message, ctx.due = slack.new(config), messages[config["value.format"]], {}
    ctx.text = template.compile(config.text, true)
    if config.channel ~= "" and not config["webhook.url"] then ctx.channel = template.compile(config.channel) end
  end,

  put = function(ctx, batch)
    local now = connect.time.monotonic()
    for channel, due in pairs(ctx.due) do
      if due <= now then ctx.due[channel] = nil end
    end
    local sent, left = 0, nil
    for _, record in batch:records() do
      if not left and deliver(ctx, record, now + PUT_MS, sent == 0) then
        sent = sent + 1
      else
        left = left or {}
        local partition = record.original_topic .. "-" .. record.original_partition
        if not left[partition] then ctx:rewind(record.original_topic, record.original_partition, record.offset) end
        left[partition] = true
      end
    end
  end,

  -- Its offsets are the consumer group's alone.
  alter_offsets = function() return true end,
}
