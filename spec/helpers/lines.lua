-- SPDX-License-Identifier: Apache-2.0
--
-- Lines for the moving specs: made from their number alone, so that a checker can tell a
-- whole line from a torn one without keeping what was written.
local bit = require "bit"

local lines = {}

local CHARS = { -- everything but CR and LF, which end lines
  "a", "b", "z", "A", "0", "9", " ", "\t", "\"", "\\", "{", "}", ",", ":", "|", "<", ">", "%", "\0", "\1", "\27",
  "\127", "é", "ß", "ÿ", "\194\128", "\194\133", "\223\191", "€", "漢", "字", "\226\128\168", "\226\128\169",
  "\239\187\191", "\239\191\189", "\239\191\191", "\237\159\191", "\238\128\128", "😀", "\240\144\128\128",
  "\244\143\191\191",
}

local function random(seed) -- xorshift: the same on every machine
  local x = bit.tobit(seed * 2654435761 + 1)
  if x == 0 then x = 1 end
  return function(n) -- 0 .. n-1
    x = bit.bxor(x, bit.lshift(x, 13))
    x = bit.bxor(x, bit.rshift(x, 17))
    x = bit.bxor(x, bit.lshift(x, 5))
    return bit.band(x, 0x7fffffff) % n
  end
end
lines.random = random

-- One long text and the places where it may be cut.
local block, cuts
local function prepare()
  if block then return end
  local next_random = random(7)
  local parts, at = {}, 1
  cuts = {}
  while at < 200000 do
    local c = CHARS[next_random(#CHARS) + 1]
    parts[#parts + 1] = c
    cuts[#cuts + 1] = at
    at = at + #c
  end
  block = table.concat(parts)
end

-- Valid UTF-8 of exactly n bytes.
local function text(next_random, n)
  prepare()
  if n == 0 then return "" end
  local from = next_random(math.floor(#cuts / 2))
  local first = cuts[from + 1]
  local low, high = from + 1, #cuts -- the last cut at or before first + n
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if cuts[middle] <= first + n then low = middle else high = middle - 1 end
  end
  local taken = block:sub(first, cuts[low] - 1)
  return taken .. ("x"):rep(n - #taken)
end

--- Writes count lines of 0 to 10,000 bytes: one in ten of any length, the rest short, the
-- extremes among them. Answers the bytes written.
function lines.write_any(path, count, seed)
  local next_random = random(seed)
  local out = assert(io.open(path, "wb"))
  out:setvbuf("full", 1024 * 1024)
  local bytes = 0
  for i = 1, count do
    local n = next_random(10) == 0 and next_random(10001) or next_random(120)
    if i % 5000 == 1 then n = 10000 elseif i % 5000 == 2 then n = 0 end
    out:write(text(next_random, n), "\n")
    bytes = bytes + n + 1
  end
  assert(out:close())
  return bytes
end

--- Line number n, with its start and its end marked.
function lines.marked(n)
  return ("<%08d|%s|%08d>"):format(n, text(random(n), random(n + 1)(200)):gsub("%z", "0"), n)
end

--- Appends the marked lines first..last to path.
function lines.append_marked(path, first, last)
  local out = assert(io.open(path, "ab"))
  for n = first, last do out:write(lines.marked(n), "\n") end
  assert(out:close())
end

local Checker = {}
Checker.__index = Checker

--- Follows a file that grows by marked lines. newest: the highest number seen whole;
-- repeated, torn: how many such lines; faults: what must not be.
function lines.checker(path)
  return setmetatable({ path = path, at = 0, rest = "", newest = 0, repeated = 0, torn = 0, faults = {} }, Checker)
end

local function is_torn(line)
  local n = tonumber(line:match("^<(%d%d%d%d%d%d%d%d)"))
  local whole = n and lines.marked(n) or "<"
  if not n then return line == "" or line:match("^<%d*$") ~= nil end
  return #line < #whole and whole:sub(1, #line) == line
end

function Checker:line(line)
  local n = tonumber(line:match("^<(%d+)|"))
  if n and lines.marked(n) == line then
    if n == self.newest + 1 then
      self.newest = n
    elseif n <= self.newest then
      self.repeated = self.repeated + 1
    else
      self:fault(("line %d follows %d"):format(n, self.newest))
      self.newest = n
    end
  elseif is_torn(line) then
    self.torn = self.torn + 1
  else
    self:fault("neither a line nor the start of one: " .. line:sub(1, 100))
  end
end

function Checker:fault(what)
  if #self.faults < 10 then self.faults[#self.faults + 1] = what end
end

--- Reads what has been added; answers the newest number.
function Checker:read()
  local file = io.open(self.path, "rb")
  if not file then return 0 end
  file:seek("set", self.at)
  local added = file:read("*a")
  file:close()
  self.at = self.at + #added
  local data, from = self.rest .. added, 1
  while true do
    local stop = data:find("\n", from, true)
    if not stop then break end
    self:line(data:sub(from, stop - 1))
    from = stop + 1
  end
  self.rest = data:sub(from)
  return self.newest
end

return lines
