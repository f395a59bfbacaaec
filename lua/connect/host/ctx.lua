-- SPDX-License-Identifier: Apache-2.0
-- The ctx that every verb of a connector gets: its configuration, what it may ask of its
-- task, and the plugin's own fields beside.

local C = require "connect.host.abi"
local errors = require "connect.errors"
local host = require "connect.host.c"
local log = require "connect.log"
local metrics = require "connect.host.metrics"
local view = require "connect.host.view"

local DATA = "org.apache.kafka.connect.errors.DataException"
local RETRIABLE = "org.apache.kafka.connect.errors.RetriableException"

local LONGEST_MS = 1e12 -- thirty years: what does not fit an int64 would not wait at all

local M = {}

local function check_partition_args(topic, partition)
  if type(topic) ~= "string" then error("topic must be a string, not a " .. type(topic), 3) end
  if type(partition) ~= "number" then error("partition must be a number, not a " .. type(partition), 3) end
end

local function not_built(name)
  return function() error("ctx:" .. name .. " is not built yet", 2) end
end

-- What both kinds of connector have. clock: in tests it stands for the task's.
local function common(task, clock)
  return {
    log = log,
    --- Waits; true when the task is asked to stop.
    sleep = function(_, ms)
      if type(ms) ~= "number" then error("ctx:sleep takes milliseconds, not a " .. type(ms), 2) end
      ms = math.min(math.max(0, ms), LONGEST_MS)
      if clock then return clock:sleep(ms) == true end
      return C.cl_ffi_sleep(task, ms) == 1
    end,
    stopping = function()
      if clock then return clock.stopping == true end
      return C.cl_ffi_stopping(task) == 1
    end,
    reconfigure = not_built "reconfigure",
    metrics = metrics(task),
  }
end

local source = {}

--- The stored offset of a source partition, nil when there is none.
function source:offset(partition) return host.offset(partition) end

--- The same for a list of partitions, as a list with connect.null for none.
function source:offsets(partitions)
  local out = {}
  for i, partition in ipairs(partitions) do
    local offset = host.offset(partition)
    if offset == nil then offset = host.null end
    out[i] = offset
  end
  return out
end

local sink = {}

--- The next record of this partition will be the one at offset.
function sink:rewind(topic, partition, offset)
  check_partition_args(topic, partition)
  if type(offset) ~= "number" then error("offset must be a number, not a " .. type(offset), 2) end
  host.rewind(topic, partition, offset)
end

function sink:pause(topic, partition)
  check_partition_args(topic, partition)
  host.pause(topic, partition, true)
end

function sink:resume(topic, partition)
  check_partition_args(topic, partition)
  host.pause(topic, partition, false)
end

--- Gives a record up: e, an error object or a text, is reported for it as errors.* say. Raises when that
-- is not tolerated.
function sink:reject(record, e)
  local rec = view.record_of(record)
  if e == nil then return host.reject(rec) end
  local class, message, java, trace = errors.parts(e)
  host.reject(rec, java or class == "retriable" and RETRIABLE or DATA, message, trace)
end

--- The longest wait before the next put, once.
function sink:timeout(ms)
  if type(ms) ~= "number" then error("ctx:timeout takes milliseconds, not a " .. type(ms), 2) end
  host.timeout(ms)
end

--- A list of {topic, partition}.
function sink:assignment() return host.assignment() end

--- Commits at the next turn instead of the next interval.
function sink:request_commit() host.request_commit() end

-- A source's, made in connect.host.source.
local emitting = { emit = true, record = true, partition = true, full = true }

-- Kafka's null is not a value a plugin asked for: an unset key is absent.
local function without_nulls(config)
  for key, value in pairs(config) do
    if value == host.null then config[key] = nil end
  end
  return config
end

M.without_nulls = without_nulls

--- What ctx has for a kind, for lint and documentation: name -> true.
function M.names(kind)
  local names = { config = true, task = true }
  for name in pairs(common(nil)) do names[name] = true end
  for name in pairs(kind == "source" and source or sink) do names[name] = true end
  for name in pairs(kind == "source" and emitting or {}) do names[name] = true end
  return names
end

--- part: the connector's, with its config; fields: further methods of this kind; getters: fields computed at each
-- access.
function M.new(spec, part, fields, getters)
  local methods = common(spec.opaque, spec.clock)
  for name, fn in pairs(spec.kind == "source" and source or sink) do methods[name] = fn end
  for name, fn in pairs(fields or {}) do methods[name] = fn end
  local other = spec.kind == "source" and sink or source
  local ctx = {
    config = without_nulls(part.config or {}),
    task = { id = spec.task, max = spec.tasks_max, connector = spec.connector },
  }
  return setmetatable(ctx, {
    __index = function(_, name)
      local method = methods[name]
      if method ~= nil then return method end
      if getters and getters[name] then return getters[name]() end
      if other[name] or emitting[name] then
        errors.fatal("ctx:%s is not for a %s", name, spec.kind)
      end
    end,
  })
end

return M
