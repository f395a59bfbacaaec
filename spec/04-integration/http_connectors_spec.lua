-- SPDX-License-Identifier: Apache-2.0
-- http_poll_source and http_sink on a worker, against a real HTTP server: as tutorials have it, through kill -9, while
-- a request hangs, and when the server says no.
local helpers = require "spec.helpers"
local json = require "dkjson"
local kafka = require "spec.helpers.kafka"
local kit = require "connect.testkit"

local STRING = "org.apache.kafka.connect.storage.StringConverter"

describe("over HTTP,", function()
  local server

  before_each(function() server = kit.server() end)
  after_each(function()
    helpers.clean()
    server:stop()
  end)

  -- How many requests for a path there were.
  local function asked(path)
    local n = 0
    for _, request in ipairs(server:requests()) do
      if request.path == path then n = n + 1 end
    end
    return n
  end

  local function sink(topic, more)
    local config = { ["connector.class"] = "HttpSink", ["tasks.max"] = "1", topics = topic, ["http.url"] = server.url .. "/in" }
    for key, value in pairs(more or {}) do config[key] = value end
    return config
  end

  it("the tutorial's poller runs as it stands, and a sink sends on what it reads", function()
    local todos = [=[[{"userId": 1, "id": 1, "title": "delectus aut autem", "completed": false}]]=]
    server:answer { path = "/todos", status = 503 } -- a failed call is no failure of the task
    server:answer { path = "/todos", body = todos, times = "always" }
    server:answer { path = "/in", times = "always" }
    local worker = helpers.worker():start()
    local request = json.decode(helpers.read(helpers.root .. "/spec/fixtures/tutorial/http-poll.json"))
    local name, config = request.name, request.config
    config["http.url"] = config["http.url"]:gsub("^https://[^/]*", server.url)
    config.topic = helpers.unique(config.topic)
    local status = worker:http("POST", "/connectors", request)
    assert.equal(201, status)
    assert.same({ name }, (worker:get "/connectors"))
    worker:create("sink", sink(config.topic, { ["value.converter"] = STRING }))
    helpers.wait_for("two answers to be sent on", function() return asked "/in" >= 2 end)
    worker:wait_state(name, "RUNNING")
    for _, sent in ipairs(server:requests()) do
      if sent.path == "/in" then assert.equal(todos, sent.body) end
    end
    assert.matches("answered 503", worker:log(), 1, true)
    worker:stop()
  end)

  it("a stop does not wait for answers that do not come", function()
    server:answer { delay = 3600000, times = "always" }
    server:answer { path = "/never" }
    local worker = helpers.worker { ["task.shutdown.graceful.timeout.ms"] = "3600000" }:start()
    local topic, lines = helpers.unique "hanging", helpers.unique "lines"
    worker:create("source", { ["connector.class"] = "HttpPollSource", ["http.url"] = server.url .. "/out", topic = topic,
      ["http.timeout.ms"] = "3600000" })
    worker:create("in", { ["connector.class"] = "FileStreamSource", topic = lines, file = helpers.write(worker:path "a", "x\n") })
    worker:create("sink", sink(lines, { ["http.timeout.ms"] = "3600000" }))
    helpers.wait_for("both requests", function() return asked "/out" == 1 and asked "/in" == 1 end)
    worker:stop() -- far sooner than the hour that tasks and requests have
  end)

  it("a source begins where REST says", function()
    server:answer { path = "/items", json = { { at = 3 } }, times = "always" }
    local worker = helpers.worker():start()
    worker:create("source", { ["connector.class"] = "HttpPollSource", ["http.url"] = server.url .. "/items?since=${offset}",
      topic = helpers.unique "since", ["poll.interval.ms"] = "10", ["http.response.list.pointer"] = "/",
      ["http.response.record.offset.pointer"] = "/at", ["http.offset.initial"] = "1" })
    local function asked_since(offset)
      helpers.wait_for("a call since " .. offset, function()
        for _, request in ipairs(server:requests()) do
          if request.query == "since=" .. offset then return true end
        end
      end)
    end
    asked_since "1"
    asked_since "3"
    assert.equal(204, (worker:http("PUT", "/connectors/source/stop")))
    worker:wait_state("source", "STOPPED", 0)
    local status, answer = worker:http("PATCH", "/connectors/source/offsets",
      { offsets = { { partition = { url = server.url .. "/items" }, offset = { offset = "7" } } } })
    assert.equal(200, status, answer.message)
    assert.equal(202, (worker:http("PUT", "/connectors/source/resume")))
    asked_since "7"
    worker:stop()
  end)

  it("what is wrong with a config is said by key", function()
    local worker = helpers.worker():start()
    local function errors_of(config)
      local status, answer = worker:http("PUT", "/connector-plugins/" .. config["connector.class"] .. "/config/validate", config)
      assert.equal(200, status)
      local out = {}
      for _, item in ipairs(answer.configs) do
        if #item.value.errors > 0 then out[item.value.name] = table.concat(item.value.errors, "; ") end
      end
      return out
    end
    assert.same({}, errors_of { ["connector.class"] = "HttpSink", name = "x", topics = "t", ["http.url"] = "http://h/${topic}" })
    assert.same({}, errors_of { ["connector.class"] = "HttpSink", name = "x", topics = "t", ["http.url"] = "http://h/",
      ["http.headers"] = json.null, ["http.retry.status.codes"] = json.null }) -- null is not given
    local errors = errors_of { ["connector.class"] = "HttpSink", name = "x", topics = "t", ["http.url"] = "http://h/${tpic}" }
    assert.matches("no ${tpic}", errors["http.url"], 1, true)
    errors = errors_of { ["connector.class"] = "HttpPollSourceConnector", name = "x", topic = "t", ["http.url"] = "http://h/",
      ["http.response.list.pointer"] = "items" }
    assert.matches("begins with /", errors["http.response.list.pointer"], 1, true)
    worker:stop()
  end)

  it("the sample configs are valid", function()
    local worker = helpers.worker()
    local file = helpers.write(worker:path "worker.properties", helpers.properties(worker.config))
    local code, out, err = helpers.run { "validate", "--worker", file, helpers.root .. "/config/http-poll-source.json",
      helpers.root .. "/config/http-sink.json" }
    assert.equal(0, code, out .. err)
  end)

  it("a config is checked against its server", function()
    server:answer { path = "/items", json = { list = { { id = 1 } } }, times = 2 }
    server:answer { path = "/items", status = 403, body = "no" }
    server:answer { method = "HEAD", status = 405 }
    local worker = helpers.worker()
    local file = helpers.write(worker:path "worker.properties", helpers.properties(worker.config))
    local function check(config)
      config.name, config.topic, config.topics = "x", config["connector.class"] == "HttpPollSource" and "t" or nil,
        config["connector.class"] == "HttpSink" and "t" or nil
      local code, out = helpers.run { "validate", "--check", "--worker", file,
        helpers.write(worker:path "x.properties", helpers.properties(config)) }
      return code, out
    end
    local source = { ["connector.class"] = "HttpPollSource", ["http.url"] = server.url .. "/items",
      ["http.response.list.pointer"] = "/list" }
    assert.equal(0, (check(source)))
    source["http.response.list.pointer"] = "/items"
    local code, out = check(source)
    assert.equal(3, code)
    assert.matches('there is no list at /items: {"list":[{"id":1}]}', out, 1, true)
    code, out = check(source)
    assert.equal(3, code)
    assert.matches("http.url: GET " .. server.url .. ": answered 403 Forbidden: no", out, 1, true)
    assert.equal(0, (check(sink("t", { ["http.url"] = server.url .. "/${key}" }))))
    assert.equal("/", server:requests()[4].target)
    code, out = check { ["connector.class"] = "HttpSink", ["http.url"] = "http://127.0.0.1:1/" }
    assert.equal(3, code)
    assert.matches("http.url: HEAD http://127.0.0.1:1: ", out, 1, true)
  end)

  it("a server that knows nobody fails the sink, and no secret is shown", function()
    server:answer { status = 401, body = "no user has the key sesame-open-up \255" }
    local worker = helpers.worker():start()
    local lines = helpers.unique "lines"
    worker:create("in", { ["connector.class"] = "FileStreamSource", topic = lines, file = helpers.write(worker:path "a", "x\n") })
    worker:create("sink", sink(lines, { ["http.headers.secret"] = "X-Key: sesame-open-up" }))
    local status = helpers.wait_for("the task to fail", function()
      local found = worker:get "/connectors/sink/status"
      return found.tasks and found.tasks[1] and found.tasks[1].state == "FAILED" and found
    end)
    assert.matches("POST " .. server.url .. ": answered 401 Unauthorized: no user has the key [hidden]", status.tasks[1].trace, 1, true)
    assert.not_matches("sesame-open-up", worker:log(), 1, true)
    worker:stop()
  end)
end)

