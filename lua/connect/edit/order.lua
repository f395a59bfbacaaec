-- SPDX-License-Identifier: Apache-2.0
-- Of connect.edit: objects as the HashMaps they are in Java, whose order shows where a key is written; and their
-- fields kept, dropped and renamed.

local bit = require "bit"
local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local side_of = require "connect.host.side"
local value = require "connect.host.value"

local current, held, resolve = address.current, address.held, address.resolve
local object_p, object_ct = address.object_p, address.object_ct
local names_p, names_ct = address.names_p, address.names_ct
local floor, next, rawget, tonumber, type = math.floor, next, rawget, tonumber, type

local order = {}

local function check_name(name)
  if type(name) ~= "string" then error("a field's name is a string, not a " .. type(name), 3) end
end

-- NaN is none.
local function check_number(n, what)
  if type(n) ~= "number" or not (n >= 0 and n < 0x1p31) then error(what .. " is a number from 0", 3) end
end

local function writable(object)
  local obj, epoch = resolve(object_p, object, object_ct)
  address.check_writable(epoch)
  return obj
end

--- Where a name stands in a HashMap of default capacity that was given n names: later buckets come later.
function order.java_bucket(name, n)
  check_name(name)
  check_number(n, "a number of names")
  local cap, h = 16, C.cl_ffi_java_hash(name, #name)
  while n > cap * 0.75 do cap = cap * 2 end
  return bit.band(bit.bxor(h, bit.rshift(h, 16)), cap - 1)
end

--- The order in which a HashMap of this capacity would give these names.
function order.hash_order(names, capacity)
  local batch = side_of.batch()
  if type(names) ~= "table" then error("a list of names expected, got " .. type(names), 2) end
  check_number(capacity, "a capacity")
  local obj = C.cl_ffi_obj_new(batch, capacity)
  if obj == nil then value.no_memory() end
  for i = 1, value.length(names) do
    local name = rawget(names, i)
    check_name(name)
    if C.cl_ffi_obj_put(batch, obj, name, #name) == nil then value.no_memory() end
  end
  if C.cl_ffi_obj_copied(batch, obj, 1, 1) ~= 0 then value.no_memory() end
  local out = {}
  for i = 1, tonumber(obj.n) do
    local key = C.cl_ffi_sym_text(address.space, obj.e[i - 1].sym)
    out[i] = ffi.string(key.p, key.len)
  end
  return out
end

--- The object is as if its HashMap had been copied, as most of Apache's transforms do. capacity: the least power of
-- two that is at least this; nil = what Java makes for a copy of its size.
function order.copied(object, side, capacity)
  local obj = writable(object)
  if capacity ~= nil then
    check_number(capacity, "a capacity")
  else
    capacity = obj.n > 0 and floor(obj.n / 0.75 + 1) or 16
  end
  if C.cl_ffi_obj_copied(current.batch, obj, capacity, side == "key" and 1 or 0) ~= 0 then value.no_memory() end
end

--- Rules for `project`: rules[name] = a new name, or false to drop it; what has no rule stays
-- when keep_others is true.
function order.names(rules, keep_others)
  local space = address.some_space()
  if type(rules) ~= "table" then error("a table of rules expected, got " .. type(rules), 2) end
  local n = 0
  for name, to in next, rules do
    check_name(name)
    if to ~= false then check_name(to) end
    n = n + 1
  end
  local names = C.cl_ffi_names_new(space, n)
  if names == nil then value.no_memory() end
  names.keep_others = keep_others and 1 or 0
  local i = 0
  for name, to in next, rules do
    if C.cl_ffi_names_set(space, names, i, name, #name, to or nil, to and #to or 0) ~= 0 then errors.throw_last() end
    i = i + 1
  end
  return address.hold(address.names_view_p, names)
end

--- Applies all rules at once, as a copy into a HashMap with room for as many fields.
function order.project(object, side, names)
  local obj = writable(object)
  if C.cl_ffi_obj_project(current.batch, obj, held(names_p, names, names_ct), side == "key" and 1 or 0) ~= 0 then
    value.no_memory()
  end
end

return order
