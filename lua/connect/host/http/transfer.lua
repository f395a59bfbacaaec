-- SPDX-License-Identifier: Apache-2.0
-- One request and its response over src/net/http.c: no redirect, no retry. Connections are the state's, and kept.

local buffer = require "string.buffer"
local ffi = require "ffi"

local C = require "connect.host.abi"
local errors = require "connect.errors"
local host = require "connect.host.c"
local url = require "connect.host.http.url"

local DRAIN_BYTES, DRAIN_MS = 65536, 500 -- what is read of a body nobody wants, to keep its connection

local Transfer = {}
Transfer.__index = Transfer

local connections

local function call_new()
  if not connections then
    local made = C.cl_ffi_http_new()
    if made == nil then error(ffi.string(C.cl_ffi_error()), 0) end
    connections = ffi.gc(made, C.cl_ffi_http_free)
  end
  local call = C.cl_ffi_http_call(connections)
  if call == nil then error(ffi.string(C.cl_ffi_error()), 0) end
  return ffi.gc(call, C.cl_ffi_http_drop)
end

-- ---------------------------------------------------------------- what went wrong

local PROBLEMS = {}
local function problem(name, class, reason, remedy)
  PROBLEMS[tonumber(C["CL_HTTP_" .. name])] = { class = class, reason = reason, remedy = remedy }
end
problem("RESOLVE", "retriable", "resolve", "is the host's name right, and does this machine's DNS know it?")
problem("CONNECT", "retriable", "connect", "does the server run, and may this machine reach it?")
problem("TIMEOUT", "retriable", "timeout", "may this machine reach it? connect_timeout is the time it has")
problem("BROKEN", "retriable", "broken", "the server, or something before it, has ended the connection")
problem("PROXY_FAILED", "retriable", "proxy", "does the proxy run, and does it let this machine through?")
problem("UNTRUSTED", "fatal", "tls", "tls.ca names the authority that has signed the server's certificate")
problem("TLS_FILES", "fatal", "tls", "tls.ca, tls.cert and tls.key are PEM, as files or as text, and belong together")
problem("HEAD_TOO_LARGE", "fatal", "too_large", "a response may have 256 KiB of header lines")
problem("BODY_TOO_LARGE", "fatal", "too_large", "max_body is the longest it may be; stream reads it in pieces")
problem("NOT_HTTP", "fatal", "protocol", "is this the port of an HTTP server?")
problem("NO_MEMORY", "fatal", "memory", "the machine has no memory left")
problem("FAILED", "fatal", "failed", "are URL, proxy and tls what they should be?")

-- An error object that names method and host. reason is a word for programs.
local function new_problem(request, class, reason, fmt, ...)
  local e = errors.new(class, ("%s %s: "):format(request.method, url.shown(request.origin)) .. fmt:format(...))
  e.reason = reason
  return e
end
Transfer.problem = new_problem

function Transfer:failed()
  local p = PROBLEMS[self.call.problem] or PROBLEMS[tonumber(C.CL_HTTP_FAILED)]
  local why = ffi.string(C.cl_ffi_error())
  if p.reason == "too_large" then why = "the response is too large" end
  self:close()
  return new_problem(self.request, p.class, p.reason, "%s (%s)", why, p.remedy)
end

function Transfer:late(what)
  self:close()
  local ms = math.max(0, self.deadline - self.began)
  local remedy = self.watch.stopping and "the task stops, and has no longer"
    or "is the server overloaded? timeout is the time it has"
  return new_problem(self.request, "retriable", "timeout", "no %s within %d ms (%s)", what, ms, remedy)
end

-- ------------------------------------------------------------------------ sending

local warned = false

local function warn_of_trust()
  if not warned then host.log(3, "connect.http is told not to verify certificates: anybody can be the server") end
  warned = true
end

