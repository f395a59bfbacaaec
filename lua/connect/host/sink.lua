-- SPDX-License-Identifier: Apache-2.0
-- Runs a sink's verbs.

local ffi = require "ffi"

local C = require "connect.host.abi"
local blame = require "connect.host.blame"
local chain_of = require "connect.host.chain"
local convert = require "connect.host.convert"
local ctx_of = require "connect.host.ctx"
local errors = require "connect.errors"
local parts_of = require "connect.host.parts"
local place = require "connect.host.place"
local running = require "connect.host.running"
local view = require "connect.host.view"

local batch_p = ffi.typeof "struct cl_batch *"
local READY = C.CL_BATCH_READY

return function(spec)
  place.set_source(nil)
  local parts, task = parts_of.new(spec), spec.opaque
  local ctx, put, flush
  local optional, verbs = {}, {}

  -- From now on this module's functions are called, with this ctx.
  local function bind(module, its_ctx)
    ctx, put, flush = its_ctx, rawget(module, "put"), rawget(module, "flush")
    for _, name in ipairs { "start", "open", "close", "stop" } do optional[name] = rawget(module, name) end
  end
  bind(spec.plugin.module, ctx_of.new(spec, spec.plugin))

  -- Verbs the plugin may leave out.
  for _, name in ipairs { "start", "open", "close", "stop" } do
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
      local fresh = ctx_of.new(spec, next.plugin)
      running.at[0] = C.CL_SLOT_CONNECTOR
      rawget(next.plugin.module, "reload")(fresh, ctx)
      bind(next.plugin.module, fresh)
    end
    parts = renewed
  end

  -- Bytes to what put gets.
  function verbs.convert(lud)
    local batch = ffi.cast(batch_p, lud)
    view.enter(batch)
    place.begin()
    convert.decode(batch, parts.key)
    convert.decode(batch, parts.value)
    convert.decode(batch, parts.header)
    chain_of.run(batch, parts.chain)
    view.enter(nil)
    place.finish()
    batch.stage = READY
  end

  function verbs.put(lud)
    local batch = ffi.cast(batch_p, lud)
    view.enter(batch)
    if C.cl_ffi_batch_live(batch) ~= 0 then errors.fatal("no memory left in the batch") end
    C.cl_ffi_phase(task, 1)
    put(ctx, view.batch(batch))
    view.enter(nil)
  end

  function verbs.flush(offsets)
    view.enter(nil)
    if not flush then return nil end
    local safe = flush(ctx, offsets)
    if safe ~= nil and type(safe) ~= "table" then
      blame(flush, "flush", "flush returned a %s: it may return a list of {topic, partition, offset}, or nothing",
        type(safe))
    end
    return safe
  end

  return verbs
end
