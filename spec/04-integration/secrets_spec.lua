-- SPDX-License-Identifier: Apache-2.0
-- Secrets: config providers resolve them late, and nothing that goes out shows them. Every route of the
-- worker is asked, every verb of the binary run, and all that comes out is searched.
local helpers = require "spec.helpers"
local json = require "dkjson"
local kafka = require "spec.helpers.kafka"

-- What tells everything it knows, wherever it can.
local TELL = [[
local connect = require "connect"
local function tell(config) return ("url %s token %s plain %s"):format(config.url, config.token, config.plain) end
local rows = {
  { name = "url", type = "string", doc = "Where." },
  { name = "token", type = "password", doc = "A secret." },
  { name = "plain", type = "string", doc = "Not known to be one." },
  { name = "where", type = "string", default = "start", doc = "Where it throws." },
}
]]
local CONNECTOR = [[
local function validate(config)
  if config.where == "validate" then return { plain = "bad: " .. tell(config) } end
end
local function tasks(config)
  if config.where == "tasks" then error(tell(config)) end
  return { { url = config.url, token = config.token, plain = config.plain, where = config.where, topic = config.topic,
    another = config.token, more = tell(config) } }
end
local function start(ctx)
  ctx.log:info("%s", tell(ctx.config))
  print(tell(ctx.config))
  for _, name in ipairs { ctx.config.token, "rows_" .. ctx.config.token } do
    for _, kind in ipairs { "counter", "gauge" } do
      local ok, why = pcall(function() ctx.metrics[kind](ctx.metrics, name):add() end)
      ctx.log:info("made: %s %s", tostring(ok), tostring(why))
    end
  end
  ctx.metrics:counter "told":add()
  if ctx.config.where == "start" then error(tell(ctx.config)) end
end
]]
local PLUGINS = {
  leaky = TELL .. CONNECTOR .. [[
return { api = 1, kind = "sink", version = "1", class = "Leaky", doc = "Tells what it knows.", config = rows,
  validate = validate, tasks = tasks, start = start,
  put = function(ctx, batch)
    for _, rec in batch:records() do
      if ctx.config.where == "reject" then ctx:reject(rec, tell(ctx.config)) end
      if ctx.config.where == "put" then connect.fatal(tell(ctx.config)) end
    end
  end }]],
  leaky_source = TELL .. CONNECTOR .. [[
rows[#rows + 1] = { name = "topic", type = "string" }
local sent
return { api = 1, kind = "source", version = "1", doc = "Tells what it knows.", config = rows,
  validate = validate, tasks = tasks, start = start,
  poll = function(ctx)
    if sent then ctx:sleep(60000) return end
    sent = true
    ctx:emit { topic = ctx.config.topic, value = "a line" }
  end }]],
  leaky_smt = TELL .. [[
return { api = 1, kind = "transform", version = "1", doc = "Tells what it knows.", config = rows,
  apply = function(_, config) connect.data_error(tell(config)) end }]],
  leaky_converter = TELL .. [[
return { api = 1, kind = "converter", version = "1", doc = "Tells what it knows.", config = rows,
  decode = function(_, config) connect.data_error(tell(config)) end,
  encode = function(_, config) connect.data_error(tell(config)) end }]],
}

describe("secrets", function()
  local worker, files

  local function launch(more)
    files = helpers.folder()
    for name, text in pairs(PLUGINS) do helpers.write(("%s/%s.lua"):format(files, name), text) end
    helpers.write(files .. "/secrets.properties", "user=operator_one\npassword=pw_from_a_file\n")
    helpers.shell(("mkdir %s/mounted; cd %s/mounted; echo token_from_a_folder >token; echo plain_from_a_folder >plain"):format(
      files, files)) -- with newlines at their ends
    worker = helpers.worker {
      ["plugin.path"] = files,
      ["config.providers"] = "file,dir,env",
      ["config.providers.file.class"] = "org.apache.kafka.common.config.provider.FileConfigProvider",
      ["config.providers.dir.class"] = "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
      ["config.providers.env.class"] = "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
      ["connect.lua.log.level"] = "debug",
    }
    for key, value in pairs(more or {}) do worker.config[key] = value end
    worker:start()
  end
  after_each(function()
    if worker.process and not worker.process:ended() then worker:stop() end
    helpers.clean()
  end)

  local GIVEN = { "operator_one", "pw_from_a_file", "token_from_a_folder", "plain_from_a_folder" } -- by providers
  local LITERAL = { "literal_token", "url_pass%40word", "url_pass@word", "jdbc_word", "smt_token", "converter_token", "jaas_word",
    "store_word" }

  local ALL = { unpack(GIVEN) }
  for _, secret in ipairs(LITERAL) do ALL[#ALL + 1] = secret end

  local function shows_none(text, what, secrets)
    for _, secret in ipairs(secrets) do
      local at = text:find(secret, 1, true)
      assert.is_nil(at, at and ("%s shows %s:\n...%s"):format(what, secret, text:sub(math.max(1, at - 300), at + 300)))
    end
  end

  local function variables(config)
    config.url = ("https://${file:%s/secrets.properties:user}:${file:%s/secrets.properties:password}@host/"):format(files, files)
    config.token = ("${dir:%s/mounted:token}"):format(files)
    config.plain = ("${dir:%s/mounted:plain}"):format(files)
    return config
  end

  local function literals(config)
    config.url = "https://someone:url_pass%40word@host/?x=1 jdbc:any://host/db?user=me&password=jdbc_word&ssl=true"
    config.token, config.plain = "literal_token", "x"
    return config
  end

  local function leaky(name, fill, where, topic)
    return fill { name = name, ["connector.class"] = "Leaky", topics = topic or helpers.unique "leaky", where = where,
      ["consumer.override.client.id"] = ("client-${file:%s/secrets.properties:user}"):format(files),
      ["errors.tolerance"] = "all", ["errors.log.enable"] = "true", ["errors.log.include.messages"] = "true" }
  end

  -- A chain and a converter whose secrets are their own.
  local function prefixed(config, prefix, token)
    for key, value in pairs(literals {}) do config[prefix .. key] = value end
    config[prefix .. "token"] = token
  end

  local function letters(config, topic)
    local ours = config["connector.class"] == "leaky_source" and "connect.lua." or ""
    config[ours .. "errors.deadletterqueue.topic.name"] = topic
    config[ours .. "errors.deadletterqueue.topic.replication.factor"] = "1"
    if ours == "" then config["errors.deadletterqueue.context.headers.enable"] = "true" end
  end

  local function failed(name)
    return helpers.wait_for(name .. " to fail", function()
      local status = worker:get("/connectors/" .. name .. "/status")
      return status.tasks[1] and status.tasks[1].state == "FAILED" and status
    end)
  end

  -- Feeds a topic with one line.
  local function feed(topic)
    local path = helpers.write(files .. "/" .. topic, "a line\n")
    worker:create("feed-" .. topic, { ["connector.class"] = "FileStreamSource", file = path, topic = topic })
  end

  -- The routes as the worker has them, in their order.
  local function routes()
    local out = {}
    local text = assert(helpers.read(helpers.root .. "/src/rest/routes.c"))
    for method, path in text:gmatch '%.method = "(%u+)",%s*%.path = "([^"]+)"' do out[#out + 1] = { method, path } end
    assert(#out > 30)
    return out
  end

  -- Everything that REST says of these connectors, but for their configs where with_config is false, for
  -- those are as they were sent. Ends with their deletion.
  local function everything(names, with_config)
    local out = {}
    local function ask(method, path, body)
      local status, answer = worker:http(method, path, body)
      out[#out + 1] = ("%s %s %s %s"):format(method, path, tostring(status),
        type(answer) == "string" and answer or json.encode(answer))
    end
    local bodies = {
      ["PATCH /connectors/{c}/offsets"] = function() return { offsets = { { partition = { a = 1 }, offset = { b = 2 } } } } end,
      ["PUT /connectors/{c}/config"] = function(name) return worker:get("/connectors/" .. name .. "/config") end,
      ["PATCH /connectors/{c}/config"] = function(name) return { url = worker:get("/connectors/" .. name .. "/config").url } end,
      ["PUT /connector-plugins/{p}/config/validate"] = function(name) return worker:get("/connectors/" .. name .. "/config") end,
      ["PUT /admin/loggers/{l}"] = function() return { level = "DEBUG" } end,
      ["POST /connectors"] = function(name) return { name = name, config = worker:get("/connectors/" .. name .. "/config") } end,
    }
    local shows_config = { ["GET /connectors/{c}"] = true, ["GET /connectors/{c}/config"] = true,
      ["GET /connectors/{c}/tasks"] = true, ["PUT /connectors/{c}/config"] = true, ["PATCH /connectors/{c}/config"] = true,
      ["PUT /connector-plugins/{p}/config/validate"] = true }
    local function sweep(wanted)
      for _, route in ipairs(routes()) do
        local method, path = route[1], route[2]
        local key = method .. " " .. path
        local last = key == "DELETE /connectors/{c}"
        if wanted(method, last) and (with_config or not shows_config[key]) then
          for _, name in ipairs(names) do
            local body = bodies[key] and bodies[key](name)
            local class = worker:get("/connectors/" .. name .. "/config")["connector.class"]
            ask(method, (path:gsub("{c}", name):gsub("{t}", "0"):gsub("{p}", class or "Leaky"):gsub("{l}", "rest")), body)
          end
        end
      end
    end
    sweep(function(method) return method == "GET" end)
    ask("GET", "/connectors?expand=status" .. (with_config and "&expand=info" or ""))
    ask("GET", "/connector-plugins?connectorsOnly=false")
    sweep(function(method, last) return method ~= "GET" and not last end)
    sweep(function(method, last) return method == "GET" or last end)
    return table.concat(out, "\n")
  end

  -- Headers and values of all letters.
  local function letters_text(topic, n)
    local address = helpers.broker ~= "embedded" and helpers.broker or worker:log():match("kcat %-b (%S+) %-L")
    local client, out = kafka.open(address), {}
    helpers.wait_for("letters in " .. topic, function() return client:upto(topic, 0) >= n end)
    for _, letter in ipairs(client:read(topic, 0, 0, n)) do
      local texts = {}
      for _, header in ipairs(letter.headers) do texts[#texts + 1] = header[1] .. "=" .. tostring(header[2]) end
      assert.matches("__connect.errors.exception.stacktrace", table.concat(texts), 1, true)
      out[#out + 1] = table.concat(texts, "\n") .. "\n" .. tostring(letter.value)
    end
    client:close()
    return table.concat(out, "\n")
  end

  local HIDDEN = "url https://[hidden]:[hidden]@host/ token [hidden] plain [hidden]"
  local HIDDEN_LITERAL = "url https://someone:[hidden]@host/?x=1 jdbc:any://host/db?user=me&password=[hidden]&ssl=true"
    .. " token [hidden] plain x"

  -- Connectors with secrets of this kind, each having told them in its way; their names and letters' topics.
  local function all_kinds(fill)
    local names, topics = {}, {}
    local function add(config)
      names[#names + 1] = config.name
      local status, answer = worker:http("POST", "/connectors", { name = config.name, config = config })
      return status, answer
    end
    for _, where in ipairs { "start", "put", "reject", "converter", "smt", "tasks" } do
      local topic = helpers.unique "secrets"
      local config = leaky(helpers.unique(where), fill, where, topic)
      if where == "reject" or where == "converter" or where == "smt" then
        letters(config, topic .. "-letters")
        topics[topic .. "-letters"] = 1
      end
      if where == "converter" then
        config["value.converter"] = "leaky_converter"
        prefixed(config, "value.converter.", "converter_token")
      elseif where == "smt" then
        config.transforms, config["transforms.t.type"] = "t", "leaky_smt"
        prefixed(config, "transforms.t.", "smt_token")
        config["producer.override.ssl.truststore.password"] = "store_word"
      end
      config["consumer.override.sasl.jaas.config"] =
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="jaas_word";'
      assert.equal(where == "tasks" and 500 or 201, (add(config)))
      if where ~= "start" and where ~= "tasks" then feed(topic) end
      if where == "start" or where == "put" then failed(config.name) end
    end
    local topic = helpers.unique "from"
    local config = fill { name = helpers.unique "source", ["connector.class"] = "leaky_source", topic = topic, where = "none",
      transforms = "t", ["transforms.t.type"] = "leaky_smt", ["errors.tolerance"] = "all" }
    letters(config, topic .. "-letters")
    prefixed(config, "transforms.t.", "smt_token")
    topics[topic .. "-letters"] = 1
    assert.equal(201, (add(config)))
    return names, topics
  end

  -- All that comes out of the worker and the verbs, REST's configs only with with_config.
  local function searched(fill, with_config, secrets)
    local names, topics = all_kinds(fill)
    for topic, n in pairs(topics) do shows_none(letters_text(topic, n), topic, secrets) end
    local said = everything(names, with_config)
    assert.matches("connect_lua_plugin_told_total", said, 1, true)
    assert.matches(fill == literals and HIDDEN_LITERAL or HIDDEN, said, 1, true)
    shows_none(said, "REST", secrets)
    shows_none(worker:log(), "the log", secrets)
  end

  it("of providers reach the plugin and are shown nowhere", function()
    launch()
    searched(variables, true, GIVEN)
    assert.matches(HIDDEN, worker:log(), 1, true)
  end)

  it("that stand in password rows and URLs are shown in configs alone", function()
    launch { ["connect.lua.log.format"] = "json" }
    searched(literals, false, ALL)
    assert.matches('"message":"url https', worker:log(), 1, true)
  end)

  it("are shown nowhere at all when passwords are masked", function()
    launch { ["connect.lua.rest.mask.passwords"] = "true" }
    searched(literals, true, ALL)
  end)

  it("are in what validation says neither", function()
    launch()
    for _, fill in ipairs { variables, literals } do
      local wanted = leaky(helpers.unique "validate", fill, "validate")
      local status, created = worker:http("POST", "/connectors", { name = wanted.name, config = wanted })
      assert.equal(400, status)
      assert.matches("bad: " .. (fill == variables and HIDDEN or HIDDEN_LITERAL), created.message, 1, true)
      shows_none(created.message, "creation", ALL)
      local _, validated = worker:http("PUT", "/connector-plugins/Leaky/config/validate", wanted)
      shows_none(json.encode(validated), "validation", GIVEN)
      shows_none(json.encode(validated), "validation", { "literal_token", "smt_token" }) -- URLs are shown as sent
      wanted["connector.class"] = nil
      local _, without = worker:http("POST", "/connectors", { name = wanted.name, config = wanted })
      assert.matches("contains no connector type", without.message, 1, true)
      shows_none(without.message, "an error", LITERAL)
    end
  end)

  -- What one request brings is hidden in its own answer, and neither hides nor shows anything of others'.
  it("of a validation are its own, however many there are", function()
    launch()
    local kept = leaky(helpers.unique "kept", variables, "start")
    assert.equal(201, (worker:http("POST", "/connectors", { name = kept.name, config = kept })))
    failed(kept.name)
    local junk = { "x://" }
    for i = 1, 10001 do junk[#junk + 1] = "password=junk" .. i end
    local wanted = leaky("validated", literals, "validate")
    wanted.plain = table.concat(junk, "&")
    wanted.token = "org.apache.kafka"
    assert.equal(200, (worker:http("PUT", "/connector-plugins/Leaky/config/validate", wanted)))
    wanted.name, wanted.plain, wanted.token = "refused", "x", "not found"
    assert.equal(400, (worker:http("POST", "/connectors", { name = "refused", config = wanted })))
    local _, missing = worker:http("GET", "/connectors/nobody/config")
    assert.equal("Connector nobody not found", missing.message)
    assert.equal(204, (worker:http("POST", "/connectors/" .. kept.name .. "/tasks/0/restart")))
    local trace = failed(kept.name).tasks[1].trace
    assert.matches("org.apache.kafka.connect.errors.", trace, 1, true)
    assert.matches(HIDDEN, trace, 1, true)
    shows_none(worker:log(), "the log", GIVEN)
  end)

  it("are not said by the command line", function()
    launch()
    local file = worker:path "connector.json"
    for _, fill in ipairs { variables, literals } do
      for _, where in ipairs { "validate", "smt" } do
        local config = leaky("x", fill, where)
        config.transforms, config["transforms.t.type"] = "t", "leaky_smt"
        for key, value in pairs(fill {}) do config["transforms.t." .. key] = value end
        helpers.write(file, json.encode { name = "x", config = config })
        helpers.write(worker:path "records", "a line\n")
        for _, argv in ipairs { { "validate", file }, { "validate", "--json", file }, { "try", file, worker:path "records" },
          { "plugins" }, { "plugins", "--json" } } do
          table.insert(argv, 2, "--worker")
          table.insert(argv, 3, worker:path "worker.properties")
          local _, out, err = helpers.run(argv)
          assert(#out + #err > 0)
          shows_none(out .. err, argv[2], ALL)
          if argv[2] == (where == "smt" and "try" or where) then assert.matches("token [hidden]", out .. err, 1, true) end
        end
      end
    end
    for _, where in ipairs { "validate", "start", "put" } do
      helpers.write(file, json.encode { name = "x", config = leaky("x", literals, where) })
      local code, out, err = helpers.run { "run", "--verbose", "--plugins", files, "--input", worker:path "records", file }
      assert.equal(where == "validate" and 3 or 4, code, err)
      assert.matches("token [hidden]", out .. err, 1, true)
      shows_none(out .. err, "run", ALL)
    end
  end)

  it("in a query are not said by the access log", function()
    launch()
    worker:http("GET", "/connectors?password=of_the_query")
    worker:http("GET", "/connectors/nobody?password=of_the_query")
    helpers.wait_for("the second access", function() return worker:log():find("GET /connectors/nobody 404", 1, true) end)
    assert.matches("GET /connectors 200", worker:log(), 1, true)
    shows_none(worker:log(), "the log", { "of_the_query" })
  end)

  describe("that are masked", function()
    local config
    local MASKED = "https://someone:[hidden]@host/?x=1 jdbc:any://host/db?user=me&password=[hidden]&ssl=true"

    local function shown() return (worker:get("/connectors/" .. config.name .. "/config")) end

    -- What the plugin has really got, by a trace that hides it: only its length shows.
    local function token_is(secret)
      helpers.wait_for("the plugin to have it", function()
        local task = worker:get("/connectors/" .. config.name .. "/status").tasks[1]
        return task and task.trace and task.trace:find("length " .. #secret, 1, true)
      end)
    end

    before_each(function()
      launch { ["connect.lua.rest.mask.passwords"] = "true" }
      worker:stop()
      helpers.write(files .. "/length.lua", TELL .. [[
        return { api = 1, kind = "sink", config = rows, put = function() end,
          start = function(ctx) error("length " .. #ctx.config.token .. " url " .. #ctx.config.url) end }]])
      helpers.write(files .. "/open.lua", [[
        return { api = 1, kind = "sink", put = function() end, config = {
          { name = "url", type = "string" }, { name = "token", type = "string", values = { "known" } } } }]])
      worker:start()
      config = literals { name = helpers.unique "masked", ["connector.class"] = "length", topics = helpers.unique "t",
        ["not.a.row"] = "who knows", ["producer.override.acks"] = "all", ["connect.lua.jit"] = "off" }
      assert.equal(201, (worker:http("POST", "/connectors", { name = config.name, config = config })))
    end)

    it("are [hidden], and unchanged when that comes back", function()
      local now = shown()
      assert.same({ config.name, "length", "[hidden]", MASKED, "x", "[hidden]", "all", "off" }, { now.name, now["connector.class"],
        now.token, now.url, now.plain, now["not.a.row"], now["producer.override.acks"], now["connect.lua.jit"] })
      token_is "literal_token"
      now.plain = "y"
      local status, answer = worker:http("PUT", "/connectors/" .. config.name .. "/config", now)
      assert.equal(200, status)
      assert.same({ "[hidden]", MASKED, "y" }, { answer.config.token, answer.config.url, answer.config.plain })
      token_is "literal_token"
      status = worker:http("PATCH", "/connectors/" .. config.name .. "/config", { token = "[hidden]", plain = "z" })
      assert.equal(200, status)
      token_is "literal_token"
      status, answer = worker:http("PUT", "/connector-plugins/length/config/validate", shown())
      assert.equal(200, status)
      assert.equal(0, answer.error_count)
      shows_none(json.encode(answer), "validation", LITERAL)
      status = worker:http("PATCH", "/connectors/" .. config.name .. "/config", { token = "a new and longer one" })
      assert.equal(200, status)
      token_is "a new and longer one"
    end)

    it("are nothing that a new connector, or another place, can be made of", function()
      local now = shown()
      local function refused(method, path, body, key)
        local status, answer = worker:http(method, path, body)
        assert.equal(400, status)
        assert.matches("for configuration " .. key .. ": [hidden] stands for a value that is not shown", answer.message, 1, true)
        assert.matches("${file:/path:key}", answer.message, 1, true)
      end
      now.name = "another"
      refused("POST", "/connectors", { name = "another", config = now }, "token")
      refused("PUT", "/connectors/another/config", now, "url")
      now.name = config.name
      now.url = "https://someone:[hidden]@elsewhere/"
      refused("PUT", "/connectors/" .. config.name .. "/config", now, "url")
      refused("PATCH", "/connectors/" .. config.name .. "/config", { url = now.url }, "url")
      now = shown()
      now["transforms"], now["transforms.t.type"], now["transforms.t.token"] = "t", "leaky_smt", "[hidden]"
      refused("PUT", "/connectors/" .. config.name .. "/config", now, "transforms.t.token")
      local status, answer = worker:http("PUT", "/connector-plugins/length/config/validate", now)
      assert.equal(200, status)
      assert.equal(1, answer.error_count)
    end)

    it("are kept for no plugin that would have them shown", function()
      local now, path = shown(), "/connectors/" .. config.name .. "/config"
      now["connector.class"] = "open"
      for _, request in ipairs { { "PUT", path, now }, { "PATCH", path, { ["connector.class"] = "open" } },
        { "PUT", "/connector-plugins/open/config/validate", now } } do
        local status, answer = worker:http(unpack(request))
        local text = json.encode(answer)
        assert.equal(request[2] == path and 400 or 200, status)
        assert.matches("configuration token: [hidden] stands for a value that is not shown", text, 1, true)
        shows_none(text, request[2], { "literal_token" })
      end
      token_is "literal_token" -- and nothing has changed
    end)

    it("are shown when they are references", function()
      worker:http("PATCH", "/connectors/" .. config.name .. "/config", variables {})
      local wanted = variables {}
      assert.same({ wanted.url, wanted.token }, { shown().url, shown().token })
      worker:http("PATCH", "/connectors/" .. config.name .. "/config", { token = wanted.token .. "literal" })
      assert.equal("[hidden]", shown().token)
      worker:http("PATCH", "/connectors/" .. config.name .. "/config", { token = "${nobody:knows}" })
      assert.equal("[hidden]", shown().token)
    end)
  end)

  it("are read again at each start", function()
    launch()
    local name = helpers.unique "again"
    local wanted = leaky(name, variables, "start")
    wanted.plain = ("${file:%s/plain.properties:x}"):format(files)
    helpers.write(files .. "/plain.properties", "x=one\n") -- too short to be hidden
    worker:http("POST", "/connectors", { name = name, config = wanted })
    local function trace_has(text)
      helpers.wait_for("the trace to show " .. text, function()
        local task = worker:get("/connectors/" .. name .. "/status").tasks[1]
        return task and task.trace and task.trace:find("plain " .. text, 1, true)
      end)
    end
    trace_has "one"
    helpers.write(files .. "/plain.properties", "x=two\n")
    assert.equal(204, (worker:http("POST", "/connectors/" .. name .. "/tasks/0/restart")))
    trace_has "two"
    helpers.shell("rm " .. files .. "/plain.properties")
    worker:http("POST", "/connectors/" .. name .. "/tasks/0/restart")
    helpers.wait_for("the trace to name the file", function()
      local task = worker:get("/connectors/" .. name .. "/status").tasks[1]
      return task.trace and task.trace:find("Could not read properties from file " .. files, 1, true)
    end)
    local status, body = worker:http("PUT", "/connectors/" .. name .. "/config", wanted)
    assert.equal(500, status)
    assert.matches("Could not read properties from file " .. files, body.message, 1, true)
    status, body = worker:http("PUT", "/connector-plugins/Leaky/config/validate", wanted)
    assert.equal(500, status)
    assert.matches("ConfigException: Could not read properties from file ", body.message, 1, true)
  end)

  it("resolve the worker file's own keys", function()
    launch()
    worker:stop()
    helpers.write(files .. "/worker.properties", "converter=org.apache.kafka.connect.storage.StringConverter\n")
    worker.config["value.converter"] = ("${file:%s/worker.properties:converter}"):format(files)
    worker:start()
    worker:stop()
    worker.config["value.converter"] = ("${file:%s/missing:converter}"):format(files)
    worker:launch()
    assert.equal(2, (worker:wait()))
    assert.matches("Could not read properties from file " .. files .. "/missing", worker:log(), 1, true)
  end)
end)
