-- SPDX-License-Identifier: Apache-2.0
-- A task without Kafka: loads a connector and its converters as the worker does, hands it
-- batches, and shows what it emitted. Everything below the host's Lua is real but the stored
-- offsets and the clock, which stands still until somebody sleeps.

local ffi = require "ffi"

-- All of it before any clock is replaced: what keeps the machine's has it.
require "connect"
require "connect.http"

local C = require "connect.host.abi"
local host = require "connect.host.c"
local address = require "connect.host.address"
local connect_host = require "connect.host"
local running = require "connect.host.running"
local sandbox = require "connect.host.sandbox"
local view = require "connect.host.view"

ffi.cdef [[
struct cl_space *cl_space_new(void *budget);
void cl_space_free(struct cl_space *s);
struct cl_batch_pool *cl_batch_pool_new(struct cl_space *space, void *budget, uint32_t cap);
void cl_batch_pool_free(struct cl_batch_pool *pool);
uint32_t cl_batch_pool_live(const struct cl_batch_pool *pool);
struct cl_batch *cl_batch_get(struct cl_batch_pool *pool);
void cl_batch_unref(struct cl_batch *b);
struct cl_record *cl_batch_add(struct cl_batch *b);
struct spec_json_conf { bool schemas_enable; int schemas_cache_size; bool decimal_numeric;
  bool replace_null_with_default; bool is_key; const char *schema_content; };
struct spec_err { int code; bool retriable, fatal; const char *class, *within; char msg[1024]; char trace[2048]; };
struct cl_json *cl_json_new(struct cl_space *space, const struct spec_json_conf *conf, struct spec_err *err);
void cl_json_free(struct cl_json *j);
]]

local M = {}

local Task = {}
Task.__index = Task

local CONVERTERS = package.searchpath("connect.converters.string", package.path):match "^(.*/)[^/]*$"
local NOW = 1700000000000

--- The module of a plugin file, loaded through the sandbox.
function M.load(file) return sandbox.load(file, (file:match "^(.*)/[^/]*$") or ".") end

-- A module, or a plugin file's.
local function module_of(given)
  if type(given) == "table" then return given end
  if not given:find "[/.]" then given = CONVERTERS .. given .. ".lua" end -- a built-in converter
  return M.load(given)
end

local function part(given, config)
  if given == nil or given == false then return nil end
  local module = module_of(given)
  return { module = module, config = config or {}, class = module.class or "test", file = "test" }
end

-- Rows' defaults, as C would fill them in.
local function with_defaults(module, config)
  local out = {}
  for _, row in ipairs(module.config or {}) do
    out[row.name] = row.default
    if row.type == "list" and row.default == "" then out[row.name] = {} end
  end
  for key, value in pairs(config or {}) do out[key] = value end
  return out
end

