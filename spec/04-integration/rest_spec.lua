-- SPDX-License-Identifier: Apache-2.0
-- The REST interface of a running worker: a connector's whole life, and every error's shape.
local helpers = require "spec.helpers"

describe("the REST interface", function()
  local worker, pipe

  before_each(function()
    worker = helpers.worker():start()
    pipe = helpers.pipeline(worker.folder)
  end)
  after_each(function()
    if worker.process and not worker.process:ended() then worker:stop() end
    helpers.clean()
  end)

  local function assert_error(code, pattern, status, body)
    assert.equal(code, status)
    assert.is_table(body, "the body is not JSON: " .. tostring(body))
    assert.equal(code, body.error_code)
    if pattern then assert.matches(pattern, body.message) end
    local fields = 0
    for _ in pairs(body) do fields = fields + 1 end
    assert.equal(2, fields)
  end

  it("tells who it is", function()
    local status, body, headers = worker:http("GET", "/")
    assert.equal(200, status)
    assert.equal("application/json", headers["content-type"])
    assert.is_string(body.version)
    assert.is_string(body.commit)
    local function id() return worker:get("/").kafka_cluster_id end
    assert.is_string(helpers.wait_for("the cluster's id", id)) -- null until a broker has told it
  end)

  it("lists plugins under Apache's names", function()
    local classes = {}
    for _, plugin in ipairs(worker:get "/connector-plugins") do classes[plugin.class] = plugin.type end
    assert.equal("source", classes["org.apache.kafka.connect.file.FileStreamSourceConnector"])
    assert.equal("sink", classes["org.apache.kafka.connect.file.FileStreamSinkConnector"])
    assert.is_nil(classes["org.apache.kafka.connect.json.JsonConverter"])
  end)

  it("creates, shows, pauses, resumes, restarts, stops and deletes a connector", function()
    local name = pipe.source.name
    helpers.write(pipe.from, "one\n")
    worker:create(pipe.sink.name, pipe.sink)
    local status, body, headers = worker:http("POST", "/connectors", { name = name, config = pipe.source })
    assert.equal(201, status)
    assert.equal(worker.url .. "/connectors/" .. name, headers.location)
    assert.equal(name, body.name)
    assert.equal("source", body.type)
    assert.same({ { connector = name, task = 0 } }, body.tasks)
    assert.equal(pipe.from, body.config.file)

    local found = worker:wait_state(name, "RUNNING")
    assert.equal("source", found.type)
    assert.equal(0, found.tasks[1].id)
    assert.is_string(found.tasks[1].worker_id)
    helpers.wait_for_text(pipe.to, "one\n")

    assert.same(pipe.source, worker:get("/connectors/" .. name .. "/config"))
    local names = worker:get "/connectors"
    table.sort(names)
    local expected = { name, pipe.sink.name }
    table.sort(expected)
    assert.same(expected, names)
    local tasks = worker:get("/connectors/" .. name .. "/tasks")
    assert.same({ connector = name, task = 0 }, tasks[1].id)
    assert.equal(pipe.from, tasks[1].config.file)

    assert.equal(202, (worker:http("PUT", "/connectors/" .. name .. "/pause")))
    worker:wait_state(name, "PAUSED")
    helpers.append(pipe.from, "two\n")
    assert.equal(202, (worker:http("PUT", "/connectors/" .. name .. "/resume")))
    worker:wait_state(name, "RUNNING")
    helpers.wait_for_text(pipe.to, "one\ntwo\n")

    assert.equal(204, (worker:http("POST", "/connectors/" .. name .. "/restart")))
    local restart, plan = worker:http("POST", "/connectors/" .. name .. "/restart?includeTasks=true")
    assert.equal(202, restart)
    assert.equal("RESTARTING", plan.connector.state)
    worker:wait_state(name, "RUNNING")
    helpers.append(pipe.from, "three\n")
    helpers.wait_for_text(pipe.to, "one\ntwo\nthree\n")

    assert.equal(204, (worker:http("PUT", "/connectors/" .. name .. "/stop")))
    worker:wait_state(name, "STOPPED", 0)
    assert.same({}, (worker:get("/connectors/" .. name .. "/tasks")))
    helpers.append(pipe.from, "four\n")
    assert.equal(202, (worker:http("PUT", "/connectors/" .. name .. "/resume")))
    helpers.wait_for_text(pipe.to, "one\ntwo\nthree\nfour\n")

    assert.equal(204, (worker:http("DELETE", "/connectors/" .. name)))
    assert_error(404, "not found", worker:http("GET", "/connectors/" .. name))
    assert.same({ pipe.sink.name }, (worker:get "/connectors"))
  end)

  it("creates and changes a connector by PUT of its config", function()
    local path = "/connectors/" .. pipe.source.name .. "/config"
    helpers.write(pipe.from, "a\n")
    local status, _, headers = worker:http("PUT", path, pipe.source)
    assert.equal(201, status)
    assert.is_string(headers.location)
    local other = helpers.write(worker:path "other.txt", "b\n")
    pipe.source.file = other
    local again, body = worker:http("PUT", path, pipe.source)
    assert.equal(200, again)
    assert.equal(other, body.config.file)
    worker:create(pipe.sink.name, pipe.sink)
    helpers.wait_for("the new file's line", function() return (helpers.read(pipe.to) or ""):find("b\n", 1, true) end)
  end)

  it("answers unknown names with 404", function()
    for _, request in ipairs {
      { "GET", "" }, { "GET", "/config" }, { "GET", "/status" }, { "GET", "/tasks" }, { "DELETE", "" },
      { "PUT", "/pause" }, { "PUT", "/resume" }, { "PUT", "/stop" }, { "POST", "/restart" },
    } do
      assert_error(404, "nobody", worker:http(request[1], "/connectors/nobody" .. request[2]))
    end
    assert_error(404, "HTTP 404 Not Found", worker:http("GET", "/nowhere"))
    assert_error(405, "HTTP 405 Method Not Allowed", worker:http("DELETE", "/connectors"))
  end)

  it("answers a second connector of the same name with 409", function()
    worker:create(pipe.source.name, pipe.source)
    assert_error(409, "Connector " .. pipe.source.name:gsub("%-", "%%-") .. " already exists",
      worker:http("POST", "/connectors", { name = pipe.source.name, config = pipe.source }))
  end)

  it("answers configs that cannot be with 400 and the reason", function()
    local function post(config, name)
      return worker:http("POST", "/connectors", { name = name or pipe.source.name, config = config })
    end
    assert_error(400, "contains no connector type", post { topic = "t" })
    assert_error(400, "Failed to find any class that implements Connector and which name matches Nobody",
      post { ["connector.class"] = "Nobody" })
    assert_error(400, "Searched: [^ ]*/connectors; .* plugins", post { ["connector.class"] = "Nobody" })
    assert_error(400, 'Missing required configuration "topic"', post { ["connector.class"] = "FileStreamSource" })
    pipe.source["tasks.max"] = "many"
    assert_error(400, "Invalid value many for configuration tasks.max", post(pipe.source))
    assert_error(400, "doesn't match connector name", post({ name = "a", ["connector.class"] = "FileStreamSource" }, "b"))
    assert.same({}, (worker:get "/connectors"))
  end)

  it("survives malformed requests, each with an error that names the place", function()
    local json = { ["Content-Type"] = "application/json" }
    assert_error(400, "line 1, column 1", worker:http("POST", "/connectors", '{"name": x}', json))
    assert_error(400, "line 2", worker:http("POST", "/connectors", '{"name": "a",\n', json))
    assert_error(400, nil, worker:http("POST", "/connectors", "[]", json))
    assert_error(400, "foo", worker:http("POST", "/connectors", '{"name":"a","config":{},"foo":1}', json))
    assert_error(400, nil, worker:http("POST", "/connectors", '{"name":"a","config":{"x":{}}}', json))
    assert_error(400, nil, worker:http("PUT", "/connectors/a/config", "null", json))
    assert_error(400, nil, worker:http("PUT", "/connectors/a/config", ("["):rep(5000), json))
    assert_error(415, "Unsupported Media Type", worker:http("POST", "/connectors", "a=1", { ["Content-Type"] = "text/plain" }))
    assert_error(413, "larger than the 1048576 bytes this worker takes",
      worker:http("POST", "/connectors", (" "):rep(8 * 1024 * 1024), json))
    for _, path in ipairs { "/connectors/%zz", "/connectors/%00", "/connectors//", "//", "/connectors/" .. ("x"):rep(100000) } do
      local status = worker:http("GET", path)
      assert.is_true(status == nil or status >= 400, path) -- nil: the connection was closed
    end
    assert.equal(200, (worker:http("GET", "/")))
  end)
end)
