-- SPDX-License-Identifier: Apache-2.0
-- errors.* on a real broker: kills, and dead letters beside those of Apache's worker.
local apache = require "spec.helpers.apache"
local helpers = require "spec.helpers"
local kafka = require "spec.helpers.kafka"
local poison = require "spec.helpers.poison"

local JSON = "org.apache.kafka.connect.json.JsonConverter"
local STRING = "org.apache.kafka.connect.storage.StringConverter"
local TRANSFORMS = "org.apache.kafka.connect.transforms."

describe("a sink that tolerates errors #kafka", function()
  after_each(helpers.clean)

  it("loses neither a good nor a bad record to kill -9", function() poison.with_kills(6000, 100, 2) end)
end)

-- Each: a topic's records, the converters and transforms that refuse some, how many are left as lines.
local CASES = {
  torn = { title = "JSON that is none", good = 4, letters = 7,
    records = { { value = '{"a":1}' }, { value = "{torn" }, { value = "text" }, { value = "" }, { value = "\0\0\0\0\1x" },
      { value = "\255" }, { value = "[1," }, { value = "nul" }, { value = "  " }, { value = '{"a":}' }, { value = "5" } },
    config = { ["value.converter"] = JSON, ["value.converter.schemas.enable"] = "false" } },
  envelope = { title = "JSON without an envelope", good = 3, letters = 7,
    records = { { value = '{"schema":{"type":"int32"},"payload":5}' }, { value = '{"a":1}' }, { value = "5" }, { value = "[]" },
      { value = '{"schema":null}' }, { value = '{"payload":1}' }, { value = '{"schema":{"type":"int32"},"payload":5,"x":1}' },
      { value = '{"schema":{"type":"nope"},"payload":5}' }, { value = '{"schema":{"type":"int32"},"payload":"x"}' },
      { value = kafka.null } },
    config = { ["value.converter"] = JSON, ["value.converter.schemas.enable"] = "true" } },
  key = { title = "a key that is no JSON, with headers and a time of its own", good = 1, letters = 2,
    records = { { key = '{"k":1}', value = "a" },
      { key = "{torn", value = "b", timestamp = 1600000000000, headers = { { "h", "1" }, { "h", "2" }, { "n", kafka.null } } },
      { key = "]", value = kafka.null, headers = { { "", "" } } } },
    config = { ["key.converter"] = JSON, ["key.converter.schemas.enable"] = "false" } },
  header = { title = "a header that is no JSON", good = 1, letters = 1,
    records = { { value = "a", headers = { { "h", "1" } } }, { value = "b", headers = { { "ok", "2" }, { "h", "{torn" } } } },
    config = { ["header.converter"] = JSON, ["header.converter.schemas.enable"] = "false" } },
  transform = { title = "a transform that fails after others have changed the record", good = 1, letters = 3,
    records = { { key = "k", value = '{"n":"1"}' },
      { key = "k", value = '{"n":"one"}', timestamp = 1600000000000, headers = { { "gone", "x" }, { "kept", "y" } } },
      { value = '{"n":[]}' }, { value = "[1]" } },
    config = { ["value.converter"] = JSON, ["value.converter.schemas.enable"] = "false",
      transforms = "route,header,drop,number", ["transforms.route.type"] = TRANSFORMS .. "RegexRouter",
      ["transforms.route.regex"] = ".*", ["transforms.route.replacement"] = "elsewhere",
      ["transforms.header.type"] = TRANSFORMS .. "InsertHeader", ["transforms.header.header"] = "new",
      ["transforms.header.value.literal"] = "v", ["transforms.drop.type"] = TRANSFORMS .. "DropHeaders",
      ["transforms.drop.headers"] = "gone", ["transforms.number.type"] = TRANSFORMS .. "Cast$Value",
      ["transforms.number.spec"] = "n:int32" } },
  predicate = { title = "a transform behind a predicate", good = 2, letters = 1,
    records = { { value = '{"a":1}' }, { value = "[2]", headers = { { "do", "it" } } }, { value = "[3]" } },
    config = { ["value.converter"] = JSON, ["value.converter.schemas.enable"] = "false", transforms = "take",
      ["transforms.take.type"] = TRANSFORMS .. "ExtractField$Value", ["transforms.take.field"] = "a",
      ["transforms.take.predicate"] = "asked", predicates = "asked",
      ["predicates.asked.type"] = TRANSFORMS .. "predicates.HasHeaderKey", ["predicates.asked.name"] = "do" } },
  plain = { title = "without context headers", good = 1, letters = 2,
    records = { { value = "1" }, { key = "k", value = "{", headers = { { "h", "x" } } }, { value = "}" } },
    config = { ["value.converter"] = JSON, ["value.converter.schemas.enable"] = "false",
      ["errors.deadletterqueue.context.headers.enable"] = "false" } },
}

