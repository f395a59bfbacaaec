-- SPDX-License-Identifier: Apache-2.0
-- What the Lua host costs per record, without Kafka: ns, best of many batches of 500.
--   build/release/connect-lua test tests/bench/host_bench.lua
-- CL_JITV=FILE writes the compiler's trace events: no loop of lua/connect may abort.
-- luacheck: std +busted
local ffi = require "ffi"

local host = require "connect.host"
local task = require "spec.helpers.task"

local C = ffi.C
local N, ROUNDS = 500, 400
local JSON = "lua/connect/converters/json.lua"
local DOC = [[{"id":1000035,"name":"some name","address":{"street":"x","city":"y","floor":3},"score":1.5,"ok":true,]]
  .. [["tags":["a","b","c"],"ts":1700000000000,"note":"a longer text that fills the document up to 200 bytes"}]]

ffi.cdef [[
struct bench_time { long s, ns; };
int clock_gettime(int clock, struct bench_time *t);
]]
local t = ffi.new "struct bench_time"
local function now()
  C.clock_gettime(1, t)
  return tonumber(t.s) * 1e9 + tonumber(t.ns)
end

if os.getenv "CL_JITV" then require "jit.v".on(os.getenv "CL_JITV") end

-- run() answers how long one batch took.
local function measure(name, run)
  local best = math.huge
  for _ = 1, ROUNDS do best = math.min(best, run()) end
  print(("%-36s %7.1f ns/record"):format(name, best / N))
end

local function sink(name, options, value)
  local s = task.new(options)
  s:start()
  local list = {}
  for i = 1, N do list[i] = { key = "k" .. i, value = value(i) } end
  local raw = s:consume(list)
  measure(name, function()
    local batch = C.cl_batch_get(s.pool)
    for i = 0, N - 1 do
      local rec = C.cl_batch_add(batch)
      ffi.copy(rec, raw.records + i, ffi.sizeof "struct cl_record")
      rec.batch = batch
    end
    local from = now()
    host.convert(batch)
    host.put(batch)
    local took = now() - from
    C.cl_batch_unref(batch)
    return took
  end)
  s:release(raw)
  s:stop()
  s:close()
end

local function source(name, options)
  local s = task.new(options)
  s:start()
  measure(name, function()
    local batch = C.cl_batch_get(s.pool)
    local from = now()
    host.poll(batch)
    local took = now() - from
    assert(batch.n == N)
    C.cl_batch_unref(batch)
    return took
  end)
  s:stop()
  s:close()
end

local function text(i) return ("v"):rep(200) .. i end

it("measures", function()
  local path = os.tmpname()
  sink("string sink, empty put", { plugin = { kind = "sink", put = function() end } }, text)
  sink("string sink, loop over offsets", { plugin = { kind = "sink", put = function(_, batch)
    local n = 0
    for _, rec in batch:records() do n = n + rec.offset end
  end } }, text)
  sink("JSON sink, empty put", { value = JSON, value_config = { ["schemas.enable"] = false },
    plugin = { kind = "sink", put = function() end } }, function() return DOC end)
  sink("JSON sink, two fields", { value = JSON, value_config = { ["schemas.enable"] = false },
    plugin = { kind = "sink", put = function(_, batch)
      local n = 0
      for _, rec in batch:records() do n = n + rec.value.score * 2 + rec.value.address.floor end
    end } }, function() return DOC end)
  sink("FileStreamSink", { plugin = "connectors/file_stream_sink.lua", config = { file = path } }, text)

  source("ctx:record, string", { plugin = { kind = "source", poll = function(ctx)
    while not ctx.full do
      local rec = ctx:record()
      rec.topic, rec.value = "t", "some text of a line"
    end
  end } })
  source("ctx:emit, string and offset", { plugin = { kind = "source", poll = function(ctx)
    while not ctx.full do
      ctx:emit { topic = "t", value = "some text of a line", source_partition = 1, source_offset = { n = 1 } }
    end
  end } })
  source("ctx:emit, table to JSON", { value = JSON, plugin = { kind = "source", poll = function(ctx)
    while not ctx.full do ctx:emit { topic = "t", value = { n = 1, text = "hello", tags = { 1, 2, 3 } } } end
  end } })
  local file = assert(io.open(path, "w"))
  for i = 1, N * ROUNDS do file:write(text(i), "\n") end
  file:close()
  source("FileStreamSource", { plugin = "connectors/file_stream_source.lua", config = { file = path, topic = "t" } })
  os.remove(path)
end)
