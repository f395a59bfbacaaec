-- SPDX-License-Identifier: Apache-2.0
-- What can be seen of a worker: /metrics, /connect-lua/tasks, the watchdog. Each number is moved by a
-- known amount.
local helpers = require "spec.helpers"
local metrics = require "spec.helpers.metrics"

describe("seeing it", function()
  local worker

  local function plugin(name, text)
    helpers.write(worker:path(name .. ".lua"), text)
  end

  local function start(config)
    worker = helpers.worker(config)
    worker.config["plugin.path"] = worker.folder
    worker.config["offset.flush.interval.ms"] = worker.config["offset.flush.interval.ms"] or "60000"
  end

  local function wait_value(name, value)
    local seen
    helpers.wait_for(name .. " to be " .. tostring(value), function()
      seen = metrics.of(worker)
      return seen[name] == value
    end)
    return seen
  end

  after_each(helpers.clean)

  local SOURCE = [[
    local n = 0
    return { api = 1, kind = "source", version = "1.2.3", config = {
      { name = "topic", type = "string", required = true },
      { name = "count", type = "int", default = 0 } },
    poll = function(ctx)
      if n == ctx.config.count then ctx:sleep(60000) return end
      n = n + 1
      ctx:emit { topic = ctx.config.topic, value = "x" }
    end }]]

  local function labels(name, more) return ('{connector="%s",task="0"%s}'):format(name, more or "") end

  it("counts what a source and a sink move", function()
    local topic = helpers.unique "seen"
    start()
    plugin("counting", SOURCE)
    worker:start()
    local out = worker:path "out"
    worker:create("in", { ["connector.class"] = "counting", topic = topic, count = "25" })
    worker:create("out", { ["connector.class"] = "FileStreamSink", file = out, topics = topic,
      ["consumer.override.group.id"] = helpers.unique "group" })
    local into, from = labels "in", labels "out"
    wait_value("kafka_connect_source_task_source_record_write_total" .. into, 25)
    local seen = wait_value("kafka_connect_sink_task_sink_record_send_total" .. from, 25)
    local function is(name, value) assert.equal(value, seen[name], name) end
    is("kafka_connect_source_task_source_record_poll_total" .. into, 25)
    is("kafka_connect_source_task_source_record_active_count" .. into, 0)
    is("kafka_connect_connector_task_batch_size_max" .. into, 1)
    is("kafka_connect_connector_task_batch_size_avg" .. into, 1)
    is("kafka_connect_sink_task_sink_record_read_total" .. from, 25)
    is("connect_lua_task_poll_or_put_calls_total" .. into, 25)
    is("kafka_connect_worker_connector_count", 2)
    is("kafka_connect_worker_task_count", 2)
    is("kafka_connect_worker_task_startup_attempts_total", 2)
    is("kafka_connect_worker_task_startup_success_total", 2)
    is("kafka_connect_worker_task_startup_success_percentage", 1)
    is("kafka_connect_worker_connector_startup_success_total", 2)
    is("kafka_connect_coordinator_assigned_tasks", 2)
    is('kafka_connect_connector_status{connector="in",status="running"}', 1)
    is('kafka_connect_connector_connector_type{connector="in",connector_type="source"}', 1)
    is('kafka_connect_connector_connector_version{connector="in",connector_version="1.2.3"}', 1)
    is('kafka_connect_connector_connector_class{connector="in",connector_class="counting"}', 1)
    is('kafka_connect_connector_task_status{connector="out",task="0",status="running"}', 1)
    is('kafka_connect_worker_connector_running_task_count{connector="out"}', 1)
    is('kafka_connect_worker_connector_total_task_count{connector="out"}', 1)
    is('kafka_connect_worker_connector_failed_task_count{connector="out"}', 0)
    assert.is_true(seen["kafka_connect_source_task_source_record_poll_rate" .. into] > 0)
    assert.is_true(seen["connect_lua_task_lua_memory_bytes" .. into] > 100000)
    assert.is_true(seen["kafka_connect_connector_task_running_ratio" .. into] > 0)
    local client = '{clientid="connector-producer-in-0",connector="in",task="0"}'
    assert.is_true(seen["kafka_producer_outgoing_byte_total" .. client] > 25)
    assert.is_true(seen["kafka_producer_incoming_byte_total" .. client] > 0)
    assert.is_true(seen["kafka_producer_connection_count" .. client] >= 1)
    client = '{clientid="connector-consumer-out-0",connector="out",task="0"}'
    assert.is_true(seen["kafka_consumer_incoming_byte_total" .. client] > 25)
    assert.is_true(seen["kafka_consumer_connection_count" .. client] >= 1)
    wait_value("kafka_connect_sink_task_sink_record_active_count" .. from, 25) -- measured after the last record
    seen = wait_value("connect_lua_task_lag_records" .. from, 0)
    is("kafka_consumer_fetch_manager_records_lag_max" .. client, 0)
    is("kafka_connect_sink_task_partition_count" .. from, 1)
    is("kafka_connect_sink_task_offset_commit_completion_total" .. from, 0)

    -- A pause commits; a restart begins anew.
    worker:http("PUT", "/connectors/out/pause")
    seen = wait_value("kafka_connect_sink_task_offset_commit_completion_total" .. from, 1)
    is('kafka_connect_sink_task_offset_commit_seq_no' .. from, 1)
    is("kafka_connect_connector_task_offset_commit_success_percentage" .. from, 1)
    is("kafka_connect_connector_task_offset_commit_failure_percentage" .. from, 0)
    seen = wait_value('kafka_connect_connector_task_status{connector="out",task="0",status="paused"}', 1)
    is('kafka_connect_worker_connector_paused_task_count{connector="out"}', 1)
    is('kafka_connect_connector_task_status{connector="out",task="0",status="running"}', nil)
    assert.equal(204, (worker:http("POST", "/connectors/in/tasks/0/restart")))
    seen = wait_value("kafka_connect_worker_task_startup_success_total", 3)
    assert.is_true(seen["kafka_connect_source_task_source_record_poll_total" .. into] <= 25)

    for _, fault in ipairs(metrics.lint(metrics.page(worker))) do
      assert.matches("^kafka_", fault) -- Apache's names and dashboards' are older than promtool's taste
    end
    assert.equal(0, seen["connect_lua_tasks_abandoned"])
    worker:stop()
  end)

  it("is read by promtool also of a worker without connectors", function()
    start()
    worker:start()
    for _, fault in ipairs(metrics.lint(metrics.page(worker))) do assert.matches("^kafka_", fault) end
    assert.equal(0, metrics.of(worker)["kafka_connect_worker_connector_count"])
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
      end, poll = function(ctx) ctx:sleep(60000) end }]]):format(gate):gsub("^", 'local connect = require "connect" '))
    worker:start()
    worker:create("failing", { ["connector.class"] = "failing" })
    worker:wait_state("failing", "FAILED")
    local seen = metrics.of(worker)
    assert.equal(1, seen['kafka_connect_connector_task_status{connector="failing",task="0",status="failed"}'])
    assert.equal(1, seen['kafka_connect_worker_connector_failed_task_count{connector="failing"}'])
    assert.equal(1, seen["kafka_connect_worker_task_startup_failure_total"])
    helpers.write(gate, "open\n")
    assert.equal(204, (worker:http("POST", "/connectors/failing/tasks/0/restart")))
    worker:wait_state("failing", "RUNNING")
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
      wait_value("connect_lua_plugin_g64" .. labels(name), 0)
      local seen = metrics.of(worker)
      assert.equal(3.5, seen["connect_lua_plugin_rows_total" .. labels(name)])
      assert.equal(4, seen["connect_lua_plugin_seen_total" .. labels(name)])
      assert.equal(5, seen["connect_lua_plugin_open" .. labels(name)])
    end
    worker:wait_state("a", "RUNNING")
    for _, fault in ipairs(metrics.lint(metrics.page(worker))) do assert.matches("^kafka_", fault) end
    worker:stop()
  end)

  it("tells of a call that takes too long, while it does and after", function()
    start { ["connect.lua.watchdog.ms"] = "200" }
    local gate = worker:path "gate"
    plugin("stuck", ([[local connect = require "connect"
      return { api = 1, kind = "source", poll = function(ctx)
        local gate = connect.file.reader { path = "%s" }
        while not gate:line() do end
        ctx:sleep(60000)
      end }]]):format(gate))
    worker:start()
    worker:create("stuck", { ["connector.class"] = "stuck" })
    local task = labels "stuck"
    local seen = wait_value("connect_lua_task_overdue_calls_total" .. task, 1)
    assert.equal(1, seen["connect_lua_task_call_overdue" .. task])
    assert.is_true(seen["connect_lua_task_call_seconds" .. task] >= 0.2)
    local _, tasks = worker:http("GET", "/connect-lua/tasks")
    assert.equal("poll", tasks[1].call.verb)
    assert.is_true(tasks[1].call.overdue)
    assert.is_true(tasks[1].call.ms >= 200)
    local function said()
      local n = 0
      for _ in worker:log():gmatch "WARN %[stuck|task%-0%] the plugin's poll has been running for %d+ ms" do n = n + 1 end
      return n
    end
    helpers.wait_for("a second line", function() return said() == 2 end)
    helpers.write(gate, "open\n")
    wait_value("connect_lua_task_call_overdue" .. task, 0)
    assert.equal(1, metrics.of(worker)["connect_lua_task_overdue_calls_total" .. task])
    worker:stop()
  end)

  it("says nothing of a plugin that sleeps, nor without a watchdog", function()
    start { ["connect.lua.watchdog.ms"] = "50" }
    plugin("asleep", [[return { api = 1, kind = "source", poll = function(ctx) ctx:sleep(60000) end }]])
    worker:start()
    worker:create("asleep", { ["connector.class"] = "asleep" })
    worker:wait_state("asleep", "RUNNING")
    helpers.sleep(0.5)
    assert.equal(0, metrics.of(worker)["connect_lua_task_overdue_calls_total" .. labels "asleep"])
    local _, tasks = worker:http("GET", "/connect-lua/tasks")
    assert.is_nil(tasks[1].call)
    worker:stop()
  end)
end)
