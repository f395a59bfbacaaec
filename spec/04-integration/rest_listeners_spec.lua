-- SPDX-License-Identifier: Apache-2.0
-- Several listeners, those of /admin alone, and which of them others are told of.
local certs = require "spec.helpers.certs"
local helpers = require "spec.helpers"

describe("listeners #embedded", function()
  after_each(helpers.clean)

  local function ask(url, path, options)
    local status, body = helpers.http("GET", url .. path, nil, nil, options)
    return status, type(body) == "table" and body.message
  end

  it("serve /admin with the rest by default", function()
    local worker = helpers.worker():start()
    assert.equal(200, (ask(worker.url, "/admin/loggers")))
    worker:stop()
  end)

  it("of admin.listeners serve /admin and nothing else, the others everything else", function()
    local worker = helpers.worker { ["listeners"] = "http://127.0.0.1:0,http://127.0.0.1:0", ["admin.listeners"] = "http://127.0.0.1:0" }
    worker:start()
    assert.equal(2, #worker.urls)
    assert.equal(200, (ask(worker.admin_url, "/admin/loggers")))
    for _, path in ipairs { "/", "/connectors", "/connector-plugins", "/health", "/connect-lua/plugins" } do
      assert.same({ 404, "HTTP 404 Not Found" }, { ask(worker.admin_url, path) })
    end
    for _, url in ipairs(worker.urls) do
      assert.equal(200, (ask(url, "/connectors")))
      assert.same({ 404, "HTTP 404 Not Found" }, { ask(url, "/admin/loggers") })
      assert.same({ 404, "HTTP 404 Not Found" }, { ask(url, "/admin/loggers/root") })
    end
    worker:stop()
  end)

  it("serve /admin nowhere when admin.listeners is empty", function()
    local worker = helpers.worker { ["admin.listeners"] = "" }
    worker:start()
    assert.is_nil(worker.admin_url)
    assert.equal(404, (ask(worker.url, "/admin/loggers")))
    assert.equal(404, (worker:http("PUT", "/admin/loggers/root", { level = "TRACE" })))
    worker:stop()
  end)

  it("of admin.listeners have TLS of their own", function()
    local folder = certs.make()
    local worker = helpers.worker(certs.keys(folder, "admin.listeners.https.", { ["listeners"] = "http://127.0.0.1:0",
      ["admin.listeners"] = "https://127.0.0.1:0", ["admin.listeners.https.ssl.client.auth"] = "required",
      ["admin.listeners.https.ssl.truststore.type"] = "PEM", ["admin.listeners.https.ssl.truststore.location"] = folder .. "/ca.pem" }))
    worker:start()
    local trusting = ("--cacert %s/ca.pem "):format(folder)
    assert.is_nil((ask(worker.admin_url, "/admin/loggers", trusting)))
    assert.equal(200, (ask(worker.admin_url, "/admin/loggers", trusting .. ("--cert %s/client.pem"):format(folder))))
    assert.equal(200, (ask(worker.url, "/connectors")))
    worker:stop()
  end)

  local function worker_id(worker, options)
    local config = { ["connector.class"] = "FileStreamSource", file = worker:path "in", topic = "t" }
    local status = worker:http("POST", "/connectors", { name = "a", config = config }, { ["Content-Type"] = "application/json" }, options)
    assert.equal(201, status)
    local _, found = worker:http("GET", "/connectors/a/status", nil, nil, options)
    return found.connector.worker_id
  end

  it("tell others of the first plain one, or of what the file says", function()
    local folder = certs.make()
    local function advertised(more)
      local worker = helpers.worker(certs.keys(folder, "", certs.merge({ listeners = "https://127.0.0.1:0,http://127.0.0.1:0" }, more)))
      worker:start()
      local id = worker_id(worker, ("--cacert %s/ca.pem"):format(folder))
      worker:stop()
      return id, worker.urls
    end
    local id, urls = advertised()
    assert.equal(urls[2], "http://" .. id)
    id, urls = advertised { ["rest.advertised.listener"] = "HTTPS" }
    assert.equal(urls[1], "https://" .. id)
    assert.equal("example.org:99", (advertised { ["rest.advertised.host.name"] = "example.org", ["rest.advertised.port"] = "99" }))
  end)
end)
