-- SPDX-License-Identifier: Apache-2.0
-- https listeners: every kind of store, clients' certificates, protocols and suites; what is shut stays shut.
local certs = require "spec.helpers.certs"
local helpers = require "spec.helpers"

describe("an https listener #embedded", function()
  local folder

  before_each(function() folder = certs.make() end)
  after_each(helpers.clean)

  local function trusting(more) return ("--cacert %s/ca.pem %s"):format(folder, more or "") end
  local function as(name) return trusting(("--cert %s/%s.crt --key %s/%s.key"):format(folder, name, folder, name)) end

  local function serve(keys) return helpers.worker(keys):start() end

  local function assert_open(worker, options)
    local status, body = worker:http("GET", "/", nil, nil, options or trusting())
    assert.equal(200, status, tostring(body))
    assert.is_string(body.version)
  end
  local function assert_shut(worker, options, url)
    local status, said = helpers.http("GET", (url or worker.url) .. "/connectors", nil, nil, options or trusting())
    assert.is_nil(status, tostring(status))
    assert.matches("^curl: ", said)
  end

  local function refused(keys, ...)
    local worker = helpers.worker(keys)
    worker:launch()
    assert.equal(2, (worker:wait()), worker:log():sub(-2000))
    for _, text in ipairs { ... } do assert.matches(text, worker:log(), 1, true) end
    assert.is_nil(worker:log():find("s3cret", 1, true), "a secret is in the log")
  end

  -- PEM text in one line, as a properties file can hold it.
  local function flat(name) return (helpers.read(folder .. "/" .. name):gsub("\n", " ")) end

  it("serves TLS and nothing else", function()
    local worker = serve(certs.keys(folder, ""))
    assert.matches("^https://127%.0%.0%.1:%d+$", worker.url)
    assert_open(worker)
    assert_shut(worker, "") -- who does not trust the authority
    assert_shut(worker, "", (worker.url:gsub("https", "http"))) -- plain
    local config = { ["connector.class"] = "FileStreamSource", file = worker:path "in", topic = "t" }
    local status, _, headers = worker:http("POST", "/connectors", { name = "a", config = config },
      { ["Content-Type"] = "application/json" }, trusting())
    assert.equal(201, status)
    assert.equal(worker.url .. "/connectors/a", headers.location)
    worker:stop()
  end)

  it("reads PKCS12, and PEM inlined or under a password", function()
    for _, more in ipairs {
      { ["ssl.keystore.type"] = "PKCS12", ["ssl.keystore.location"] = folder .. "/server.p12", ["ssl.keystore.password"] = "s3cret-store" },
      { ["ssl.keystore.type"] = "JKS", ["ssl.keystore.location"] = folder .. "/server.p12", ["ssl.keystore.password"] = "s3cret-store" },
      { ["ssl.keystore.location"] = folder .. "/locked.pem", ["ssl.key.password"] = "s3cret-key" },
      { ["ssl.keystore.location"] = "", ["ssl.keystore.key"] = flat "server.key", ["ssl.keystore.certificate.chain"] = flat "server.crt" },
    } do
      local worker = serve(certs.keys(folder, "", more))
      assert_open(worker)
      worker:stop()
      assert.is_nil(worker:log():find("s3cret", 1, true), "a secret is in the log")
    end
  end)

  it("serves beside a plain one", function()
    local worker = serve(certs.keys(folder, "listeners.https.", { listeners = "http://127.0.0.1:0, https://127.0.0.1:0" }))
    assert.equal(2, #worker.urls)
    assert.matches("^http:", worker.urls[1])
    assert_open(worker, "")
    worker.url = worker.urls[2]
    assert_open(worker)
    worker:stop()
  end)

  it("looks at the keys under its prefix alone when there is one", function()
    local worker = serve(certs.keys(folder, "listeners.https.",
      { ["ssl.keystore.location"] = "/nowhere", ["ssl.client.auth"] = "required" }))
    assert_open(worker)
    worker:stop()
    refused(certs.keys(folder, "", { ["listeners.https.ssl.client.auth"] = "none" }),
      "settings under listeners.https.: ", "ssl.keystore.location")
  end)

  describe("that requires a certificate", function()
    local function keys(auth, more)
      return certs.keys(folder, "", certs.merge({ ["ssl.client.auth"] = auth,
        ["ssl.truststore.type"] = "PEM", ["ssl.truststore.location"] = folder .. "/ca.pem" }, more))
    end

    it("lets in those who have a good one", function()
      local worker = serve(keys("required"))
      assert_open(worker, as "client")
      assert_open(worker, as "client" .. " --tls-max 1.2")
      for _, version in ipairs { "", " --tls-max 1.2" } do
        assert_shut(worker, trusting() .. version)
        assert_shut(worker, as "stranger" .. version)
        assert_shut(worker, as "serving" .. version) -- not for clients
      end
      assert_open(worker, as "client")
      worker:stop()
    end)

    it("reads whom to trust from PKCS12 and from the setting", function()
      for _, more in ipairs {
        { ["ssl.truststore.type"] = "PKCS12", ["ssl.truststore.location"] = folder .. "/trust.p12",
          ["ssl.truststore.password"] = "s3cret-trust" },
        { ["ssl.truststore.location"] = "", ["ssl.truststore.certificates"] = flat "ca.pem" },
      } do
        local worker = serve(keys("required", more))
        assert_open(worker, as "client")
        assert_shut(worker)
        assert_shut(worker, as "stranger")
        worker:stop()
      end
    end)

    it("or requests one: none is fine, a bad one is not", function()
      local worker = serve(keys("requested"))
      assert_open(worker)
      assert_open(worker, as "client")
      assert_shut(worker, as "stranger")
      assert_shut(worker, as "serving")
      worker:stop()
    end)

    it("but not without knowing whom to trust", function()
      for _, auth in ipairs { "required", "requested" } do
        refused(keys(auth, { ["ssl.truststore.location"] = "" }), "ssl.truststore.location", "ssl.client.auth=" .. auth)
      end
      refused(keys("required", { ["ssl.truststore.location"] = folder .. "/server.key" }),
        "ssl.truststore.location", "there is no PEM certificate")
      refused(keys("required", { listeners = "http://127.0.0.1:0" }), "ssl.client.auth", "no listener is https")
    end)
  end)

  it("speaks the protocols and suites it was given, no others", function()
    local worker = serve(certs.keys(folder, "", { ["ssl.enabled.protocols"] = "TLSv1.3" }))
    assert_open(worker)
    assert_shut(worker, trusting "--tls-max 1.2")
    worker:stop()
    worker = serve(certs.keys(folder, "", { ["ssl.enabled.protocols"] = "TLSv1.2" }))
    assert_open(worker, trusting "--tls-max 1.2")
    assert_shut(worker, trusting "--tlsv1.3")
    worker:stop()
    worker = serve(certs.keys(folder, ""))
    assert_open(worker, trusting "--tls-max 1.2")
    assert_shut(worker, trusting "--tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0")
    assert_shut(worker, trusting "--tls-max 1.2 --ciphers AES128-GCM-SHA256") -- no forward secrecy
    worker:stop()
    worker = serve(certs.keys(folder, "", { ["ssl.cipher.suites"] =
      "TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" }))
    assert_open(worker)
    assert_open(worker, trusting "--tls-max 1.2 --ciphers ECDHE-RSA-AES256-GCM-SHA384")
    assert_shut(worker, trusting "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256")
    assert_shut(worker, trusting "--tlsv1.3 --tls13-ciphers TLS_AES_128_GCM_SHA256")
    worker:stop()
    worker = serve(certs.keys(folder, "", { ["ssl.cipher.suites"] = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" }))
    assert_open(worker, trusting "--tls-max 1.2")
    assert_shut(worker, trusting "--tlsv1.3")
    worker:stop()
  end)

  it("is not opened with what cannot be", function()
    refused(certs.keys(folder, "", { ["ssl.keystore.location"] = "" }), "ssl.keystore.location", "needs a key store")
    refused(certs.keys(folder, "", { ["ssl.keystore.location"] = folder .. "/locked.pem", ["ssl.key.password"] = "s3cret-wrong" }),
      "Invalid value [hidden] for configuration ssl.key.password")
    refused(certs.keys(folder, "", { ["ssl.keystore.type"] = "PKCS12", ["ssl.keystore.location"] = folder .. "/server.p12",
      ["ssl.keystore.password"] = "s3cret-wrong" }), "ssl.keystore.location", "wrong password")
    refused(certs.keys(folder, "", { ["ssl.keystore.type"] = "JKS" }), "ssl.keystore.location", "keytool")
    helpers.write(folder .. "/mixed.pem", helpers.read(folder .. "/server.key") .. helpers.read(folder .. "/client.crt"))
    refused(certs.keys(folder, "", { ["ssl.keystore.location"] = folder .. "/mixed.pem" }), "not that of its private key")
    refused(certs.keys(folder, "", { ["ssl.cipher.suites"] = "TLS_RSA_WITH_NONSENSE" }), "ssl.cipher.suites", "TLS_RSA_WITH_NONSENSE")
    refused(certs.keys(folder, "", { ["ssl.cipher.suites"] =
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" }), "ssl.cipher.suites", "too")
    refused(certs.keys(folder, "", { ["ssl.enabled.protocols"] = "TLSv1.3", ["ssl.cipher.suites"] =
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" }), "ssl.cipher.suites")
    refused(certs.keys(folder, "", { ["ssl.engine.factory.class"] = "com.example.Engine" }), "ssl.engine.factory.class")
  end)
end)
