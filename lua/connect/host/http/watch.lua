-- SPDX-License-Identifier: Apache-2.0
-- How long a call of connect.http may wait, and the looks it takes at its task meanwhile: no wait outlives the task's
-- wish to stop, or the time that the control thread has given to a connector's check.

local C = require "connect.host.abi"
local errors = require "connect.errors"
local host = require "connect.host.c"
local running = require "connect.host.running"

local now_ms = host.now_ms -- the machine's, in tests too: sockets wait by it

local SLICE_MS = 100 -- a stop comes with a signal, which ends a wait at once; this is for the one it just missed
local STOPPING_MS = 2000 -- for what begins when the task stops already: its last flush
local ANSWER_MS = 200 -- of the control thread's time, to tell what went wrong

local Watch = {}
Watch.__index = Watch

--- what: names the call in messages.
local function new(what)
  local stopping = C.cl_ffi_stopping(running.task) == 1 or running.clock ~= nil and running.clock.stopping == true
  local self = setmetatable({ what = what, stopping = stopping }, Watch)
  local left = host.time_left()
  if self.stopping then left = STOPPING_MS end
  if left then self.until_ms = now_ms() + math.max(0, self.stopping and left or left - ANSWER_MS) end
  return self
end

--- When what begins now and may take ms has to be over.
function Watch:deadline(ms)
  return math.min(now_ms() + ms, self.until_ms or math.huge)
end

function Watch:stop()
  error(errors.new("stopped", self.what .. ": broken off, as the task was asked to stop"), 0)
end

--- How long to wait now, 0 = the deadline is over. Serves the task; raises when it is asked to stop.
function Watch:slice(deadline)
  if C.cl_ffi_sleep(running.task, 0) == 1 and not self.stopping then self:stop() end
  return math.max(0, math.min(SLICE_MS, math.ceil(deadline - now_ms())))
end

--- A pause; false when there is no time for all of it.
function Watch:rest(ms)
  if running.clock then -- a test's, which sleeps at once
    if running.clock:sleep(ms) and not self.stopping then self:stop() end
    return not self.stopping
  end
  if self.stopping or (self.until_ms and now_ms() + ms >= self.until_ms) then return false end
  local due = now_ms() + ms
  local slice = self:slice(due)
  while slice > 0 do
    C.cl_ffi_http_rest(slice)
    slice = self:slice(due)
  end
  return true
end

return new
