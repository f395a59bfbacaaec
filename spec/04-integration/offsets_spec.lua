-- SPDX-License-Identifier: Apache-2.0
-- GET, PATCH, DELETE /connectors/{c}/offsets (KIP-875) by the real binary.
local apache = require "spec.helpers.apache"
local helpers = require "spec.helpers"
local json = require "dkjson"
local kafka = require "spec.helpers.kafka"

local ALTERED = "The offsets for this connector have been altered successfully"
local RESET = "The offsets for this connector have been reset successfully"

local function does(worker, status, method, path, body)
  local got, answer = worker:http(method, path, body)
  assert.equal(status, got, type(answer) == "table" and answer.message or nil)
  return answer
end

local function says(worker, status, message, method, path, body)
  assert.equal(message, does(worker, status, method, path, body).message)
end

local function source_offset(file, position)
  return { offsets = { { partition = { filename = file }, offset = position and { position = position } } } }
end

describe("offsets of a source", function()
  after_each(helpers.clean)

  it("are what it goes on from, and are not lost by kill -9", function()
    local worker = helpers.worker():start()
    local pipe = helpers.pipeline(worker.folder)
    local path = "/connectors/" .. pipe.source.name .. "/offsets"
    helpers.write(pipe.from, "one\ntwo\nthree\n")
    local function go(expected)
      worker:create(pipe.source.name, pipe.source)
      worker:create(pipe.sink.name, pipe.sink)
      helpers.wait_for_text(pipe.to, expected)
    end
    go "one\ntwo\nthree\n"
    helpers.wait_for("the offset", function()
      local it = worker:get(path).offsets[1]
      return it and it.offset.position == 14 and it.partition.filename == pipe.from
    end)
    does(worker, 204, "PUT", "/connectors/" .. pipe.source.name .. "/stop")
    says(worker, 200, ALTERED, "PATCH", path, source_offset(pipe.from, helpers.broker == "embedded" and 4 or 0))
    if helpers.broker == "embedded" then -- its topics and offsets die together
      does(worker, 202, "PUT", "/connectors/" .. pipe.source.name .. "/resume")
      helpers.wait_for_text(pipe.to, "one\ntwo\nthree\ntwo\nthree\n")
      worker:stop()
      return
    end
    -- Killed without the sink, whose group would wait for its dead member, and right after the answer.
    does(worker, 204, "DELETE", "/connectors/" .. pipe.sink.name)
    says(worker, 200, ALTERED, "PATCH", path, source_offset(pipe.from, 4))
    worker:crash()
    worker:start()
    go "one\ntwo\nthree\ntwo\nthree\n"
    does(worker, 204, "PUT", "/connectors/" .. pipe.source.name .. "/stop")
    does(worker, 204, "DELETE", "/connectors/" .. pipe.sink.name)
    says(worker, 200, RESET, "DELETE", path)
    worker:crash()
    worker:start()
    go "one\ntwo\nthree\ntwo\nthree\none\ntwo\nthree\n"
    worker:stop()
  end)

  it("hold what the stopped tasks had not committed yet", function()
    local worker = helpers.worker { ["offset.flush.interval.ms"] = "3600000" }:start()
    local pipe = helpers.pipeline(worker.folder)
    local path = "/connectors/" .. pipe.source.name .. "/offsets"
    helpers.write(pipe.from, "one\ntwo\n")
    worker:create(pipe.source.name, pipe.source)
    worker:create(pipe.sink.name, pipe.sink)
    helpers.wait_for_text(pipe.to, "one\ntwo\n")
    assert.same({}, worker:get(path).offsets)
    does(worker, 204, "PUT", "/connectors/" .. pipe.source.name .. "/stop")
    assert.equal(8, worker:get(path).offsets[1].offset.position)
    worker:stop()
  end)

  it("are the same bytes as Apache's worker writes #kafka", function()
    local worker = helpers.worker()
    local name, path = "it", "/connectors/it/offsets"
    local config = { ["connector.class"] = "org.apache.kafka.connect.file.FileStreamSourceConnector",
      file = worker:path "in", topic = "t" }
    -- As text, since the order of keys whose hashes meet is that of the body.
    local function offsets(n)
      return ([[{"offsets":[{"partition":{"zone":"z","table":"t","shard":7,"ratio":0.1,"filename":"%s","empty":"","e":"é\"\\",
        "database":"d","a":true,"I":null},"offset":{"position":%d}}]}]]):format(worker:path "in", n)
    end
    local function create(url)
      assert.equal(201, (helpers.http("POST", url .. "/connectors", { name = name, config = config, initial_state = "STOPPED" })))
    end
    worker:start()
    create(worker.url)
    says(worker, 200, ALTERED, "PATCH", path, offsets(1))
    worker:stop()
    local theirs = apache.start(worker, {})
    create(theirs.url)
    local _, held = helpers.http("GET", theirs.url .. path)
    assert.same(json.decode(offsets(1)), held)
    assert.equal(200, (helpers.http("PATCH", theirs.url .. path, offsets(2))))
    theirs:stop()
    local _, keys = helpers.read(worker:path "offsets"):gsub('%["it",', "")
    assert.equal(1, keys) -- an equal key of other bytes would be a second one
    worker:start()
    create(worker.url)
    assert.same(json.decode(offsets(2)), (worker:get(path)))
    says(worker, 200, RESET, "DELETE", path)
    worker:stop()
    theirs = apache.start(worker, {})
    create(theirs.url)
    _, held = helpers.http("GET", theirs.url .. path)
    assert.same({ offsets = {} }, held)
    theirs:stop()
  end)
end)

