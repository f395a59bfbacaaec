-- SPDX-License-Identifier: Apache-2.0
-- Of connect.edit: what lies at the end of a path of field names.

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local side_of = require "connect.host.side"
local value = require "connect.host.value"

local current, held = address.current, address.held
local path_p, path_ct = address.path_p, address.path_ct
local rawget, type = rawget, type

local path = {}

--- Names of fields, each inside the one before, for `extract`: on the way through values of a schema, nil = of none.
function path.path(steps, from)
  local space = address.some_space()
  if type(steps) ~= "table" then error("a list of names expected, got " .. type(steps), 2) end
  local n = value.length(steps)
  local p = C.cl_ffi_path_new(space, from ~= nil and address.schema_at(from) or nil, n)
  if p == nil then value.no_memory() end
  for i = 1, n do
    local name = rawget(steps, i)
    if type(name) ~= "string" then error("a field's name is a string, not a " .. type(name), 2) end
    if C.cl_ffi_path_set(space, p, i - 1, name, #name) ~= 0 then errors.throw_last() end
  end
  return address.hold(address.path_view_p, p)
end

--- The side becomes the field at the end of a path. Null when there is none, or when something on the way is null.
-- A field on the way is read with its default, the last one with replace_null only.
function path.extract(record, side, how, replace_null)
  local d = side_of.datum(record, side)
  if C.cl_ffi_extract(current.batch, d, held(path_p, how, path_ct), replace_null and 1 or 0) ~= 0 then
    errors.throw_last()
  end
end

return path
