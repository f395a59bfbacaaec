-- SPDX-License-Identifier: Apache-2.0
-- The metrics that only a real broker moves.
local helpers = require "spec.helpers"
local kafka = require "spec.helpers.kafka"
local metrics = require "spec.helpers.metrics"

local is = metrics.is

describe("seeing it with a real broker #kafka", function()
  local worker, client, topic, proofs
  local task = '{connector="out",task="0"}'
  local consumer = '{clientid="connector-consumer-out-0",connector="out",task="0"}'

  local function start(config)
    topic = helpers.unique "seen"
    client:create { [topic] = 2 }
    worker = helpers.worker(config)
    worker.config["plugin.path"] = worker.folder
    for _, key in ipairs { "offset.flush.interval.ms", "metrics.sample.window.ms" } do worker.config[key] = "3600000" end
    proofs = metrics.proofs(worker)
  end

  local function sink(config)
    config.topics, config["consumer.override.group.id"] = topic, helpers.unique "group"
    worker:create("out", config)
  end

  before_each(function() client = kafka.open(helpers.broker) end)
  after_each(function()
    helpers.continue_broker() -- or the client's end waits for it
    client:close()
    helpers.clean()
  end)

  it("lag is of all partitions, and of the one with most", function()
    start()
    helpers.write(worker:path "first.lua", [[
      return { api = 1, kind = "sink", put = function(ctx, batch)
        for _, rec in batch:records() do ctx:pause(rec.original_topic, rec.original_partition) end
      end }]])
    local records = {}
    for i = 1, 30 do records[i] = { value = tostring(i), partition = i <= 10 and 0 or 1 } end
    client:produce(topic, records)
    worker:start()
    sink { ["connector.class"] = "first", ["consumer.override.max.poll.records"] = "1" }
    local seen = proofs.wait_value("connect_lua_task_lag_records", task, 28)
    is("connect_lua_task_lag_records_max", task, seen, 19)
    is("kafka_consumer_fetch_manager_records_lag_max", consumer, seen, 19)
    is("kafka_connect_sink_task_partition_count", task, seen, 2)
    worker:stop()
  end)

  it("a commit that is answered too late has failed, and its answer is passed over", function()
    start { ["offset.flush.timeout.ms"] = "500" }
    helpers.write(worker:path "turning.lua", -- its task looks after the time every 50 ms
      "return { api = 1, kind = 'sink', put = function(ctx) ctx:timeout(50) end }")
    client:produce(topic, { { value = "1" }, { value = "2" } })
    worker:start()
    sink { ["connector.class"] = "turning" }
    local seen = proofs.wait_value("kafka_connect_sink_task_sink_record_send_total", task, 2)
    local commits = seen["connect_lua_task_offset_commits_total" .. task] -- of a rebalance
    helpers.halt_broker()
    worker:http("PUT", "/connectors/out/pause")
    seen = proofs.wait_value("connect_lua_task_offset_commit_failures_total", task, 1)
    is("connect_lua_task_offset_commits_total", task, seen, commits + 1)
    is("kafka_connect_sink_task_offset_commit_skip_total", task, seen, 0)
    helpers.continue_broker()
    seen = proofs.wait_value("kafka_connect_sink_task_offset_commit_skip_total", task, 1)
    metrics.at_least("kafka_connect_sink_task_offset_commit_skip_rate", task, seen, 1 / 7200)
    is("connect_lua_task_offset_commit_failures_total", task, seen, 1)
    worker:stop()
  end)

  it("dead letters that do not arrive are counted, and hold no rebalance up", function()
    start()
    client:produce(topic, { { value = "{torn" }, { value = "{torn", partition = 1 } })
    worker:start()
    local config = { ["connector.class"] = "FileStreamSink", file = worker:path "out",
      ["value.converter"] = "org.apache.kafka.connect.json.JsonConverter", ["errors.tolerance"] = "all",
      ["errors.deadletterqueue.topic.name"] = topic .. "-letters", ["errors.deadletterqueue.topic.replication.factor"] = "1",
      ["producer.override.bootstrap.servers"] = "127.0.0.1:1" }
    sink(config)
    proofs.wait_value("connect_lua_task_letters_waiting", task, 2)
    config["producer.override.bootstrap.servers"], config.file = nil, worker:path "other"
    worker:create("other", config)
    local other = '{connector="other",task="0"}'
    proofs.wait_value("kafka_connect_sink_task_partition_count", other, 1)
    proofs.wait_value("kafka_connect_sink_task_partition_count", task, 1)
    proofs.wait_value("kafka_connect_task_error_deadletterqueue_produce_requests", other, 1)
    proofs.wait_value("connect_lua_task_letters_waiting", other, 0)
    worker:stop()
  end)

  it("connections end with the broker, and come back with it", function()
    start()
    client:produce(topic, { { value = "1" } })
    worker:start()
    sink { ["connector.class"] = "FileStreamSink", file = worker:path "out" }
    proofs.wait_more("kafka_consumer_connection_count", consumer, 0)
    helpers.stop_broker()
    proofs.wait_value("kafka_consumer_connection_count", consumer, 0)
    helpers.start_broker()
    proofs.wait_more("kafka_consumer_connection_count", consumer, 0)
    worker:stop()
  end)
end)
