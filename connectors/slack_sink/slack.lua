-- SPDX-License-Identifier: Apache-2.0
-- Sends a message by an incoming webhook or by chat.postMessage. The one answers a status and a word as text, the other
-- JSON with ok = true, or ok = false and a word.
local connect = require "connect"
local errors = require "connect.errors"

-- The message's own fault: others can be sent. What is in neither list ends the task.
local DATA = {}
for word in ([[invalid_blocks invalid_blocks_format msg_too_long msg_blocks_too_long no_text invalid_payload
  invalid_attachments too_many_attachments attachment_payload_limit_exceeded invalid_metadata_format
  invalid_metadata_schema metadata_too_large markdown_text_conflict invalid_arguments cannot_reply_to_message
  user_not_found]]):gmatch "%S+" do DATA[word] = true end

local PASSES = {}
for word in ([[ratelimited rate_limited internal_error fatal_error service_unavailable
  request_timeout rollup_error team_added_to_org]]):gmatch "%S+" do PASSES[word] = true end

local REMEDY = {
  invalid_auth = "see that token is the bot's token (xoxb-...)", not_authed = "token is empty",
  token_revoked = "the token was revoked: install the app anew", token_expired = "the token has expired",
  account_inactive = "the token's app or user was removed", not_in_channel = "invite the bot: /invite @bot",
  channel_not_found = "there is no such channel, or it is private and the bot is not in it",
  missing_scope = "add the scope chat:write to the app and install it anew",
  no_service = "the webhook was removed", invalid_token = "see that webhook.url is whole",
  is_archived = "the channel is archived", channel_is_archived = "the channel is archived",
}

local JSON = { ["Content-Type"] = "application/json; charset=utf-8" }

local Slack = {}
Slack.__index = Slack

-- nil = Slack has it; else the word for what is wrong.
local function word_of(self, res)
  if self.webhook then
    if res.ok then return nil end
    return res.body:match "^%s*([%w_]+)%s*$" or "status " .. res.status
  end
  local answer = res:json()
  if type(answer) ~= "table" then return "status " .. res.status end
  if answer.ok then return nil end
  return tostring(answer.error)
end

--- true when Slack has it; else nil, an error object, and how many ms Slack asks to be left alone (nil = it does not).
function Slack:send(message)
  local ok, body = pcall(connect.json.encode, message)
  if not ok then return nil, errors.new("data", "the message cannot be JSON: " .. tostring(body)) end
  local res, e = self.http:post(self.method, { body = body, headers = JSON })
  if not res then return nil, e end
  local word = word_of(self, res)
  if not word then return true end
  local class = DATA[word] and "data" or "fatal"
  if PASSES[word] or res.status == 429 or res.status >= 500 then class = "retriable" end
  local remedy = REMEDY[word] and "; " .. REMEDY[word] or ""
  return nil, errors.new(class, "Slack answered " .. word .. remedy), res:retry_after()
end

return {
  new = function(config)
    local webhook = config["webhook.url"]
    local http
    if webhook then
      http = connect.http.client { base = webhook }
    else
      http = connect.http.client { base = config["base.url"], auth = { bearer = config.token } }
    end
    return setmetatable({ http = http, webhook = webhook ~= nil, method = webhook and "" or "chat.postMessage" }, Slack)
  end,
}
