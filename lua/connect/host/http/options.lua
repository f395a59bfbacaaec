-- SPDX-License-Identifier: Apache-2.0
-- The options of a request, checked and made complete. What is wrong with them raises a text.

local crypto = require "connect.crypto"
local host = require "connect.host.c"
local json = require "connect.json"
local oauth = require "connect.host.http.oauth"
local url = require "connect.host.http.url"

local MIB = 1048576
local LONGEST_MS = 2147483647

-- name -> type, or a list of types
local TYPES = { method = "string", url = "string", headers = "table", body = "string", json = "any", form = "table",
  query = "table", timeout = "ms", connect_timeout = "ms", retries = "number", backoff = "ms", max_wait = "ms",
  retry_on = "table", follow = "number", proxy = "string", max_body = "number", auth = "table", tls = "table",
  stream = "boolean" }

local TLS = { ca = "string", cert = "string", key = "string", password = "string", verify = "boolean" }

local RETRY_ON = { 408, 429, 500, 502, 503, 504 }

-- They go to the server they were meant for, and to no other.
local SECRET = { authorization = true, cookie = true, ["proxy-authorization"] = true }
-- What curl counts itself.
local FORBIDDEN = { ["content-length"] = true, ["transfer-encoding"] = true, connection = true, expect = true,
  ["accept-encoding"] = true, te = true, trailer = true, upgrade = true }

local function check(t, types, where)
  for name, value in pairs(t) do
    local wanted = types[name]
    if not wanted then error(where .. "there is no option " .. tostring(name), 0) end
    if wanted == "ms" then
      if type(value) ~= "number" or not (value >= 0 and value <= LONGEST_MS) then
        error(where .. name .. " must be a number of milliseconds", 0)
      end
    elseif wanted ~= "any" and type(value) ~= wanted then
      error(("%s%s must be a %s, not a %s"):format(where, name, wanted, type(value)), 0)
    end
  end
end

local function whole(t, name, least, default)
  local n = t[name]
  if n == nil then return default end
  if not (n >= least and n <= 2 ^ 53) or n % 1 ~= 0 then
    error(("%s must be a whole number from %d on"):format(name, least), 0)
  end
  return n
end

--- Raises unless t holds options only, each of its type.
local function check_all(t)
  if type(t) ~= "table" then error("a table of options expected, not a " .. type(t), 0) end
  check(t, TYPES, "")
  if t.tls then
    check(t.tls, TLS, "tls: ")
    if (t.tls.cert == nil) ~= (t.tls.key == nil) then error("tls: cert and key belong together", 0) end
  end
  for _, name in ipairs { "url", "proxy" } do
    if t[name] and t[name]:find "%z" then error(name .. " must not have a NUL", 0) end
  end
end

-- ------------------------------------------------------------------------- headers

--- A table by names in lower case, of { name, value }.
local function read_headers(given)
  local out = {}
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$" then
      error("headers: " .. tostring(name) .. " cannot be a name", 0)
    end
    local lower = name:lower()
    if FORBIDDEN[lower] then error("headers: " .. name .. " is not for the caller to set", 0) end
    if type(value) == "number" then value = tostring(value) end
    if type(value) ~= "string" then error(("headers: %s must be a string, not a %s"):format(name, type(value)), 0) end
    if value:find "[%z\r\n]" then error("headers: " .. name .. " must be one line without NULs", 0) end
    out[lower] = { name, value }
  end
  return out
end

local function basic(user, password)
  local text = crypto.base64(user .. ":" .. password)
  host.secret(text, true)
  return "Basic " .. text
end

