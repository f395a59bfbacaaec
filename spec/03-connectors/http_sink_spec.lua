-- SPDX-License-Identifier: Apache-2.0
-- http_sink against a server with prepared answers.
local connect = require "connect"
local kit = require "connect.testkit"

local plugin = kit.load "connectors/http_sink/init.lua"

describe("http_sink", function()
  local server, t

  before_each(function() server = kit.server() end)
  after_each(function()
    if t then t:close() end
    t = nil
    server:stop()
  end)

  local function start(config, options)
    config["http.url"] = server.url .. (config["http.url"] or "/in")
    options = options or {}
    options.plugin, options.config = plugin, config
    t = kit.task(options)
    t:start()
  end

  local function start_json(config) start(config, { value = "json", value_config = kit.PLAIN }) end

  local function fine() server:answer { times = "always" } end

  -- "POST /in body" of what was asked.
  local function asked()
    local out = {}
    for i, request in ipairs(server:requests()) do
      out[i] = ("%s %s %s"):format(request.method, request.target, request.body)
    end
    return out
  end

  local function records(first, last)
    local out = {}
    for i = first, last do out[#out + 1] = { value = tostring(i), offset = i } end
    return out
  end

  -- Puts, which must fail; its error and the pause that was asked for.
  local function fails(class, list)
    t.asked = {}
    local ok, e = pcall(t.put, t, list)
    assert.is_false(ok)
    assert.equal(class, e.class, tostring(e.message))
    local last = t.asked[#t.asked]
    return e.message, last and last[1] == "timeout" and last[2] or nil
  end

  -- What was rejected: offset and message of each.
  local function rejected()
    local out = {}
    for _, call in ipairs(t.asked) do
      if call[1] == "reject" then out[#out + 1] = { tonumber(call[2].offset), call[4] } end
    end
    return out
  end

  it("posts each value as it stands", function()
    fine()
    start {}
    t:put { "a", { value = [[{"b":1}]] } }
    assert.same({ "POST /in a", [[POST /in {"b":1}]] }, asked())
    assert.equal("text/plain; charset=utf-8", server:requests()[1].headers["content-type"])
  end)

  it("posts what is no text as JSON", function()
    fine()
    start_json {}
    t:put { [[{"id":9007199254740993,"list":[],"none":null}]], "1", [["text"]] }
    assert.same({ [[POST /in {"id":9007199254740993,"list":[],"none":null}]], "POST /in 1", "POST /in text" }, asked())
    assert.equal("application/json", server:requests()[1].headers["content-type"])
  end)

  it("posts text as JSON where that is asked for", function()
    fine()
    start { ["request.body.format"] = "json" }
    t:put { "a\"b" }
    assert.same({ [[POST /in "a\"b"]] }, asked())
  end)

  it("fills URL and headers", function()
    fine()
    start_json { ["http.url"] = "/${topic}/${partition}/${offset}/${key}?n=${value.a.n}&t=${timestamp}", ["http.method"] = "PUT",
      ["http.headers"] = "Idempotency-Key: ${topic}-${partition}-${offset} | content-type: application/x" }
    t:put { { key = "a/b c", value = [[{"a":{"n":1.5}}]], topic = "t", partition = 3, offset = 7 } }
    local request = server:requests()[1]
    assert.same({ "PUT", "/t/3/7/a%2Fb%20c?n=1.5&t=1700000000000", "t-3-7", "application/x" },
      { request.method, request.target, request.headers["idempotency-key"], request.headers["content-type"] })
  end)

  it("rejects records that fill no URL, and goes on", function()
    fine()
    start_json { ["http.url"] = "/${key}/${value.id}", ["http.headers"] = "X-Name: ${value.name}" }
    t:put { { key = "k", value = [[{"id":1,"name":"n"}]] }, { value = [[{"id":1,"name":"n"}]], offset = 1 },
      { key = "k", value = [[{"id":{},"name":"n"}]], offset = 2 }, { key = "k", value = [[{"name":"n"}]], offset = 3 },
      { key = "k", value = [["text"]], offset = 4 }, { key = "k", value = [[{"id":2,"name":"a\nb"}]], offset = 5 },
      { key = "k", value = [[{"id":3,"name":"n"}]], offset = 6 } }
    assert.same({ [[POST /k/1 {"id":1,"name":"n"}]], [[POST /k/3 {"id":3,"name":"n"}]] }, asked())
    assert.same({ { 1, "${key} is empty in this record" }, { 2, "${value.id} is no text, number or boolean in this record" },
      { 3, "${value.id} is empty in this record" }, { 4, "${value.id} is empty in this record" },
      { 5, "${value.name} has control characters, which no header may have" } }, rejected())
  end)

  it("lets no record climb out of the URL's path", function()
    fine()
    start { ["http.url"] = "/items/${key}?${key}" }
    t:put { { key = "..", value = "v" }, { key = ".", value = "v", offset = 1 }, { key = "a/../b", value = "v", offset = 2 },
      { key = "...", value = "v", offset = 3 } }
    assert.same({ "POST /items/a%2F..%2Fb?a%2F..%2Fb v", "POST /items/...?... v" }, asked())
    assert.same({ { 0, "the record gives the URL a path with . or .. in it" },
      { 1, "the record gives the URL a path with . or .. in it" } }, rejected())
  end)

  describe("records without a value", function()
    it("are left out", function()
      fine()
      start {}
      t:put { { key = "k" }, "a" }
      assert.same({ "POST /in a" }, asked())
    end)

    it("may delete", function()
      fine()
      start { ["http.url"] = "/items/${key}", ["behavior.on.null.values"] = "delete" }
      t:put { { key = "k", value = "v" }, { key = "k" } }
      assert.same({ "POST /items/k v", "DELETE /items/k " }, asked())
      assert.is_nil(server:requests()[2].headers["content-type"])
    end)

    it("may fail", function()
      start { ["behavior.on.null.values"] = "fail" }
      t:put { { key = "k", offset = 4 } }
      assert.same({ { 4, "the record has no value" } }, rejected())
    end)
  end)

  describe("batches", function()
    it("are JSON arrays", function()
      fine()
      start_json { ["batch.max.size"] = 2 }
      t:put { [[{"a":1}]], [[{"a":2}]], [[{"a":3}]] }
      assert.same({ [=[POST /in [{"a":1},{"a":2}]]=], [=[POST /in [{"a":3}]]=] }, asked())
      assert.equal("application/json", server:requests()[1].headers["content-type"])
    end)

    it("may be lines", function()
      fine()
      start { ["batch.max.size"] = 10, ["batch.prefix"] = "", ["batch.separator"] = "\\n", ["batch.suffix"] = "\\n" }
      t:put { "a", "b" }
      assert.same({ "POST /in a\nb\n" }, asked())
    end)

    it("are of one URL, in their order", function()
      fine()
      start { ["http.url"] = "/${topic}", ["batch.max.size"] = 10 }
      t:put { { topic = "a", value = "1" }, { topic = "a", value = "2" }, { topic = "b", value = "3" }, { topic = "a", value = "4" } }
      assert.same({ "POST /a [1,2]", "POST /b [3]", "POST /a [4]" }, asked())
    end)

    it("are split when refused, so that only the bad record is rejected", function()
      server:answer { status = 400 }:answer {}:answer { status = 422, body = "2 is bad" }:answer {}
      start { ["batch.max.size"] = 3 }
      t:put(records(1, 3))
      assert.same({ "POST /in [1,2,3]", "POST /in [1]", "POST /in [2]", "POST /in [3]" }, asked())
      assert.same({ { 2, "POST " .. server.url .. ": answered 422 Unprocessable Entity: 2 is bad" } },
        { { rejected()[1][1], (rejected()[1][2]:gsub("Unprocessable Content", "Unprocessable Entity")) } })
    end)
  end)

  describe("what may pass", function()
    for _, status in ipairs { 408, 425, 429, 500, 503, 599 } do
      it("is tried again: " .. status, function()
        server:answer { status = status, body = "busy" }:answer {}
        start {}
        local message, pause = fails("retriable", { "a" })
        assert.matches("^POST " .. server.url:gsub("%p", "%%%0") .. ": answered " .. status .. ".*: busy; it is sent again in 1.0 s$",
          message)
        assert.equal(1000, pause)
        t:put { "a" }
        assert.same({ "POST /in a", "POST /in a" }, asked())
      end)
    end

    it("is tried again after longer and longer pauses", function()
      for _ = 1, 3 do server:answer { close = true } end
      server:answer { status = 503, headers = { ["Retry-After"] = "90" } }
      server:answer {}:answer { status = 503 }
      start { ["retry.backoff.max.ms"] = 3000 }
      local pauses = {}
      for i = 1, 4 do pauses[i] = select(2, fails("retriable", { "a" })) end
      assert.same({ 1000, 2000, 3000, 90000 }, pauses)
      t:put { "a" }
      assert.equal(1000, select(2, fails("retriable", { "a" })))
    end)

    it("sends nothing again that was answered", function()
      server:answer {}:answer { status = 400 }:answer { status = 500 }:answer {}:answer {}
      start {}
      local list = records(1, 4)
      fails("retriable", list)
      assert.same({ { 2 } }, { { rejected()[1][1] } })
      t.asked = {}
      t:put(list)
      assert.same({ "POST /in 1", "POST /in 2", "POST /in 3", "POST /in 3", "POST /in 4" }, asked())
      assert.same({}, rejected())
    end)

    it("sends a record again that is put again without a failure", function() -- offsets moved back by hand
      fine()
      start {}
      t:put(records(1, 2))
      t:put(records(1, 2))
      assert.equal(4, #asked())
    end)

    it("lets the group be polled while a server is slow", function()
      local host = require "connect.host.c"
      fine()
      start {}
      local real = host.now_ms
      host.now_ms = function() -- each look at the clock is 25 seconds later
        t.now = t.now + 25000
        return t.now
      end
      local list = records(1, 4)
      local message, pause = fails("retriable", list)
      assert.matches("the server is slow", message)
      assert.equal(0, pause)
      local before = #asked()
      assert.is_true(before >= 1 and before < 4)
      repeat until pcall(t.put, t, list)
      host.now_ms = real
      assert.same({ "POST /in 1", "POST /in 2", "POST /in 3", "POST /in 4" }, asked())
    end)

    it("fails the records when their time is over", function()
      server:answer { status = 500, times = "always" }
      start { ["retry.timeout.ms"] = 2500 }
      fails("retriable", records(1, 2))
      t.now = t.now + 1000
      t:put(records(1, 1)) -- 1000 more would be 2000, but twice as long is too late
      assert.equal(1, #rejected())
      assert.equal(1000, select(2, fails("retriable", records(2, 2)))) -- the next record has its own time
    end)
  end)

  describe("what will not pass fails the task:", function()
    for _, status in ipairs { 301, 401, 403 } do
      it(tostring(status), function()
        server:answer { status = status, headers = { Location = "/elsewhere" } }
        start {}
        assert.matches("answered " .. status, fails("fatal", { "a" }))
        assert.equal(1, #asked())
      end)
    end

    it("unless it is said otherwise", function()
      server:answer { status = 401 }:answer { status = 404 }
      start { ["http.fatal.status.codes"] = { "404" }, ["http.retry.status.codes"] = { "401" } }
      fails("retriable", { "a" })
      fails("fatal", { "a" })
    end)
  end)

  it("says who it is, and shows it to nobody", function()
    server:answer { status = 403, body = "Bearer abcdefgh is no friend" }
    start { ["http.auth.type"] = "bearer", ["http.auth.token"] = "abcdefgh", ["http.headers.secret"] = "X: abcdefgh" }
    local message = fails("fatal", { "a" })
    assert.equal("Bearer abcdefgh", server:requests()[1].headers.authorization)
    assert.matches("Bearer %[hidden%] is no friend$", message)
  end)

  describe("refuses", function()
    it("nothing that is right", function()
      assert.same({}, plugin.validate { ["http.url"] = "http://h/${topic}/${value.a.b}?k=${key}", ["http.headers"] = "X: ${offset}" })
    end)

    for name, case in pairs {
      ["an unknown variable"] = { "http.url", "no ${values.a}", { ["http.url"] = "http://h/${values.a}" } },
      ["a field of what has none"] = { "http.url", "no ${topic.a}", { ["http.url"] = "http://h/${topic.a}" } },
      ["an empty field"] = { "http.headers", "no ${value.}", { ["http.headers"] = "X: ${value.}" } },
      ["a URL that is none"] = { "http.url", "URL", { ["http.url"] = "h/x" } },
      ["a status that is none"] = { "http.retry.status.codes", "x is neither", { ["http.retry.status.codes"] = "x" } },
      ["OAuth 2 without a client"] = { "oauth2.client.id", "needs it", { ["http.auth.type"] = "oauth2",
        ["oauth2.token.url"] = "http://h/", ["oauth2.client.secret"] = "s" } },
    } do
      it(name, function()
        local key, text, config = unpack(case)
        config["http.url"] = config["http.url"] or "http://h/"
        local errors = plugin.validate(config)
        assert.truthy(errors[key] and errors[key]:find(text, 1, true), connect.json.encode(errors))
        errors[key] = nil
        assert.same({}, errors)
      end)
    end
  end)
end)
