-- SPDX-License-Identifier: Apache-2.0
-- HTTP and HTTPS for plugins, over libcurl. A call ends at once when its task is asked to stop, and never waits longer
-- than its timeout; connections are kept for the next call.
--
--   local http = require("connect").http
--   local res, err = http.get("https://api.example.com/items", { query = { since = 5 }, retries = 3 })
--   if not res then error(err) end                      err: see below
--   if not res.ok then error(res:problem()) end         ok: the status is 200 to 299
--   for _, item in ipairs(res:json().items) do ... end
--
--   local api = http.client { base = "https://api.example.com/v1", auth = { bearer = token }, timeout = 5000 }
--   api:post("items", { json = { name = "x" } })        the client's options, and these over them
--
-- http.get, post, put, patch, delete and head take a URL and options; http.request takes options with url and method.
-- Times are milliseconds, sizes bytes.
--
--   method           "GET"
--   url              http:// or https://; of a client with a base: below it ("items", "/items", "?page=2"), or a
--                    whole URL, which gets the client's auth, Authorization and Cookie if it is of the base's server
--   query            { name = value }, values may be lists; added to what the URL has
--   headers          { name = value }; Content-Length, Connection, Accept-Encoding and the like are not to be set
--   body, json, form text; a value that goes as JSON; { name = value } as browsers send forms
--   auth             { basic = { user =, password = } }, { bearer = token } or { oauth2 = { token_url =, client_id =,
--                    client_secret =, scope =, audience =, params = { ... }, style = "basic" | "body" } }: a token by
--                    client credentials is kept until shortly before it ends, and fetched anew once after a 401
--   timeout          of an attempt, from its start to the last byte; of a stream to its head, then of each read: 30000
--   connect_timeout  10000
--   retries          how often it is tried again after what is retriable (below) or a status of retry_on: 0
--   backoff          the pause before the first retry, doubled with each, up to half of it less at random: 500
--   max_wait         the longest pause; a Retry-After beyond it is not waited for, the response is answered: 60000
--   retry_on         { 408, 429, 500, 502, 503, 504 }
--   follow           how many redirects are followed, of http and https only and never from https to http; another
--                    server gets no Authorization and no Cookie: 5
--   max_body         the longest body, as it is once decompressed: 16 MiB, of a stream none
--   stream           true: the body is read with res:read()
--   proxy            a URL (http, https, socks5, socks5h), or "environment" for the one that the environment names;
--                    without it there is none
--   tls              { ca =, cert =, key =, password =, verify = false }: PEM files by their paths, or PEM text
--
-- A response has status, ok, body, url (the last one, without its user), headers (res.headers["Content-Type"] in any
-- case; several of a name are joined by ", ") and
--   res:json()          the body as connect.json has it; nil and the reason
--   res:values(name)    a header's values as a list
--   res:retry_after()   ms, nil where the server does not say
--   res:problem()       an error object for its status
--   res:read(max)       of a stream: the next bytes, 64 KiB at most; nil at the end; nil and an error object
--   res:close()         of a stream: no more of it
--
-- What fails is nil and an error object, to be raised with error(err) or looked at: err.class "retriable" (a connector
-- is called again, as by connect.retriable) or "fatal", err.message, and err.reason: "resolve", "connect", "timeout",
-- "broken", "proxy" (retriable), "tls", "too_large", "protocol", "redirect", "failed", "memory" (fatal), "status".
-- Messages name method and server, never a path, a query, a user or a token. Wrong options raise at once. When the
-- task is asked to stop, the call raises what ends the task in peace; one that begins after that (a last flush) has
-- two seconds and no retries.
--
-- On the connector's side check(config) may use it, within the time the worker gives it; validate(config) and the top
-- of a file may not.

local ffi = require "ffi"

local C = require "connect.host.abi"
local host = require "connect.host.c"
local oauth = require "connect.host.http.oauth"
local request_of = require "connect.host.http.options"
local response = require "connect.host.http.response"
local running = require "connect.host.running"
local transfer = require "connect.host.http.transfer"
local urls = require "connect.host.http.url"
local watch_of = require "connect.host.http.watch"

local AGENT = "connect-lua/" .. host.version
local NO_MEMORY = "not enough memory" -- as LuaJIT says it, and src/vm/call.c knows it
local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local http = {}

local perform

-- --------------------------------------------------------------------- an attempt

