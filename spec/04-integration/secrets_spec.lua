-- SPDX-License-Identifier: Apache-2.0
-- Secrets: config providers resolve them late, and nothing that goes out shows them.
local helpers = require "spec.helpers"
local json = require "dkjson"

-- A sink that tells everything it knows, wherever it can.
local LEAKY = [[
local connect = require "connect"
local function tell(config) return ("url %s token %s plain %s"):format(config.url, config.token, config.plain) end
return {
  api = 1, kind = "sink", version = "1", class = "Leaky", doc = "Tells what it knows.",
  config = {
    { name = "url", type = "string", doc = "Where." },
    { name = "token", type = "password", doc = "A secret." },
    { name = "plain", type = "string", doc = "Not known to be one." },
    { name = "where", type = "string", default = "start", doc = "Where it throws." },
  },
  validate = function(config)
    if config.where == "validate" then return { plain = "bad: " .. tell(config) } end
  end,
  tasks = function(config)
    if config.where == "tasks" then error(tell(config)) end
    return { { url = config.url, token = config.token, plain = config.plain, where = config.where } }
  end,
  start = function(ctx)
    ctx.log:info("%s", tell(ctx.config))
    print(tell(ctx.config))
    if ctx.config.where == "start" then error(tell(ctx.config)) end
  end,
  put = function(ctx, batch)
    if #batch > 0 then connect.fatal(tell(ctx.config)) end
  end,
}
]]

describe("secrets", function()
  local worker, files

  before_each(function()
    files = helpers.folder()
    helpers.write(files .. "/leaky.lua", LEAKY)
    helpers.write(files .. "/secrets.properties", "user=operator-one\npassword=pw-from-a-file\n")
    helpers.shell("mkdir " .. files .. "/mounted && printf %s token-from-a-folder > " .. files .. "/mounted/token")
    worker = helpers.worker({
      ["plugin.path"] = files,
      ["config.providers"] = "file,dir,env",
      ["config.providers.file.class"] = "org.apache.kafka.common.config.provider.FileConfigProvider",
      ["config.providers.dir.class"] = "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
      ["config.providers.env.class"] = "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
      ["connect.lua.log.level"] = "debug",
    }):start()
  end)
  after_each(function()
    if worker.process and not worker.process:ended() then worker:stop() end
    helpers.clean()
  end)

  local SECRETS = { "operator-one", "pw-from-a-file", "token-from-a-folder" }

  local function shows_none(text, what, more)
    for _, secret in ipairs(SECRETS) do
      assert.is_nil(text:find(secret, 1, true), ("%s shows %s:\n%s"):format(what, secret, text))
    end
    for _, secret in ipairs(more or {}) do
      assert.is_nil(text:find(secret, 1, true), ("%s shows %s:\n%s"):format(what, secret, text))
    end
  end

  local function config(name, where, topic)
    return { name = name, ["connector.class"] = "Leaky", topics = topic or helpers.unique "leaky", where = where,
      url = ("https://${file:%s/secrets.properties:user}:${file:%s/secrets.properties:password}@host/"):format(files, files),
      token = ("${dir:%s/mounted:token}"):format(files), plain = "x" }
  end

  local function all_answers(name)
    local out = {}
    for _, path in ipairs { "", "/config", "/status", "/tasks", "/topics", "/tasks/0/status" } do
      local status, body = worker:http("GET", "/connectors/" .. name .. path)
      out[#out + 1] = ("%s %s %s"):format(path, status, json.encode(body))
    end
    local _, body = worker:http("GET", "/connectors?expand=info&expand=status")
    out[#out + 1] = json.encode(body)
    return table.concat(out, "\n")
  end

  it("reach the plugin and are shown nowhere", function()
    for _, where in ipairs { "start", "put", "tasks", "validate" } do
      local name, topic = helpers.unique(where), helpers.unique "secrets"
      local wanted = config(name, where, topic)
      local _, validated = worker:http("PUT", "/connector-plugins/Leaky/config/validate", wanted)
      shows_none(json.encode(validated), "validation of " .. where)
      local status, created = worker:http("POST", "/connectors", { name = name, config = wanted })
      shows_none(json.encode(created), "creation of " .. where)
      if where == "put" then
        helpers.write(files .. "/in", "a line\n")
        worker:create("feed-" .. name, { name = "feed-" .. name, ["connector.class"] = "FileStreamSource",
          file = files .. "/in", topic = topic })
      end
      if where == "validate" then
        assert.equal(400, status)
        assert.matches("bad: url https://[hidden]:[hidden]@host/ token [hidden] plain x", created.message, 1, true)
      elseif where == "tasks" then
        assert.equal(500, status)
        shows_none(all_answers(name), where)
      else
        helpers.wait_for("the task to fail", function()
          local task = worker:get("/connectors/" .. name .. "/status").tasks[1]
          return task and task.state == "FAILED"
            and task.trace:find("url https://[hidden]:[hidden]@host/ token [hidden] plain x", 1, true)
        end)
        shows_none(all_answers(name), where)
        assert.equal(wanted.url, worker:get("/connectors/" .. name .. "/config").url)
        assert.equal(wanted.token, worker:get("/connectors/" .. name .. "/tasks")[1].config.token)
      end
    end
    assert.matches("url https://[hidden]:[hidden]@host/ token [hidden] plain x", worker:log(), 1, true)
    shows_none(worker:log(), "the log")
  end)

  it("in password rows are in no trace, validation or log", function()
    local name = helpers.unique "literal"
    local wanted = config(name, "start")
    wanted.token = "a-token-as-it-is"
    local _, validated = worker:http("PUT", "/connector-plugins/Leaky/config/validate", wanted)
    shows_none(json.encode(validated), "validation", { wanted.token })
    worker:http("POST", "/connectors", { name = name, config = wanted })
    local status = helpers.wait_for("the task to fail", function()
      local s = worker:get("/connectors/" .. name .. "/status")
      return s.tasks[1] and s.tasks[1].state == "FAILED" and s
    end)
    shows_none(json.encode(status), "the status", { wanted.token })
    shows_none(worker:log(), "the log", { wanted.token })
  end)

  it("are read again at each start", function()
    local name = helpers.unique "again"
    local wanted = config(name, "start")
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
