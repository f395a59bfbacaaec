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

  local function start(plugin_path, more)
    local conf = { ["plugin.path"] = plugin_path, ["task.shutdown.graceful.timeout.ms"] = "1000" }
    for key, value in pairs(more or {}) do conf[key] = value end
    worker = helpers.worker(conf):start()
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

  describe("by attacking", function()
    -- A well-behaved transform works on the records before the sink has them.
    local function attack(how)
      return "bad", { ["connector.class"] = "hostile_sink", attack = how, told = worker:path "told.txt", topics = topic,
        ["consumer.override.group.id"] = helpers.unique "group", transforms = "up",
        ["transforms.up.type"] = "org.apache.kafka.connect.transforms.HoistField$Value", ["transforms.up.field"] = "n" }
    end

    local function assert_told(text, how)
      worker:create(attack(how))
      helpers.wait_for("the attack to end", function() return (helpers.read(worker:path "told.txt") or "") ~= "" end)
      assert.equal(text .. "\n", helpers.read(worker:path "told.txt"))
      worker:wait_state("bad", "RUNNING")
      assert_moves()
      worker:stop()
    end

    describe("without a grant", function()
      before_each(function() start(plugins) end)

      it("globals, it changes its own", function() assert_told("done", "writes_globals") end)
      it("libraries, it changes its own", function() assert_told("done", "spoils_libraries") end)
      it("metatables", function() assert_told("refused", "bends_metatables") end)
      it("memory in one call", function() assert_fails("memory", attack "repeats_without_end") end)
      it("the C stack", function() assert_fails("stack overflow", attack "recurses") end)
      it("a file that its config does not name", function()
        assert_fails("the connector's config does not name /etc/passwd", attack "reads_passwd")
      end)
      it("a file by a way around", function() assert_fails("config does not name", attack "reads_passwd_by_dots") end)
      it("a file to write", function() assert_fails("config does not name", attack "writes_elsewhere") end)
      it("io", function() assert_fails("global 'io'", attack "opens_with_io") end)
      it("os.execute", function() assert_fails("execute", attack "runs_a_program") end)
      it("the environment", function() assert_fails("getenv", attack "reads_the_environment") end)
      it("modules that are not for plugins", function() assert_told("found: ", "requires_the_system") end)
      it("bytecode", function() assert_told("loaded: 0", "loads_bytecode") end)
      it("finalizers", function() assert_told("newproxy: nil", "throws_in_finalizers") end)
    end)

    describe("with a grant", function()
      local function grant(list) start(plugins, { ["connect.lua.grants"] = list }) end

      it("opens any file", function()
        grant "hostile_sink:files"
        assert_told(helpers.read("/etc/passwd"):match "[^\n]*", "reads_passwd")
      end)
      it("has io, and nothing else", function()
        grant "hostile_sink:io"
        assert_told(helpers.read("/etc/passwd"):match "[^\n]*", "opens_with_io")
        grant "hostile_sink:io"
        assert_fails("config does not name", attack "reads_passwd")
      end)
      it("has ffi", function()
        grant "hostile_sink:ffi, bad_source:os"
        assert_told("found: ffi", "requires_the_system")
      end)
      it("that is another's", function()
        grant "bad_source:files"
        assert_fails("config does not name", attack "reads_passwd")
      end)
    end)

    it("is not granted what the worker file misspells", function()
      worker = helpers.worker { ["connect.lua.grants"] = "hostile_sink:everything" }
      worker:launch()
      assert.equal(2, (worker:wait()))
      assert.matches("connect.lua.grants: hostile_sink:everything is no grant", worker:log(), 1, true)
    end)
  end)
end)
