-- SPDX-License-Identifier: Apache-2.0
-- A pipeline whose plugins are edited while it runs: a source of numbers, transforms that stamp their version
-- twice on each record, a sink that writes what it gets. What comes out is checked number by number.
local helpers = require "spec.helpers"

local M = {}

M.fields = { "a", "b", "c", "x", "y", "z" } -- of the transforms t_a ...; the first three are the source's

--- options: kind ("carried" = it has reload), rows (further config rows).
function M.source(version, options)
  options = options or {}
  return ([[
local VERSION = %d
return { api = 1, kind = "source", version = "%d", config = {
    { name = "topic", type = "string", required = true, doc = "t" },
    { name = "pause.ms", type = "int", default = 5, doc = "p" },
    { name = "batch", type = "int", default = 10, doc = "b" }, %s },
  start = function(ctx) ctx.n = (ctx:offset { s = 1 } or { n = 0 }).n end,
  poll = function(ctx)
    ctx:sleep(ctx.config["pause.ms"])
    for _ = 1, ctx.config.batch do
      ctx.n = ctx.n + 1
      ctx:emit { topic = ctx.config.topic, value = { n = ctx.n, source = VERSION }, source_partition = { s = 1 },
        source_offset = { n = ctx.n } }
    end
  end,
  %s }
]]):format(version, version, options.rows or "",
    options.kind == "carried" and "reload = function(ctx, old) ctx.n = old.n end," or "")
end

--- A line for each record: number, batch, versions of sink and source, then both stamps of each field.
function M.sink(version, options)
  options = options or {}
  return ([[
local connect = require "connect"
local VERSION = %d
return { api = 1, kind = "sink", version = "%d",
  config = { { name = "file", type = "string", required = true, doc = "f" } },
  start = function(ctx) ctx.out, ctx.batch, ctx.run = connect.file.writer { path = ctx.config.file }, 0, os.clock() end,
  put = function(ctx, batch)
    ctx.batch = ctx.batch + 1
    for _, rec in batch:records() do
      local v = rec.value
      ctx.out:line(("%%d %%d/%%f %%d %%d %%d %%d %%d %%d %%d %%d %%d %%d %%d %%d %%d %%d"):format(v.n, ctx.batch, ctx.run,
        VERSION, v.source, v.a1, v.a2, v.b1, v.b2, v.c1, v.c2, v.x1, v.x2, v.y1, v.y2, v.z1, v.z2))
    end
    ctx.out:flush()
  end,
  %s }
]]):format(version, version,
    options.kind == "carried" and "reload = function(ctx, old) ctx.out, ctx.batch, ctx.run = old.out, old.batch, old.run end,"
    or "")
end

--- Stamps <field>1 and <field>2 with its version.
function M.transform(field, version)
  return ([[
local VERSION = %d
return { api = 1, kind = "transform", version = "%d", apply = function(record)
  local v = record.value
  v["%s1"] = VERSION
  v["%s2"] = VERSION
  return record
end }
]]):format(version, version, field, field)
end

local Pipeline = {}
Pipeline.__index = Pipeline

--- Source, three transforms on each side, sink. options: source, sink (as above), worker (keys), more (config of
-- both), numbers (config of the source).
function M.start(options)
  options = options or {}
  local self = setmetatable({ folder = helpers.folder(), topic = helpers.unique "numbers", count = 0, at = 0, rest = "",
    latest = {}, batch = {} }, Pipeline)
  self.out = self.folder .. "/out"
  helpers.shell("mkdir " .. self.folder .. "/p")
  self:save("numbers", M.source(1, options.source))
  self:save("collect", M.sink(1, options.sink))
  for _, field in ipairs(M.fields) do self:save("t_" .. field, M.transform(field, 1)) end
  local keys = { ["plugin.path"] = self.folder .. "/p", ["offset.flush.interval.ms"] = "100",
    ["value.converter"] = "org.apache.kafka.connect.json.JsonConverter", ["value.converter.schemas.enable"] = "false" }
  for k, v in pairs(options.worker or {}) do keys[k] = v end
  self.worker = helpers.worker(keys):start()
  local function config(given, fields)
    local out = { ["tasks.max"] = "1", transforms = table.concat(fields, ",") }
    for _, field in ipairs(fields) do out["transforms." .. field .. ".type"] = "t_" .. field end
    for _, keys_of in ipairs { given, options.more or {}, given.topic and options.numbers or {} } do
      for k, v in pairs(keys_of) do out[k] = v end
    end
    return out
  end
  self.sink_name, self.source_name = helpers.unique "collect", helpers.unique "numbers"
  self.worker:create(self.source_name, config({ ["connector.class"] = "numbers", topic = self.topic }, { "a", "b", "c" }))
  self.worker:create(self.sink_name, config({ ["connector.class"] = "collect", topics = self.topic, file = self.out,
    ["consumer.override.auto.offset.reset"] = "earliest" }, { "x", "y", "z" }))
  self:flows()
  return self
