-- SPDX-License-Identifier: Apache-2.0
-- Basic authentication: Apache's extension with its JAAS file, and our file of hashes. Who is not named stays out.
local helpers = require "spec.helpers"

local EXTENSION = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
local MODULE = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule"

describe("basic authentication #embedded", function()
  local folder

  before_each(function() folder = helpers.folder() end)
  after_each(helpers.clean)

  local function file(name, text) return helpers.write(folder .. "/" .. name, text) end
  local function jaas(users, class)
    return file("jaas.conf", ('// who\nOther { a.B optional x="}"; };\nKafkaConnect {\n  %s required\n  file="%s";\n};\n'):format(
      class or MODULE, users))
  end
  local function extension(more)
    local keys = { ["rest.extension.classes"] = EXTENSION }
    for key, value in pairs(more or {}) do keys[key] = value end
    return keys
  end
  local function by_properties(text)
    return extension { ["connect.lua.rest.basic.auth.jaas.config"] = jaas(file("users", text)) }
  end
  local function crypted(password, setting)
    return (helpers.shell(([[perl -e 'print crypt("%s", "%s")']]):format(password, (setting:gsub("%$", "\\$")))))
  end

  -- Status and body of GET /connectors with these arguments of curl.
  local function ask(worker, options, method, path)
    return worker:http(method or "GET", path or "/connectors", nil, nil, options)
  end
  local function assert_out(worker, options, ...)
    local status, body, headers = ask(worker, options, ...)
    assert.equal(401, status, tostring(options))
    assert.equal("User cannot access the resource.", body)
    return headers
  end
  local function assert_in(worker, options) assert.equal(200, (ask(worker, options)), options) end

  local function refused(keys, ...)
    local worker = helpers.worker(keys)
    worker:launch()
    assert.equal(2, (worker:wait()), worker:log():sub(-2000))
    for _, text in ipairs { ... } do assert.matches(text, worker:log(), 1, true) end
    assert.is_nil(worker:log():find("s3cret", 1, true), "a secret is in the log")
  end

  it("is Apache's: who is named gets in, nobody else", function()
    local worker = helpers.worker(by_properties "user=s3cret:s3cret\nq\\ r=a\\u00e9\n"):start()
    assert_in(worker, "-u user:s3cret:s3cret")
    assert_in(worker, "-u 'q r:a\xc3\xa9'")
    assert_in(worker, "-H 'Authorization: bAsIc dXNlcjpzM2NyZXQ6czNjcmV0'")
    for _, options in ipairs { "", "-u user:s3cret", "-u user:", "-u :s3cret:s3cret", "-u User:s3cret:s3cret", "-u other:s3cret:s3cret",
      "-H 'Authorization: Bearer dXNlcjpzM2NyZXQ6czNjcmV0'", "-H 'Authorization: Basic'", "-H 'Authorization: Basic !!!!'",
      "-H 'Authorization: Basic  dXNlcjpzM2NyZXQ6czNjcmV0'", "-H 'Authorization: Basic dXNlcg=='",
      "-u user:s3cret:s3cret -H 'Authorization: Basic eDp5'" } do
      assert_out(worker, options)
    end
    local headers = assert_out(worker, "")
    assert.equal("application/json", headers["content-type"])
    assert.is_nil(headers["www-authenticate"])
    worker:stop()
    assert.is_nil(worker:log():find("s3cret", 1, true), "a secret is in the log")
  end)

  it("guards every route but those that workers call, after the route is known", function()
    local worker = helpers.worker(by_properties "user=s3cret\n"):start()
    for _, path in ipairs { "/", "/health", "/connector-plugins", "/connect-lua/plugins", "/admin/loggers", "/connectors/a",
      "/connectors/a/tasks", "/connectors/a/tasks/x/status", "/connectors/a/offsets" } do
      assert_out(worker, "", "GET", path)
      assert.equal(401, (ask(worker, "", "HEAD", path)))
    end
    assert_out(worker, "", "DELETE", "/connectors/a")
    assert_out(worker, "-H 'Content-Type: application/json' --data-binary '{'", "POST", "/connectors")
    assert_out(worker, "-H 'Content-Type:' --data-binary x", "POST", "/connectors")
    assert.equal("text/plain", assert_out(worker, "", "OPTIONS", "/connectors")["content-type"])
    assert.equal(404, (ask(worker, "", "GET", "/nowhere")))
    assert.equal(405, (ask(worker, "", "DELETE", "/connectors")))
    assert.equal(406, (ask(worker, "-H 'Accept: text/html'")))
    for _, request in ipairs { { "POST", "/connectors/none/tasks" }, { "POST", "/connectors/none/tasks/" }, { "PUT",
      "/connectors/none/fence" } } do
      assert.equal(500, (ask(worker, "", request[1], request[2]))) -- standalone does not have them
    end
    worker:stop()
  end)

  it("keeps nothing of what strangers send", function()
    local keys = by_properties "user=s3cret\n"
    keys["connect.lua.rest.body.max.bytes"] = "2000"
    local worker = helpers.worker(keys):start()
    local large = ("-H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' --data-binary @%s"):format(
      file("large", (" "):rep(4000)))
    assert_out(worker, large, "POST", "/connectors")
    assert.equal(405, (ask(worker, large, "POST", "/connectors/a")))
    assert.equal(413, (ask(worker, "-u user:s3cret " .. large, "POST", "/connectors")))
    local twice = ("curl -sS -X POST %s -o /dev/null -o /dev/null -w '%%{http_code} %%{num_connects} ' %s %s"):format(large,
      worker.url .. "/connectors", worker.url .. "/connectors")
    assert.equal("401 1 401 0", (helpers.shell(twice):match "^(.-)%s*$")) -- the connection is good for more
    worker:stop()
  end)

  it("guards listeners of /admin, too", function()
    local keys = by_properties "user=s3cret\n"
    keys["admin.listeners"] = "http://127.0.0.1:0"
    local worker = helpers.worker(keys):start()
    assert.equal(401, (helpers.http("GET", worker.admin_url .. "/admin/loggers")))
    assert.equal(200, (helpers.http("GET", worker.admin_url .. "/admin/loggers", nil, nil, "-u user:s3cret")))
    worker:stop()
  end)

  it("finds the JAAS file in KAFKA_OPTS", function()
    local path = jaas(file("users", "user=s3cret\n"))
    local worker = helpers.worker(extension())
    local properties = helpers.write(worker:path "worker.properties", helpers.properties(worker.config))
    worker.command = { "env", "KAFKA_OPTS=-Xmx1g -Djava.security.auth.login.config=" .. path .. " -Dx=y",
      worker.binary, "--worker", properties }
    worker:start()
    assert_in(worker, "-u user:s3cret")
    assert_out(worker, "")
    worker:stop()
  end)

  it("takes hashes, and reads the file again when it has changed", function()
    local hashes = { crypted("one", "$6$abcdefgh$"), crypted("two", "$y$j9T$abcdefghijkl$"), crypted("three",
      "$2b$05$abcdefghijklmnopqrstuu") }
    local path = file("hashed", ("# who\n\na:%s\nb:%s\r\nc:%s\n"):format(hashes[1], hashes[2], hashes[3]))
    local worker = helpers.worker { ["connect.lua.rest.basic.auth.file"] = path }
    worker:start()
    for _ = 1, 2 do -- a password that fitted is remembered
      for _, pair in ipairs { "a:one", "b:two", "c:three" } do assert_in(worker, "-u " .. pair) end
      for _, pair in ipairs { "a:two", "b:one", "d:one", "a:", "a:" .. hashes[1] } do assert_out(worker, "-u '" .. pair .. "'") end
    end
    file("hashed", "d:" .. crypted("one", "$6$abcdefgh$") .. "\n")
    assert_in(worker, "-u d:one")
    assert_out(worker, "-u a:one")
    file("hashed", "d:one\n") -- not what it must be: nobody enters
    assert_out(worker, "-u d:one")
    assert.matches("ERROR nobody may use REST until this is mended: [^\n]*hashed:1: it must be user:hash", worker:log())
    os.remove(path)
    assert_out(worker, "-u d:one")
    assert_out(worker, "")
    for _, more in ipairs { "", " -H 'Expect: 100-continue'", " -H 'Transfer-Encoding: chunked'" } do
      file("hashed", "d:" .. hashes[2] .. "\n" .. ("#"):rep(#more) .. "\n") -- nobody is remembered: a body waits for a hash
      local body = "-H 'Content-Type: application/json' --data-binary '{'" .. more
      assert_out(worker, "-u d:one " .. body, "POST", "/connectors")
      local status, answer = ask(worker, "-u d:two " .. body, "POST", "/connectors")
      assert.equal(400, status)
      assert.matches("not valid JSON", answer.message)
    end
    assert_in(worker, "-u d:two")
    worker:stop()
    for _, hash in ipairs(hashes) do assert.is_nil(worker:log():find(hash, 1, true)) end
  end)

  it("keeps guesses out of the way of others", function()
    local path = file("hashed", ("a:%s\nb:%s\n"):format(crypted("one", "$2b$05$abcdefghijklmnopqrstuu"),
      crypted("two", "$6$rounds=5000000$abcdefgh$"))) -- takes some seconds
    local worker = helpers.worker { ["connect.lua.rest.basic.auth.file"] = path }
    worker:start()
    assert_in(worker, "-u a:one")
    for i = 1, 6 do
      helpers.spawn({ "curl", "-sS", "-o", "/dev/null", "-u", "b:guess" .. i, worker.url .. "/connectors" }, folder .. "/guess" .. i)
      helpers.shell "sleep 0.2" -- one after the other: each finds a thread of the listener that is not busy
    end
    assert_in(worker, "-u a:one")
    assert_out(worker, "", "GET", "/health")
    assert.is_nil(worker:log():find("GET /connectors 401", 1, true), "those who guess were served first")
    worker:stop()
  end)

  it("is not served without knowing who may enter", function()
    local hashes = "connect.lua.rest.basic.auth.file"
    refused({ ["rest.extension.classes"] = "com.example.Auth" }, "rest.extension.classes", "com.example.Auth")
    refused(extension { ["rest.extension.classes"] = EXTENSION .. ",com.example.Auth" }, "com.example.Auth")
    refused(extension(), "connect.lua.rest.basic.auth.jaas.config", "KAFKA_OPTS")
    refused({ ["connect.lua.rest.basic.auth.jaas.config"] = jaas(file("users", "user=s3cret\n")) }, "rest.extension.classes")
    refused(extension { ["connect.lua.rest.basic.auth.jaas.config"] = "/nowhere/jaas.conf" }, "/nowhere/jaas.conf")
    refused(extension { ["connect.lua.rest.basic.auth.jaas.config"] = jaas("/nowhere/users") }, "/nowhere/users")
    refused(extension { ["connect.lua.rest.basic.auth.jaas.config"] = jaas("/x", "a.LdapLoginModule") }, "a.LdapLoginModule")
    refused(extension { ["connect.lua.rest.basic.auth.jaas.config"] = file("other.conf", "Kafka { a.B required; };") },
      "no entry KafkaConnect")
    refused(by_properties "# nobody\n", "names no user") -- Apache would admit everybody
    refused({ [hashes] = "/nowhere/hashed" }, hashes, "/nowhere/hashed")
    refused({ [hashes] = file("empty", "\n") }, hashes, "names no user")
    for _, line in ipairs { "a:s3cret", "a", ":$6$x$y", "a:" .. crypted("s3cret", "ab"), "a:" .. crypted("s3cret", "$1$abcdefgh$") } do
      refused({ [hashes] = file("bad", "\n" .. line .. "\n") }, hashes, "bad:2: it must be user:hash")
    end
    refused(extension { [hashes] = "/x", ["connect.lua.rest.basic.auth.jaas.config"] = "/y" }, "Remove one")
  end)
end)
