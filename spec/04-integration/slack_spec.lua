-- SPDX-License-Identifier: Apache-2.0
-- slack_source and slack_sink in the real binary, against a server that pages a channel's history as Slack does, and
-- takes one message at a time.
local Server = require "spec.helpers.http_server"
local helpers = require "spec.helpers"
local json = require "dkjson"
local kafka = require "spec.helpers.kafka"

-- FOLDER/channel holds messages, a text a line; their ts is their number. Files of other names make it misbehave.
local SCRIPT = [==[
local folder = "FOLDER"
local request = ...
local connect = require "connect"
local json = connect.json

local function read(name)
  local file = io.open(folder .. "/" .. name)
  local text = file and file:read "*a"
  if file then file:close() end
  return text
end
local function once(name)
  local text = read(name)
  os.remove(folder .. "/" .. name)
  return text
end
local function answer(body, status, headers) return { status = status or 200, body = json.encode(body), headers = headers } end

if request.path == "/hook/secret-hook" then
  if once "limited" then return { status = 429, headers = { ["Retry-After"] = "1" }, body = "" } end
  return { body = "ok" }
end
if request.headers.authorization ~= "Bearer xoxb-secret" then return answer { ok = false, error = "invalid_auth" } end
if read "hang" then return { hang = true } end
if once "limited" then return answer({ ok = false, error = "ratelimited" }, 429, { ["Retry-After"] = "1" }) end

if request.path == "/api/chat.postMessage" then
  local message = json.decode(request.body)
  if message.text == "" then return answer { ok = false, error = "no_text" } end
  return answer { ok = true, channel = message.channel, ts = "1.1" }
end

local query = {}
for name, value in request.target:gmatch "[?&]([^=&]+)=([^&]*)" do query[name] = value end
local found, n = connect.array {}, 0
for text in (read "channel" or ""):gmatch "([^\n]*)\n" do
  n = n + 1
  local ts = ("1700%06d.000100"):format(n)
  if ts > query.oldest and (not query.cursor or ts < query.cursor) then
    table.insert(found, 1, { type = "message", user = "U1", text = text, ts = ts })
  end
end
local more = #found > tonumber(query.limit)
while #found > tonumber(query.limit) do table.remove(found) end
return answer { ok = true, messages = found, has_more = more,
  response_metadata = { next_cursor = more and found[#found].ts or "" } }
]==]

describe("Slack", function()
  local folder, server, worker, client

  local function launch(more)
    worker = helpers.worker { ["connect.lua.log.level"] = "debug", ["offset.flush.interval.ms"] = "100" }
    for name, value in pairs(more or {}) do worker.config[name] = value end
    worker:start()
    client = kafka.open(helpers.broker ~= "embedded" and helpers.broker or worker:log():match "kcat %-b (%S+) %-L")
  end

  before_each(function()
    folder = helpers.folder()
    server = Server.start((SCRIPT:gsub("FOLDER", folder)))
    launch()
  end)

  after_each(function()
    for _, secret in ipairs { "xoxb-secret", "secret-hook" } do
      assert.is_nil(worker:log():find(secret, 1, true))
    end
    client:close()
    server:stop()
    helpers.clean()
  end)

  local function write(from, to)
    for i = from, to do helpers.append(folder .. "/channel", "m" .. i .. "\n") end
  end

  -- The embedded broker makes topics when they are first used.
  local function make_topic(what)
    local topic = helpers.unique(what)
    if helpers.broker ~= "embedded" then client:create { [topic] = 1 } end
    return topic
  end

  local function records(topic, n)
    helpers.wait_for(("%d records in %s"):format(n, topic), function()
      return client:partitions()[topic] and client:upto(topic, 0) >= n
    end)
    return client:read(topic, 0, 0, client:upto(topic, 0))
  end

  local function texts(list)
    local out = {}
    for i, r in ipairs(list) do out[i] = json.decode(r.value).text end
    return out
  end

  local function numbered(n)
    local out = {}
    for i = 1, n do out[i] = "m" .. i end
    return out
  end

  local function source(more)
    local config = { ["connector.class"] = "SlackSource", topic = make_topic "talk", token = "xoxb-secret", channels = "C1",
      ["base.url"] = server.url .. "/api", ["page.size"] = "10", ["poll.interval.ms"] = "50",
      ["value.converter"] = "org.apache.kafka.connect.json.JsonConverter", ["value.converter.schemas.enable"] = "false" }
    for name, value in pairs(more or {}) do config[name] = value end
    return config
  end

  local function sink(more)
    local config = { name = helpers.unique "out", ["connector.class"] = "SlackSink", topics = make_topic "alerts",
      token = "xoxb-secret", channel = "C1", ["base.url"] = server.url .. "/api", ["message.interval.ms"] = "0",
      ["consumer.override.auto.offset.reset"] = "earliest" }
    for name, value in pairs(more or {}) do config[name] = value or nil end
    return config
  end

  local posted
  local function messages(n)
    posted = posted or {}
    helpers.wait_for(n .. " messages", function()
      for _, r in ipairs(server:take()) do posted[#posted + 1] = json.decode(r.body).text end
      return #posted >= n
    end)
    return posted
  end
  before_each(function() posted = nil end)

  it("messages are read in order, over pages, limits and restarts", function()
    write(1, 35)
    helpers.write(folder .. "/limited", "")
    local config = source()
    worker:create("talk", config)
    local list = records(config.topic, 35)
    assert.same(numbered(35), texts(list))
    assert.same({ "C1", 1700000001000 }, { list[1].key, list[1].timestamp })
    assert.equal(202, (worker:http("POST", "/connectors/talk/restart?includeTasks=true")))
    write(36, 60)
    assert.same(numbered(60), texts(records(config.topic, 60)))
    helpers.wait_for("the offset", function()
      local it = worker:get "/connectors/talk/offsets".offsets[1]
      return it and it.partition.channel == "C1" and it.offset.ts == "1700000060.000100"
    end)
  end)

  it("messages are read once each when the worker is killed in the midst #kafka", function()
    local config = source { ["producer.override.linger.ms"] = "0" }
    write(1, 100)
    worker:create("talk", config)
    records(config.topic, 20)
    worker:crash()
    worker:start()
    worker:create("talk", config)
    local seen, last = {}, nil
    for _, text in ipairs(texts(records(config.topic, 100))) do seen[text], last = true, text end
    helpers.wait_for("the last message", function()
      for _, text in ipairs(texts(records(config.topic, 100))) do seen[text], last = true, text end
      return last == "m100"
    end)
    for _, text in ipairs(numbered(100)) do assert.is_true(seen[text], text) end -- what was not committed comes again
  end)

  it("a token that is none ends the task", function()
    worker:create("talk", source { token = "xoxb-secret2" })
    local failed = worker:wait_state("talk", "FAILED")
    assert.matches("invalid_auth; see that token is the bot's token", failed.tasks[1].trace, 1, true)
    assert.not_matches("xoxb-secret", failed.tasks[1].trace, 1, true)
  end)

  it("tells each wrong key", function()
    local function wrong(class, config)
      config["connector.class"], config.name = class, "x"
      local out = {}
      local _, valid = worker:http("PUT", "/connector-plugins/" .. class .. "/config/validate", config)
      for _, c in ipairs(valid.configs) do
        if #c.value.errors > 0 then out[#out + 1] = c.value.name end
      end
      table.sort(out)
      return table.concat(out, " ")
    end
    assert.equal("page.size token topic", wrong("slack_source", { channels = "C1", ["page.size"] = "0" }))
    assert.equal("channels", wrong("slack_source", { channels = "#general", topic = "t", token = "xoxb-secret" }))
    assert.equal("channel text", wrong("slack_sink", { topics = "x", token = "xoxb-secret", text = "${foo}" }))
    assert.equal("webhook.url", wrong("slack_sink", { topics = "x" }))
  end)

  it("records are sent in order, and committed when Slack has answered", function()
    local config = sink { text = "${key}: ${value}" }
    local list = {}
    for i = 1, 20 do list[i] = { key = "k", value = "m" .. i } end
    helpers.write(folder .. "/limited", "")
    client:produce(config.topics, list)
    worker:create(config.name, config)
    local got = messages(21)
    assert.equal("k: m1", table.remove(got, 1)) -- the one that came too early
    for i = 1, 20 do assert.equal("k: m" .. i, got[i]) end
    assert.equal(20, #got)
    if helpers.broker ~= "embedded" then
      helpers.wait_for("the commit", function() return client:committed("connect-" .. config.name, config.topics, 0) == 20 end)
    end
  end)

  it("records are sent to a webhook", function()
    local config = sink { token = false, channel = false, ["webhook.url"] = server.url .. "/hook/secret-hook" }
    client:produce(config.topics, { { value = "m1" }, { value = "m2" } })
    worker:create(config.name, config)
    assert.same({ "m1", "m2" }, messages(2))
  end)

  it("records that cannot be messages are rejected, and the others sent", function()
    local letters = make_topic "letters"
    local config = sink { ["errors.tolerance"] = "all", ["errors.deadletterqueue.topic.name"] = letters,
      ["errors.deadletterqueue.topic.replication.factor"] = "1", ["errors.deadletterqueue.context.headers.enable"] = "true" }
    client:produce(config.topics, { { value = "m1" }, { key = "empty", value = "" }, { value = "m2" } })
    worker:create(config.name, config)
    messages(4) -- the empty one behind m1, then again as the first
    local letter = records(letters, 1)[1]
    assert.equal("empty", letter.key)
    local headers = {}
    for _, h in ipairs(letter.headers) do headers[h[1]] = h[2] end
    assert.equal("Slack answered no_text", headers["__connect.errors.exception.message"])
    assert.equal("m2", posted[#posted])
  end)

  it("a stop in the midst of a batch repeats none of those that Slack has answered", function()
    local config = sink { ["message.interval.ms"] = "200" }
    local list = {}
    for i = 1, 30 do list[i] = { value = "m" .. i } end
    client:produce(config.topics, list)
    worker:create(config.name, config)
    messages(3)
    for _ = 1, 2 do
      assert.equal(202, (worker:http("POST", "/connectors/" .. config.name .. "/restart?includeTasks=true")))
      messages(#messages(1) + 3)
    end
    helpers.wait_for("the last message", function() return messages(1)[#posted] == "m30" end)
    local seen = {}
    for i, text in ipairs(posted) do -- but one that was under way at the stop may come twice
      if text ~= posted[i - 1] then seen[#seen + 1] = text end
    end
    assert.same(numbered(30), seen)
    assert.is_true(#posted <= 32)
  end)

  it("an answer that never comes does not hold up a stop", function()
    helpers.write(folder .. "/hang", "")
    local config = sink()
    client:produce(config.topics, { { value = "m1" } })
    worker:create(config.name, config)
    worker:create("talk", source())
    local asked = 0
    helpers.wait_for("both requests", function()
      asked = asked + #server:take()
      return asked >= 2
    end)
    worker:stop()
    assert.is_nil(worker:log():find("did not stop in time", 1, true))
  end)
end)