function Task:mock_host(options)
  self.real = {}
  local function mock(name, fn)
    self.real[name] = host[name]
    host[name] = fn
  end
  self.offsets, self.partitions, self.logged, self.asked = {}, {}, {}, {}
  mock("offset", function(map) return self.offsets[host.json_encode(map)] end)
  mock("partition", function(map)
    local text = host.json_encode(map)
    for id, known in pairs(self.partitions) do
      if known == text then return id end
    end
    local id = #self.partitions + 1
    self.partitions[id] = text
    return id
  end)
  mock("wall_ms", function() return self.now end)
  mock("now_ms", function() return self.now end)
  mock("log", function(level, text) self.logged[#self.logged + 1] = { level = level, text = text } end)
  mock("retry", options.retry or function() return false end)
  mock("reject", function(...) self.asked[#self.asked + 1] = { "reject", ... } end)
  for _, name in ipairs { "rewind", "pause", "timeout", "request_commit", "assignment" } do
    mock(name, function(...) self.asked[#self.asked + 1] = { name, ... } end)
  end
  mock("json_codec", function(conf)
    local function flag(name, default) if conf[name] == nil then return default end return conf[name] end
    local c = ffi.new("struct spec_json_conf", flag("schemas_enable", true), conf.schemas_cache_size or 1000,
      flag("decimal_numeric", false), flag("replace_null_with_default", true), flag("is_key", false), nil)
    local err = ffi.new "struct spec_err"
    local json = C.cl_json_new(self.space, c, err)
    if json == nil then error(ffi.string(err.msg)) end
    self.codecs[#self.codecs + 1] = json
    return json
  end)
end

--- A part of a spec: a plugin (file or table) with its configuration, defaults filled in.
function M.part(given, config)
  local p = part(given)
  p.config = with_defaults(p.module, config)
  return p
end

--- spec.transforms of a list of { plugin, config, side, alias, predicate, predicate_config, negate }.
function M.stages(list)
  local stages = {}
  for i, given in ipairs(list or {}) do
    local stage = M.part(given.plugin, given.config)
    stage.side, stage.alias, stage.negate = given.side, given.alias or "t" .. i, given.negate
    if given.predicate then stage.predicate = M.part(given.predicate, given.predicate_config) end
    stages[i] = stage
  end
  return stages
end

-- Loads connector and converters into the host.
local function load(self, options)
  local plugin = part(options.plugin)
  plugin.config = with_defaults(plugin.module, options.config)
  local function converter(name)
    local given = options[name]
    if given == nil then given = "string" end
    local p = part(given)
    if p then p.config = with_defaults(p.module, options[name .. "_config"]) end
    return p
  end
  connect_host.load { connector = "test", task = 0, tasks_max = 1, kind = plugin.module.kind, plugin = plugin,
    clock = self, space = self.space, key = converter "key", value = converter "value", header = converter "header",
    transforms = M.stages(options.transforms),
    tolerate = options.tolerate, keep_emitted = options.keep_emitted }
end

--- options: plugin (file or table), config, key, value, header (converter: file, table, a built-in one's name as
-- "json", or false), key_config, value_config, header_config, cap, memory (bytes of all batches), offsets, transforms:
-- a list of { plugin, config, side, alias, predicate, predicate_config, negate }, tolerate, keep_emitted, now (the
-- clock's ms), retry: what the task answers for host.retry.
function M.new(options)
  local self = setmetatable({ codecs = {}, now = options.now or NOW, slept = {} }, Task)
  self.space = C.cl_space_new(nil)
  self.budget = options.memory and ffi.new("size_t[2]", 0, options.memory) -- struct cl_arena_budget
  self.pool = C.cl_batch_pool_new(self.space, self.budget, options.cap or 500)
  self:mock_host(options)
  for partition, offset in pairs(options.offsets or {}) do self.offsets[partition] = offset end
  local ok, e = pcall(load, self, options)
  if not ok then
    self:close()
    error(e, 0)
  end
  return self
end

--- What the plugin sleeps, ctx:sleep(ms), makes the clock go and is noted in slept.
function Task:sleep(ms)
  self.slept[#self.slept + 1] = ms
  self.now = self.now + ms
  return self.stopping
end

--- From now on the task is asked to stop.
function Task:ask_to_stop() self.stopping = true end

--- An error's whole message, as the task's trace has it.
function M.message(e) return (e.where and e.where .. ": " or "") .. e.message end

--- Undoes the mocks and frees; raises when a batch is still referenced.
function Task:close()
  for name, fn in pairs(self.real) do host[name] = fn end
  running.clock = nil
  view.enter(nil)
  for _, json in ipairs(self.codecs) do C.cl_json_free(json) end
  local live = C.cl_batch_pool_live(self.pool)
  C.cl_batch_pool_free(self.pool)
  if live == 0 then
    address.use_space(nil)
    C.cl_space_free(self.space)
  end
  assert(live == 0, "batches left over: " .. live)
end

for _, verb in ipairs { "start", "commit", "flush", "open", "close_partitions", "stop" } do
  Task[verb] = function(_, ...) return connect_host[verb == "close_partitions" and "close" or verb](...) end
end

-- Texts that C only borrows.
local function borrow(self, out, s)
  if s == nil then return end
  self.borrowed = self.borrowed or {}
  table.insert(self.borrowed, s)
  out.p, out.len = s, #s
end

--- A raw batch as consumed: a list of {key, value, topic, partition, offset, timestamp, headers}.
function Task:consume(list)
  local batch = C.cl_batch_get(self.pool)
  for i, given in ipairs(list) do
    if type(given) == "string" then given = { value = given } end
    local rec = C.cl_batch_add(batch)
    rec.partition, rec.offset = given.partition or 0, given.offset or i - 1
    rec.timestamp = given.timestamp or 1700000000000
    if given.timestamp == -1 then rec.timestamp = address.NO_TIMESTAMP end -- as the consumer does
    borrow(self, rec.topic, given.topic or "t")
    rec.orig_topic, rec.orig_partition, rec.orig_timestamp = rec.topic, rec.partition, rec.timestamp
    borrow(self, rec.key.bytes, given.key)
    borrow(self, rec.value.bytes, given.value)
    if given.headers then
      local h = C.cl_ffi_headers(batch, rec, #given.headers)
      for j, header in ipairs(given.headers) do
        borrow(self, h[j - 1].name, header[1])
        borrow(self, h[j - 1].d.bytes, header[2])
      end
    end
  end
  return batch
end

function Task.put_batch(_, batch)
  if batch.stage == C.CL_BATCH_RAW then connect_host.convert(batch) end
  return connect_host.put(batch)
end

function Task.release(_, batch) C.cl_batch_unref(batch) end

--- Consumes, puts and releases.
function Task:put(list)
  local batch = self:consume(list)
  local ok, e = pcall(self.put_batch, self, batch)
  C.cl_batch_unref(batch)
  if not ok then error(e, 0) end
end

local function str(s) if s.p ~= nil then return ffi.string(s.p, s.len) end end

local function offset_of(batch, rec)
  if rec.source_offset.kind == C.CL_INT then
    return { [str(batch.offset_name)] = tonumber(rec.source_offset.i) }
  end
  view.enter(batch)
  local offset = view.copy(view.read(batch, rec.source_offset))
  view.enter(nil)
  return offset
end

--- Polls once; answers the records that are to be sent as tables, with their encoded bytes, and
-- the error, if any.
function Task:poll_some()
  local batch = C.cl_batch_get(self.pool)
  local ok, e = pcall(connect_host.poll, batch)
  local out = {}
  for i = 0, batch.stage == C.CL_BATCH_READY and tonumber(batch.n) - 1 or -1 do
    local rec = batch.records + i
    local headers = {}
    for j = 0, tonumber(rec.n_headers) - 1 do
      headers[j + 1] = { str(rec.headers[j].name), str(rec.headers[j].d.bytes) }
    end
    out[i + 1] = { topic = str(rec.topic), key = str(rec.key.bytes), value = str(rec.value.bytes),
      partition = rec.partition, timestamp = math.max(-1, tonumber(rec.timestamp)), headers = headers,
      source_partition = self.partitions[tonumber(rec.slot)], source_offset = offset_of(batch, rec) }
  end
  C.cl_batch_unref(batch)
  return out, not ok and e or nil
end

--- The same, all of them or the error.
function Task:poll()
  local out, e = self:poll_some()
  if e then error(e, 0) end
  return out
end

--- Polls once, and has every record delivered to partition 7, or dropped.
function Task:poll_and_commit()
  local batch = C.cl_batch_get(self.pool)
  connect_host.poll(batch)
  for i = 0, tonumber(batch.n) - 1 do
    local rec = batch.records + i
    connect_host.commit_record(rec, 7, i, rec.state == C.CL_RECORD_LIVE)
  end
  C.cl_batch_unref(batch)
end

return M