local function set(call, request)
  local function text(what, s) if s then C.cl_ffi_http_text(call, what, s, #s) end end
  text(C.CL_HTTP_URL, request.url)
  text(C.CL_HTTP_METHOD, request.method)
  text(C.CL_HTTP_BODY, request.body)
  local proxy, tls = request.proxy, request.tls or {}
  if proxy == "environment" then
    C.cl_ffi_http_number(call, C.CL_HTTP_ENV_PROXY, 1)
  else
    text(C.CL_HTTP_PROXY, proxy)
  end
  text(C.CL_HTTP_CA, tls.ca)
  text(C.CL_HTTP_CERT, tls.cert)
  text(C.CL_HTTP_KEY, tls.key)
  text(C.CL_HTTP_KEY_PASSWORD, tls.password)
  if tls.verify == false then
    warn_of_trust()
    C.cl_ffi_http_number(call, C.CL_HTTP_VERIFY, 0)
  end
  C.cl_ffi_http_number(call, C.CL_HTTP_CONNECT_TIMEOUT, request.connect_timeout)
  if request.max_body then C.cl_ffi_http_number(call, C.CL_HTTP_BODY_MAX, request.max_body) end
  for _, header in ipairs(request.headers) do C.cl_ffi_http_header(call, header[1], header[2]) end
end

--- Waits until there is something new; true, or nil and the error. Raises when the task is to stop.
function Transfer:wait(what)
  local slice = self.watch:slice(self.deadline)
  if slice == 0 then return nil, self:late(what) end
  if C.cl_ffi_http_wait(self.call, slice) < 0 then return nil, self:failed() end
  return true
end

local function read_head(text)
  local status, lines = text:match "^(.-)\r?\n(.*)$"
  local list = {}
  for line in (lines or ""):gmatch "([^\r\n]+)\r?\n?" do
    local name, value = line:match "^([^%s:]+)%s*:%s*(.-)%s*$"
    if name then
      list[#list + 1] = { name:lower(), value }
    elseif line:find "^%s" and list[1] then -- one line folded into two
      list[#list][2] = list[#list][2] .. " " .. line:match "^%s*(.-)%s*$"
    end
  end
  return (status or text):match "^%S+ %d+ *(.-)%s*$" or "", list
end

--- Sends request and waits for the head of its response: a transfer with status, reason and head (a list of names in
-- lower case and values); nil and the error. watch: connect.host.http.watch.
function Transfer.send(request, watch)
  local call = call_new()
  local self = setmetatable({ call = call, request = request, watch = watch, began = host.now_ms() }, Transfer)
  self.deadline = watch:deadline(request.timeout)
  set(call, request)
  if C.cl_ffi_http_start(call) ~= 0 then return nil, self:failed() end
  while call.status == 0 do
    local ok, e = self:wait "answer"
    if not ok then return nil, e end
  end
  self.status = tonumber(call.status)
  self.reason, self.head = read_head(ffi.string(call.head.p, call.head.len))
  return self
end

-- ------------------------------------------------------------------------ the body

--- Waits for bytes: true, false at the end, or nil and the error.
function Transfer:more()
  local call = self.call
  if not call then return false end
  while call.body.len == 0 do
    if call.done ~= 0 and call.problem == 0 then
      self:close()
      return false
    end
    local ok, e = self:wait "whole answer"
    if not ok then return nil, e end
  end
  return true
end

--- The next bytes, max at most; nil at the end, nil and the error.
function Transfer:read(max)
  self.began = host.now_ms()
  self.deadline = self.watch:deadline(self.request.timeout)
  local ok, e = self:more()
  if not ok then return nil, e end
  local n = math.min(max, tonumber(self.call.body.len))
  local text = ffi.string(self.call.body.p, n)
  C.cl_ffi_http_take(self.call, n)
  return text
end

--- All of it; nil and the error.
function Transfer:read_all()
  local all = buffer.new()
  while true do
    local ok, e = self:more()
    if ok == nil then return nil, e end
    if not ok then return all:tostring() end
    local call = self.call
    local n = call.body.len
    all:putcdata(call.body.p, n)
    C.cl_ffi_http_take(call, n)
  end
end

--- Nobody wants the rest. What comes soon is read, so that the connection can be used again.
function Transfer:discard()
  local read = 0
  self.deadline = math.min(self.deadline, host.now_ms() + DRAIN_MS)
  while read < DRAIN_BYTES and self:more() do
    read = read + tonumber(self.call.body.len)
    C.cl_ffi_http_take(self.call, self.call.body.len)
  end
  self:close()
end

function Transfer:close()
  local call = self.call
  self.call = nil
  if call then C.cl_ffi_http_drop(ffi.gc(call, nil)) end
end

return Transfer
