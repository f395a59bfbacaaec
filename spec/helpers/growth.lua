-- SPDX-License-Identifier: Apache-2.0
-- What records cost in Lua memory, and which loops LuaJIT gives up on. The records differ: equal
-- ones hide what interned strings and caches cost.
local growth = {}

local function vary(x, i)
  if type(x) == "string" then return (x:gsub("%$i", tostring(i))) end
  if type(x) ~= "table" then return x end
  local out = {}
  for k, v in pairs(x) do out[k] = vary(v, i) end
  return out
end

--- n records like this one; "$i" in its texts is the record's number.
function growth.varied(record, n)
  local list = {}
  for i = 1, n do list[i] = vary(record, i) end
  return list
end

local function put(t, list, measure)
  local batch = t:consume(list)
  collectgarbage()
  collectgarbage "stop"
  local before = collectgarbage "count"
  local ok, e = pcall(t.put_batch, t, batch)
  local grown = collectgarbage "count" - before
  collectgarbage "restart"
  t:release(batch)
  t.borrowed = nil
  if not ok then error(e, 0) end
  return measure and grown or 0
end

local ENOUGH = 64 * 1024

--- Bytes that n batches of the list take, the collector being stopped, after some to warm up. A loop may
-- be compiled late, chance decides, and takes memory until then: the least of three runs counts, unless
-- the first is below 64 KB.
function growth.of(t, list, n)
  local least = math.huge
  for _ = 1, 3 do
    for _ = 1, 20 do put(t, list, false) end
    local grown = 0
    for _ = 1, n do grown = grown + put(t, list, true) end
    least = math.min(least, grown * 1024)
    if least < ENOUGH then break end
  end
  return least
end

-- No faults: how loops with calls are found to be loops; a loop over stages or batches that meets the
-- records' own loop, which is compiled; and a recording that began at a batch's last record.
local HARMLESS = { ["NYI: return to lower frame"] = true, ["inner loop in root trace"] = true,
  ["leaving loop in root trace"] = true }

--- Why LuaJIT gave traces up while n batches passed, after three to warm up: a list of texts.
function growth.aborts(t, list, n)
  local vmdef = require "jit.vmdef"
  local found = {}
  local function note(what, _, _, _, code)
    if what ~= "abort" then return end
    local why = type(code) == "number" and vmdef.traceerr[code] or tostring(code)
    if not HARMLESS[why] then found[#found + 1] = why end
  end
  for _ = 1, 3 do put(t, list, false) end
  jit.attach(note, "trace")
  local ok, e = pcall(function()
    for _ = 1, n do put(t, list, false) end
  end)
  jit.attach(note)
  if not ok then error(e, 0) end
  return found
end

return growth