-- The header lines of a request on its way to where it stands now.
local function lines_of(request, authorization)
  local out, seen = {}, {}
  for name, header in pairs(request.header_set) do
    if request.origin == request.home or not request_of.SECRET[name] then
      out[#out + 1] = header
      seen[name] = true
    end
  end
  if authorization and request.origin == request.home then out[#out + 1] = { "Authorization", authorization } end
  if not seen["user-agent"] then out[#out + 1] = { "User-Agent", AGENT } end
  if not seen["content-type"] then out[#out + 1] = { "Content-Type" } end -- curl would say it is a form
  out[#out + 1] = { "Expect" }
  return out
end

-- The request that a redirect asks for; nil and the error.
local function redirected(request, t, location)
  local function no(fmt, ...) return nil, transfer.problem(request, "fatal", "redirect", fmt, ...) end
  local target = urls.parse(location, request.url)
  if not target then return no("was sent to what is no URL of http or https") end
  if request.url:find "^https:" and not target.url:find "^https:" then
    return no("was sent from https to http, which is not followed")
  end
  local next_one = setmetatable({}, { __index = request })
  next_one.url, next_one.origin = target.url, target.origin
  local get = t.status == 303 and request.method ~= "HEAD" or t.status <= 302 and request.method == "POST"
  if get then
    next_one.method, next_one.body = "GET", false
    next_one.header_set = {}
    for name, header in pairs(request.header_set) do
      if not name:find "^content%-" then next_one.header_set[name] = header end
    end
  end
  return next_one
end

-- Sends it and follows where it is sent; a transfer with its head, or nil and the error.
local function follow(request, authorization, watch)
  for _ = 0, request.follow do
    request.headers = lines_of(request, authorization)
    local t, e = transfer.send(request, watch)
    if not t then return nil, e end
    local location
    for _, header in ipairs(REDIRECTS[t.status] and request.follow > 0 and t.head or {}) do
      if header[1] == "location" then location = header[2] end
    end
    if not location then return t end
    t:discard()
    request, e = redirected(request, t, location)
    if not request then return nil, e end
  end
  return nil, transfer.problem(request, "fatal", "redirect", "more than %d redirects (follow is how many it may be)",
    request.follow)
end

-- With the token that the server wants.
local function authorized(request, watch)
  local conf = request.oauth2
  if not conf then return follow(request, nil, watch) end
  local function ask(given)
    given.tls, given.proxy, given.timeout, given.connect_timeout = request.tls, request.proxy, request.timeout,
      request.connect_timeout
    return perform(request_of.complete(given, {}), watch)
  end
  local token, e = oauth.token(conf, nil, ask)
  if not token then return nil, e end
  local t
  t, e = follow(request, "Bearer " .. token, watch)
  if not t or t.status ~= 401 then return t, e end
  local fresh = oauth.token(conf, token, ask)
  if not fresh then return t end -- the 401 says more
  t:discard()
  return follow(request, "Bearer " .. fresh, watch)
end

local function attempt(request, watch)
  local t, e = authorized(request, watch)
  if not t then return nil, e end
  if request.stream and not request.retry_on[t.status] then return response(t) end
  local body
  body, e = t:read_all()
  if not body then return nil, e end
  return response(t, body)
end

-- ------------------------------------------------------------------------- retries

local random = ffi.new "unsigned char[1]"

-- Half of it to all of it, so that many tasks do not come back together.
local function jittered(ms)
  C.cl_ffi_random(random, 1)
  return ms * (0.5 + random[0] / 510)
end

-- How long to wait before the next attempt; nil = there is none.
local function pause(request, tried, res, e)
  if tried > request.retries then return nil end
  if not res and e.class ~= "retriable" then return nil end
  if res and not request.retry_on[res.status] then return nil end
  local ms = math.min(jittered(request.backoff * 2 ^ math.min(tried - 1, 30)), request.max_wait)
  local asked = res and res:retry_after()
  if asked and asked > request.max_wait then return nil end
  return math.max(ms, asked or 0)
end

function perform(request, watch)
  local tried = 0
  while true do
    local res, e = attempt(request, watch)
    tried = tried + 1
    local ms = pause(request, tried, res, e)
    if not ms or not watch:rest(ms) then
      if e and tried > 1 then e.message = e.message .. (", after %d attempts"):format(tried) end
      return res, e
    end
  end
end

-- ------------------------------------------------------------------------ the API

-- What is wrong with the options is told at the caller's line.
local function call(given, defaults, base)
  local ok, request = pcall(request_of.complete, given, defaults, base)
  if ok and running.closed then
    ok, request = false, ("not for %s, which must not depend on others: check(config) may"):format(running.closed)
  end
  if not ok then
    if type(request) ~= "string" or request == NO_MEMORY then error(request, 0) end
    error("connect.http: " .. request, 2) -- http.get and the like are left by a tail call
  end
  return perform(request, watch_of(("%s %s"):format(request.method, urls.shown(request.origin))))
end

local none = {}

--- See the top of this file.
function http.request(options) return call(options, none) end

local clients = setmetatable({}, { __mode = "k" }) -- client -> { base, defaults }
local Client = {}
local client_mt = { __index = Client, __metatable = false }

local function client_of(self)
  return clients[self] or error("a client expected: call it as client:method(...)", 3)
end

--- Options for many calls: all of http.request's, and base.
function http.client(options)
  if type(options) ~= "table" then error("connect.http: a table of options expected, not a " .. type(options), 2) end
  local defaults, base = {}, options.base
  for name, value in pairs(options) do
    if name ~= "base" then defaults[name] = value end
  end
  local ok, e = pcall(request_of.check, defaults)
  if not ok then error("connect.http: " .. tostring(e), 2) end
  if base ~= nil then
    local target, why = nil, "base must be a string"
    if type(base) == "string" then target, why = urls.parse(base) end
    if not target then error("connect.http: base: " .. why, 2) end
    if target.user and not defaults.auth then
      defaults.auth = { basic = { user = target.user, password = target.password } }
    end
    base = target.url
  end
  local self = setmetatable({}, client_mt)
  clients[self] = { base = base, defaults = defaults }
  return self
end

function Client:request(options)
  local c = client_of(self)
  return call(options, c.defaults, c.base)
end

local function with(method, url, options)
  local given = {}
  if options ~= nil and type(options) ~= "table" then
    error("connect.http: options must be a table, not a " .. type(options), 3)
  end
  for name, value in pairs(options or {}) do given[name] = value end
  given.method, given.url = method, url
  return given
end

for _, method in ipairs { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" } do
  local name = method:lower()
  http[name] = function(url, options) return call(with(method, url, options), none) end
  Client[name] = function(self, url, options)
    local c = client_of(self)
    return call(with(method, url, options), c.defaults, c.base)
  end
end

return http
