-- SPDX-License-Identifier: Apache-2.0
-- topic.creation.*: topics of sources come into being as Apache's worker makes them, on a broker that
-- makes none by itself.
local apache = require "spec.helpers.apache"
local helpers = require "spec.helpers"
local kafka = require "spec.helpers.kafka"

local SIDES = { "apache", "ours" }
local GROUPS = {
  ["topic.creation.groups"] = "state,wide",
  ["topic.creation.default.replication.factor"] = "1",
  ["topic.creation.default.partitions"] = "2",
  ["topic.creation.default.retention.ms"] = "3600000",
  ["topic.creation.state.include"] = "no-such, .*-state",
  ["topic.creation.state.partitions"] = "-1",
  ["topic.creation.state.replication.factor"] = "-1",
  ["topic.creation.state.cleanup.policy"] = "compact",
  ["topic.creation.wide.include"] = "(?i).*-STATE,.*",
  ["topic.creation.wide.exclude"] = ".*-plain",
  ["topic.creation.wide.partitions"] = "4",
  ["topic.creation.wide.max.message.bytes"] = "2000000",
}

-- Compacted topics take no records without a key.
local KEYED = {
  transforms = "hoist,key",
  ["transforms.hoist.type"] = "org.apache.kafka.connect.transforms.HoistField$Value",
  ["transforms.hoist.field"] = "line",
  ["transforms.key.type"] = "org.apache.kafka.connect.transforms.ValueToKey",
  ["transforms.key.fields"] = "line",
}

-- What the broker refuses; each over GROUPS, for a topic of the group `wide`.
local REFUSED = {
  replicas = { ["topic.creation.wide.replication.factor"] = "9" },
  setting = { ["topic.creation.wide.cleanup.policy"] = "never" },
  unknown = { ["topic.creation.wide.no.such.setting"] = "1" },
}

local function with(base, more)
  local out = {}
  for _, config in ipairs { base, more } do
    for key, value in pairs(config) do out[key] = value end
  end
  return out
end

