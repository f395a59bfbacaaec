-- SPDX-License-Identifier: Apache-2.0
-- What connectors that speak HTTP have in common: rows of configuration, the connect.http client that they ask for,
-- templates, and errors that show what the server said.
--
--   config = http_config.rows { { name = "http.url", ... }, ... }     the rows here behind a connector's own
--   validate = function(config) return http_config.validate(config) end     errors by key, of http.url too
--   ctx.api = http_config.client(ctx.config, { follow = 0 })          asks http.url's server as connect.http does
--   local res, e = ctx.api:request { url = "https://api.example.com/items" }
--   if not res.ok then error(http_config.problem(res, "retriable")) end
--
--   local t = http_config.template "https://h/${topic}/${key}"        t.names: { "topic", "key" }; nil and the reason
--   t.fill(function(name) return "x" end)
--   http_config.escape("a b")                                         "a%20b", for templates of URLs
--   http_config.statuses { "401", "500-599" }                         set[status]; nil and the reason
--   http_config.headers "Accept: a | X-Id: ${key}"                    a list of { name, value }; nil and the reason
--   http_config.server "https://u:p@h:1/x?y"                          "https://u:p@h:1", as it stands there

local host = require "connect.host.c"
local http = require "connect.http"

local SHOWN, LOOKED_AT = 200, 4096 -- bytes of an answer in an error; of these so many are looked through for secrets

local M = {}

local ROWS = {
  { name = "http.headers", type = "string", importance = "medium",
    doc = "Headers of every request: `Name: value | Name: value`." },
  { name = "http.headers.secret", type = "password", importance = "medium",
    doc = "More of them, which nobody is shown: keys of APIs." },
  { name = "http.auth.type", type = "string", default = "none", values = { "none", "basic", "bearer", "oauth2" },
    importance = "medium", doc = "How the connector says who it is." },
  { name = "http.auth.user", type = "string", importance = "medium", doc = "User, for basic." },
  { name = "http.auth.password", type = "password", importance = "medium", doc = "Password, for basic." },
  { name = "http.auth.token", type = "password", importance = "medium", doc = "Token, for bearer." },
  { name = "oauth2.token.url", type = "string", importance = "medium",
    doc = "Where tokens are had by client credentials, for oauth2." },
  { name = "oauth2.client.id", type = "string", importance = "medium", doc = "Client, for oauth2." },
  { name = "oauth2.client.secret", type = "password", importance = "medium", doc = "Its secret, for oauth2." },
  { name = "oauth2.client.scope", type = "string", importance = "low", doc = "Scope that is asked for, for oauth2." },
  { name = "oauth2.client.authorization.mode", type = "string", default = "header", values = { "header", "body" },
    importance = "low", doc = "Where the token request has client and secret." },
  { name = "http.connect.timeout.ms", type = "int", default = 10000, min = 1, importance = "low",
    doc = "How long connecting may take." },
  { name = "http.timeout.ms", type = "int", default = 30000, min = 1, importance = "medium",
    doc = "How long a request may take, from its start to the last byte of the answer." },
  { name = "http.response.max.bytes", type = "int", default = 16777216, min = 1, importance = "low",
    doc = "The longest answer. A longer one is an error." },
  { name = "http.proxy.url", type = "string", importance = "low",
    doc = "Proxy (http, https, socks5, socks5h), or `environment` for the one that the environment names." },
  { name = "http.ssl.truststore.certificates", type = "string", importance = "low",
    doc = "Authorities to trust instead of the system's: a PEM file or PEM text." },
  { name = "http.ssl.keystore.certificate.chain", type = "string", importance = "low",
    doc = "The client's certificate: a PEM file or PEM text." },
  { name = "http.ssl.keystore.key", type = "password", importance = "low",
    doc = "The client's private key: a PEM file or PEM text." },
  { name = "http.ssl.key.password", type = "password", importance = "low", doc = "The private key's password." },
  { name = "http.ssl.verify", type = "boolean", default = true, importance = "low",
    doc = "Whether the server must prove who it is. Without that anybody can be the server." },
}

