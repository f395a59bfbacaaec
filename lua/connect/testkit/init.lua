-- SPDX-License-Identifier: Apache-2.0
-- What specs of plugins are written with. Not for plugins.
--
--   local kit = require "connect.testkit"
--   local plugin = kit.plugin "orders"                     -- orders.lua beside the spec
--
--   local t = kit.task { plugin = plugin, config = { topic = "x" }, value = "json", value_config = kit.PLAIN,
--     offsets = { [ [[{"table":"orders"}]] ] = { id = 41 } } }          -- by the JSON of the source partition
--   t:start()
--   local records = t:poll()                               -- of a source: { topic, key, value, headers, partition,
--                                                          --   timestamp, source_partition, source_offset }
--   t:put { "text", { key = "k", value = "text", topic = "t", partition = 0, offset = 7 } }             -- of a sink
--   t:flush {}  t:stop()  t:close()
--   t.now, t.slept, t:ask_to_stop()                        -- the clock, which ctx:sleep moves, and what was slept
--   t.logged, t.asked                                      -- what the plugin logged; what it asked of its task
--
--   kit.apply(plugin, { value = { a = 1 } }, { config = {}, side = "value" })   -- a transform: the record, or nil
--   kit.test(plugin, { topic = "t" })                      -- a predicate: true or false
--   kit.decode(plugin, "bytes"), kit.encode(plugin, x)     -- a converter
--
--   local server = kit.server()                            -- HTTP on a real socket, with prepared answers
--   server:answer { path = "/items", json = { items = {} } }     server.url, server:requests()     server:stop()
--
-- Keys and values of tasks are bytes, as Kafka has them; those of kit.apply and kit.test are Lua values.

local json = require "connect.json"
local task = require "connect.testkit.task"
local view = require "connect.host.view"

local kit = { load = task.load, server = require "connect.testkit.server",
  PLAIN = { ["schemas.enable"] = false } }

-- What the worker would refuse before anything runs.
local function check_config(plugin, config)
  local rows = type(plugin) == "table" and plugin.config or {}
  for _, row in ipairs(rows) do
    if row.required and (config or {})[row.name] == nil and row.name ~= "converter.type" then
      error(("the config lacks %s, which has no default"):format(row.name), 3)
    end
  end
end

--- A task of a connector; the options are told in lua/connect/testkit/task.lua.
function kit.task(options)
  check_config(options.plugin, options.config)
  return task.new(options)
end

--- The module of name.lua, or name/init.lua, beside the file that calls this.
function kit.plugin(name)
  local source = debug.getinfo(2, "S").source
  local folder = source:match "^@(.*)/[^/]*$" or "."
  local path = folder .. "/" .. name .. ".lua"
  local file = io.open(path, "rb")
  if file then file:close() else path = folder .. "/" .. name .. "/init.lua" end
  return task.load(path)
end

-- Whole messages instead of error objects, for busted's matchers.
local function protected(t, fn, ...)
  local ok, result = pcall(fn, t, ...)
  t:close()
  if ok then return result end
  error(type(result) == "table" and task.message(result) or result, 0)
end

local function text(x)
  if x == nil then return nil end
  return json.encode(x)
end

-- What consuming gives a task whose key and value are JSON.
local function consumed(record)
  local headers = {}
  for i, h in ipairs(record.headers or {}) do headers[i] = { h[1], text(h[2]) } end
  return { topic = record.topic, partition = record.partition, offset = record.offset, timestamp = record.timestamp,
    key = text(record.key), value = text(record.value), headers = #headers > 0 and headers or nil }
end

local function shown(record)
  local headers = {}
  for i, h in ipairs(view.copy(record.headers)) do headers[i] = { h.name, h.value } end
  return { topic = record.topic, partition = record.partition, timestamp = record.timestamp,
    key = view.copy(record.key), value = view.copy(record.value), headers = headers }
end

-- One record through one stage.
local function through(stage, record)
  local out
  local t = task.new { key = "json", key_config = kit.PLAIN, value = "json", value_config = kit.PLAIN,
    header = "json", header_config = kit.PLAIN, transforms = { stage },
    plugin = { kind = "sink", put = function(_, batch)
      for _, r in batch:records() do out = shown(r) end
    end } }
  protected(t, t.put, { consumed(record) })
  return out
end

--- What a transform makes of a record { topic, key, value, headers = { { name, value } }, partition, timestamp }: the
-- same fields as plain tables; nil when it is dropped. options: config, and side, "key" or "value", of one with sides.
function kit.apply(plugin, record, options)
  options = options or {}
  check_config(plugin, options.config)
  return through({ plugin = plugin, config = options.config, side = options.side }, record)
end

local DROP = { kind = "transform", apply = function() return nil end }

--- Whether a predicate holds for such a record.
function kit.test(plugin, record, options)
  check_config(plugin, options and options.config)
  return through({ plugin = DROP, predicate = plugin, predicate_config = options and options.config }, record) == nil
end

--- What a converter reads in bytes, as plain tables; connect.null for null.
function kit.decode(plugin, bytes, options)
  local out
  local t = task.new { value = plugin, value_config = options and options.config,
    plugin = { kind = "sink", put = function(_, batch)
      for _, r in batch:records() do out = view.copy(r.value) end
    end } }
  protected(t, t.put, { { value = bytes } })
  return out
end

--- The bytes that a converter makes of a value; nil when it is null in Kafka.
function kit.encode(plugin, x, options)
  local t = task.new { value = plugin, value_config = options and options.config,
    plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = x, value_schema = options and options.schema }
    end } }
  return protected(t, t.poll)[1].value
end

return kit
