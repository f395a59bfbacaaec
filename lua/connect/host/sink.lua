-- SPDX-License-Identifier: Apache-2.0
-- Runs a sink's verbs.

local ffi = require "ffi"

local C = require "connect.host.abi"
local blame = require "connect.host.blame"
local chain_of = require "connect.host.chain"
local convert = require "connect.host.convert"
local ctx_of = require "connect.host.ctx"
local errors = require "connect.errors"
local place = require "connect.host.place"
local view = require "connect.host.view"

local batch_p = ffi.typeof "struct cl_batch *"
local READY = C.CL_BATCH_READY

return function(spec)
  place.set_source(nil)
  local plugin = spec.plugin.module
  local ctx = ctx_of.new(spec)
  local key, value = convert.new(spec.key, "key"), convert.new(spec.value, "value")
  local header, chain = convert.new(spec.header, "header"), chain_of.new(spec.transforms)
  local put, task = rawget(plugin, "put"), spec.opaque
  local verbs = {}

  -- A verb the plugin may leave out.
  local function optional(name)
    local fn = rawget(plugin, name)
    verbs[name] = function(...)
      view.enter(nil)
      if fn then return fn(ctx, ...) end
    end
  end
  for _, name in ipairs { "start", "open", "close", "stop" } do optional(name) end

  -- Bytes to what put gets.
  function verbs.convert(lud)
    local batch = ffi.cast(batch_p, lud)
    view.enter(batch)
    place.begin()
    convert.decode(batch, key)
    convert.decode(batch, value)
    convert.decode(batch, header)
    chain_of.run(batch, chain)
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

  local flush = rawget(plugin, "flush")
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
