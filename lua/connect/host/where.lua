-- SPDX-License-Identifier: Apache-2.0
-- Where a container stands in the records being worked on, for errors: "tags", "address.lines[2]". Looked for
-- when there is an error only, so that containers need not remember it.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"

local K = address.kind
local DEPTH = 50

local function text(s) return ffi.string(s.p, s.len) end

local search

-- kind by kind: what to look at inside, and what it is called.
local parts = {
  [K.ARRAY] = function(v, target, path, depth)
    for i = 0, tonumber(v.arr.n) - 1 do
      local found = search(v.arr.v[i], target, ("%s[%d]"):format(path, i + 1), depth)
      if found then return found end
    end
  end,
  [K.OBJECT] = function(v, target, path, depth)
    for i = 0, tonumber(v.obj.n) - 1 do
      local e = v.obj.e[i]
      local found = search(e.val, target, path .. "." .. text(C.cl_ffi_sym_text(address.space, e.sym)), depth)
      if found then return found end
    end
  end,
  [K.STRUCT] = function(v, target, path, depth)
    for i = 0, tonumber(v.st.n) - 1 do
      local found = search(v.st.v[i], target, path .. "." .. text(v.st.schema.fields[i].name), depth)
      if found then return found end
    end
  end,
  [K.MAP] = function(v, target, path, depth)
    for i = 0, tonumber(v.map.n) - 1 do
      local found = search(v.map.e[i].val, target, path .. "[...]", depth)
      if found then return found end
    end
  end,
}

function search(v, target, path, depth)
  local inside = parts[v.kind]
  if not inside or depth == DEPTH then return nil end
  if ffi.cast("void *", v.obj) == target then return path end
  return inside(v, target, path, depth + 1)
end

--- The path of the container at this address below its record's key or value, nil when it is no part of one.
return function(container)
  local batch, target = address.current.batch, ffi.cast("void *", container)
  for i = 0, tonumber(batch.n) - 1 do
    local rec = batch.records + i
    local path = search(rec.value.val, target, "", 0) or search(rec.key.val, target, "", 0)
    if path then return (path:gsub("^%.", "")) end
  end
end
