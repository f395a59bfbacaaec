-- SPDX-License-Identifier: Apache-2.0
-- What converters and transforms cost per record, without Kafka: ns, best of many batches of 500
-- JSON documents of 200 bytes; beside it the same on plain Lua tables with lua-cjson.
--   build/release/connect-lua test tests/bench/transform_bench.lua
-- CL_JITV=FILE writes the compiler's trace events: no loop of lua/connect may abort.
-- luacheck: std +busted
local ffi = require "ffi"

local chain_of = require "connect.host.chain"
local convert = require "connect.host.convert"
local task = require "spec.helpers.task"
local place = require "connect.host.place"
local view = require "connect.host.view"

local C = ffi.C
local N, ROUNDS = 500, 300
local DIR = "lua/connect/"
local PAYLOAD = [[{"id":%d,"name":"some name","address":{"street":"x","city":"y","floor":3},"score":1.5,"ok":true,]]
  .. [["tags":["a","b","c"],"ts":1700000000000,"note":"a longer text that fills it up to 200 bytes ....."}]]
local SCHEMA = [[{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},]]
  .. [[{"type":"string","optional":false,"field":"name"},{"type":"struct","fields":[]]
  .. [[{"type":"string","optional":false,"field":"street"},{"type":"string","optional":true,"field":"city"},]]
  .. [[{"type":"int32","optional":false,"field":"floor"}],"optional":false,"field":"address"},]]
  .. [[{"type":"double","optional":false,"field":"score"},{"type":"boolean","optional":false,"field":"ok"},]]
  .. [[{"type":"array","items":{"type":"string","optional":false},"optional":false,"field":"tags"},]]
  .. [[{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"ts"},]]
  .. [[{"type":"string","optional":true,"field":"note"}],"optional":false,"name":"rec"}]]

ffi.cdef [[
struct bench_moment { long s, ns; };
int clock_gettime(int clock, struct bench_moment *t);
]]
local t = ffi.new "struct bench_moment"
local function now()
  C.clock_gettime(1, t)
  return tonumber(t.s) * 1e9 + tonumber(t.ns)
end

if os.getenv "CL_JITV" then require "jit.v".on(os.getenv "CL_JITV") end

local function line(name, ...)
  print(("%-44s" .. (" %9.1f"):rep(select("#", ...))):format(name, ...))
end

-- ---------------------------------------------------------------- connect-lua

local function stage(file, config, side)
  return { plugin = DIR .. "transforms/" .. file .. ".lua", config = config, side = side or "value" }
end

local function documents(with_schema)
  local list = {}
  for i = 1, N do
    local payload = PAYLOAD:format(1000000 + i)
    list[i] = { key = "k", value = with_schema and ('{"schema":%s,"payload":%s}'):format(SCHEMA, payload) or payload }
  end
  return list
end

-- Best of the rounds: ns per record to parse, to transform, to write.
local function pipeline(stages, with_schema)
  local options = { ["schemas.enable"] = with_schema }
  local s = task.new { plugin = { kind = "sink", put = function() end }, header = false }
  local value = convert.new(task.part(DIR .. "converters/json.lua", options), "value")
  local chain = chain_of.new(task.stages(stages))
  local raw = s:consume(documents(with_schema))
  local best = { math.huge, math.huge, math.huge }
  for _ = 1, ROUNDS do
    local batch = C.cl_batch_get(s.pool)
    for i = 0, N - 1 do
      local rec = C.cl_batch_add(batch)
      ffi.copy(rec, raw.records + i, ffi.sizeof "struct cl_record")
      rec.batch = batch
    end
    view.enter(batch)
    place.begin()
    local a = now()
    convert.decode(batch, value)
    local b = now()
    chain_of.run(batch, chain)
    local c = now()
    convert.encode(batch, value)
    local d = now()
    place.finish()
    for i, took in ipairs { b - a, c - b, d - c } do best[i] = math.min(best[i], took / N) end
    view.enter(nil)
    C.cl_batch_unref(batch)
  end
  s:release(raw)
  s:close()
  return best[1], best[2], best[3]