-- The value of Authorization, or the oauth2 table.
local function read_auth(auth)
  local kind, value = next(auth)
  if next(auth, kind) ~= nil then error("auth is one of basic, bearer and oauth2", 0) end
  if kind == "basic" then
    if type(value) ~= "table" or type(value.user) ~= "string" or type(value.password) ~= "string" then
      error("auth.basic needs user and password", 0)
    end
    if value.user:find(":", 1, true) then error("auth.basic: a user's name has no colon", 0) end
    return basic(value.user, value.password)
  elseif kind == "bearer" then
    if type(value) ~= "string" or value:find "[%c ]" then error("auth.bearer must be a token", 0) end
    return "Bearer " .. value
  elseif kind == "oauth2" then
    if type(value) ~= "table" then error("auth.oauth2 must be a table", 0) end
    oauth.check(value)
    return nil, value
  end
  error("auth is one of basic, bearer and oauth2", 0)
end

-- ---------------------------------------------------------------------------- all

local function body_of(t, headers)
  local text, kind = t.body, nil
  if t.json ~= nil then
    text, kind = json.encode(t.json), "application/json"
  elseif t.form then
    text, kind = url.form(t.form), "application/x-www-form-urlencoded"
  end
  if (t.body and 1 or 0) + (t.json ~= nil and 1 or 0) + (t.form and 1 or 0) > 1 then
    error("body, json and form exclude each other", 0)
  end
  if kind and not headers["content-type"] then headers["content-type"] = { "Content-Type", kind } end
  return text
end

-- Those of `under` that `over` does not say, without its secrets when they are not for this server.
local function merged(over, under, trusted)
  local out = {}
  for name, value in pairs(under) do out[name] = value end
  if not trusted then out.auth = nil end
  for name, value in pairs(over) do out[name] = value end
  if over.body or over.json ~= nil or over.form then out.body, out.json, out.form = over.body, over.json, over.form end
  local headers = read_headers(under.headers)
  if not trusted then
    for name in pairs(SECRET) do headers[name] = nil end
  end
  for name, header in pairs(read_headers(over.headers)) do headers[name] = header end
  return out, headers
end

local function read_method(text)
  local method = (text or "GET"):upper()
  if not method:find "^%u[%u%-_]*$" or #method > 31 or method == "CONNECT" then error("method is not one", 0) end
  return method
end

local function set_of(list)
  local out = {}
  for _, status in ipairs(list) do out[status] = true end
  return out
end

local function check_proxy(proxy)
  if not proxy or proxy == "environment" then return end
  local scheme = proxy:match "^(%w+)://."
  if not scheme or not set_of { "http", "https", "socks5", "socks5h" }[scheme] then
    error("proxy is \"environment\", or a URL that begins with http://, https://, socks5:// or socks5h://", 0)
  end
end

local M = { check = check_all, SECRET = SECRET }

--- The complete request of options `given` over those of a client, whose base is a URL's text or nil.
function M.complete(given, defaults, base)
  check_all(given)
  if not given.url and not base then error("url is missing", 0) end
  local target, why = url.parse(url.below(base, given.url or ""))
  if not target then error(why, 0) end
  local trusted = not base or url.parse(base).origin == target.origin
  local t, headers = merged(given, defaults, trusted)
  if t.query then target = assert(url.parse(url.with_query(target.url, t.query))) end
  local authorization, tokens
  if t.auth then
    authorization, tokens = read_auth(t.auth)
  elseif target.user then
    authorization = basic(target.user, target.password)
  end
  if authorization then headers.authorization = { "Authorization", authorization } end
  check_proxy(t.proxy)
  return {
    method = read_method(t.method), url = target.url, origin = target.origin, home = target.origin,
    body = body_of(t, headers), header_set = headers, oauth2 = tokens,
    timeout = t.timeout or 30000, connect_timeout = math.max(1, t.connect_timeout or 10000),
    retries = whole(t, "retries", 0, 0), backoff = t.backoff or 500, max_wait = t.max_wait or 60000,
    retry_on = set_of(t.retry_on or RETRY_ON), follow = whole(t, "follow", 0, 5), proxy = t.proxy, tls = t.tls,
    max_body = whole(t, "max_body", 1, not t.stream and 16 * MIB or nil), stream = t.stream or false,
  }
end

return M
