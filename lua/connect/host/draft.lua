-- SPDX-License-Identifier: Apache-2.0
-- Records a source is filling: from one table (ctx:emit) or field by field (ctx:record).

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local host = require "connect.host.c"
local value = require "connect.host.value"
local view = require "connect.host.view"
local write = require "connect.host.write"

local null = host.null
local RAW = C.CL_BATCH_RAW
local type, pairs = type, pairs

local M = {}

-- -------------------------------------------------------- source partitions

local ids = {} -- id -> text: the source partitions of this state's source

--- The table in which the source notes what ctx:partition gave out.
function M.use_ids(known) ids = known end

--- Whether x is such an id: what C does with it relies on that.
function M.is_id(x) return type(x) == "number" and ids[x] ~= nil end

local function set_id(rec, x)
  if not M.is_id(x) then
    error("source_partition must be a table or an id of ctx:partition, not "
      .. (type(x) == "number" and tostring(x) or "a " .. type(x)), 0)
  end
  rec.slot = x
end

-- ------------------------------------------------------------------- fields

local function set_source_offset(batch, rec, offset)
  if type(offset) ~= "table" and offset ~= nil and offset ~= null then
    error("source_offset must be a table, not a " .. type(offset), 0)
  end
  value.set(batch, rec.source_offset, offset, "source_offset")
end

-- A list of {name, value, schema} or names and values; the header converter encodes them.
local function header_list(headers)
  if type(headers) ~= "table" then error("headers must be a table, not a " .. type(headers), 0) end
  local list = {}
  for name, x in pairs(headers) do
    if type(name) == "string" then
      list[#list + 1] = { name = name, value = x }
    elseif type(x) ~= "table" then
      error("headers: each is {name = , value = }", 0)
    end
  end
  if #list == 0 then return headers end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function set_headers(batch, rec, headers)
  local list = header_list(headers)
  if #list == 0 then return end
  local h = C.cl_ffi_headers(batch, rec, #list)
  if h == nil then value.no_memory() end
  for i, header in ipairs(list) do
    if type(header.name) ~= "string" then error("headers: the name of header " .. i .. " is no string", 0) end
    value.set_str(batch, h[i - 1].name, header.name)
    write.set(batch, h[i - 1].d, header.value, "header " .. header.name, header.schema)
  end
end

local known = {}
for name in ([[topic partition key value timestamp headers source_partition source_offset key_schema value_schema]])
  :gmatch "%S+" do known[name] = true end

local function unknown(name)
  error(("unknown field '%s'"):format(tostring(name)), 0)
end

-- ---------------------------------------------------------------- from a table

--- Fills rec; partition(map) and no_partition() give ids. Raises what is wrong.
function M.fill(batch, rec, fields, partition, no_partition)
  for name in pairs(fields) do
    if not known[name] then unknown(name) end
  end
  write.topic(batch, rec, fields.topic)
  write.set(batch, rec.key, fields.key, "key", fields.key_schema)
  write.set(batch, rec.value, fields.value, "value", fields.value_schema)
  if fields.partition ~= nil then write.partition(rec, fields.partition) end
  if fields.timestamp ~= nil then write.timestamp(rec, fields.timestamp) end
  if fields.headers ~= nil then set_headers(batch, rec, fields.headers) end
  local from = fields.source_partition
  if type(from) == "table" then
    rec.slot = partition(from)
  elseif from == nil or from == null then
    rec.slot = no_partition()
  else
    set_id(rec, from)
  end
  set_source_offset(batch, rec, fields.source_offset)
end

-- -------------------------------------------------------------- field by field

local function set_field(self, name, x)
  local rec = view.draft_of(self)
  local batch = rec.batch
  if batch.stage ~= RAW then error("the record was handed over: it belongs to the worker now", 2) end
  if name == "value" then
    write.set(batch, rec.value, x, "value")
  elseif name == "key" then
    write.set(batch, rec.key, x, "key")
  elseif name == "topic" then
    write.topic(batch, rec, x)
  elseif name == "timestamp" then
    write.timestamp(rec, x)
  elseif name == "partition" then
    write.partition(rec, x)
  elseif name == "source_partition" then
    set_id(rec, x)
  elseif name == "source_offset" then
    set_source_offset(batch, rec, x)
  elseif name == "headers" then
    set_headers(batch, rec, x)
  else
    unknown(name)
  end
end

ffi.metatype("struct cl_view_draft", {
  __newindex = set_field,
  __index = function(self, name)
    view.draft_of(self)
    error(("a record being filled is written to, not read (field '%s')"):format(tostring(name)), 2)
  end,
  __metatable = false,
})

function M.view(batch, rec) return view.make(address.draft_view_p, rec, batch) end

return M