end

--- Saves a plugin as editors do: a new file in the place of the old one.
function Pipeline:save(name, text)
  local path = ("%s/p/%s.lua"):format(self.folder, name)
  helpers.write(path .. ".tmp", text)
  assert(os.rename(path .. ".tmp", path))
end

--- What GET /connect-lua/plugins says of a class.
function Pipeline:plugin(class)
  for _, file in ipairs((self.worker:get "/connect-lua/plugins")) do
    if file.class == class then return file end
  end
end

--- The task of the source or the sink, and the generation of each plugin it runs, by role.
function Pipeline:task(connector)
  for _, task in ipairs((self.worker:get "/connect-lua/tasks")) do
    if task.connector == connector then
      local running = {}
      for _, plugin in ipairs(task.plugins) do running[plugin.role] = plugin.generation end
      return task, running
    end
  end
end

function Pipeline:wait_running(connector, role, generation)
  return helpers.wait_for(("%s to run generation %d of %s"):format(connector, generation, role), function()
    local task, running = self:task(connector)
    return task and task.state == "RUNNING" and running[role] == generation and task
  end)
end

function Pipeline:wait_rejection(class, text)
  return helpers.wait_for(class .. " to be rejected: " .. text, function()
    local plugin = self:plugin(class)
    local last = plugin and type(plugin.last_rejection) == "table" and plugin.last_rejection
    return last and last.reason:find(text, 1, true) and plugin
  end)
end

--- Waits until the task says that it could not take over a generation, and why.
function Pipeline:wait_refusal(connector, text)
  return helpers.wait_for(connector .. " to refuse: " .. text, function()
    local task = self:task(connector)
    local last = task and type(task.reloads.last_rejection) == "table" and task.reloads.last_rejection
    return last and last.reason:find(text, 1, true) and task
  end)
end

-- Every number comes once and in order, no record and no batch of the sink's has two versions of a transform, and no
-- version comes back.
function Pipeline:check_line(line)
  local v, i = {}, 0
  for word in line:gmatch "%S+" do
    i = i + 1
    v[i] = i == 2 and word or tonumber(word)
  end
  assert(i == 16, line)
  local n = v[1]
  assert(n == self.count + 1, ("record %d where %d should be"):format(n, self.count + 1))
  self.count = n
  local same_batch = self.batch[2] == v[2]
  for at = 3, 16 do
    assert(v[at] >= (self.latest[at] or 0), ("record %d: a version comes back: %s"):format(n, line))
    self.latest[at] = v[at]
    assert(at < 5 or at % 2 == 1 or v[at] == v[at - 1], ("record %d has two versions of a transform: %s"):format(n, line))
    assert(at < 11 or not same_batch or v[at] == self.batch[at], ("record %d: its batch has two versions: %s"):format(n, line))
  end
  self.batch = v
end

--- Looks at the lines that are new.
function Pipeline:check()
  local file = io.open(self.out, "rb")
  if not file then return end
  file:seek("set", self.at)
  local text = file:read "*a"
  file:close()
  self.at = self.at + #text
  text = self.rest .. text
  local done = 1
  for line, after in text:gmatch "([^\n]*)\n()" do
    self:check_line(line)
    done = after
  end
  self.rest = text:sub(done)
end

--- So many more records come through from now on.
function Pipeline:flows(n)
  self:check()
  local goal = self.count + (n or 50)
  helpers.wait_for("record " .. goal, function()
    self:check()
    return self.count >= goal
  end)
end

--- Ends the source and waits for all it has emitted. Answers the versions that the last record has, by field and by
-- "source" and "sink".
function Pipeline:finish()
  assert(self.worker:http("PUT", "/connectors/" .. self.source_name .. "/stop") == 204)
  local offsets = helpers.wait_for("the offsets", function()
    local body, status = self.worker:get("/connectors/" .. self.source_name .. "/offsets")
    return status == 200 and #body.offsets > 0 and body.offsets
  end)
  local last = offsets[1].offset.n
  helpers.wait_for("record " .. last, function()
    self:check()
    return self.count >= last
  end)
  assert(self.count == last)
  local out = { sink = self.batch[3], source = self.batch[4] }
  for i, field in ipairs(M.fields) do out[field] = self.batch[3 + 2 * i] end
  return out
end

return M
