-- SPDX-License-Identifier: Apache-2.0
-- Runs a source's verbs, and gives it ctx:emit, ctx:record and ctx:partition.

local ffi = require "ffi"

local C = require "connect.host.abi"
local blame = require "connect.host.blame"
local chain_of = require "connect.host.chain"
local convert = require "connect.host.convert"
local ctx_of = require "connect.host.ctx"
local draft = require "connect.host.draft"
local errors = require "connect.errors"
local host = require "connect.host.c"
local parts_of = require "connect.host.parts"
local place = require "connect.host.place"
local running = require "connect.host.running"
local view = require "connect.host.view"

local batch_p, record_p = ffi.typeof "struct cl_batch *", ffi.typeof "struct cl_record *"
local RAW, READY = C.CL_BATCH_RAW, C.CL_BATCH_READY
local current = view.current

return function(spec)
  local parts = parts_of.new(spec)
  local partitions = {} -- id -> text
  draft.use_ids(partitions)
  local ctx, poll, commit_record
  local optional, verbs = {}, {}

  place.set_source(function(id) return partitions[id] or "#" .. tonumber(id) end)

  local function partition(map)
    local id = host.partition(map)
    if not partitions[id] then partitions[id] = host.json_encode(map) end
    return id
  end

  local none -- id of the source partition "null"
  local function no_partition()
    none = none or partition(host.null)
    return none
  end

  local function next_record(level)
    local batch = current.batch
    if batch == nil or batch.stage ~= RAW then error("records are emitted inside poll only", level + 1) end
    local rec = C.cl_ffi_emit(batch)
    if rec == nil then
      error(("the batch is full (%d records): poll should return when ctx.full"):format(batch.cap), level + 1)
    end
    return batch, rec
  end

  local methods = {}

  --- The id of a source partition, to be used again instead of the table.
  function methods:partition(map)
    if map ~= nil and map ~= host.null and type(map) ~= "table" then
      error("ctx:partition takes a table, not a " .. type(map), 2)
    end
    return partition(map)
  end

  --- Hands a record over: topic, partition, key, value, timestamp, headers,
  -- source_partition (table or id), source_offset (table), key_schema, value_schema.
  function methods:emit(fields)
    if type(fields) ~= "table" then error("ctx:emit takes a table, not a " .. type(fields), 2) end
    local batch, rec = next_record(2)
    local ok, e = pcall(draft.fill, batch, rec, fields, partition, no_partition)
    if not ok then
      C.cl_ffi_emit_undo(batch)
      error(type(e) == "string" and "ctx:emit: " .. e or e, 2)
    end
  end

  --- The next record, to be filled field by field with emit's names.
  function methods:record() -- luacheck: no self
    local batch, rec = next_record(2)
    rec.slot = no_partition()
    return draft.view(batch, rec)
  end

  local getters = {
    full = function()
      local batch = current.batch
      return batch ~= nil and C.cl_ffi_batch_full(batch) ~= 0
    end,
  }

  -- From now on this module's functions are called, with this ctx.
  local function bind(module, its_ctx)
    ctx, poll, commit_record = its_ctx, rawget(module, "poll"), rawget(module, "commit_record")
    for _, name in ipairs { "start", "commit", "stop" } do optional[name] = rawget(module, name) end
  end
  bind(spec.plugin.module, ctx_of.new(spec, spec.plugin, methods, getters))

  for _, name in ipairs { "start", "commit", "stop" } do
    verbs[name] = function(...)
      view.enter(nil)
      local fn = optional[name]
      if fn then return fn(ctx, ...) end
    end
  end

  -- The next generation of what next has: all of it, or an error and nothing.
  function verbs.reload(next)
    local renewed = parts_of.renewed(parts, next)
    if next.plugin then
      local fresh = ctx_of.new(spec, next.plugin, methods, getters)
      running.at[0] = C.CL_SLOT_CONNECTOR
      rawget(next.plugin.module, "reload")(fresh, ctx)
      bind(next.plugin.module, fresh)
    end
    parts = renewed
  end

  local function check_topics(batch)
    for i = 0, tonumber(batch.n) - 1 do
      local rec = batch.records + i
      if rec.topic.p == nil then
        return place.fail(rec, errors.new("fatal",
          ("poll left record %d of ctx:record() without a topic"):format(i + 1)))
      end
      rec.orig_topic = rec.topic
      rec.orig_partition = rec.partition
    end
  end

  -- The batch is complete: transforms and encodes it, and raises the error of a record that ends the task: those
  -- before it are ready. C calls it too, when poll emitted before a retriable error.
  function verbs.seal(lud)
    local batch = ffi.cast(batch_p, lud)
    place.begin()
    check_topics(batch)
    local keep = parts.chain and (commit_record or spec.keep_emitted)
    if keep and C.cl_ffi_batch_keep_emitted(batch) ~= 0 then errors.throw_last() end
    chain_of.run(batch, parts.chain)
    convert.encode(batch, parts.header)
    convert.encode(batch, parts.key)
    convert.encode(batch, parts.value)
    batch.stage = READY
    view.enter(nil)
    place.finish()
  end

  local seal, task = verbs.seal, spec.opaque
  function verbs.poll(lud)
    view.enter(ffi.cast(batch_p, lud))
    C.cl_ffi_phase(task, 1)
    local result = poll(ctx)
    C.cl_ffi_phase(task, 0)
    if result ~= nil then
      blame(poll, "poll", "poll returned a %s: records are handed over with ctx:emit", type(result))
    end
    seal(lud)
  end

  -- With the record as poll emitted it, and where it is when it was delivered.
  function verbs.commit_record(lud, kafka_partition, offset, delivered)
    if not commit_record then return end
    local rec = ffi.cast(record_p, lud)
    local batch = rec.batch
    view.enter(batch)
    local emitted = batch.emitted ~= nil and batch.emitted + (rec - batch.records) or rec
    local metadata
    if delivered then
      metadata = { topic = ffi.string(rec.topic.p, rec.topic.len), partition = kafka_partition, offset = offset }
    end
    commit_record(ctx, view.record(emitted), metadata)
    view.enter(nil)
  end

  return verbs
end
