-- SPDX-License-Identifier: Apache-2.0
-- The ceilings of REST: what is too large, too slow or too much is cut off, and the others are served on.
local certs = require "spec.helpers.certs"
local helpers = require "spec.helpers"

describe("REST limits #embedded", function()
  after_each(helpers.clean)

  local JSON = { ["Content-Type"] = "application/json" }

  it("are those of the worker file for bodies and heads", function()
    local worker = helpers.worker { ["connect.lua.rest.body.max.bytes"] = "2000", ["connect.lua.rest.head.max.bytes"] = "8192" }
    worker:start()
    local status, body = worker:http("POST", "/connectors", (" "):rep(2001), JSON)
    assert.equal(413, status)
    assert.matches("larger than the 2000 bytes", body.message)
    local chunked = { ["Content-Type"] = "application/json", ["Transfer-Encoding"] = "chunked" }
    assert.equal(413, (worker:http("POST", "/connectors", (" "):rep(2001), chunked)))
    assert.equal(400, (worker:http("POST", "/connectors", (" "):rep(2000), JSON)))
    assert.equal(431, (worker:http("GET", "/", nil, { ["X-Long"] = ("x"):rep(9000) })))
    assert.equal(200, (worker:http("GET", "/", nil, { ["X-Long"] = ("x"):rep(3000) })))
    worker:stop()
  end)

  it("refuse connectors with names that no request could hold", function()
    local worker = helpers.worker { ["connect.lua.rest.head.max.bytes"] = "8192" }
    worker:start()
    local config = { ["connector.class"] = "FileStreamSource", file = worker:path "in", topic = "t" }
    for _, method in ipairs { "POST", "PUT" } do
      local function make(name, escaped)
        if method == "PUT" then return worker:http("PUT", "/connectors/" .. escaped .. "/config", config) end
        return worker:http("POST", "/connectors", { name = name, config = config })
      end
      for _, char in ipairs { { "/", "%2F" }, { "a", "a" } } do
        local status, body = make(char[1]:rep(683), char[2]:rep(683))
        assert.equal(400, status)
        assert.matches("683 bytes is longer than 682", body.message, 1, true)
        local path = "/connectors/" .. char[2]:rep(682)
        local made, _, headers = make(char[1]:rep(682), char[2]:rep(682))
        assert.equal(201, made)
        assert.matches(path, headers.location, 1, true)
        assert.equal(200, (worker:http("PUT", path .. "/config", config)))
        assert.equal(200, (worker:http("GET", path .. "/tasks/0/status")))
        assert.equal(204, (worker:http("DELETE", path)))
      end
    end
    assert.same({}, (worker:get "/connectors"))
    worker:stop()
  end)

  -- Sends text by bash and waits until the worker hangs up; what it said before.
  local function hung_up(worker, text, drip)
    local port = worker.url:match ":(%d+)$"
    local script = ([[exec 3<>/dev/tcp/127.0.0.1/%s; printf '%s' >&3
      %s
      timeout 60 cat <&3; echo "ended $?"]]):format(port, text,
      drip and "(while printf x >&3; do sleep 0.05; done) 2>/dev/null & " or "")
    return (helpers.shell("bash -c " .. "'" .. script:gsub("'", "'\\''") .. "'"))
  end

  it("end those who take too long for a head, a byte now and then or none", function()
    local worker = helpers.worker { ["connect.lua.rest.head.timeout.ms"] = "500" }
    worker:start()
    for _, begun in ipairs { "", "GET", "GET / HTTP/1.1\\r\\nHost: a\\r\\nX: " } do
      for _, drip in ipairs { false, true } do
        assert.matches("ended 0", hung_up(worker, begun, drip), begun)
      end
    end
    assert.equal(200, (worker:http("GET", "/")))
    worker:stop()
  end)

  it("end those who take too long for a body", function()
    local worker = helpers.worker { ["connect.lua.rest.request.timeout.ms"] = "500" }
    worker:start()
    local begun = "PUT /connectors/a/config HTTP/1.1\\r\\nHost: a\\r\\nContent-Type: application/json\\r\\n"
      .. "Content-Length: 100000\\r\\n\\r\\n"
    assert.matches("ended 0", hung_up(worker, begun, false))
    assert.matches("ended 0", hung_up(worker, begun, true))
    assert.equal(200, (worker:http("GET", "/")))
    worker:stop()
  end)

  it("end those who never begin a handshake", function()
    local folder = certs.make()
    local worker = helpers.worker(certs.keys(folder, "", { ["connect.lua.rest.head.timeout.ms"] = "500" }))
    worker:start()
    assert.matches("ended 0", hung_up(worker, "", false))
    assert.equal(200, (worker:http("GET", "/", nil, nil, "--cacert " .. folder .. "/ca.pem")))
    worker:stop()
  end)

  it("end connections that are silent", function()
    local worker = helpers.worker { ["connect.lua.rest.idle.timeout.ms"] = "1000" }
    worker:start()
    local said = hung_up(worker, "GET /connectors HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n", false)
    assert.matches("HTTP/1.1 200 OK.*ended 0", said)
    worker:stop()
  end)

  it("keep further clients waiting, and out of the way", function()
    local worker = helpers.worker { ["connect.lua.rest.connections.max"] = "4", ["connect.lua.rest.head.timeout.ms"] = "2000" }
    worker:start()
    local port = worker.url:match ":(%d+)$"
    local holders = {} -- idle connections, ended by the worker in their time
    for i = 1, 6 do
      local hold = ("exec 3<>/dev/tcp/127.0.0.1/%s; timeout 60 cat <&3"):format(port)
      holders[i] = helpers.spawn({ "bash", "-c", hold }, worker:path("holder" .. i))
    end
    helpers.wait_for("the warning", function() return worker:log():find("connections are in use, further clients wait", 1, true) end)
    assert.equal(200, (worker:http("GET", "/")))
    for _, holder in ipairs(holders) do assert.equal(0, (holder:wait(60))) end
    worker:stop()
  end)
end)
