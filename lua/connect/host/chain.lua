-- SPDX-License-Identifier: Apache-2.0
-- A connector's transforms with their predicates, in order, over a batch: stage by stage, each
-- over all live records, since a loop that calls one transform compiles better than one that
-- calls all of them. No table, closure or string per record.

local C = require "connect.host.abi"
local ctx = require "connect.host.ctx"
local errors = require "connect.errors"
local place = require "connect.host.place"
local running = require "connect.host.running"
local view = require "connect.host.view"

local LIVE, DROPPED = C.CL_RECORD_LIVE, C.CL_RECORD_DROPPED
local current = view.current
local record_ct = require("connect.host.address").record_ct
local istype, error, type = require("ffi").istype, error, type

local M = {}

-- What `configure` throws is the configuration's fault: the task cannot start, in Apache's words
-- "ConnectException: <exception>: <message>".
local function configured(part, side)
  local config = ctx.without_nulls(part.config or {})
  local configure = rawget(part.module, "configure")
  if not configure then return config end
  local ok, state = pcall(configure, config, side)
  if ok then return state == nil and config or state end
  local class, message, java = errors.parts(state)
  local e = errors.new("fatal", java and java .. ": " .. message or message)
  e.where = not java and ("%s '%s' (%s)"):format(side == nil and "predicate or transform" or "transform", part.alias,
    part.class) or nil
  e.java = class == "data" and "org.apache.kafka.connect.errors.ConnectException" or nil
  error(e, 0)
end

local function failure(stage, e, rec)
  return place.failure(e, "TRANSFORMATION", rec, ("Error transforming record %s (transform '%s', %s)"):format(
    place.text(rec), stage.alias, stage.class))
end

-- Whether the stage goes on.
local function fail(stage, e, rec)
  local ok, last = place.retry(e, stage.one, rec)
  return ok or place.fail(rec, failure(stage, last, rec), stage.class)
end

-- apply(record, state) answers the record it got, or nothing to drop it.
local function bad_result(stage, x)
  error(("%s: apply must return the record or nil, not %s"):format(stage.class,
    istype(record_ct, x) and "another record" or "a " .. type(x)), 0)
end

-- One prototype for each stage, so that each loop compiles for the transform it calls.
local LOOP = [[
local LIVE, DROPPED, view_record, apply, state, test, test_state, negate, pcall, rawequal, tonumber, fail, bad_result,
  stage, at, transform, predicate = ...

local function one(rec)
  local record = view_record(rec)
  if test then
    at[0] = predicate
    local yes = test(record, test_state) and true or false
    at[0] = transform
    if yes == negate then return end
  end
  local out = apply(record, state)
  if out == nil then
    rec.state = DROPPED
  elseif not rawequal(out, record) and out ~= record then
    bad_result(stage, out)
  end
end

return function(batch)
  local records = batch.records
  at[0] = transform
  for i = 0, tonumber(batch.n) - 1 do
    local rec = records + i
    if rec.state == LIVE then
      local ok, e = pcall(one, rec)
      if not ok and not fail(stage, e, rec) then return end
    end
  end
end, one
]]

-- A stage that calls what it says.
local function wire(stage)
  stage.run, stage.one = assert(load(LOOP, "=chain"))(LIVE, DROPPED, view.record, stage.apply, stage.state, stage.test,
    stage.test_state, stage.negate, pcall, rawequal, tonumber, fail, bad_result, stage, running.at, stage.slot,
    stage.slot + 1)
  return stage
end

-- The transform and the predicate of part, each where it is given.
local function set_up(stage, part)
  running.at[0] = stage.slot
  if part.module then
    stage.class, stage.apply, stage.state = part.class, rawget(part.module, "apply"), configured(part, part.side)
  end
  if part.predicate then
    running.at[0] = stage.slot + 1
    stage.test, stage.test_state = rawget(part.predicate.module, "test"), configured(part.predicate)
  end
  return wire(stage)
end

--- list: spec.transforms, each { alias, module, config, class, side, predicate, negate }. Nil for none.
function M.new(list)
  if not list or #list == 0 then return nil end
  local chain = {}
  for i, part in ipairs(list) do
    local slot = C.CL_SLOT_CHAIN + 2 * (i - 1)
    chain[i] = set_up({ alias = part.alias, slot = slot, negate = part.negate and true or false }, part)
  end
  return chain
end

--- A chain with other transforms or predicates at the places that changed has, and what was there at the others.
function M.renewed(chain, changed)
  if not chain or not changed then return chain end
  local out = {}
  for i, old in ipairs(chain) do
    local stage = old
    if changed[i] then
      stage = {}
      for k, v in pairs(old) do stage[k] = v end
      set_up(stage, changed[i])
    end
    out[i] = stage
  end
  return out
end

--- Transforms the batch; a record dropped has state CL_RECORD_DROPPED. What becomes of one that fails,
-- and of those behind it: connect.host.place.
function M.run(batch, chain)
  if not chain then return end
  current.writable = 1
  for i = 1, #chain do chain[i].run(batch) end
  current.writable = 0
end

--- One record: true when it lives; its error is raised. observe(alias), when given, is told after each stage.
function M.apply(rec, chain, observe)
  current.writable = 1
  for i = 1, chain and #chain or 0 do
    local ok, e = pcall(chain[i].one, rec)
    if not ok then
      current.writable = 0
      error(failure(chain[i], e, rec), 0)
    end
    if observe then observe(chain[i].alias) end
    if rec.state ~= LIVE then break end
  end
  current.writable = 0
  return rec.state == LIVE
end

return M
