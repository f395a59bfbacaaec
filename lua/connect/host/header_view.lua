-- SPDX-License-Identifier: Apache-2.0
-- record.headers: a record's headers by position and by name. Views, as in connect.host.address.
--
--   #record.headers, record.headers[i]          .name, .value and .schema (nil = none) of one
--   for i, h in ipairs(record.headers) do       a walk sees the list as it was when it began
--   record.headers.trace                        the value of the last one of this name, nil = none
--   record.headers.trace = x                    the one header of this name; nil removes all (in apply)
--
-- With a schema, or a name more than once: connect.headers.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local write = require "connect.host.write"

ffi.cdef [[
struct cl_view_headers { int32_t :32; int32_t :32; };
struct cl_view_header  { int32_t :32; int32_t :32; };
]]

local resolve, make = address.resolve, address.make
local record_p, header_p = address.record_p, ffi.typeof "struct cl_header *"
local headers_ct, header_ct = ffi.typeof "struct cl_view_headers", ffi.typeof "struct cl_view_header"
local header_view_p = ffi.typeof "struct cl_view_header *"
local istype, type = ffi.istype, type

local M = {
  list_view_p = ffi.typeof "struct cl_view_headers *",
  read = nil, -- read(datum, epoch) of connect.host.view, which sets it
}

--- The views of all headers as they are now, nil when v is no record.headers.
function M.list(v)
  if not istype(headers_ct, v) then return nil end
  local rec, epoch = resolve(record_p, v, headers_ct)
  local list = {}
  for i = 0, tonumber(rec.n_headers) - 1 do list[i + 1] = make(header_view_p, rec.headers + i, epoch) end
  return list
end

local function next_header(list, i)
  if type(list) ~= "table" or type(i) ~= "number" then return nil end
  local h = rawget(list, i + 1)
  if istype(header_ct, h) then return i + 1, h.name, h.value end
end

--- What connect.fields needs: iterator and list.
function M.fields(v)
  local list = M.list(v)
  if list then return next_header, list end
end

local function each(self) return ipairs(M.list(self)) end

ffi.metatype(headers_ct, {
  __index = function(self, key)
    local rec, epoch = resolve(record_p, self, headers_ct)
    if type(key) == "number" then
      if not (key >= 1 and key <= rec.n_headers) then return nil end
      return (make(header_view_p, rec.headers + (key - 1), epoch))
    end
    if type(key) ~= "string" then return nil end
    local header = C.cl_ffi_header_last(rec, key, #key)
    if header ~= nil then return (M.read(header.d, epoch)) end
  end,
  __newindex = function(self, key, x)
    local rec, epoch = resolve(record_p, self, headers_ct)
    address.check_writable(epoch)
    if type(key) ~= "string" then
      error("a header is set by its name (record.headers.name = x), not by a " .. type(key), 2)
    end
    if x == nil then
      write.remove_headers(rec, key)
    else
      write.header(rec, key, x, nil, true)
    end
  end,
  __len = function(self) return (resolve(record_p, self, headers_ct)).n_headers end,
  __pairs = each, __ipairs = each,
  __tostring = function(self) return ("%d headers"):format(#self) end,
  __metatable = false,
})

ffi.metatype(header_ct, {
  __index = function(self, key)
    local h, epoch = resolve(header_p, self, header_ct)
    if key == "name" then return (ffi.string(h.name.p, h.name.len)) end
    if key == "value" then return (M.read(h.d, epoch)) end
    if key == "schema" then return (address.schema_view(h.d.schema)) end
    return nil
  end,
  __newindex = function() error("a header is changed by its name: record.headers.name = x, or connect.headers", 2) end,
  __tostring = function(self) return "header " .. self.name end,
  __metatable = false,
})

return M
