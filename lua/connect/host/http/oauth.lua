-- SPDX-License-Identifier: Apache-2.0
-- Access tokens by OAuth 2's client credentials (RFC 6749, 4.4), kept until shortly before they end.

local crypto = require "connect.crypto"
local host = require "connect.host.c"
local json = require "connect.json"
local url = require "connect.host.http.url"

local EARLY_MS = 30000 -- or a tenth of its life, if that is less

local tokens = {} -- by who asks whom for what

local M = {}

local FIELDS = { token_url = true, client_id = true, client_secret = true, scope = true, audience = true, style = true,
  params = true }

--- Raises unless conf is what auth.oauth2 may be.
function M.check(conf)
  for name in pairs(conf) do
    if not FIELDS[name] then error("auth.oauth2 has no option " .. tostring(name), 0) end
  end
  for _, name in ipairs { "token_url", "client_id", "client_secret" } do
    if type(conf[name]) ~= "string" then error("auth.oauth2 needs " .. name, 0) end
  end
  local ok, why = url.parse(conf.token_url)
  if not ok then error("auth.oauth2.token_url: " .. why, 0) end
  if conf.params ~= nil and type(conf.params) ~= "table" then error("auth.oauth2.params must be a table", 0) end
  if conf.style ~= nil and conf.style ~= "basic" and conf.style ~= "body" then
    error("auth.oauth2.style is \"basic\" or \"body\"", 0)
  end
end

local function form_of(conf)
  local form = {}
  for name, value in pairs(conf.params or {}) do form[name] = value end
  form.grant_type = "client_credentials"
  form.scope, form.audience = conf.scope or form.scope, conf.audience or form.audience
  if conf.style == "body" then form.client_id, form.client_secret = conf.client_id, conf.client_secret end
  return url.form(form)
end

local function key_of(conf, form)
  return crypto.sha256(("%d:%s%d:%s%s"):format(#conf.token_url, conf.token_url, #conf.client_id, conf.client_id,
    conf.client_secret) .. form)
end

-- RFC 6749 has both in the form's encoding.
local function basic(conf)
  local function encoded(s) return (url.form { x = s }):sub(3) end
  local text = crypto.base64(encoded(conf.client_id) .. ":" .. encoded(conf.client_secret))
  host.secret(text)
  return "Basic " .. text
end

-- The server's own words, when it has some.
local function words(answer)
  if type(answer) ~= "table" or type(answer.error) ~= "string" then return "" end
  local more = type(answer.error_description) == "string" and ", " .. answer.error_description or ""
  return (": " .. answer.error .. more):sub(1, 300)
end

local function fetch(conf, form, ask)
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", Accept = "application/json" }
  if conf.style ~= "body" then headers.Authorization = basic(conf) end
  local res, e = ask { method = "POST", url = conf.token_url, headers = headers, body = form }
  if not res then return nil, e end
  local answer = json.decode(res.body)
  if not res.ok then
    e = res:problem()
    e.message = e.message .. " to the request for a token" .. words(answer)
    return nil, e
  end
  local token = type(answer) == "table" and answer.access_token
  if type(token) ~= "string" or token == "" or token:find "[%c ]" then
    e = res:problem "fatal"
    e.message = e.message .. ", but there is no access_token in it"
    return nil, e
  end
  host.secret(token, true)
  return token, tonumber(answer.expires_in)
end

--- The token; nil and the error. not_this: one that has been refused. ask: http.request with the transport's options.
function M.token(conf, not_this, ask)
  local form = form_of(conf)
  local key = key_of(conf, form)
  local known = tokens[key]
  if known and known.token ~= not_this and host.now_ms() < known.until_ms then return known.token end
  local began = host.now_ms()
  local token, life = fetch(conf, form, ask)
  if not token then return nil, life end
  local ms = life and life > 0 and life * 1000 or math.huge -- without one: until it is refused
  tokens[key] = { token = token, until_ms = began + ms - (life and math.min(EARLY_MS, ms / 10) or 0) }
  return token
end

return M
