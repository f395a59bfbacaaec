-- SPDX-License-Identifier: Apache-2.0
-- connect.http over TLS, against openssl's own server.
local certs = require "spec.helpers.certs"
local connect = require "connect"
local helpers = require "spec.helpers"
local process = require "spec.helpers.process"

local http = connect.http

describe("connect.http over TLS", function()
  local folder, server, url

  setup(function()
    folder = certs.make()
    helpers.write(folder .. "/page", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    helpers.write(folder .. "/down", ("HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/s3cret\r\nContent-Length: 0\r\n\r\n"))
  end)

  local function serve(...)
    local out = folder .. "/out"
    os.remove(out)
    server = process.start({ "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "server.crt", "-key", "server.key",
      "-HTTP", ... }, { output = out, cwd = folder })
    local deadline = process.now() + 60
    local port
    repeat
      assert(not server:ended() and process.now() < deadline, helpers.read(out))
      process.sleep(0.01)
      port = (helpers.read(out) or ""):match "ACCEPT%s+%S-:(%d+)%s"
    until port
    url = "https://127.0.0.1:" .. port
  end

  after_each(function()
    server:kill "KILL"
    server:wait(60)
  end)

  it("trusts whom it is told to", function()
    serve()
    local ca = folder .. "/ca.pem"
    local res, e = http.get(url .. "/page", { tls = { ca = ca } })
    assert.equal("hello", res and res.body, e and e.message)
    assert.equal("hello", http.get(url .. "/page", { tls = { ca = helpers.read(ca) } }).body)
    assert.equal("hello", http.get(url .. "/page", { tls = { verify = false } }).body)
    for _, tls in ipairs { {}, { ca = folder .. "/other.pem" } } do
      res, e = http.get(url .. "/page", { tls = tls })
      assert.is_nil(res)
      assert.same({ "tls", "fatal" }, { e.reason, e.class }, e.message)
      assert.truthy(e.message:find("tls.ca names the authority", 1, true), e.message)
    end
    res, e = http.get((url:gsub("127.0.0.1", "127.0.0.2")) .. "/page", { tls = { ca = ca } })
    assert.is_nil(res) -- nobody listens there
    assert.equal("connect", e.reason)
    res, e = http.get(url .. "/page", { tls = { ca = folder .. "/none.pem" } })
    assert.is_nil(res)
    assert.truthy(e.message:find("are PEM, as files or as text", 1, true), e.message)
  end)

  it("shows its own certificate", function()
    serve("-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem")
    local function get(name)
      return http.get(url .. "/page", { tls = { ca = folder .. "/ca.pem", cert = name and ("%s/%s.crt"):format(folder, name),
        key = name and ("%s/%s.key"):format(folder, name) } })
    end
    assert.equal("hello", get("client").body)
    assert.is_nil((get(nil)))
    assert.is_nil((get "stranger"))
    local text = { ca = folder .. "/ca.pem", cert = helpers.read(folder .. "/client.crt"), key = helpers.read(folder .. "/client.key") }
    assert.equal("hello", http.get(url .. "/page", { tls = text }).body)
    assert.is_nil((get(nil))) -- the connection of the one who may is not for others
  end)

  it("is not sent on in clear", function()
    serve()
    local res, e = http.get(url .. "/down", { tls = { ca = folder .. "/ca.pem" } })
    assert.is_nil(res)
    assert.same({ "redirect", "fatal" }, { e.reason, e.class })
    assert.truthy(e.message:find("was sent from https to http, which is not followed", 1, true), e.message)
    assert.is_nil(e.message:find "s3cret")
  end)
end)
