-- SPDX-License-Identifier: Apache-2.0
-- What can be seen of a worker: /metrics, /connect-lua/tasks, the watchdog. Each number is moved by a
-- known amount; the last test finds those that are not.
local helpers = require "spec.helpers"
local metrics = require "spec.helpers.metrics"

local is, at_least = metrics.is, metrics.at_least

describe("seeing it", function()
  local worker, wait_value, wait_more

  local function plugin(name, text)
    helpers.write(worker:path(name .. ".lua"), 'local connect = require "connect" ' .. text)
  end

  local function start(config)
    worker = helpers.worker(config)
    worker.config["plugin.path"] = worker.folder
    -- No commit but those asked for, and those of a rebalance, which may come at any time; no window ends.
    for _, key in ipairs { "offset.flush.interval.ms", "metrics.sample.window.ms" } do
      worker.config[key] = "3600000"
    end
    local proofs = metrics.proofs(worker)
    wait_value, wait_more = proofs.wait_value, proofs.wait_more
  end

  after_each(helpers.clean)

  -- Emits the numbers of records that `polls` lists, "10,20", each of `size` bytes, then nothing.
  local SOURCE = [[
    local n = 0
    return { api = 1, kind = "source", version = "1.2.3", config = {
      { name = "topic", type = "string", required = true },
      { name = "polls", type = "list", default = "" },
      { name = "size", type = "int", default = 1 },
      { name = "pause.ms", type = "int", default = 0 } },
    poll = function(ctx)
      n = n + 1
      if not ctx.config.polls[n] then ctx:sleep(60000) return end
      if ctx.config["pause.ms"] > 0 then ctx:sleep(ctx.config["pause.ms"]) end
      for _ = 1, tonumber(ctx.config.polls[n]) do
        ctx:emit { topic = ctx.config.topic, value = ("x"):rep(ctx.config.size) }
      end
    end }]]

  -- Nothing is safe with it: whatever a rebalance does, all it was given stays uncommitted.
  local HOARDER = [[
    return { api = 1, kind = "sink", put = function() end, flush = function() return {} end }]]

  local function labels(name, more) return ('{connector="%s",task="0"%s}'):format(name, more or "") end
  local function of(name) return ('{connector="%s"}'):format(name) end
  local function client(name, kind)
    return ('{clientid="connector-%s-%s-0",connector="%s",task="0"}'):format(kind, name, name)
  end

  local function source(name, topic, polls, more)
    local config = { ["connector.class"] = "counting", topic = topic, polls = polls }
    for key, value in pairs(more or {}) do config[key] = value end
    worker:create(name, config)
  end

  local function sink(name, class, topic, more)
    local config = { ["connector.class"] = class, topics = topic, ["consumer.override.group.id"] = helpers.unique "group" }
    for key, value in pairs(more or {}) do config[key] = value end
    worker:create(name, config)
  end

  it("counts what a source and a sink move", function()
    local topic = helpers.unique "seen"
    start()
    plugin("counting", SOURCE)
    plugin("hoarding", HOARDER)
    worker:start()
    source("in", topic, "10,15", { size = "10000" })
    sink("out", "FileStreamSink", topic, { file = worker:path "out" })
    sink("hoard", "hoarding", topic)
    local into, from, hoard = labels "in", labels "out", labels "hoard"
    wait_value("kafka_connect_source_task_source_record_write_total", into, 25)
    wait_value("kafka_connect_source_task_source_record_active_count", into, 0) -- counted apart from it
    local seen = wait_value("kafka_connect_sink_task_sink_record_active_count", hoard, 25) -- after the last record
    at_least("kafka_connect_sink_task_sink_record_active_count_max", hoard, seen, 25)
    at_least("kafka_connect_sink_task_sink_record_active_count_avg", hoard, seen, 1)
    seen = wait_value("kafka_connect_sink_task_sink_record_send_total", from, 25)
    is("kafka_connect_source_task_source_record_poll_total", into, seen, 25)
    is("kafka_connect_connector_task_batch_size_max", into, seen, 15)
    is("kafka_connect_connector_task_batch_size_avg", into, seen, 12.5)
    is("kafka_connect_sink_task_sink_record_read_total", from, seen, 25)
    is("connect_lua_task_poll_or_put_calls_total", into, seen, 2)
    is("kafka_connect_worker_connector_count", nil, seen, 3)
    is("kafka_connect_worker_task_count", nil, seen, 3)
    is("kafka_connect_worker_task_startup_attempts_total", nil, seen, 3)
    is("kafka_connect_worker_task_startup_success_total", nil, seen, 3)
    is("kafka_connect_worker_task_startup_success_percentage", nil, seen, 1)
    is("kafka_connect_worker_connector_startup_success_total", nil, seen, 3)
    is("kafka_connect_worker_connector_startup_success_percentage", nil, seen, 1)
    is("kafka_connect_coordinator_assigned_tasks", nil, seen, 3)
    is("kafka_connect_coordinator_assigned_connectors", nil, seen, 3)
    is("kafka_connect_connector_status", '{connector="in",status="running"}', seen, 1)
    is("kafka_connect_connector_connector_type", '{connector="in",connector_type="source"}', seen, 1)
    is("kafka_connect_connector_connector_version", '{connector="in",connector_version="1.2.3"}', seen, 1)
    is("kafka_connect_connector_connector_class", '{connector="in",connector_class="counting"}', seen, 1)
    is("kafka_connect_connector_task_status", labels("out", ',status="running"'), seen, 1)
    is("kafka_connect_worker_connector_running_task_count", of "out", seen, 1)
    is("kafka_connect_worker_connector_total_task_count", of "out", seen, 1)
    is("kafka_connect_worker_connector_failed_task_count", of "out", seen, 0)
    -- 25 in a time that is under way: no more than 25 a second, and no less than in two hours.
    assert.is_true(seen["kafka_connect_source_task_source_record_poll_rate" .. into] <= 25)
    assert.is_true(seen["kafka_connect_source_task_source_record_write_rate" .. into] <= 25)
    at_least("kafka_connect_source_task_source_record_poll_rate", into, seen, 25 / 7200)
    at_least("kafka_connect_source_task_source_record_write_rate", into, seen, 25 / 7200)
    at_least("kafka_connect_sink_task_sink_record_read_rate", from, seen, 25 / 7200)
    at_least("kafka_connect_sink_task_sink_record_send_rate", from, seen, 25 / 7200)
    at_least("kafka_producer_outgoing_byte_total", client("in", "producer"), seen, 250000)
    at_least("kafka_producer_incoming_byte_total", client("in", "producer"), seen, 1)
    at_least("kafka_producer_connection_count", client("in", "producer"), seen, 1)
    at_least("kafka_consumer_incoming_byte_total", client("out", "consumer"), seen, 250000)
    at_least("kafka_consumer_outgoing_byte_total", client("out", "consumer"), seen, 1)
    at_least("kafka_consumer_connection_count", client("out", "consumer"), seen, 1)
    seen = wait_value("connect_lua_task_lag_records", from, 0)
    is("kafka_consumer_fetch_manager_records_lag_max", client("out", "consumer"), seen, 0)
    is("kafka_connect_sink_task_partition_count", from, seen, 1)
    is("kafka_connect_sink_task_offset_commit_seq_no", from, seen, 0)

    -- A pause commits; a restart begins anew.
    local completed, commits = "kafka_connect_sink_task_offset_commit_completion_total", "connect_lua_task_offset_commits_total"
    local before = seen
    worker:http("PUT", "/connectors/out/pause")
    seen = wait_more("kafka_connect_sink_task_offset_commit_completion_total", from, before[completed .. from])
    local more = seen[completed .. from] - before[completed .. from]
    is("connect_lua_task_offset_commits_total", from, seen, before[commits .. from] + more)
    is("connect_lua_task_offset_commit_failures_total", from, seen, 0)
    is("kafka_connect_sink_task_offset_commit_seq_no", from, seen, 1) -- a rebalance's has no number
    at_least("kafka_connect_sink_task_offset_commit_completion_rate", from, seen, 1 / 7200)
    is("kafka_connect_sink_task_offset_commit_skip_total", from, seen, 0)
    is("kafka_connect_sink_task_offset_commit_skip_rate", from, seen, 0)
    is("kafka_connect_connector_task_offset_commit_success_percentage", from, seen, 1)
    is("kafka_connect_connector_task_offset_commit_failure_percentage", from, seen, 0)
    wait_value("kafka_connect_sink_task_sink_record_active_count", from, 0)
    seen = wait_value("kafka_connect_connector_task_status", labels("out", ',status="paused"'), 1)
    is("kafka_connect_worker_connector_paused_task_count", of "out", seen, 1)
    is("kafka_connect_connector_task_status", labels("out", ',status="running"'), seen, nil)
    seen = wait_more("kafka_connect_connector_task_pause_ratio", from, 0)
    is("kafka_connect_connector_task_pause_ratio", into, seen, 0)
    at_least("kafka_connect_connector_task_running_ratio", into, seen, 0.001)
    local ratio = "kafka_connect_connector_task_%s_ratio" .. from
    assert.is_true(seen[ratio:format "pause"] + seen[ratio:format "running"] <= 1)
    assert.equal(204, (worker:http("POST", "/connectors/in/tasks/0/restart")))
    seen = wait_value("kafka_connect_worker_task_startup_success_total", nil, 4)
    assert.is_true(seen["kafka_connect_source_task_source_record_poll_total" .. into] <= 25)

    for _, fault in ipairs(metrics.lint(metrics.page(worker))) do
      assert.matches("^kafka_", fault) -- Apache's names and dashboards' are older than promtool's taste
    end
    is("connect_lua_tasks_abandoned", nil, seen, 0)
    worker:stop()
  end)

  it("measures what calls, commits and memory take", function()
    local topic = helpers.unique "taken"
    start()
    plugin("counting", SOURCE)
    plugin("slow", [[return { api = 1, kind = "sink",
      start = function(ctx) ctx.held = ("x"):rep(8000000) end,
      put = function(ctx, batch)
        if #batch > 0 then ctx:sleep(50) ctx:request_commit() end
      end,
      flush = function(ctx) ctx:sleep(70) end }]])
    worker:start()
    source("in", topic, "1,1", { ["pause.ms"] = "50" })
    sink("out", "slow", topic)
    local into, from = labels "in", labels "out"
    -- A sleep of 50 ms takes 49 at least: it is counted in whole milliseconds.
    local seen = wait_value("kafka_connect_source_task_source_record_poll_total", into, 2)
    at_least("kafka_connect_source_task_poll_batch_avg_time_ms", into, seen, 49)
    at_least("kafka_connect_source_task_poll_batch_max_time_ms", into, seen, 49)
    at_least("connect_lua_task_poll_or_put_seconds_total", into, seen, 0.098)
    is("connect_lua_task_poll_or_put_calls_total", into, seen, 2)
    local mean_ms = seen["kafka_connect_source_task_poll_batch_avg_time_ms" .. into]
    assert.is_true(math.abs(mean_ms * 2 / 1000 - seen["connect_lua_task_poll_or_put_seconds_total" .. into]) < 1e-9)
    wait_more("kafka_connect_sink_task_put_batch_max_time_ms", from, 48)
    seen = wait_more("kafka_connect_connector_task_offset_commit_max_time_ms", from, 68)
    at_least("kafka_connect_connector_task_offset_commit_avg_time_ms", from, seen, 69)
    at_least("connect_lua_task_lua_memory_bytes", from, seen, 8000000)
    assert.is_true(seen["connect_lua_task_lua_memory_bytes" .. into] < 8000000)
    -- A put without records counts, too: the mean is more than none, and no more than the longest.
    at_least("kafka_connect_sink_task_put_batch_avg_time_ms", from, seen, 0.001)
    local put = "kafka_connect_sink_task_put_batch_%s_time_ms" .. from
    assert.is_true(seen[put:format "avg"] <= seen[put:format "max"])
    worker:stop()
  end)

  it("shows what a source waits for", function()
    start()
    plugin("counting", SOURCE)
    worker:start()
    source("in", helpers.unique "waiting", "25", { size = "1000", -- the client keeps them back
      ["producer.override.linger.ms"] = "300000", ["producer.override.delivery.timeout.ms"] = "600000",
      ["producer.override.batch.size"] = "1000000" })
    local into = labels "in"
    local seen = wait_value("kafka_connect_source_task_source_record_active_count", into, 25)
    is("kafka_connect_source_task_source_record_active_count_max", into, seen, 25)
    is("kafka_connect_source_task_source_record_active_count_avg", into, seen, 25)
    is("kafka_connect_source_task_source_record_poll_total", into, seen, 25)
    is("kafka_connect_source_task_source_record_write_total", into, seen, 0)
    at_least("connect_lua_task_record_memory_bytes", into, seen, 25000)
    worker:stop()
  end)

  it("shows what a sink has not taken yet", function()
    local topic = helpers.unique "lag"
    start()
    plugin("counting", SOURCE)
    plugin("five", [[return { api = 1, kind = "sink", put = function(ctx, batch)
      if #batch > 0 then ctx:pause(batch[1].original_topic, batch[1].original_partition) end
    end }]])
    worker:start()
    source("in", topic, "25")
    wait_value("kafka_connect_source_task_source_record_write_total", labels "in", 25)
    sink("out", "five", topic, { ["consumer.override.max.poll.records"] = "5" })
    local seen = wait_value("connect_lua_task_lag_records", labels "out", 20)
    is("connect_lua_task_lag_records_max", labels "out", seen, 20)
    is("kafka_consumer_fetch_manager_records_lag_max", client("out", "consumer"), seen, 20)
    is("kafka_connect_sink_task_sink_record_read_total", labels "out", seen, 5)
    worker:stop()
  end)

  it("counts what goes wrong with records", function()
    local topic, began = helpers.unique "wrong", os.time()
    start { ["value.converter"] = "org.apache.kafka.connect.storage.StringConverter" }
    plugin("texts", [[local sent
      return { api = 1, kind = "source", config = { { name = "topic", type = "string" } }, poll = function(ctx)
        if sent then ctx:sleep(60000) return end
        sent = true
        for _, text in ipairs { "1", "{torn", "again", "2", "]", "3" } do
          ctx:emit { topic = ctx.config.topic, value = text == "again" and '"again"' or text }
        end
      end }]])
    plugin("twice", [[local tried = 0
      return { api = 1, kind = "transform", config = {}, apply = function(record)
        if record.value == "again" and tried < 2 then tried = tried + 1 connect.retriable "not yet" end
        return record
      end }]])
    worker:start()
    worker:create("in", { ["connector.class"] = "texts", topic = topic })
    local letters = topic .. "-letters"
    sink("out", "FileStreamSink", topic, { file = worker:path "out",
      ["value.converter"] = "org.apache.kafka.connect.json.JsonConverter", ["value.converter.schemas.enable"] = "false",
      transforms = "twice", ["transforms.twice.type"] = "twice", ["errors.tolerance"] = "all",
      ["errors.log.enable"] = "true", ["errors.retry.timeout"] = "-1", ["errors.retry.delay.max.ms"] = "1",
      ["errors.deadletterqueue.topic.name"] = letters, ["errors.deadletterqueue.topic.replication.factor"] = "1" })
    local from = labels "out"
    local seen = wait_value("kafka_connect_sink_task_sink_record_send_total", from, 4)
    is("kafka_connect_task_error_total_record_failures", from, seen, 4) -- two tries, two for good
    is("kafka_connect_task_error_total_record_errors", from, seen, 2)
    is("kafka_connect_task_error_total_records_skipped", from, seen, 2)
    is("kafka_connect_task_error_total_retries", from, seen, 2)
    is("kafka_connect_task_error_total_errors_logged", from, seen, 2)
    is("kafka_connect_task_error_deadletterqueue_produce_requests", from, seen, 2)
    is("kafka_connect_task_error_deadletterqueue_produce_failures", from, seen, 0)
    at_least("kafka_connect_task_error_last_error_timestamp", from, seen, began * 1000)
    assert.is_true(seen["kafka_connect_task_error_last_error_timestamp" .. from] < (os.time() + 1) * 1000)
    is("kafka_connect_task_error_last_error_timestamp", labels "in", seen, 0)
    worker:stop()
  end)

  it("counts a dead letter that cannot be sent", function()
    local topic = helpers.unique "large"
    start()
    plugin("counting", SOURCE)
    worker:start()
    source("in", topic, "1", { size = "50000" })
    sink("out", "FileStreamSink", topic, { file = worker:path "out",
      ["value.converter"] = "org.apache.kafka.connect.json.JsonConverter", ["errors.tolerance"] = "all",
      ["errors.deadletterqueue.topic.name"] = topic .. "-letters", ["producer.override.max.request.size"] = "5000",
      ["errors.deadletterqueue.topic.replication.factor"] = "1" })
    worker:wait_state("out", "FAILED")
    local seen = wait_value("kafka_connect_task_error_deadletterqueue_produce_failures", labels "out", 1)
    is("kafka_connect_task_error_deadletterqueue_produce_requests", labels "out", seen, 1)
    worker:stop()
  end)

  it("counts dead letters that are on their way", function()
    local topic = helpers.unique "lingering"
    start()
    plugin("counting", SOURCE)
    worker:start()
    source("in", topic, "3")
    sink("out", "FileStreamSink", topic, { file = worker:path "out", ["value.converter"] = "org.apache.kafka.connect.json.JsonConverter",
      ["errors.tolerance"] = "all", ["producer.override.linger.ms"] = "600000", ["producer.override.delivery.timeout.ms"] = "700000",
      ["errors.deadletterqueue.topic.name"] = topic .. "-letters", ["errors.deadletterqueue.topic.replication.factor"] = "1" })
    local seen = wait_value("connect_lua_task_letters_waiting", labels "out", 3)
    is("connect_lua_task_letters_waiting", labels "in", seen, 0)
    assert.equal(204, (worker:http("POST", "/connectors/out/tasks/0/restart"))) -- the end of a task flushes them
    wait_value("connect_lua_task_letters_waiting", labels "out", 0)
    worker:stop()
  end)

  it("counts commits that fail", function()
    local topic = helpers.unique "flush"
    start()
    plugin("counting", SOURCE)
    plugin("once", [[local n = 0
      return { api = 1, kind = "sink", put = function() end, flush = function()
        n = n + 1
        if n == 1 then error("not the first time") end
      end }]])
    worker:start()
    source("in", topic, "3")
    sink("out", "once", topic)
    local from = labels "out"
    wait_value("kafka_connect_sink_task_sink_record_send_total", from, 3)
    worker:http("PUT", "/connectors/out/pause")
    local seen = wait_value("connect_lua_task_offset_commit_failures_total", from, 1)
    local all = seen["connect_lua_task_offset_commits_total" .. from] -- 1, unless a rebalance commits
    local function shown(part) return tonumber(("%.15g"):format(part)) end
    is("kafka_connect_connector_task_offset_commit_failure_percentage", from, seen, shown(1 - (all - 1) / all))
    is("kafka_connect_connector_task_offset_commit_success_percentage", from, seen, shown((all - 1) / all))
    worker:stop()
  end)

  it("is read by promtool also of a worker without connectors", function()
    start()
    worker:start()
    for _, fault in ipairs(metrics.lint(metrics.page(worker))) do assert.matches("^kafka_", fault) end
    is("kafka_connect_worker_connector_count", nil, metrics.of(worker), 0)
    local status, _, fields = worker:http("HEAD", "/metrics")
    assert.equal(200, status)
    assert.matches("^text/plain", fields["content-type"])
    worker:stop()
  end)

  it("shows failed tasks, and keeps their last error when they run again", function()
    start()
    local gate = worker:path "gate"
    plugin("failing", ([[
      return { api = 1, kind = "source", start = function()
        if not connect.file.reader { path = "%s" }:line() then error("the gate is shut") end
      end, poll = function(ctx) ctx:sleep(60000) end }]]):format(gate))
    worker:start()
    worker:create("failing", { ["connector.class"] = "failing", gate = worker:path "gate" })
    worker:wait_state("failing", "FAILED")
    local seen = metrics.of(worker)
    is("kafka_connect_connector_task_status", labels("failing", ',status="failed"'), seen, 1)
    is("kafka_connect_worker_connector_failed_task_count", of "failing", seen, 1)
    is("kafka_connect_worker_connector_running_task_count", of "failing", seen, 0)
    is("kafka_connect_worker_task_startup_failure_total", nil, seen, 1)
    is("kafka_connect_worker_task_startup_failure_percentage", nil, seen, 1)
    helpers.write(gate, "open\n")
    assert.equal(204, (worker:http("POST", "/connectors/failing/tasks/0/restart")))
    worker:wait_state("failing", "RUNNING")
    is("kafka_connect_worker_task_startup_failure_percentage", nil, metrics.of(worker), 0.5)
    local status, tasks = worker:http("GET", "/connect-lua/tasks")
    assert.equal(200, status)
    assert.equal(1, #tasks)
    assert.equal("failing", tasks[1].connector)
    assert.equal(0, tasks[1].task)
    assert.equal("RUNNING", tasks[1].state)
    assert.matches("the gate is shut", tasks[1].last_error.trace)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", tasks[1].last_error.at)
    worker:stop()
  end)

  it("shows tasks that are being started, and connectors that cannot be", function()
    start()
    local gate = worker:path "gate"
    plugin("waiting", ([[
      return { api = 1, kind = "source", start = function(ctx)
        while not connect.file.reader { path = "%s" }:line() do ctx:sleep(20) end
      end, poll = function(ctx) ctx:sleep(60000) end }]]):format(gate))
    plugin("throwing", [[
      return { api = 1, kind = "source", tasks = function() error "no tasks" end, poll = function() end }]])
    worker:start()
    worker:create("waiting", { ["connector.class"] = "waiting", gate = worker:path "gate" })
    local seen = wait_value("kafka_connect_worker_connector_unassigned_task_count", of "waiting", 1)
    is("kafka_connect_connector_task_status", labels("waiting", ',status="unassigned"'), seen, 1)
    is("kafka_connect_worker_connector_running_task_count", of "waiting", seen, 0)
    helpers.write(gate, "open\n")
    seen = wait_value("kafka_connect_worker_connector_running_task_count", of "waiting", 1)
    is("kafka_connect_worker_connector_unassigned_task_count", of "waiting", seen, 0)
    -- Apache's names for what a lone worker has not: 0 also while a task starts again.
    os.remove(gate)
    assert.equal(204, (worker:http("POST", "/connectors/waiting/tasks/0/restart")))
    seen = wait_value("kafka_connect_worker_connector_unassigned_task_count", of "waiting", 1)
    is("kafka_connect_worker_connector_restarting_task_count", of "waiting", seen, 0)
    is("kafka_connect_worker_connector_destroyed_task_count", of "waiting", seen, 0)
    is("kafka_connect_worker_rebalance_rebalancing", nil, seen, 0)
    helpers.write(gate, "open\n")
    seen = wait_value("kafka_connect_worker_connector_running_task_count", of "waiting", 1)
    is("kafka_connect_worker_connector_startup_failure_total", nil, seen, 0)
    assert.equal(500, (worker:http("POST", "/connectors", { name = "throwing", config = { ["connector.class"] = "throwing" } })))
    seen = wait_value("kafka_connect_worker_connector_startup_failure_total", nil, 1)
    is("kafka_connect_worker_connector_startup_attempts_total", nil, seen, 2)
    is("kafka_connect_worker_connector_startup_failure_percentage", nil, seen, 0.5)
    is("kafka_connect_connector_status", '{connector="throwing",status="failed"}', seen, 1)
    worker:stop()
  end)

  it("counts the tasks that were given up", function()
    start { ["task.shutdown.graceful.timeout.ms"] = "300" }
    local gate = worker:path "gate"
    plugin("endless", ([[return { api = 1, kind = "source", poll = function()
      local gate, n = connect.file.reader { path = "%s" }, 0
      gate:line()
      while true do n = n + 1 end
    end }]]):format(gate))
    worker:start()
    for i = 1, 2 do
      worker:create("endless", { ["connector.class"] = "endless", gate = worker:path "gate" })
      worker:wait_state("endless", "RUNNING")
      helpers.wait_for("it to be in poll", function()
        local call = worker:get("/connect-lua/tasks")[1].call
        return type(call) == "table" and call.verb == "poll"
      end)
      worker:http("DELETE", "/connectors/endless")
      wait_value("connect_lua_tasks_abandoned", nil, i)
    end
    worker:stop()
  end)

  it("shows a plugin's own counters and gauges", function()
    start()
    plugin("own", [[return { api = 1, kind = "source", poll = function(ctx)
      local rows = ctx.metrics:counter "rows"
      rows:add() rows:add(2.5)
      ctx.metrics:counter "seen_total":add(4)
      local open = ctx.metrics:gauge "open"
      open:set(7) open:add(-2)
      assert(ctx.metrics:counter "rows" == rows and ctx.metrics:counter "rows_total" == rows)
      assert(not pcall(function() ctx.metrics:gauge "any_total" end))
      assert(not pcall(rows.add, rows, -1) and not pcall(rows.add, rows, 0/0) and not pcall(rows.add, rows, "1"))
      assert(not pcall(function() ctx.metrics:gauge "rows" end))
      assert(not pcall(function() ctx.metrics:gauge "Bad name" end))
      for i = 4, 64 do ctx.metrics:gauge("g" .. i) end
      assert(not pcall(function() ctx.metrics:gauge "one_too_many" end))
      ctx:sleep(60000)
    end }]])
    worker:start()
    worker:create("a", { ["connector.class"] = "own" })
    worker:create("b", { ["connector.class"] = "own" })
    for _, name in ipairs { "a", "b" } do
      local seen = wait_value("connect_lua_plugin_g64", labels(name), 0)
      is("connect_lua_plugin_rows_total", labels(name), seen, 3.5)
      is("connect_lua_plugin_seen_total", labels(name), seen, 4)
      is("connect_lua_plugin_open", labels(name), seen, 5)
    end
    worker:wait_state("a", "RUNNING")
    for _, fault in ipairs(metrics.lint(metrics.page(worker))) do assert.matches("^kafka_", fault) end
    worker:stop()
  end)

  it("tells of a call that takes too long, while it does and after", function()
    start { ["connect.lua.watchdog.ms"] = "200" }
    local gate = worker:path "gate"
    plugin("stuck", ([[
      return { api = 1, kind = "source", poll = function(ctx)
        local gate = connect.file.reader { path = "%s" }
        while not gate:line() do end
        ctx:sleep(60000)
      end }]]):format(gate))
    worker:start()
    worker:create("stuck", { ["connector.class"] = "stuck", gate = worker:path "gate" })
    local task = labels "stuck"
    local seen = wait_value("connect_lua_task_overdue_calls_total", task, 1)
    is("connect_lua_task_call_overdue", task, seen, 1)
    at_least("connect_lua_task_call_seconds", task, seen, 0.2)
    local _, tasks = worker:http("GET", "/connect-lua/tasks")
    assert.equal("poll", tasks[1].call.verb)
    assert.equal("connector", tasks[1].call.role)
    assert.equal("stuck", tasks[1].call.class)
    assert.is_true(tasks[1].call.overdue)
    assert.is_true(tasks[1].call.ms >= 200)
    local line = "WARN %[stuck|task%-0%] the task's poll has been running for %d+ ms, [^\n]*the connector %(stuck%)"
    local function said()
      local n = 0
      for _ in worker:log():gmatch(line) do n = n + 1 end
      return n
    end
    helpers.wait_for("a second line", function() return said() == 2 end)
    helpers.write(gate, "open\n")
    seen = wait_value("connect_lua_task_call_overdue", task, 0)
    is("connect_lua_task_overdue_calls_total", task, seen, 1)
    wait_value("connect_lua_task_call_seconds", task, 0)
    worker:stop()
  end)

  it("tells which of the task's plugins takes too long", function()
    local gate = 'local function wait() local gate = connect.file.reader { path = "%s" } while not gate:line() do end end '
    start { ["connect.lua.watchdog.ms"] = "100", ["key.converter"] = "org.apache.kafka.connect.storage.StringConverter" }
    plugin("counting", SOURCE)
    local function waiting(name, text) plugin(name, gate:format(worker:path(name .. "-gate")) .. "return " .. text) end
    waiting("waiting_transform", "{ api = 1, kind = 'transform', apply = function(record) wait() return record end }")
    waiting("waiting_setup", "{ api = 1, kind = 'transform', configure = wait, apply = function(record) return record end }")
    waiting("waiting_predicate", "{ api = 1, kind = 'predicate', test = function() wait() return false end }")
    waiting("waiting_converter", [[{ api = 1, kind = "converter", decode = function() end,
      encode = function(datum) wait() datum:set_text "x" end }]])
    worker:start()
    local topic, gates, config = helpers.unique "which", {}, {
      ["value.converter"] = "waiting_converter", transforms = "a,b,c", predicates = "p",
      ["transforms.a.type"] = "waiting_setup", ["transforms.b.type"] = "waiting_transform",
      ["transforms.c.type"] = "waiting_transform", ["transforms.c.predicate"] = "p", ["predicates.p.type"] = "waiting_predicate" }
    for _, name in ipairs { "transform", "setup", "predicate", "converter" } do
      gates[name] = worker:path("waiting_" .. name .. "-gate")
      config["gate." .. name] = gates[name]
    end
    source("in", topic, "1", config)
    local function told(verb, role, kind)
      local class = "waiting_" .. kind
      local call = helpers.wait_for(role .. " to be overdue", function()
        local now = worker:get("/connect-lua/tasks")[1].call
        return type(now) == "table" and now.overdue and now.role == role and now
      end)
      assert.equal(verb, call.verb)
      assert.equal(class, call.class)
      local line = ("WARN [in|task-0] the task's %s has been running for"):format(verb)
      helpers.wait_for("the log to tell of " .. role, function()
        for text in worker:log():gmatch "[^\n]+" do
          if text:find(line, 1, true) and text:find(("it is in the %s (%s)"):format(role, class), 1, true) then return true end
        end
      end)
      helpers.write(gates[kind], "open\n")
    end
    told("load", "transforms.a", "setup")
    told("poll", "transforms.b", "transform")
    told("poll", "predicates.p", "predicate")
    told("poll", "value.converter", "converter")
    wait_value("kafka_connect_source_task_source_record_write_total", labels "in", 1)
    worker:stop()
  end)

  it("says nothing of a record that waits for its next try", function()
    start { ["connect.lua.watchdog.ms"] = "50" }
    plugin("counting", SOURCE)
    plugin("twice", [[local tried = 0
      return { api = 1, kind = "transform", apply = function(record)
        tried = tried + 1
        if tried < 3 then connect.retriable "not yet" end
        return record
      end }]])
    worker:start()
    source("in", helpers.unique "patient", "1", { transforms = "twice", ["transforms.twice.type"] = "twice",
      ["errors.retry.timeout"] = "-1" }) -- its pauses: 300 and 600 ms
    local seen = wait_value("kafka_connect_source_task_source_record_write_total", labels "in", 1)
    is("kafka_connect_task_error_total_retries", labels "in", seen, 2)
    is("connect_lua_task_overdue_calls_total", labels "in", seen, 0)
    worker:stop()
  end)

  it("says nothing of a plugin that sleeps, nor without a watchdog", function()
    start { ["connect.lua.watchdog.ms"] = "50" }
    plugin("asleep", [[return { api = 1, kind = "source", poll = function(ctx) ctx:sleep(60000) end }]])
    worker:start()
    worker:create("asleep", { ["connector.class"] = "asleep" })
    worker:wait_state("asleep", "RUNNING")
    helpers.sleep(0.5)
    is("connect_lua_task_overdue_calls_total", labels "asleep", metrics.of(worker), 0)
    local _, tasks = worker:http("GET", "/connect-lua/tasks")
    assert.is_nil(tasks[1].call)
    worker:stop()
  end)

  it("counts plugins that the task takes over, and those that it cannot", function()
    local topic, to = helpers.unique "changing", labels "out"
    local text = "return { api = 1, kind = 'transform', %s apply = function(record) return record end }"
    start()
    plugin("changing", text:format "")
    worker:start()
    sink("out", "FileStreamSink", topic, { file = worker:path "out", transforms = "c", ["transforms.c.type"] = "changing" })
    worker:wait_state("out", "RUNNING")
    plugin("changing", text:format "version = '2',")
    local seen = wait_value("connect_lua_task_plugin_reloads_total", to, 1)
    at_least("connect_lua_task_plugin_reload_seconds_total", to, seen, 1e-6)
    local pause_ms = worker:get("/connect-lua/tasks")[1].reloads.last_pause_ms
    assert.is_true(math.abs(pause_ms / 1000 - seen["connect_lua_task_plugin_reload_seconds_total" .. to]) < 1e-9)
    is("connect_lua_task_plugin_reload_rejections_total", to, seen, 0)
    plugin("changing", text:format "configure = function() error 'no' end,")
    seen = wait_value("connect_lua_task_plugin_reload_rejections_total", to, 1)
    is("connect_lua_task_plugin_reloads_total", to, seen, 1)
    worker:stop()
  end)

  it("shows nothing that none of these tests proves", function()
    local topic = helpers.unique "all"
    start()
    plugin("counting", SOURCE)
    worker:start()
    source("in", topic, "1")
    sink("out", "FileStreamSink", topic, { file = worker:path "out" })
    wait_value("connect_lua_task_lag_records", labels "out", 0) -- the last that comes
    assert.same({}, metrics.unproved(metrics.page(worker)))
    worker:stop()
  end)
end)