describe("topic creation #kafka", function()
  local broker, worker, client
  local run = helpers.unique "made"

  lazy_setup(function()
    broker = helpers.own_broker { ["auto.create.topics.enable"] = "false", ["num.partitions"] = "3" }
    client = kafka.open(broker.address)
    worker = helpers.worker { ["bootstrap.servers"] = broker.address }
    helpers.write(worker:path "lines", "one\ntwo\nthree\n")
  end)

  lazy_teardown(function()
    if client then client:close() end
    helpers.clean()
  end)

  local function source(topic, more)
    return with({ name = topic, ["connector.class"] = "org.apache.kafka.connect.file.FileStreamSourceConnector",
      ["tasks.max"] = "1", file = worker:path "lines", topic = topic }, more)
  end

  -- Partitions that are just being made have no leader yet.
  local function held(topic)
    local n, sum = client:partitions()[topic] or 0, 0
    for partition = 0, n - 1 do
      local known, upto = pcall(client.upto, client, topic, partition)
      sum = sum + (known and upto or 0)
    end
    return sum
  end

  describe("beside Apache's worker", function()
    local found = {}

    local function status_of(url, name)
      return helpers.wait_for(name .. " to have failed", function()
        local status, body = helpers.http("GET", url .. "/connectors/" .. name .. "/status")
        return status == 200 and body.tasks[1] and body.tasks[1].state == "FAILED" and body.tasks[1]
      end)
    end

    local function look(side, url)
      local out = { failed = {} }
      for _, kind in ipairs { "state", "wide", "plain" } do
        local topic = ("%s-%s-%s"):format(run, side, kind)
        helpers.wait_for(topic .. " to hold all lines", function() return held(topic) == 3 end)
        out[kind] = { partitions = client:partitions()[topic], settings = client:settings(topic) }
      end
      for kind in pairs(REFUSED) do
        local topic = ("%s-%s-%s"):format(run, side, kind)
        out.failed[kind] = status_of(url, topic).trace
        assert.is_nil(client:partitions()[topic])
      end
      return out
    end

    lazy_setup(function()
      for _, side in ipairs(SIDES) do
        worker.config["offset.storage.file.filename"] = worker:path("offsets." .. side)
        local files = {}
        local function add(kind, more)
          local config = source(("%s-%s-%s"):format(run, side, kind), with(GROUPS, more))
          files[#files + 1] = helpers.write(worker:path(config.name .. ".properties"), helpers.properties(config))
        end
        add("state", KEYED)
        add("wide", {})
        add("plain", {})
        for kind, more in pairs(REFUSED) do add(kind, more) end
        if side == "apache" then
          local theirs = apache.start(worker, files)
          found[side] = look(side, theirs.url)
          theirs:stop()
        else
          worker.files = files
          worker:start()
          found[side] = look(side, worker.url)
          worker:stop()
        end
      end
    end)

    for kind, partitions in pairs { state = 3, wide = 4, plain = 2 } do
      it("makes the topic of " .. kind, function()
        assert.equal(partitions, found.apache[kind].partitions)
        assert.same(found.apache[kind], found.ours[kind])
      end)
    end

    for kind in pairs(REFUSED) do
      it("fails like it when the broker refuses: " .. kind, function()
        local theirs, ours = found.apache.failed[kind]:match "^[^\n]*", found.ours.failed[kind]:match "^[^\n]*"
        theirs = theirs:gsub("%-apache%-", "-ours-")
        assert.truthy(theirs:find("Unable to create topic(s) '", 1, true), theirs)
        assert.equal(theirs, ours:sub(1, #theirs)) -- it ends with the broker's code
      end)
    end
  end)

  describe("by several tasks", function()
    -- Every task has a record for each of the topics.
    local PLUGIN = [[
return {
  api = 1, kind = "source", version = "1", doc = "Many topics.",
  config = { { name = "topics", type = "list", doc = "Where to." }, { name = "task", type = "int", default = 0, doc = "Which." } },
  tasks = function(config, max)
    local list = {}
    for i = 1, max do
      list[i] = { task = tostring(i) }
      for key, value in pairs(config) do list[i][key] = list[i][key] or value end
    end
    return list
  end,
  poll = function(ctx)
    if ctx.done then ctx:sleep(1000) return end
    ctx.done = true
    for i, topic in ipairs(ctx.config.topics) do
      ctx:emit { topic = topic, value = "v", source_partition = { task = ctx.config.task }, source_offset = { n = i } }
    end
  end,
}
]]
    local topics = { run .. "-a-state", run .. "-b", run .. "-c", run .. "-d-plain" }
    local PARTITIONS = { 3, 4, 4, 2 }
    local NAME = run .. "-many"

    lazy_setup(function()
      helpers.shell("mkdir -p " .. worker:path "plugins")
      helpers.write(worker:path "plugins/many_topics.lua", PLUGIN)
      worker.config["plugin.path"] = worker:path "plugins"
      worker.config["offset.storage.file.filename"] = worker:path "offsets.many"
      worker.files = {}
      worker:start()
    end)

    it("waits for a broker that is away, and can be paused meanwhile", function()
      broker:stop()
      worker:create(NAME, with(GROUPS, { ["connector.class"] = "many_topics", ["tasks.max"] = "3",
        topics = table.concat(topics, ","), ["topic.creation.state.cleanup.policy"] = "delete" }))
      worker:wait_state(NAME, "RUNNING", 3)
      worker:http("PUT", "/connectors/" .. NAME .. "/pause")
      worker:wait_state(NAME, "PAUSED", 3)
      worker:http("PUT", "/connectors/" .. NAME .. "/resume")
      worker:wait_state(NAME, "RUNNING", 3)
      broker:start()
      for i, topic in ipairs(topics) do
        helpers.wait_for(topic .. " to hold a record of each task", function() return held(topic) == 3 end)
        assert.equal(PARTITIONS[i], client:partitions()[topic])
      end
      worker:wait_state(NAME, "RUNNING", 3)
    end)

    it("stops at once when the broker is away", function()
      worker:http("DELETE", "/connectors/" .. NAME)
      broker:stop()
      worker:create(NAME, with(GROUPS, { ["connector.class"] = "many_topics", topics = run .. "-never" }))
      worker:wait_state(NAME, "RUNNING", 1)
      worker:stop()
      assert.is_nil(worker:log():find("is given up", 1, true))
      broker:start()
    end)
  end)

  it("is the broker's matter when the worker does not allow it", function()
    local topic = run .. "-disabled"
    worker.config["offset.storage.file.filename"] = worker:path "offsets.disabled"
    worker.config["topic.creation.enable"] = "false"
    worker.files = { helpers.write(worker:path "disabled.properties",
      helpers.properties(source(topic, { ["topic.creation.default.partitions"] = "2" }))) }
    worker:start()
    local status = worker:wait_state(topic, "FAILED") -- what librdkafka calls missing after half a minute
    assert.truthy(status.tasks[1].trace:find("topic " .. topic, 1, true), status.tasks[1].trace)
    assert.truthy(status.tasks[1].trace:find("Unknown topic", 1, true), status.tasks[1].trace)
    assert.is_nil(client:partitions()[topic])
    worker:stop()
    worker.config["topic.creation.enable"] = nil
  end)
end)

describe("topic creation on a broker that makes topics by itself #kafka", function()
  local worker, client
  local run = helpers.unique "asked"

  lazy_setup(function()
    client = kafka.open(helpers.broker)
    worker = helpers.worker()
    helpers.write(worker:path "lines", "one\n")
  end)

  lazy_teardown(function()
    client:close()
    helpers.clean()
  end)

  local function partitions_with(topic, more)
    worker:create(topic, with({ ["connector.class"] = "FileStreamSource", file = worker:path "lines", topic = topic }, more))
    return helpers.wait_for(topic, function() return client:partitions()[topic] end)
  end

  it("comes first, so that asking for a topic must not make it", function()
    worker:start()
    assert.equal(4, partitions_with(run .. "-wide", GROUPS))
    assert.equal(1, partitions_with(run .. "-other", {}))
    worker:stop()
  end)

  it("is not done for a worker that does not allow it", function()
    worker.config["topic.creation.enable"] = "false"
    worker:start()
    assert.equal(1, partitions_with(run .. "-denied", GROUPS))
    worker:stop()
  end)
end)

describe("topic creation", function()
  local worker
  after_each(helpers.clean)

  it("goes with any broker", function()
    worker = helpers.worker()
    local pipe = helpers.pipeline(worker.folder)
    helpers.write(pipe.from, "one\ntwo\n")
    worker:start()
    worker:create(pipe.source.name, with(pipe.source, { ["topic.creation.default.partitions"] = "1",
      ["topic.creation.default.replication.factor"] = "1" }))
    worker:create(pipe.sink.name, pipe.sink)
    helpers.wait_for_text(pipe.to, "one\ntwo\n")
    worker:stop()
  end)

  it("is checked when the connector starts", function()
    worker = helpers.worker():start()
    local pipe = helpers.pipeline(worker.folder)
    for message, more in pairs {
      ['Missing required configuration "topic.creation.default.replication.factor" which has no default value.'] = {},
      ["Invalid value 0 for configuration partitions: Number of partitions must be positive, or -1 to use the broker's default"] = {
        ["topic.creation.default.replication.factor"] = "1", ["topic.creation.default.partitions"] = "0" },
      ["Invalid value [a, b(] for configuration exclude: Syntax error in regular expression: Unclosed group near index 2\nb("] = {
        ["topic.creation.default.replication.factor"] = "1", ["topic.creation.default.partitions"] = "1",
        ["topic.creation.g.exclude"] = "a, b(" },
    } do
      local config = with(pipe.source, with({ ["topic.creation.groups"] = "g" }, more))
      local status, valid = worker:http("PUT", "/connector-plugins/FileStreamSource/config/validate", config)
      assert.same({ 200, 0 }, { status, valid.error_count })
      local body
      status, body = worker:http("PUT", "/connectors/" .. config.name .. "/config", config)
      assert.same({ 500, message }, { status, body.message })
      assert.equal("FAILED", worker:get("/connectors/" .. config.name .. "/status").connector.state)
    end
    worker:stop()
  end)
end)