describe("over HTTP and a real broker #kafka,", function()
  local server, client

  before_each(function() server, client = kit.server(), kafka.open(helpers.broker) end)
  after_each(function()
    helpers.clean()
    client:close()
    server:stop()
  end)

  local function worker_with(config)
    local worker = helpers.worker { ["consumer.session.timeout.ms"] = "6000", ["offset.flush.interval.ms"] = "200" }
    worker.files[1] = helpers.write(worker:path "connector.properties", helpers.properties(config))
    return worker
  end

  -- Which of 1..n were sent, as a count.
  local function sent(pattern)
    local seen, count = {}, 0
    for _, request in ipairs(server:requests()) do
      for n in request.body:gmatch(pattern) do
        if not seen[n] then seen[n], count = true, count + 1 end
      end
    end
    return count
  end

  it("a sink loses nothing to kill -9 and to a server that fails", function()
    local topic, name, last = helpers.unique "numbers", helpers.unique "sink", 3000
    client:create { [topic] = 1 }
    local records = {}
    for i = 1, last do records[i] = { value = tostring(i) } end
    client:produce(topic, records)
    server:answer { status = 200, times = 20 }:answer { status = 503, times = 2 }:answer { times = "always" }
    local worker = worker_with { name = name, ["connector.class"] = "HttpSink", ["http.url"] = server.url .. "/in",
      topics = topic, ["batch.max.size"] = "10", ["retry.backoff.ms"] = "100",
      ["consumer.override.max.poll.records"] = "200" } -- so that each kill falls between two batches of many
    for _ = 1, 2 do
      local before = sent "%d+"
      worker:start()
      helpers.wait_for("records that are new", function() return sent "%d+" > before end)
      worker:crash()
    end
    worker:start()
    helpers.wait_for("all to be committed", function() return client:committed("connect-" .. name, topic, 0) == last end)
    worker:stop()
    assert.equal(last, sent "%d+")
  end)

  it("a source loses nothing to kill -9 between pages", function()
    local topic, pages, size = helpers.unique "pages", 40, 25
    client:create { [topic] = 1 }
    local id = pages * size -- the newest item comes first
    for page = 1, pages do
      local items = {}
      for i = 1, size do
        items[i] = { id = id }
        id = id - 1
      end
      server:answer { path = "/p" .. page, json = items, times = "always", delay = 10,
        headers = page < pages and { Link = ("</p%d>; rel=next"):format(page + 1) } or nil }
    end
    local worker = worker_with { name = helpers.unique "source", ["connector.class"] = "HttpPollSource",
      ["http.url"] = server.url .. "/p1", topic = topic, ["poll.interval.ms"] = "3600000", ["http.paging.mode"] = "link",
      ["http.response.list.pointer"] = "/", ["http.response.record.key.pointer"] = "/id",
      ["http.response.record.offset.pointer"] = "/id" }
    local function arrived()
      local seen, count = {}, 0
      local upto = client:upto(topic, 0)
      for _, record in ipairs(upto > 0 and client:read(topic, 0, 0, upto) or {}) do
        if not seen[record.key] then seen[record.key], count = true, count + 1 end
      end
      return count
    end
    for _ = 1, 2 do
      local before = arrived()
      worker:start()
      helpers.wait_for("items that are new", function() return arrived() > before + size end)
      worker:crash()
    end
    worker:start()
    helpers.wait_for("all items", function() return arrived() == pages * size end)
    worker:stop()
    local at_end = #server:requests()
    worker.config["offset.flush.interval.ms"] = "3600000"
    worker:start() -- everything was sent: the first page holds nothing new
    helpers.wait_for("the pages to be asked for again", function() return #server:requests() == at_end + pages end)
    worker:stop()
    local upto = client:upto(topic, 0)
    assert.equal("1", client:read(topic, 0, upto - 1, upto)[1].key) -- the last item of the last page
  end)

  it("only the bad record of a batch becomes a dead letter", function()
    local topic, letters = helpers.unique "mixed", helpers.unique "letters"
    client:create { [topic] = 1 }
    client:produce(topic, { { value = "1" }, { value = "2" }, { value = "3" } })
    server:answer { status = 400 }:answer {}:answer { status = 400, body = "2 is even" }:answer { times = "always" }
    local name = helpers.unique "sink"
    local worker = worker_with { name = name, ["connector.class"] = "HttpSink", ["http.url"] = server.url .. "/in",
      topics = topic, ["batch.max.size"] = "10", ["errors.tolerance"] = "all",
      ["errors.deadletterqueue.topic.name"] = letters, ["errors.deadletterqueue.topic.replication.factor"] = "1",
      ["errors.deadletterqueue.context.headers.enable"] = "true" }
    worker:start()
    helpers.wait_for("all to be committed", function() return client:committed("connect-" .. name, topic, 0) == 3 end)
    worker:stop()
    local letter = client:read(letters, 0, 0, client:upto(letters, 0))
    assert.equal(1, #letter)
    assert.equal("2", letter[1].value)
    local message
    for _, header in ipairs(letter[1].headers) do
      if header[1] == "__connect.errors.exception.message" then message = header[2] end
    end
    assert.matches("answered 400 Bad Request: 2 is even", message, 1, true)
  end)
end)