describe("dead letters beside Apache's worker #kafka", function()
  local worker, client
  local run = helpers.unique "letters"
  local SIDES = { "apache", "ours" }

  local function name_of(name, side) return ("%s-%s-%s"):format(run, name, side) end

  local function connector(name, side)
    local case = CASES[name]
    local config = { name = name_of(name, side), ["connector.class"] = "org.apache.kafka.connect.file.FileStreamSinkConnector",
      ["tasks.max"] = "1", topics = run .. "-" .. name, file = worker:path(name .. "." .. side), ["key.converter"] = STRING,
      ["value.converter"] = STRING, ["errors.tolerance"] = "all", ["errors.log.enable"] = "true",
      ["errors.log.include.messages"] = "true", ["errors.deadletterqueue.topic.name"] = name_of(name, side) .. "-letters",
      ["errors.deadletterqueue.topic.replication.factor"] = "1", ["errors.deadletterqueue.context.headers.enable"] = "true" }
    for key, value in pairs(case.config) do config[key] = value end
    return helpers.write(worker:path(config.name .. ".properties"), helpers.properties(config))
  end

  local function wait(side)
    for name, case in pairs(CASES) do
      helpers.wait_for(side .. "'s letters of " .. name, function()
        return client:committed("connect-" .. name_of(name, side), run .. "-" .. name, 0) == #case.records
      end)
    end
  end

  local logs = {}
  lazy_setup(function()
    worker = helpers.worker()
    client = kafka.open(helpers.broker)
    for name, case in pairs(CASES) do
      client:create { [run .. "-" .. name] = 1 }
      client:produce(run .. "-" .. name, case.records)
    end
    for _, side in ipairs(SIDES) do
      worker.config["offset.storage.file.filename"] = worker:path("offsets." .. side)
      local files = {}
      for name in pairs(CASES) do files[#files + 1] = connector(name, side) end
      if side == "apache" then
        local theirs = apache.start(worker, files)
        wait(side)
        theirs:stop()
        logs[side] = helpers.read(theirs.path)
      else
        worker.files = files
        worker:start()
        wait(side)
        worker:stop()
        logs[side] = worker:log()
      end
    end
  end)

  lazy_teardown(function()
    if client then client:close() end
    helpers.clean()
  end)

  -- Of a stack trace the first line is the contract; the connector's name is the side's.
  local function letters(name, side)
    local topic, out = name_of(name, side) .. "-letters", {}
    for i, letter in ipairs(client:read(topic, 0, 0, client:upto(topic, 0))) do
      local headers = {}
      for j, h in ipairs(letter.headers) do
        local value = h[2]
        if h[1] == "__connect.errors.exception.stacktrace" then value = value:match "^[^\n]*" end
        headers[j] = h[1] .. ": " .. tostring(value):gsub("%-" .. side .. "$", "")
      end
      -- A record made without a time has that of its making, which is the same for both sides.
      out[i] = { key = letter.key, value = letter.value, timestamp = letter.timestamp, headers = headers }
    end
    return out
  end

  -- What the log says of this case's records, without the stack traces.
  local function logged(name, side)
    local out = {}
    for line in logs[side]:gmatch("Error encountered in task " .. name_of(name, side):gsub("%-", "%%-") .. "%-0%. ([^\n]*)") do
      out[#out + 1] = line:gsub(" %(org%.apache[%w.:]*%)$", "")
    end
    return out
  end

  for name, case in pairs(CASES) do
    it(name .. ": " .. case.title, function()
      local theirs = letters(name, "apache")
      assert.equal(case.letters, #theirs)
      assert.same(theirs, letters(name, "ours"))
      local _, lines = (helpers.read(worker:path(name .. ".ours")) or ""):gsub("\n", "")
      assert.equal(case.good, lines)
      assert.equal(helpers.read(worker:path(name .. ".apache")), helpers.read(worker:path(name .. ".ours")))
      local said = logged(name, "apache")
      assert.equal(case.letters, #said)
      assert.same(said, logged(name, "ours"))
    end)
  end
end)

describe("dead letters of a source #kafka", function()
  local client
  lazy_setup(function() client = kafka.open(helpers.broker) end)
  lazy_teardown(function() client:close() end)
  after_each(helpers.clean)

  it("hold what a transform and what Kafka has refused, and its offsets are stored", function()
    local topic, letters = helpers.unique "small", helpers.unique "letters"
    client:create({ [topic] = 1 }, { ["max.message.bytes"] = "1000" })
    local worker = helpers.worker()
    worker.config["plugin.path"] = worker.folder
    helpers.write(worker:path "mixed.lua", [[
      return { api = 1, kind = "source", config = { { name = "topic", type = "string" } }, poll = function(ctx)
        if ctx.sent then return ctx:sleep(3600000) end -- no poll ends before the letters are written
        ctx.sent = true
        for n = 1, 4 do
          local text = n == 2 and "refuse me" or n == 3 and ("x"):rep(2000) or "good " .. n
          ctx:emit { topic = ctx.config.topic, value = text, source_partition = { p = 1 }, source_offset = { n = n } }
        end
      end }]])
    helpers.write(worker:path "picky.lua", [[
      local connect = require "connect"
      return { api = 1, kind = "transform", config = {}, apply = function(record)
        if record.value == "refuse me" then connect.data_error "as it wished" end
        return record
      end }]])
    worker:start()
    worker:create("mixed", { ["connector.class"] = "mixed", topic = topic, transforms = "picky",
      ["transforms.picky.type"] = "picky", ["errors.tolerance"] = "all",
      ["producer.override.batch.size"] = "0", -- librdkafka does not split a batch that is refused
      ["connect.lua.errors.deadletterqueue.topic.name"] = letters,
      ["connect.lua.errors.deadletterqueue.topic.replication.factor"] = "1" })
    helpers.wait_for("the last offset to be stored", function()
      local body = worker:get "/connectors/mixed/offsets"
      return body.offsets[1] and body.offsets[1].offset.n == 4
    end)
    worker:wait_state("mixed", "RUNNING")
    worker:stop()
    assert.equal(2, client:upto(topic, 0))
    assert.equal(2, client:upto(letters, 0))
    local found = {}
    for _, letter in ipairs(client:read(letters, 0, 0, 2)) do
      local headers = {}
      for _, h in ipairs(letter.headers) do headers[h[1]] = h[2] end
      found[headers["__connect.errors.stage"]] = { headers, letter.value }
    end
    local transform, produce = found.TRANSFORMATION, found.KAFKA_PRODUCE
    assert.equal("org.apache.kafka.connect.errors.DataException", transform[1]["__connect.errors.exception.class.name"])
    assert.equal("as it wished", transform[1]["__connect.errors.exception.message"])
    assert.matches('"value":"refuse me"', transform[2], 1, true)
    assert.matches('"source_offset":{"n":2}', transform[2], 1, true)
    assert.equal("org.apache.kafka.common.errors.RecordTooLargeException", produce[1]["__connect.errors.exception.class.name"])
    assert.equal("org.apache.kafka.connect.runtime.WorkerSourceTask", produce[1]["__connect.errors.class.name"])
    assert.equal(topic, produce[1]["__connect.errors.topic"])
    assert.matches('"source_offset":{"n":3}', produce[2], 1, true)
  end)
end)
