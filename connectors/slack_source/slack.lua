-- SPDX-License-Identifier: Apache-2.0
-- One call of Slack's Web API. Its answer is JSON with ok = true, or ok = false and a word for what is wrong.
local connect = require "connect"

local BACKOFF_MS, BACKOFF_MAX_MS = 1000, 60000

-- What passes by itself. All other errors end the task.
local PASSES = { ratelimited = true, rate_limited = true, internal_error = true, fatal_error = true,
  service_unavailable = true, request_timeout = true, team_added_to_org = true }

local REMEDY = {
  invalid_auth = "see that token is the bot's token (xoxb-...)", not_authed = "token is empty",
  account_inactive = "the token's app or user was removed",
  token_revoked = "the token was revoked: install the app anew",
  token_expired = "the token has expired", not_in_channel = "invite the bot: /invite @bot",
  channel_not_found = "there is no such channel, or it is private and the bot is not in it",
  missing_scope = "add the scope to the app and install it anew",
}

local Slack = {}
Slack.__index = Slack

-- Waits as long as Slack asks, or ever longer, and raises: poll is called again.
local function try_later(self, ctx, res, fmt, ...)
  self.backoff = math.min(self.backoff and self.backoff * 2 or BACKOFF_MS, BACKOFF_MAX_MS)
  ctx:sleep(res and res:retry_after() or self.backoff)
  connect.retriable(fmt, ...)
end

--- What a method of the API answers. An error of `expected` is answered as nil and its name; all others are raised.
function Slack:call(ctx, method, query, expected)
  local res, e = self.http:get(method, { query = query })
  if not res then
    if e.class == "retriable" then try_later(self, ctx, nil, "%s", e.message) end
    error(e)
  end
  if res.status == 429 or res.status >= 500 then
    try_later(self, ctx, res, "Slack answered %s with %d", method, res.status)
  end
  local answer = res:json()
  if type(answer) ~= "table" then
    if res.ok then try_later(self, ctx, res, "Slack answered %s with what is no JSON", method) end
    connect.fatal("Slack answered %s with %d: see base.url", method, res.status)
  end
  if answer.ok then
    self.backoff = nil
    return answer
  end
  local name = tostring(answer.error)
  if name == expected then return nil, name end
  if PASSES[name] then try_later(self, ctx, res, "Slack answered %s with %s", method, name) end
  local needed = answer.needed and (" (%s)"):format(tostring(answer.needed)) or ""
  local remedy = REMEDY[name] and "; " .. REMEDY[name] or ""
  connect.fatal("Slack answered %s of %s with %s%s%s", method, query.channel, name, needed, remedy)
end

--- Of a page's answer: what brings the next one, nil when it is the last.
function Slack.next_cursor(page)
  local more = page.response_metadata
  local cursor = type(more) == "table" and more.next_cursor
  return type(cursor) == "string" and cursor ~= "" and cursor or nil
end

return {
  new = function(config)
    local http = connect.http.client { base = config["base.url"], auth = { bearer = config.token } }
    return setmetatable({ http = http, page_size = config["page.size"] }, Slack)
  end,
}
