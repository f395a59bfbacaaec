-- SPDX-License-Identifier: Apache-2.0
-- A Google service account: signs a statement of who it is, and gets a token for it that is good for an hour.
-- https://developers.google.com/identity/protocols/oauth2/service-account#httprest
local connect = require "connect"

local GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
local SCOPE = "https://www.googleapis.com/auth/spreadsheets.readonly"
local LIFE_S = 3600 -- the longest that Google takes
local EARLY_MS = 60000 -- fetched anew so long before its end, so that no request is under way when it ends

local Account = {}
Account.__index = Account

local function claim(self)
  local now = math.floor(connect.time.now() / 1000)
  local claims = { iss = self.email, scope = SCOPE, aud = self.url, iat = now, exp = now + LIFE_S }
  return connect.crypto.jwt(claims, { alg = "RS256", key = self.key, kid = self.kid })
end

--- The token; nil and the response or the error when there is none.
function Account:token()
  if self.current and connect.time.monotonic() < self.ends then return self.current end
  local res, e = connect.http.post(self.url, { form = { grant_type = GRANT, assertion = claim(self) } })
  if not res then return nil, nil, e end
  local answer = res:json()
  if not res.ok or not answer or not answer.access_token then return nil, res end
  self.current = answer.access_token
  self.ends = connect.time.monotonic() + (tonumber(answer.expires_in) or LIFE_S) * 1000 - EARLY_MS
  return self.current
end

--- Google takes it no more.
function Account:forget() self.current = nil end

local M = {}

function M.new(config)
  local kid = config.private_key_id
  local self = setmetatable({ email = config.client_email, key = config.private_key, url = config.token_uri,
    kid = kid ~= "" and kid or nil }, Account)
  -- A key that cannot be used is told of at once; the message of connect.crypto does not show it.
  local ok, why = pcall(claim, self)
  if not ok then
    connect.fatal("private_key cannot be used (%s): give the private_key of the service account's JSON key file, "
      .. "from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----", tostring(why):gsub("^.-:%d+: ", ""))
  end
  return self
end

return M