end

local CHAIN = {
  stage("insert_field", { ["static.field"] = "source", ["static.value"] = "bench" }),
  stage("replace_field", { exclude = { "note" }, renames = { "name:title" } }),
  stage("timestamp_converter", { field = "ts", ["target.type"] = "string", format = "yyyy-MM-dd'T'HH:mm:ss.SSS" }),
}

local SINGLE = {
  { "Filter by predicate", { plugin = DIR .. "transforms/filter.lua",
    predicate = DIR .. "predicates/record_is_tombstone.lua" } },
  { "InsertField", CHAIN[1] },
  { "ReplaceField", CHAIN[2] },
  { "TimestampConverter", CHAIN[3] },
  { "Cast", stage("cast", { spec = { "id:string", "score:int32" } }) },
  { "MaskField", stage("mask_field", { fields = { "name", "id" } }) },
  { "Flatten", stage("flatten", { delimiter = "_" }) },
  { "HoistField", stage("hoist_field", { field = "f" }) },
  { "ExtractField", stage("extract_field", { field = "address", ["field.syntax.version"] = "V1" }) },
  { "ValueToKey", stage("value_to_key", { fields = { "id", "name" } }) },
  { "HeaderFrom", stage("header_from", { fields = { "id" }, headers = { "id" }, operation = "copy" }) },
  { "InsertHeader", stage("insert_header", { header = "h", ["value.literal"] = "5" }) },
  { "DropHeaders", stage("drop_headers", { headers = { "h" } }) },
  { "RegexRouter", stage("regex_router", { regex = "(.*)", replacement = "$1-x" }) },
  { "TimestampRouter", stage("timestamp_router", {}) },
}

-- ------------------------------------------------------------- lua-cjson's way

-- What a script on tables does, each step a copy as Apache's transforms make it.
local function on_tables(cjson)
  local texts = {}
  for i, doc in ipairs(documents(false)) do texts[i] = doc.value end
  local function copy(from)
    local to = {}
    for k, v in pairs(from) do to[k] = v end
    return to
  end
  local function transform(v)
    v = copy(v)
    v.source = "bench"
    local out = {}
    for k, x in pairs(v) do
      if k ~= "note" then out[k == "name" and "title" or k] = x end
    end
    out = copy(out)
    out.ts = os.date("!%Y-%m-%dT%H:%M:%S", out.ts / 1000) .. (".%03d"):format(out.ts % 1000)
    return out
  end
  local best = { math.huge, math.huge, math.huge }
  for _ = 1, ROUNDS do
    local a, values = now(), {}
    for i = 1, N do values[i] = cjson.decode(texts[i]) end
    local b = now()
    for i = 1, N do values[i] = transform(values[i]) end
    local c = now()
    for i = 1, N do values[i] = cjson.encode(values[i]) end
    local d = now()
    for i, took in ipairs { b - a, c - b, d - c } do best[i] = math.min(best[i], took / N) end
  end
  return best[1], best[2], best[3]
end

it("measures", function()
  print(("%-44s %9s %9s %9s %9s"):format("ns per record", "parse", "chain", "write", "total"))
  local function show(name, ...)
    local a, b, c = ...
    line(name, a, b, c, a + b + c)
    return a + b + c
  end
  local plain = show("InsertField, ReplaceField, TimestampConverter", pipeline(CHAIN, false))
  show("the same with a schema", pipeline(CHAIN, true))
  show("the same on one more run", pipeline(CHAIN, false))
  local ok, cjson = pcall(require, "cjson")
  if ok then
    local tables = show("lua-cjson and tables", on_tables(cjson))
    print(("connect-lua is %.1f times as fast as lua-cjson and tables"):format(tables / plain))
  else
    print "lua-cjson is not installed: no comparison"
  end
  print(("\n%-44s %9s %9s"):format("one transform, ns per record", "plain", "schema"))
  for _, one in ipairs(SINGLE) do
    local _, a = pipeline({ one[2] }, false)
    local _, b = pipeline({ one[2] }, true)
    line(one[1], a, b)
  end
end)
