-- SPDX-License-Identifier: Apache-2.0
-- One transform over records of a sink, as Apache would have it: what comes out is told with its
-- exact types, and what it costs is measured.

local ffi = require "ffi"

local address = require "connect.host.address"
local growth = require "spec.helpers.growth"
local task = require "spec.helpers.task"
local view = require "connect.host.view"

local JSON = "lua/connect/converters/json.lua"
local DIR = "lua/connect/transforms/"
local PREFIX = "org.apache.kafka.connect.data."

local M = {}

local kinds = {}
for name, number in pairs(address.kind) do kinds[number] = name:lower() end

-- ------------------------------------------------------------------------ showing

local function default_text(s)
  local def = s.default
  if def == nil then return "" end
  return "=" .. (type(def) == "table" and getmetatable(def) == nil and "{...}" or tostring(def):gsub("U?LL$", ""))
end

--- A schema in one line: int64?, int32=5, int64<Timestamp>, S{a:int8,b:string?}<name v3 "doc" p=x>.
function M.schema(s)
  if s == nil then return "none" end
  local text = s.type
  if text == "struct" then
    local list = {}
    for i, f in ipairs(s.fields) do list[i] = f[1] .. ":" .. M.schema(f[2]) end
    text = "S{" .. table.concat(list, ",") .. "}"
  elseif text == "array" then
    text = "array(" .. M.schema(s.value) .. ")"
  elseif text == "map" then
    text = "map(" .. M.schema(s.key) .. "," .. M.schema(s.value) .. ")"
  end
  local marks = {}
  if s.name then marks[#marks + 1] = (s.name:gsub("^" .. PREFIX:gsub("%.", "%%."), "")) end
  if s.version and not s.logical then marks[#marks + 1] = "v" .. s.version end
  if s.doc then marks[#marks + 1] = ("%q"):format(s.doc) end
  for name, x in pairs(s.parameters or {}) do marks[#marks + 1] = name .. "=" .. x end
  local mark = #marks > 0 and "<" .. table.concat(marks, " ") .. ">" or ""
  return text .. mark .. (s.optional and "?" or "") .. default_text(s)
end

-- A struct cl_val with its exact kind: int8 5, timestamp 0, string x.
local function val_text(val)
  local kind = kinds[val.kind]
  if kind == "int" then return ("int%d %s"):format(val.aux, (tostring(val.i):gsub("LL$", ""))) end
  if kind == "date" or kind == "time" or kind == "timestamp" then
    return kind .. " " .. tostring(val.i):gsub("LL$", "")
  end
  if kind == "null" or kind == "missing" or kind == "true" or kind == "false" then return kind end
  if kind == "string" or kind == "bytes" then return kind .. " " .. ffi.string(val.s, val.len) end
  local out = ffi.new "struct cl_str"
  assert(require("connect.host.abi").cl_ffi_text(address.current.batch, val, out) == 0)
  return (kind == "numtext" and "float64" or kind) .. " " .. ffi.string(out.p, out.len)
end

local function datum(d)
  local out = { schema = M.schema(require("connect.host.address").schema_view(d.schema)), kind = val_text(d.val) }
  local val = d.val
  if kinds[val.kind] == "object" then
    out.fields, out.capacity = {}, val.obj.java_cap
    while val.obj.n > out.capacity * 0.75 do out.capacity = out.capacity * 2 end
    local C, names = require "connect.host.abi", {}
    for i = 0, tonumber(val.obj.n) - 1 do
      local name = C.cl_ffi_sym_text(address.space, val.obj.e[i].sym)
      names[i + 1] = ffi.string(name.p, name.len)
      out.fields[names[i + 1]] = val_text(val.obj.e[i].val)
    end
    out.order = table.concat(names, ",")
  elseif kinds[val.kind] == "struct" then
    out.fields = {}
    for i = 0, tonumber(val.st.n) - 1 do
      local name = val.st.schema.fields[i].name
      out.fields[ffi.string(name.p, name.len)] = val_text(val.st.v[i])
    end
    out.same_schema = val.st.schema == d.schema
  end
  return out
end

--- What is told of a struct cl_record *.
function M.record(rec)
  local function str(x) if x.p ~= nil then return ffi.string(x.p, x.len) end end
  return { topic = str(rec.topic), key = datum(rec.key), value = datum(rec.value) }
end

-- ------------------------------------------------------------------------ running

local function sink(put) return { kind = "sink", put = function(_, batch) put(batch) end } end

-- A task has a state of its own: what the compiler gave up in specs before is forgotten.
local function new(options, put)
  jit.flush()
  local transforms = {}
  -- prepare(record) makes values that JSON cannot carry.
  if options.prepare then
    transforms[1] = { plugin = { kind = "transform", apply = function(r)
      options.prepare(r)
      return r
    end } }
  end
  transforms[#transforms + 1] = { plugin = DIR .. options.file .. ".lua", config = options.config,
    side = options.side or (options.sides ~= false and "value" or nil) }
  local plain = { ["schemas.enable"] = false }
  return task.new { value = JSON, value_config = not options.schemas and plain or nil, key = JSON, key_config = plain,
    transforms = transforms, plugin = sink(put) }
end

--- options: file (of lua/connect/transforms), config, side, sides (false: it has none), schemas (the value's JSON
-- has an envelope), prepare. records as task:put takes them. Answers what came out of each: topic, partition,
-- timestamp, key and value, each { schema, kind, fields, capacity, order }. Raises what the transform raised.
function M.run(options, records)
  local out = {}
  local t = new(options, function(batch)
    for i = 1, #batch do
      local rec = view.record_of(batch[i])
      out[i] = { topic = batch[i].topic, partition = batch[i].partition, timestamp = batch[i].timestamp,
        key = datum(rec.key), value = datum(rec.value) }
    end
  end)
  local ok, e = pcall(t.put, t, records)
  t:close()
  if not ok then error(e, 0) end
  return out
end

--- The error of the first record, as { class, message }; fails when there is none.
function M.error(options, records)
  local ok, e = pcall(M.run, options, records)
  if ok then error("no error", 2) end
  if type(e) ~= "table" then error(e, 2) end
  return { e.java or "org.apache.kafka.connect.errors.DataException", e.message }
end

--- What `configure` throws, as Connect wraps it.
function M.config_error(options)
  local ok, e = pcall(new, options, function() end)
  if ok then
    e:close()
    error("no error", 2)
  end
  if type(e) ~= "table" then error(e, 2) end
  return { e.java, e.message }
end

--- Fails when 100,000 such records grow the Lua heap by 64 KB or more.
function M.cheap(options, record)
  local t = new(options, function() end)
  local ok, grown = pcall(growth.of, t, growth.varied(record, 500), 200)
  t:close()
  if not ok then error(grown, 0) end
  assert(grown < 65536, ("the Lua heap grew by %.1f KB"):format(grown / 1024))
end

--- JSON with schema: fields = a list of { name, schema JSON without braces }, payload = its JSON.
function M.struct(fields, payload)
  local list = {}
  for i, f in ipairs(fields) do list[i] = ('{"field":"%s",%s}'):format(f[1], f[2]) end
  return ('{"schema":{"type":"struct","fields":[%s]},"payload":%s}'):format(table.concat(list, ","), payload)
end

--- The same of one value: typed('"type":"int32"', "5").
function M.typed(schema, payload) return ('{"schema":{%s},"payload":%s}'):format(schema, payload) end

return M