--- A connector's rows and those above, as one list.
function M.rows(own)
  local out = {}
  for _, list in ipairs { own, ROWS } do
    for _, row in ipairs(list) do out[#out + 1] = row end
  end
  return out
end

-- Empty is as good as not given: forms send it.
local function given(config, name)
  local x = config[name]
  if type(x) == "string" and x:find "%S" then return x end
end

-- --------------------------------------------------------------------- templates

--- The URL's scheme and server.
function M.server(url) return url:match "^%a[%w+.-]*://[^/?#]*" end

--- For a part of a URL: whatever it holds, it stays one segment or one value.
function M.escape(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- A text with ${name}s.
function M.template(text)
  local literals, names, at = {}, {}, 1
  for from, name, to in text:gmatch "()%${([^{}]*)}()" do
    literals[#literals + 1] = text:sub(at, from - 1)
    names[#names + 1] = name
    at = to
  end
  literals[#literals + 1] = text:sub(at)
  if table.concat(literals, " "):find("${", 1, true) then return nil, "a ${ has no }" end
  return { names = names, fill = function(value_of)
    local out = { literals[1] }
    for i, name in ipairs(names) do
      out[#out + 1] = value_of(name)
      out[#out + 1] = literals[i + 1]
    end
    return table.concat(out)
  end }
end

-- ------------------------------------------------------------ lists within a value

function M.statuses(list)
  if type(list) == "string" then
    local items = {}
    for item in list:gmatch "[^,]+" do items[#items + 1] = item end
    list = items
  end
  local set = {}
  for _, item in ipairs(list) do
    local from, to = item:match "^%s*(%d%d%d)%s*%-%s*(%d%d%d)%s*$"
    from = from or item:match "^%s*(%d%d%d)%s*$"
    if not from then return nil, ("%s is neither a status like 404 nor a range like 500-599"):format(item) end
    for status = tonumber(from), tonumber(to or from) do set[status] = true end
  end
  return set
end

function M.headers(text)
  local out = {}
  for line in (text or ""):gmatch "[^|\r\n]+" do
    local name, value = line:match "^%s*([%w!#$%%&'*+.^_`~-]+)%s*:%s*(.-)%s*$"
    if name then
      out[#out + 1] = { name, value }
    elseif line:find "%S" then
      return nil, "it must be like Name: value | Name: value" -- without what stands there: it may be a secret
    end
  end
  return out
end

-- -------------------------------------------------------------------- the client

local NEEDED = { none = {}, basic = { "http.auth.user", "http.auth.password" }, bearer = { "http.auth.token" },
  oauth2 = { "oauth2.token.url", "oauth2.client.id", "oauth2.client.secret" } }

local function auth_of(config)
  local kind = config["http.auth.type"]
  if kind == "basic" then
    return { basic = { user = config["http.auth.user"], password = config["http.auth.password"] } }
  elseif kind == "bearer" then
    return { bearer = config["http.auth.token"] }
  elseif kind == "oauth2" then
    return { oauth2 = { token_url = config["oauth2.token.url"], client_id = config["oauth2.client.id"],
      client_secret = config["oauth2.client.secret"], scope = given(config, "oauth2.client.scope"),
      style = config["oauth2.client.authorization.mode"] == "body" and "body" or "basic" } }
  end
end

-- Options of connect.http, as its messages name them, and the rows that stand for them.
local NAMES = { { "max_body", "http.response.max.bytes" }, { "; stream reads it in pieces", "" },
  { "connect_timeout", "http.connect.timeout.ms" }, { "(%W)timeout is", "%1http.timeout.ms is" },
  { "tls%.cert", "http.ssl.keystore.certificate.chain" }, { "tls%.key", "http.ssl.keystore.key" },
  { "tls%.ca", "http.ssl.truststore.certificates" }, { "proxy and tls", "http.proxy.url and http.ssl.*" } }

local function in_rows(text)
  for _, name in ipairs(NAMES) do text = text:gsub(name[1], name[2]) end
  return text
end

--- A client of the server that http.url names. more: options of connect.http over those of the rows. Headers are the
-- caller's: they may be templates.
function M.client(config, more)
  local options = {
    base = M.server(config["http.url"]), -- what has another server gets no Authorization
    auth = auth_of(config), timeout = config["http.timeout.ms"], connect_timeout = config["http.connect.timeout.ms"],
    max_body = config["http.response.max.bytes"], proxy = given(config, "http.proxy.url"),
    tls = { ca = given(config, "http.ssl.truststore.certificates"),
      cert = given(config, "http.ssl.keystore.certificate.chain"), key = given(config, "http.ssl.keystore.key"),
      password = given(config, "http.ssl.key.password"), verify = config["http.ssl.verify"] },
  }
  for name, value in pairs(more or {}) do options[name] = value end
  local client = http.client(options)
  return { request = function(_, given_options)
    local res, e = client:request(given_options)
    if e then e.message = in_rows(e.message) end
    return res, e
  end }
end

--- Both rows of headers, as a list of { name, value }.
function M.all_headers(config)
  local out = assert(M.headers(config["http.headers"]))
  for _, header in ipairs(assert(M.headers(config["http.headers.secret"]))) do
    host.secret(header[2]) -- the row as a whole is hidden already, a server may repeat a part
    out[#out + 1] = header
  end
  return out
end

-- -------------------------------------------------------------------- validation

-- What is wrong with a URL, its variables taken for text; nil = nothing.
local function bad_url(url)
  local template, why = M.template(url)
  if not template then return why end
  local server = M.server(url)
  if server and server:find("$", 1, true) then return "variables are for what comes behind the server's name" end
  local ok, e = pcall(http.client, { base = template.fill(function() return "x" end) })
  if not ok then return (tostring(e):gsub("^.*base: ", "")) end
end

--- Errors by key. config as validate gets it: texts, without defaults.
function M.validate(config)
  local out = {}
  for _, name in ipairs { "http.url", "oauth2.token.url" } do
    if given(config, name) then out[name] = bad_url(config[name]) end
  end
  for _, name in ipairs { "http.headers", "http.headers.secret" } do
    local _, why = M.headers(config[name])
    out[name] = why
  end
  local kind = config["http.auth.type"] or "none"
  for _, name in ipairs(NEEDED[kind] or {}) do
    if not given(config, name) then out[name] = ("http.auth.type=%s needs it"):format(kind) end
  end
  if (config["http.auth.user"] or ""):find(":", 1, true) then out["http.auth.user"] = "a user's name has no colon" end
  if (config["http.auth.token"] or ""):find "[%c ]" then out["http.auth.token"] = "a token has no blanks" end
  local proxy = given(config, "http.proxy.url")
  if proxy and proxy ~= "environment" and not proxy:find "^https?://." and not proxy:find "^socks5h?://." then
    out["http.proxy.url"] = "it must be `environment`, or begin with http://, https://, socks5:// or socks5h://"
  end
  local cert, key = "http.ssl.keystore.certificate.chain", "http.ssl.keystore.key"
  if given(config, cert) and not given(config, key) then out[key] = cert .. " needs it" end
  if given(config, key) and not given(config, cert) then out[cert] = key .. " needs it" end
  return out
end

-- ------------------------------------------------------------------------ errors

--- The response's error object, with the first bytes of what the server says. why: what is wrong beside the status.
function M.problem(res, class, why)
  local e = res:problem(class)
  if why then e.message = ("%s, but %s"):format(e.message, why) end
  local said = (res.body or ""):sub(1, LOOKED_AT):gsub("[%c%s]+", " ")
  said = host.hidden(said) -- before it is cut: half a secret would not be known for one
  if #said > SHOWN then said = said:sub(1, SHOWN):gsub("[\192-\255]?[\128-\191]*$", "") .. "..." end
  if said:find "%S" then e.message = e.message .. ": " .. said end
  return e
end

return M
