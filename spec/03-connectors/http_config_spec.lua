-- SPDX-License-Identifier: Apache-2.0
-- connect.http_config: what the connectors over HTTP share.
local certs = require "spec.helpers.certs"
local helpers = require "spec.helpers"
local host = require "connect.host.c"
local http_config = require "connect.http_config"
local kit = require "connect.testkit"
local process = require "spec.helpers.process"

-- A task's config: the defaults of the rows, and these over them.
local function config_of(more)
  local config = {}
  for _, row in ipairs(http_config.rows {}) do config[row.name] = row.default end
  for name, value in pairs(more) do config[name] = value end
  return config
end

describe("connect.http_config", function()
  it("fills templates", function()
    local t = http_config.template "a${x}${y.z}b$c{d}"
    assert.same({ "x", "y.z" }, t.names)
    assert.equal("a<x><y.z>b$c{d}", t.fill(function(name) return "<" .. name .. ">" end))
    assert.equal("", http_config.template("").fill(error))
    assert.same({ nil, "a ${ has no }" }, { http_config.template "a${x" })
    assert.same({ nil, "a ${ has no }" }, { http_config.template "${a${x}" })
    assert.equal("a%20b%2F%C3%A4-._~", http_config.escape "a b/\195\164-._~")
  end)

  it("reads statuses and headers", function()
    assert.same({ [401] = true, [500] = true, [501] = true, [502] = true }, http_config.statuses "401, 500 - 502")
    assert.same({}, http_config.statuses {})
    assert.same({ nil, "5 is neither a status like 404 nor a range like 500-599" }, { http_config.statuses { "5" } })
    assert.same({ { "A", "b, c" }, { "D-e", "f:g" }, { "H", "" } }, http_config.headers "A: b, c | D-e:f:g\nH:")
    assert.same({}, http_config.headers(nil))
    assert.is_nil((http_config.headers "A b: c"))
  end)

  it("knows the server of a URL", function()
    assert.equal("https://u:p@h:1", http_config.server "https://u:p@h:1/x?y")
    assert.equal("http://h", http_config.server "http://h?y")
    assert.is_nil(http_config.server "h/x")
  end)

  it("tells what is wrong by the names of rows, and without secrets", function()
    for url, why in pairs { ["ftp://u:sesame@h/"] = "", ["h/x"] = "", ["http://u:sesame@h:99999/?token=sesame"] = "",
      ["http://${a}/"] = "behind the server's name" } do
      local told = http_config.validate { ["http.url"] = url }["http.url"]
      assert.truthy(told and told:find(why, 1, true), url)
      assert.is_nil(told:find "sesame", told)
    end
    assert.same({}, http_config.validate { ["http.url"] = "http://h/", ["oauth2.token.url"] = " " })
    local server = kit.server()
    server:answer { body = ("x"):rep(100) }:answer { delay = 3600000 }
    local api = http_config.client(config_of { ["http.url"] = server.url, ["http.response.max.bytes"] = 99,
      ["http.timeout.ms"] = 100 })
    local _, e = api:request { url = server.url .. "/" }
    assert.truthy(e.message:find("http.response.max.bytes is the longest", 1, true), e.message)
    _, e = api:request { url = server.url .. "/" }
    assert.truthy(e.message:find("http.timeout.ms is the time", 1, true), e.message)
    server:stop()
  end)

  it("hides secrets in texts", function()
    host.secret "open-sesame-now"
    assert.equal("a [hidden]b[hidden]", host.hidden "a open-sesame-nowbopen-sesame-now")
    assert.equal("", host.hidden "")
  end)

  it("goes by a proxy", function()
    local proxy = kit.server()
    proxy:answer { body = "from the proxy" }
    local api = http_config.client(config_of { ["http.url"] = "http://nowhere.invalid", ["http.proxy.url"] = proxy.url })
    assert.equal("from the proxy", assert(api:request { url = "http://nowhere.invalid/a" }).body)
    assert.equal("nowhere.invalid", proxy:requests()[1].headers.host)
    proxy:stop()
  end)

  it("trusts whom it is told to, and shows its certificate", function()
    local folder = certs.make()
    helpers.write(folder .. "/page", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    local out = folder .. "/out"
    local server = process.start({ "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "server.crt", "-key", "server.key",
      "-HTTP", "-CAfile", "ca.pem", "-Verify", "1", "-verify_return_error" }, { output = out, cwd = folder })
    local port = helpers.wait_for("the server", function() return (helpers.read(out) or ""):match "ACCEPT%s+%S-:(%d+)%s" end)
    local url = "https://127.0.0.1:" .. port
    local function ask(more)
      more["http.url"] = url
      local res, e = http_config.client(config_of(more)):request { url = url .. "/page" }
      return res and res.body, e and e.message
    end
    local _, why = ask {}
    assert.truthy(why:find("http.ssl.truststore.certificates names", 1, true), why)
    assert.is_nil((ask { ["http.ssl.truststore.certificates"] = folder .. "/ca.pem" }))
    local own = { ["http.ssl.keystore.certificate.chain"] = folder .. "/client.crt",
      ["http.ssl.keystore.key"] = helpers.read(folder .. "/client.key") }
    own["http.ssl.truststore.certificates"] = folder .. "/ca.pem"
    assert.equal("hello", (ask(own)))
    own["http.ssl.truststore.certificates"], own["http.ssl.verify"] = nil, false
    assert.equal("hello", (ask(own)))
    server:kill "KILL"
    server:wait(60)
    helpers.clean()
  end)
end)
