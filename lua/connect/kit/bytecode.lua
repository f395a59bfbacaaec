-- SPDX-License-Identifier: Apache-2.0
-- What compiled Lua says of a program: which globals it uses, and which variables outside of a function it changes.

local bit = require "bit"
local util = require "jit.util"
local vmdef = require "jit.vmdef"

local band, shr = bit.band, bit.rshift

local names = {} -- opcode -> name
for i = 0, #vmdef.bcnames / 6 - 1 do names[i] = vmdef.bcnames:sub(i * 6 + 1, i * 6 + 6):match "%S+" end

local WRITES_A = 1 -- an instruction's mode: operand A is a register that it sets

local bytecode = {}

-- each(name of instruction, A, B, C, D, mode of A, line) for each instruction
local function walk(fn, each)
  local pc = 1
  while true do
    local ins, mode = util.funcbc(fn, pc)
    if not ins then return end
    each(names[band(ins, 0xff)], band(shr(ins, 8), 0xff), shr(ins, 24), band(shr(ins, 16), 0xff), shr(ins, 16),
      band(mode, 7), util.funcinfo(fn, pc).currentline)
    pc = pc + 1
  end
end

local function children(fn)
  local out, n = {}, -1
  while true do
    local k = util.funck(fn, n)
    if k == nil then return out end
    if type(k) == "proto" then out[#out + 1] = k end
    n = n - 1
  end
end

--- use(name, line, is_set) for each use of a global in a function and those inside it.
function bytecode.globals(fn, use)
  walk(fn, function(op, _, _, _, d, _, line)
    if op == "GGET" or op == "GSET" then use(util.funck(fn, -d - 1), line, op == "GSET") end
  end)
  for _, child in ipairs(children(fn)) do bytecode.globals(child, use) end
end

-- TGET* of what is behind an upvalue is a part of it; TSET* and TSETM change it.
local CHANGES = { TSETV = true, TSETS = true, TSETB = true, TSETR = true }
local READS = { TGETV = true, TGETS = true, TGETB = true, TGETR = true }

-- These leave their results in A and behind it, which held what was called.
local FILLS = { CALL = true, CALLM = true, ITERC = true, ITERN = true, VARG = true }

--- change(upvalue's name, its number from 1, line) for each assignment to an upvalue or into a table in one, by the
-- function itself.
function bytecode.changes(fn, change)
  local holds = {} -- register -> number of the upvalue it holds, or a part of which
  walk(fn, function(op, a, b, _, d, mode, line)
    if op:find "^USET" then
      change(util.funcuvname(fn, a), a + 1, line)
    elseif CHANGES[op] and holds[b] then
      change(util.funcuvname(fn, holds[b]), holds[b] + 1, line)
    end
    if FILLS[op] then
      for register in pairs(holds) do
        if register >= a then holds[register] = nil end
      end
    end
    if mode == WRITES_A then
      holds[a] = op == "UGET" and d or READS[op] and holds[b] or op == "MOV" and holds[d] or nil
    end
  end)
end

return bytecode
