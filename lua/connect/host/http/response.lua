-- SPDX-License-Identifier: Apache-2.0
-- What connect.http answers. The transfer behind it stays out of a plugin's reach.

local json = require "connect.json"
local time = require "connect.time"
local transfer = require "connect.host.http.transfer"

local CHUNK, CHUNK_MAX = 65536, 1048576

local private = setmetatable({}, { __mode = "k" }) -- response -> { transfer, request }

local methods = {}
local mt = { __index = methods, __metatable = false }
local headers_mt = { __metatable = false, __index = function(t, name)
  return type(name) == "string" and rawget(t, name:lower()) or nil
end }

local function own(self)
  return private[self] or error("a response expected: call it as response:method(...)", 3)
end

--- The next bytes of a streamed body, max of them at most (64 KiB); nil at its end; nil and an error object when it
-- breaks off. Waits as long as the request's timeout.
function methods:read(max)
  local p = own(self)
  if max == nil then max = CHUNK end
  if type(max) ~= "number" or max ~= max or max < 1 then error("read takes a number of bytes", 2) end
  if not p.transfer then return nil end
  local text, e = p.transfer:read(math.floor(math.min(max, CHUNK_MAX)))
  if not text then p.transfer = nil end
  return text, e
end

--- Breaks a streamed body off; nothing for one that is at its end.
function methods:close()
  local p = own(self)
  if p.transfer then p.transfer:close() end
  p.transfer = nil
end

--- The body as connect.json has it; nil and the reason when it is none.
function methods:json()
  own(self)
  if type(self.body) ~= "string" then return nil, "the response has no body" end
  return json.decode(self.body)
end

--- All values of a header, as a list.
function methods:values(name)
  local out = {}
  if type(name) ~= "string" then error("a header's name is a string, not a " .. type(name), 2) end
  for _, header in ipairs(own(self).head) do
    if header[1] == name:lower() then out[#out + 1] = header[2] end
  end
  return out
end

local RETRIABLE = { [408] = true, [425] = true, [429] = true }

--- An error object for a status that is not what the caller wants, retriable for 408, 425, 429 and 5xx:
-- error(response:problem()). class: another one.
function methods:problem(class)
  local p = own(self)
  local status = p.status
  class = class or (RETRIABLE[status] or status >= 500) and "retriable" or "fatal"
  return transfer.problem(p.request, class, "status", "answered %d%s", status, p.reason ~= "" and " " .. p.reason or "")
end

--- How long the server asks to be left alone, in milliseconds; nil when it does not.
function methods:retry_after()
  own(self)
  local text = self.headers["retry-after"]
  if not text then return nil end
  if text:find "^%d+$" then return tonumber(text) * 1000 end
  local at = time.parse_http(text)
  return at and math.max(0, at - time.now())
end

--- t: a transfer whose head is there. body: nil = it is to be read.
return function(t, body)
  local headers = setmetatable({}, headers_mt)
  for _, header in ipairs(t.head) do
    local name, value = header[1], header[2]
    local before = rawget(headers, name)
    headers[name] = before and before .. ", " .. value or value
  end
  local self = setmetatable({ status = t.status, ok = t.status >= 200 and t.status < 300, headers = headers,
    url = t.request.url, body = body }, mt)
  private[self] = { transfer = not body and t or nil, request = t.request, status = t.status, reason = t.reason,
    head = t.head }
  return self
end
