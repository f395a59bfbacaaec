-- SPDX-License-Identifier: Apache-2.0
-- One record, or some, through a chain of transforms, as a sink's are: JSON in, and what comes out told in
-- texts. Schemas are written short: S{id:int32,name:string?="x"}<user>v2.

local ffi = require "ffi"

local C = require "connect.host.abi"
local connect = require "connect"
local growth = require "spec.helpers.growth"
local host = require "connect.host.c"
local view = require "connect.host.view"
local task = require "spec.helpers.task"

local smt = {}

local JSON = "lua/connect/converters/json.lua"
local PREFIX = "org.apache.kafka.connect.data."
local ENVELOPE = { float32 = "float", float64 = "double" }
local LOGICAL = { date = { "int32", "Date" }, time = { "int32", "Time" }, timestamp = { "int64", "Timestamp" },
  decimal = { "bytes", "Decimal" } }

-- -------------------------------------------------------------------- records

-- "int32?" or { "int32?", default = , name = , version = , doc = }; { fields = { { name, schema }, ... } },
-- { array = schema }, { map = schema } (with string keys).
local function schema_of(given)
  local from = type(given) == "table" and given or {}
  local out = { optional = from.optional or false, name = from.name, version = from.version, doc = from.doc,
    default = from.default, parameters = from.parameters }
  local name = type(given) == "string" and given or from[1]
  if name then
    local bare, mark = name:match "^(%w+)(%??)$"
    local logical = LOGICAL[bare]
    out.type, out.optional = logical and logical[1] or ENVELOPE[bare] or bare, mark == "?"
    if logical then out.name, out.version = PREFIX .. logical[2], 1 end
    if bare == "decimal" then out.parameters = { scale = "2" } end
  elseif from.array then
    out.type, out.items = "array", schema_of(from.array)
  elseif from.map then
    out.type, out.keys, out.values = "map", schema_of "string", schema_of(from.map)
  else
    out.type, out.fields = "struct", connect.array {}
    for i, f in ipairs(from.fields) do
      out.fields[i] = schema_of(f[2])
      out.fields[i].field = f[1]
    end
  end
  return out
end

--- A JSON document with schema; payload is JSON text.
function smt.with(schema, payload)
  return ([[{"schema":%s,"payload":%s}]]):format(host.json_encode(schema_of(schema)), payload)
end

--- The same without: an envelope says so too.
function smt.plain(payload) return ([[{"schema":null,"payload":%s}]]):format(payload) end

-- -------------------------------------------------------------------- results

local function short(s)
  local text = s.logical or s.type
  if text == "struct" then
    local list = {}
    for i, f in ipairs(s.fields) do list[i] = f[1] .. ":" .. short(f[2]) end
    text = "S{" .. table.concat(list, ",") .. "}"
  elseif text == "array" then
    text = "array(" .. short(s.value) .. ")"
  elseif text == "map" then
    text = "map(" .. short(s.key) .. "," .. short(s.value) .. ")"
  end
  text = text .. (s.optional and "?" or "")
  if not s.logical then text = text .. (s.name and "<" .. s.name .. ">" or "") .. (s.version and "v" .. s.version or "") end
  if s.doc then text = text .. "#" .. s.doc end
  if s.default ~= nil then text = text .. "=" .. host.json_encode({ s.default }):sub(2, -2) end
  return text
end

-- What JsonConverter writes of a datum, without its schema.
local function payload(json, batch, d)
  local schema = view.copy_val and d.schema
  if C.cl_ffi_json_encode(json, batch, d) ~= 0 then return "error: " .. ffi.string(C.cl_ffi_error()) end
  if d.bytes.p == nil then return "null" end
  local text = ffi.string(d.bytes.p, d.bytes.len)
  if schema == nil then return text:match '^{"schema":null,"payload":(.*)}$' or text end
  return text:sub(#('{"schema":') + #ffi.string(d.schema.json[0].p, d.schema.json[0].len) + #(',"payload":') + 1, -2)
end

local function told(json, batch, d)
  local s = require("connect.host.address").schema_view(d.schema)
  return payload(json, batch, d), s and short(s) or nil
end

local function result(codec, rec)
  local raw = view.record_of(rec)
  local out = { topic = rec.topic, partition = rec.partition, headers = {} }
  out.key, out.key_schema = told(codec.key, raw.batch, raw.key)
  out.value, out.schema = told(codec.value, raw.batch, raw.value)
  for i = 0, tonumber(raw.n_headers) - 1 do
    local h = raw.headers[i]
    local value, schema = told(codec.value, raw.batch, h.d)
    out.headers[i + 1] = ffi.string(h.name.p, h.name.len) .. "=" .. value .. (schema and ":" .. schema or "")
  end
  return out
end

--- Runs records (one, or a list) through transforms: a list of { plugin = file, config, side, predicate,
-- predicate_config, negate }. Key and value are JSON texts (smt.with, smt.plain), nil = null. Answers one
-- result, or a list; nil where the record was dropped.
function smt.run(transforms, records)
  local one = records[1] == nil
  local results, codec = {}, {}
  local t = task.new { key = JSON, value = JSON, header = JSON, transforms = transforms,
    plugin = { kind = "sink", put = function(_, batch)
      local conf = { schemas_enable = true, replace_null_with_default = false }
      codec.value = codec.value or host.json_codec(conf)
      conf.is_key = true
      codec.key = codec.key or host.json_codec(conf)
      for _, rec in batch:records() do results[#results + 1] = result(codec, rec) end
    end } }
  local ok, e = pcall(t.put, t, one and { records } or records)
  t:close()
  if not ok then error(e, 0) end
  return one and results[1] or results
end

--- One built-in transform on one record: file without folder.
function smt.apply(file, config, record, side)
  return smt.run({ { plugin = "lua/connect/transforms/" .. file .. ".lua", config = config, side = side or "value" } },
    record)
end

--- The same on a value alone.
function smt.value(file, config, value) return smt.apply(file, config, { value = value }) end

--- Java class and message of what f raises.
function smt.error(f, ...)
  local ok, e = pcall(f, ...)
  assert(not ok, "no error")
  assert(type(e) == "table", tostring(e))
  return (e.java or "org.apache.kafka.connect.errors.DataException"):match "[^.]+$" .. ": " .. e.message
end

--- How many bytes of Lua memory a chain takes for n thousand records like this one, once it is warm.
function smt.growth(transforms, record, n)
  local t = task.new { key = JSON, value = JSON, header = JSON, transforms = transforms, cap = 1000,
    plugin = { kind = "sink", put = function() end } }
  local ok, grown = pcall(growth.of, t, growth.varied(record, 1000), n)
  t:close()
  if not ok then error(grown, 0) end
  return grown
end

return smt
