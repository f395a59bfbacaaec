-- SPDX-License-Identifier: Apache-2.0
-- An HTTP server for specs: prepared answers on a real socket, and what was asked.
--
--   local server = kit.server()
--   server:answer { status = 503, headers = { ["Retry-After"] = "1" } }          -- the first request gets this,
--   server:answer { path = "/items", json = { items = {} }, times = "always" }   -- all further ones of /items this
--   ... server.url .. "/items" ...
--   local asked = server:requests()[1]       -- { method, path, query, target, headers, body }
--   server:stop()
--
-- The work is C's (src/rest/test_server.c).

local ffi = require "ffi"

local json = require "connect.json"

ffi.cdef [[
struct cl_test_answer { const char *method, *path; int status; const char *headers; const char *body; size_t body_len;
  int64_t delay_ms; int end; int times; };
struct cl_test_request { const char *method, *target; const char *headers; const char *body; size_t body_len; };
struct cl_test_server *cl_test_server_start(void);
int cl_test_server_port(const struct cl_test_server *s);
int cl_test_server_answer(struct cl_test_server *s, const struct cl_test_answer *a);
size_t cl_test_server_count(struct cl_test_server *s);
const struct cl_test_request *cl_test_server_request(struct cl_test_server *s, size_t i);
void cl_test_server_stop(struct cl_test_server *s);
]]
local C = ffi.C

local WHOLE, CLOSE, CUT = 0, 1, 2 -- enum cl_test_end
local KNOWN = { method = "string", path = "string", status = "number", headers = "table", body = "string", json = "any",
  delay = "number", close = "boolean", cut = "boolean", times = "any" }

local Server = {}
Server.__index = Server

local function check(answer)
  for name, x in pairs(answer) do
    if not KNOWN[name] then error("server:answer: there is no " .. tostring(name), 3) end
    if KNOWN[name] ~= "any" and type(x) ~= KNOWN[name] then
      error(("server:answer: %s is a %s, not a %s"):format(name, KNOWN[name], type(x)), 3)
    end
  end
end

-- { name = value } or { name = { value, ... } } as lines.
local function header_lines(headers, is_json)
  local out = {}
  for name, values in pairs(headers or {}) do
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      out[#out + 1] = name .. ": " .. tostring(value) .. "\n"
    end
  end
  if is_json then out[#out + 1] = "Content-Type: application/json\n" end
  return table.concat(out)
end

--- Prepares an answer: status (200), headers, body or json; method, path: to these alone; delay: ms before it; close:
-- the connection is closed instead, cut: and after half of the body; times: how often, 1 unless it is "always". A
-- request gets the first that fits and is not used up; without one status 500.
function Server:answer(answer)
  check(answer)
  local body = answer.json ~= nil and json.encode(answer.json) or answer.body or ""
  local headers = header_lines(answer.headers, answer.json ~= nil)
  local times = answer.times == "always" and -1 or answer.times or 1
  local finish = answer.close and CLOSE or answer.cut and CUT or WHOLE
  local a = ffi.new("struct cl_test_answer", answer.method, answer.path, answer.status or 200, headers, body, #body,
    answer.delay or 0, finish, times)
  if C.cl_test_server_answer(self.server, a) ~= 0 then error("no memory for an answer", 2) end
  return self
end

local function header_table(lines)
  local out = {}
  for name, value in lines:gmatch "([^\n:]+): ([^\n]*)" do
    name = name:lower()
    out[name] = out[name] and out[name] .. ", " .. value or value
  end
  return out
end

--- What was asked so far, in the order in which it came in: method, target, path and query (without ?, nil = none) as
-- they were sent, headers by their names in small letters, body.
function Server:requests()
  local out = {}
  for i = 1, tonumber(C.cl_test_server_count(self.server)) do
    local r = C.cl_test_server_request(self.server, i - 1)
    local target = ffi.string(r.target)
    out[i] = { method = ffi.string(r.method), target = target, path = target:match "^[^?]*",
      query = target:match "%?(.*)$", headers = header_table(ffi.string(r.headers)),
      body = ffi.string(r.body, r.body_len) }
  end
  return out
end

--- Closes its connections; it answers no more.
function Server:stop()
  if self.server then C.cl_test_server_stop(ffi.gc(self.server, nil)) end
  self.server = nil
end

return function()
  local server = C.cl_test_server_start()
  if server == nil then error("the test server cannot listen on 127.0.0.1", 2) end
  return setmetatable({ server = ffi.gc(server, C.cl_test_server_stop),
    url = "http://127.0.0.1:" .. C.cl_test_server_port(server) }, Server)
end