describe("offsets of a sink", function()
  after_each(helpers.clean)

  local BUSY = "Failed to %s consumer group offsets for connector %s either because its tasks haven't stopped completely yet or "
    .. "the connector was resumed before the request to %s its offsets could be successfully completed. If the connector is "
    .. "in a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the Connect cluster may "
    .. "need to be restarted to get rid of the zombie sink tasks."

  local function sorted(offsets)
    local out = {}
    for _, it in ipairs(offsets) do
      out[#out + 1] = ("%s-%d=%d"):format(it.partition.kafka_topic, it.partition.kafka_partition, it.offset.kafka_offset)
    end
    table.sort(out)
    return table.concat(out, " ")
  end

  local function item(topic, partition, offset)
    return { partition = { kafka_topic = topic, kafka_partition = partition }, offset = offset and { kafka_offset = offset } }
  end

  it("are its consumer group's #kafka", function()
    local broker, topic = kafka.open(helpers.broker), helpers.unique "sunk"
    broker:create { [topic] = 2 }
    broker:produce(topic, { { value = "a" }, { value = "b" }, { value = "c", partition = 1 } })
    broker:close()
    local worker = helpers.worker {
      ["config.providers"] = "file",
      ["config.providers.file.class"] = "org.apache.kafka.common.config.provider.FileConfigProvider",
    }:start()
    local group = helpers.unique "group"
    helpers.write(worker:path "secrets", "group=" .. group .. "\n")
    local config = { ["connector.class"] = "FileStreamSink", topics = topic, file = worker:path "out",
      ["consumer.override.group.id"] = "${file:" .. worker:path "secrets" .. ":group}" }
    worker:create("it", config)
    local path = "/connectors/it/offsets"
    helpers.wait_for("the offsets", function() return sorted(worker:get(path).offsets) == topic .. "-0=2 " .. topic .. "-1=1" end)
    does(worker, 204, "PUT", "/connectors/it/stop")
    says(worker, 200, ALTERED, "PATCH", path, { offsets = { item(topic, "0", "0"), item(topic, 1), item(topic, 0, 1) } })
    assert.equal(topic .. "-0=1", sorted(worker:get(path).offsets))
    local text = does(worker, 500, "PATCH", path, { offsets = { item("no such topic!", 0, 1) } }).message
    assert.matches("Failed to alter consumer group offsets for connector it: ", text, 1, true)
    text = does(worker, 500, "PATCH", path, { offsets = { item(topic, 0, -1) } }).message
    assert.matches("Failed to alter consumer group offsets for connector it: Invalid negative offset", text, 1, true)
    assert.equal(topic .. "-0=1", sorted(worker:get(path).offsets))

    -- another consumer in the same group: not while it is there
    local before = helpers.read(worker:path "out")
    config.file = worker:path "other"
    worker:create("other", config)
    helpers.wait_for("the other to read", function() return helpers.read(worker:path "other") == "b\nc\n" or
      helpers.read(worker:path "other") == "c\nb\n" end)
    says(worker, 500, BUSY:format("alter", "it", "alter"), "PATCH", path, { offsets = { item(topic, 0, 0) } })
    says(worker, 500, BUSY:format("alter", "it", "alter"), "PATCH", path, { offsets = { item(topic, 0) } })
    says(worker, 500, BUSY:format("reset", "it", "reset"), "DELETE", path)
    does(worker, 204, "PUT", "/connectors/other/stop")
    says(worker, 200, RESET, "DELETE", path)
    assert.same({}, worker:get(path).offsets)
    assert.same({}, worker:get("/connectors/other/offsets").offsets)
    says(worker, 200, RESET, "DELETE", path) -- no such group any more
    assert.equal(before, helpers.read(worker:path "out"))
    does(worker, 202, "PUT", "/connectors/it/resume")
    helpers.wait_for("all records again", function() return #helpers.read(worker:path "out") == 2 * #before end)
    worker:stop()
  end)

  it("can be asked for while the broker is away, and nothing waits with them", function()
    local worker = helpers.worker { ["bootstrap.servers"] = "127.0.0.1:1" }:start()
    worker:create("it", { ["connector.class"] = "FileStreamSink", topics = "t", file = worker:path "out" })
    does(worker, 204, "PUT", "/connectors/it/stop")
    local function ask(method, log)
      return helpers.spawn({ "curl", "-sS", "-X", method, worker.url .. "/connectors/it/offsets" }, worker:path(log))
    end
    local asked, told = ask("DELETE", "delete.log"), ask("GET", "get.log")
    helpers.wait_for("the question", function() return worker:log():find("it|?[^\n]*127.0.0.1:1", 1) end)
    does(worker, 202, "PUT", "/connectors/it/resume")
    assert.equal(200, (worker:http("GET", "/health")))
    worker:stop() -- far sooner than the minute the question may take
    asked:wait(60)
    told:wait(60)
    assert.matches("Worker is shutting down", helpers.read(worker:path "get.log"), 1, true)
  end)
end)
