-- SPDX-License-Identifier: Apache-2.0
-- Plugins that go wrong fail or are given up alone: another connector of the same worker
-- moves records throughout.
local helpers = require "spec.helpers"

describe("a plugin that misbehaves", function()
  local worker, topic, copied

  local function moved() return tonumber((helpers.read(copied) or ""):match("(%d+)\n$")) or 0 end

  local function assert_moves()
    local before = moved()
    helpers.wait_for("the good connector to move on", function() return moved() > before end)
  end

  local function start(plugin_path)
    worker = helpers.worker {
      ["plugin.path"] = plugin_path,
      ["task.shutdown.graceful.timeout.ms"] = "1000",
    }:start()
    topic, copied = helpers.unique "numbers", worker:path "copied.txt"
    worker:create("good-source", { ["connector.class"] = "good_source", topic = topic })
    worker:create("good-sink", { ["connector.class"] = "FileStreamSink",
      file = copied, topics = topic, ["consumer.override.group.id"] = helpers.unique "group" })
    assert_moves()
  end
  after_each(helpers.clean)

  local plugins = helpers.root .. "/spec/fixtures/misbehaving"

  local function source(how)
    return "bad", { ["connector.class"] = "bad_source", how = how, topic = topic .. "-bad" }
  end
  local function sink(how)
    return "bad", { ["connector.class"] = "bad_sink", how = how, topics = topic,
      ["consumer.override.group.id"] = helpers.unique "group" }
  end

  -- Its one task fails, with a trace that says this.
  local function assert_fails(text, name, config)
    worker:create(name, config)
    local status = worker:wait_state(name, "FAILED")
    assert.matches(text, status.tasks[1].trace, 1, true)
    assert_moves()
    assert.equal(204, (worker:http("DELETE", "/connectors/" .. name)))
    assert_moves()
    worker:stop()
  end

  describe("in one file", function()
    it("is told of, and the others are used", function()
      start(plugins .. "," .. plugins .. "_files")
      for _, name in ipairs { "bad_file_throws", "bad_file_loops", "bad_file_eats_memory", "bad_file_nonsense" } do
        assert.matches(name .. ".lua", worker:log(), 1, true)
        local status, body = worker:http("POST", "/connectors", { name = name, config = { ["connector.class"] = name } })
        assert.equal(400, status)
        assert.matches("Failed to find any class", body.message)
      end
      assert.matches("bad_file_throws.lua:2: the file went wrong", worker:log(), 1, true)
      assert_moves()
      worker:stop()
    end)
  end)

  describe("by throwing", function()
    before_each(function() start(plugins) end)

    it("in start", function() assert_fails("bad_source.lua:51: start went wrong", source "start_throws") end)
    it("in poll", function() assert_fails("poll went wrong", source "poll_throws") end)
    it("in poll, what is not even a text", function() assert_fails("", source "poll_throws_table") end)
    it("in a sink's start", function() assert_fails("start went wrong", sink "start_throws") end)
    it("in put", function() assert_fails("put went wrong", sink "put_throws") end)

    it("in stop, after which it is gone all the same", function()
      for _, connector in ipairs { { source "stop_throws" }, { sink "stop_throws" } } do
        worker:create(connector[1], connector[2])
        worker:wait_state("bad", "RUNNING")
        assert.equal(204, (worker:http("DELETE", "/connectors/bad")))
        assert_moves()
      end
      helpers.wait_for("the log to tell", function() return worker:log():find("stop went wrong", 1, true) end)
      worker:stop()
    end)

    it("in flush", function()
      worker:create(sink "flush_throws")
      helpers.wait_for("the log to tell", function() return worker:log():find("flush went wrong", 1, true) end)
      assert_moves()
      worker:stop()
    end)

    it("or by nonsense in tasks, and the connector fails", function()
      for _, how in ipairs { "tasks_throws", "tasks_returns_nonsense", "tasks_loops" } do
        local name, config = source(how)
        worker:http("POST", "/connectors", { name = name, config = config })
        local status = helpers.wait_for("the connector to fail", function()
          local body, code = worker:get "/connectors/bad/status"
          return code == 200 and body.connector.state == "FAILED" and body
        end)
        assert.is_string(status.connector.trace)
        assert_moves()
        worker:http("DELETE", "/connectors/bad")
      end
      worker:stop()
    end)
  end)

  describe("by nonsense", function()
    before_each(function() start(plugins) end)

    for _, how in ipairs { "emits_a_number", "emits_nothing", "emits_a_function", "emits_a_ring" } do
      it("that " .. how:gsub("_", " "), function() assert_fails("", source(how)) end)
    end

    it("that flush returns", function()
      worker:create(sink "flush_returns_nonsense")
      worker:wait_state("bad", "RUNNING")
      assert_moves()
      worker:stop()
    end)
  end)

  describe("without end", function()
    before_each(function() start(plugins) end)

    -- Asked, interrupted, given up: the answer comes, the name is free again.
    local function assert_given_up(name, config, started)
      worker:create(name, config)
      if started then worker:wait_state(name, "RUNNING") end
      helpers.sleep(0.2) -- into the loop; too early would only make the test easier
      assert_moves()
      assert.equal(204, (worker:http("DELETE", "/connectors/" .. name)))
      assert.equal(404, select(2, worker:get("/connectors/" .. name)))
      assert_moves()
      worker:create(source "idles")
      worker:wait_state("bad", "RUNNING")
      worker:stop()
    end

    it("in start", function() assert_given_up(source "start_loops") end)
    for _, how in ipairs { "poll_loops", "poll_loops_in_pcall", "poll_loops_in_pattern" } do
      it("in " .. how:gsub("_", " "), function() assert_given_up(source(how)) end)
    end
    it("in stop", function()
      local name, config = source "stop_loops"
      assert_given_up(name, config, true)
    end)
    it("in put", function() assert_given_up(sink "put_loops") end)

    it("and is left behind when the worker stops", function()
      worker:create(source "poll_loops")
      worker:stop()
    end)
  end)

  describe("by eating memory", function()
    before_each(function() start(plugins) end)

    it("in poll", function() assert_fails("memory", source "poll_eats_memory") end)
    it("in put", function() assert_fails("memory", sink "put_eats_memory") end)
    it("by endless recursion", function() assert_fails("stack overflow", source "poll_recurses") end)
    it("by emitting without end", function() assert_fails("full", source "emits_without_end") end)
  end)
end)
