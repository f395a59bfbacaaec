-- SPDX-License-Identifier: Apache-2.0
-- http_poll_source against a server with prepared answers.
local connect = require "connect"
local kit = require "connect.testkit"
local manifest = require "connect.host.manifest"

local PLUGIN = "connectors/http_poll_source/init.lua"
local plugin = kit.load(PLUGIN)

describe("http_poll_source", function()
  local server, t

  before_each(function() server = kit.server() end)
  after_each(function()
    if t then t:close() end
    t = nil
    server:stop()
  end)

  local function partition() return connect.json.encode { url = server.url .. "/items" } end

  local function start(config, offset, options)
    config["http.url"] = server.url .. (config["http.url"] or "/items")
    config.topic, config["poll.interval.ms"] = "items", config["poll.interval.ms"] or 500
    options = options or {}
    options.plugin, options.config = plugin, config
    options.offsets = offset and { [partition()] = offset } or nil
    t = kit.task(options)
    t:start()
  end

  local LIST = { ["http.response.list.pointer"] = "/items", ["http.response.record.offset.pointer"] = "/at" }

  local function list(more)
    local config = {}
    for _, part in ipairs { LIST, more or {} } do
      for name, value in pairs(part) do config[name] = value end
    end
    return config
  end

  local function items(...) return { json = { items = connect.array { ... } } } end

  local function ids(records)
    local out = {}
    for i, record in ipairs(records) do out[i] = connect.json.decode(record.value).id end
    return table.concat(out, " ")
  end

  local function targets()
    local out = {}
    for i, asked in ipairs(server:requests()) do out[i] = asked.target end
    return out
  end

  local function offset_of(records)
    local offset = records[#records].source_offset
    offset.fetched = nil
    return offset
  end

  -- Polls, which must fail retriably; the message.
  local function fails()
    local records, e = t:poll_some()
    assert.same({}, records)
    assert.equal("retriable", e.class, tostring(e.message))
    return e.message
  end

  it("has the class names of tutorials", function()
    local m = manifest.check(plugin, PLUGIN)
    assert.equal("com.example.connect.HttpPollSourceConnector", m.class)
    assert.same({ "HttpPollSourceConnector", "HttpPollSource", "http_poll_source" }, m.aliases)
  end)

  it("emits each answer as text, every interval", function()
    server:answer { body = "[1]" }:answer { body = "[1]" }
    start {}
    local record = t:poll()[1]
    assert.same({ "items", "[1]", partition() }, { record.topic, record.value, record.source_partition })
    assert.same({ fetched = t.now }, record.source_offset)
    assert.equal("[1]", t:poll()[1].value)
    assert.same({ 0, 500 }, t.slept)
    assert.equal("GET", server:requests()[2].method)
  end)

  it("makes no record of an empty answer", function()
    server:answer { status = 204 }:answer { body = "" }
    start {}
    assert.same({}, t:poll())
    assert.same({}, t:poll())
  end)

  it("keeps user and query out of partitions", function()
    server:answer { body = "x" }
    start { ["http.url"] = "/items?api_key=secret" }
    assert.equal(partition(), t:poll()[1].source_partition)
  end)

  describe("when a call fails", function()
    it("waits longer each time, and says why", function()
      server:answer { status = 500, body = "out of\n\torder" }:answer { status = 502 }:answer { status = 404 }
        :answer { body = "x" }
      start { ["retry.backoff.max.ms"] = 3000 }
      assert.equal("GET " .. server.url .. ": answered 500 Internal Server Error: out of order; the next call is in 1.0 s",
        fails())
      assert.matches("answered 502.*in 2.0 s$", fails())
      assert.matches("answered 404.*in 3.0 s$", fails())
      assert.equal("x", t:poll()[1].value)
      assert.same({ 0, 1000, 2000, 3000 }, t.slept)
    end)

    it("says what came of a call without an answer", function()
      server:answer { close = true }
      start {}
      assert.matches("^GET " .. server.url:gsub("%p", "%%%0") .. ": .*in 1.0 s$", fails())
    end)

    it("waits as long as the server says", function()
      server:answer { status = 429, headers = { ["Retry-After"] = 120 } }:answer { body = "x" }
      start {}
      assert.matches("answered 429", fails())
      assert.equal(1, #t:poll())
      assert.same({ 0, 120000 }, t.slept)
    end)

    it("fails the task after statuses that are said to be fatal", function()
      server:answer { status = 401, body = "who are you?" }
      start { ["http.fatal.status.codes"] = { "400-403" } }
      local _, e = t:poll_some()
      assert.same({ "fatal", "GET " .. server.url .. ": answered 401 Unauthorized: who are you?" }, { e.class, e.message })
    end)

    it("shows no secret, not even a part of one", function()
      local token = "tok-" .. ("0123456789"):rep(8)
      server:answer { status = 500, body = ("x"):rep(150) .. token .. " " .. ("y"):rep(300) }
      start { ["http.headers.secret"] = "X-Api-Key: " .. token }
      local message = fails()
      assert.equal(token, server:requests()[1].headers["x-api-key"])
      assert.is_nil(message:find("tok%-"), message)
      assert.matches("x%[hidden%] y", message)
    end)

    it("keeps what it shows short, in whole characters", function()
      server:answer { status = 500, body = "x" .. ("\195\164"):rep(1000) }
      start {}
      assert.matches(": x" .. ("\195\164"):rep(99) .. "%.%.%.;", fails())
    end)

    it("tries an answer again that is not what it should be", function()
      server:answer { body = "<html>" }:answer { json = { error = "later" } }:answer(items {}):answer(items { at = 1, id = 1 })
      start(list())
      assert.matches("answered 200 OK, but .*no JSON.*<html>", fails())
      assert.matches('but there is no list at /items: {"error":"later"}', fails())
      assert.matches("but an item has no offset at /at", fails())
      assert.equal("1", ids(t:poll()))
    end)
  end)

  it("sends method, headers, body and who it is", function()
    server:answer { body = "x" }
    start { ["http.method"] = "POST", ["http.headers"] = "Accept: a, b | X-One: 1", ["http.auth.type"] = "basic",
      ["http.auth.user"] = "me", ["http.auth.password"] = "pass", ["http.body"] = [[{"since":"${offset}"}]],
      ["http.offset.initial"] = [[a"b]], ["http.response.record.offset.pointer"] = "/at", ["http.value.format"] = "bytes" }
    fails()
    local asked = server:requests()[1]
    assert.same({ "POST", [[{"since":"a\"b"}]], "application/json", "a, b", "1", "Basic " .. connect.crypto.base64 "me:pass" },
      { asked.method, asked.body, asked.headers["content-type"], asked.headers.accept, asked.headers["x-one"],
        asked.headers.authorization })
  end)

  it("gets a token by OAuth 2", function()
    server:answer { path = "/token", json = { access_token = "abcdef", token_type = "Bearer", expires_in = 3600 } }
      :answer { body = "x" }
    start { ["http.auth.type"] = "oauth2", ["oauth2.token.url"] = server.url .. "/token", ["oauth2.client.id"] = "me",
      ["oauth2.client.secret"] = "secret", ["oauth2.client.authorization.mode"] = "body" }
    assert.equal(1, #t:poll())
    assert.matches("client_secret=secret", server:requests()[1].body)
    assert.equal("Bearer abcdef", server:requests()[2].headers.authorization)
  end)

  describe("lists of items", function()
    it("become records with key, timestamp and value", function()
      server:answer(items({ at = "2023-11-14T22:13:20Z", id = 7, text = "a" }, { at = 1700000000001, id = connect.null }))
      start(list { ["http.response.record.key.pointer"] = "/id", ["http.response.record.timestamp.pointer"] = "/at" })
      local a, b = unpack(t:poll())
      assert.same({ "7", 1700000000000, [[{"at":"2023-11-14T22:13:20Z","id":7,"text":"a"}]] }, { a.key, a.timestamp, a.value })
      assert.same({ nil, 1700000000001 }, { b.key, b.timestamp })
    end)

    it("may be the answer itself, of values that are no objects", function()
      server:answer { body = [=[["a", 1, null, [2]]]=] }
      start { ["http.response.list.pointer"] = "/" }
      local values = {}
      for i, record in ipairs(t:poll()) do values[i] = record.value or "nil" end
      assert.same({ "a", "1", "nil", "[2]" }, values)
    end)

    it("have structured values where that is asked for", function()
      server:answer(items { at = 1, id = 9007199254740993LL, list = connect.array {} })
      start(list { ["http.value.format"] = "json" }, nil, { value = "json", value_config = kit.PLAIN })
      assert.equal([[{"at":1,"id":9007199254740993,"list":[]}]], t:poll()[1].value)
    end)

    it("have room in more than one batch, and only the last record moves the offset", function()
      server:answer(items({ at = 3, id = 1 }, { at = 2, id = 2 }, { at = 1, id = 3 }))
      start(list(), nil, { cap = 2 })
      local first = t:poll()
      assert.equal("1 2", ids(first))
      assert.same({}, offset_of(first))
      local second = t:poll()
      assert.equal("3", ids(second))
      assert.equal("3", offset_of(second).offset)
      assert.equal(1, #server:requests())
    end)
  end)

  describe("offsets", function()
    local SINCE = { ["http.url"] = "/items?since=${offset}", ["http.offset.initial"] = "0" }

    it("go into the next call", function()
      server:answer(items({ at = 5, id = 1 }, { at = "7 &", id = 2 })):answer(items())
      start(list(SINCE))
      t:poll()
      t:poll()
      assert.same({ "/items?since=0", "/items?since=7%20%26" }, targets())
    end)

    it("are gone on from after a restart", function()
      server:answer(items { at = 8, id = 1 })
      start(list(SINCE), { offset = 7 }) -- as somebody may write it by REST
      local records = t:poll()
      assert.same({ "/items?since=7" }, targets())
      assert.equal("8", offset_of(records).offset)
    end)

    it("tell old items from new ones with the same offset, after a restart too", function()
      server:answer(items({ at = 5, id = 1 }, { at = 5, id = 2 }))
        :answer(items({ at = 4, id = 0 }, { at = 5, id = 1 }, { at = 5, id = 2 }, { at = 5, id = 3 }))
        :answer(items({ at = 5, id = 3 }, { at = 5, id = 4 }, { at = 6, id = 5 }))
        :answer(items({ at = 5, id = 9 }, { at = 6, id = 5 }))
      start(list())
      assert.equal("1 2", ids(t:poll()))
      local records = t:poll()
      assert.equal("3", ids(records))
      t:close()
      start({ ["http.response.list.pointer"] = "/items", ["http.response.record.offset.pointer"] = "/at" },
        offset_of(records))
      assert.equal("4 5", ids(t:poll()))
      assert.same({}, t:poll())
    end)

    it("are compared as numbers, dates or text", function()
      local less = kit.load("connectors/http_poll_source/progress.lua").less
      for _, pair in ipairs { { "9", "10" }, { "9007199254740992", "9007199254740993" }, { "-2", "1.5" },
        { "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z" }, { "2024-01-01T01:00:00+02:00", "2024-01-01T00:00:00Z" },
        { "2024-01-01T00:00:00.0001Z", "2024-01-01T00:00:00.0002Z" }, { "a", "b" } } do
        assert.same({ true, false, false }, { less(pair[1], pair[2]), less(pair[2], pair[1]), less(pair[1], pair[1]) },
          table.concat(pair, " "))
      end
    end)

    it("may be how many items there were", function()
      server:answer(items({ id = 1 }, { id = 2 })):answer(items()):answer(items { id = 3 })
      start { ["http.url"] = "/items?skip=${offset}", ["http.offset.mode"] = "count", ["http.response.list.pointer"] = "/items" }
      local records = t:poll()
      assert.same({ offset = "0" }, (function() local o = records[1].source_offset; o.fetched = nil; return o end)())
      local stored = offset_of(records)
      assert.same({ offset = "2" }, stored)
      assert.same({}, t:poll())
      t:close()
      start({ ["http.url"] = "/items?skip=${offset}", ["http.offset.mode"] = "count",
        ["http.response.list.pointer"] = "/items" }, stored)
      assert.same({ offset = "3" }, offset_of(t:poll()))
      assert.same({ "/items?skip=0", "/items?skip=2", "/items?skip=2" }, targets())
    end)

    it("may be what the last item has", function()
      server:answer(items({ at = "zz", id = 1 }, { at = "aa", id = 2 })):answer(items())
      start(list { ["http.url"] = "/items?after=${offset}", ["http.offset.mode"] = "last" })
      assert.equal("1 2", ids(t:poll()))
      assert.same({}, t:poll())
      server:answer(items { at = "aa", id = 3 })
      assert.equal("3", ids(t:poll()))
      assert.same({ "/items?after=", "/items?after=aa", "/items?after=aa" }, targets())
    end)
  end)

  describe("pages", function()
    it("by the header Link", function()
      server:answer { json = { items = { { at = 1, id = 1 } } }, headers = { Link = '</x>; rel=prev, </items?p=2>; rel="next"' } }
        :answer { json = { items = { { at = 2, id = 2 } } }, headers = { Link = "<?p=3>;rel=next" } }
        :answer(items { at = 3, id = 3 }):answer(items())
      start(list { ["http.paging.mode"] = "link" })
      assert.equal("1", ids(t:poll()))
      assert.equal("2", ids(t:poll()))
      local records = t:poll()
      assert.equal("3", ids(records))
      assert.equal("3", offset_of(records).offset)
      assert.same({ 0, 0, 0 }, t.slept) -- no interval between pages
      t:poll()
      assert.same({ "/items", "/items?p=2", "/items?p=3", "/items" }, targets())
      assert.equal(500, t.slept[4])
    end)

    it("by number, until one is empty or not there", function()
      server:answer(items { at = 1, id = 1 }):answer(items()):answer(items { at = 2, id = 2 }):answer { status = 404 }
        :answer(items())
      start(list { ["http.url"] = "/items?p=${page}", ["http.paging.mode"] = "number", ["http.paging.first.page"] = 0 })
      for _ = 1, 5 do t:poll() end
      assert.same({ "/items?p=0", "/items?p=1", "/items?p=0", "/items?p=1", "/items?p=0" }, targets())
    end)

    it("by a cursor or a URL in the answer", function()
      server:answer { json = { items = { { at = 1, id = 1 } }, next = "a/b" } }
        :answer { json = { items = { { at = 2, id = 2 } }, next = "/items/more" } }
        :answer { json = { items = { { at = 3, id = 3 } }, next = connect.null } }:answer(items())
      start(list { ["http.url"] = "/items?c=${cursor}", ["http.paging.mode"] = "pointer", ["http.paging.next.pointer"] = "/next" })
      for i = 1, 3 do assert.equal(tostring(i), ids(t:poll())) end
      t:poll()
      assert.same({ "/items?c=", "/items?c=a%2Fb", "/items/more", "/items?c=" }, targets())
    end)

    it("are not asked of another server", function()
      server:answer { json = { items = { { at = 1 } } }, headers = { Link = "<http://127.0.0.2:1/>; rel=next" } }
      start(list { ["http.paging.mode"] = "link" })
      assert.matches("its next page is on another server", fails())
    end)

    it("are no more than so many in an interval", function()
      for i = 1, 3 do server:answer { json = { items = { { at = i, id = i } }, next = "c" .. i } } end
      start(list { ["http.url"] = "/items?c=${cursor}", ["http.paging.mode"] = "pointer",
        ["http.paging.next.pointer"] = "/next", ["http.paging.max.pages"] = 2 })
      for _ = 1, 3 do t:poll() end
      assert.same({ "/items?c=", "/items?c=c1", "/items?c=c2" }, targets())
      assert.same({ 0, 0, 500 }, t.slept)
    end)

    it("may have no end: the last cursor is asked for again", function()
      server:answer { json = { items = { { at = 1, id = 1 } }, next = "a" } }
        :answer { json = { items = { { at = 2, id = 2 } }, next = "b" } }
        :answer { json = { items = {}, next = "c" } }
        :answer { json = { items = {}, next = "c" } }
        :answer { json = { items = { { at = 3, id = 3 } }, next = "c" } }
        :answer { json = { items = {}, next = "c" } }
      start { ["http.url"] = "/items?c=${cursor}", ["http.paging.mode"] = "pointer", ["http.paging.next.pointer"] = "/next",
        ["http.response.list.pointer"] = "/items" }
      local counts, pages = {}, {}
      for i = 1, 6 do
        local records = t:poll()
        counts[i], pages[i] = #records, #records > 0 and records[1].source_offset.page or "-"
      end
      assert.same({ 1, 1, 0, 0, 1, 0 }, counts)
      assert.same({ "a", "b", "-", "-", "c", "-" }, pages)
      assert.same({ "/items?c=", "/items?c=a", "/items?c=b", "/items?c=c", "/items?c=c", "/items?c=c" }, targets())
      assert.same({ 0, 0, 0, 500, 500, 500 }, t.slept)
    end)

    local CURSOR = { ["http.url"] = "/items?since=${offset}&c=${cursor}", ["http.paging.mode"] = "pointer",
      ["http.paging.next.pointer"] = "/next", ["http.offset.initial"] = "0" }

    it("lose nothing to a crash between two of them, the newest coming first", function()
      server:answer { json = { items = { { at = 9, id = 9 }, { at = 8, id = 8 } }, next = "two" } }
      start(list(CURSOR))
      local records = t:poll()
      assert.same({ offset = "0" }, (function() local o = records[1].source_offset; o.fetched = nil; return o end)())
      local stored = offset_of(records)
      assert.same({ "0", "9", "two" }, { stored.offset, stored.high, stored.page })
      t:close()
      server:answer { json = { items = { { at = 7, id = 7 } } } }:answer(items({ at = 9, id = 9 }, { at = 10, id = 10 }))
      start(list(CURSOR), stored)
      records = t:poll()
      assert.equal("7", ids(records))
      assert.equal("9", offset_of(records).offset)
      assert.equal("10", ids(t:poll()))
      assert.same({ "/items?since=0&c=", "/items?since=0&c=two", "/items?since=9&c=" }, targets())
    end)

    it("begin anew when the stored one is gone", function()
      server:answer { status = 410 }:answer(items { at = 9, id = 9 })
      start(list(CURSOR), { offset = "5", high = "9", page = "old" })
      assert.matches("answered 410", fails())
      assert.equal("9", ids(t:poll()))
      assert.same({ "/items?since=5&c=old", "/items?since=5&c=" }, targets())
      assert.matches("beginning with the first one", t.logged[1].text)
    end)
  end)

  it("asks whether there is anything new", function()
    server:answer { body = "a", headers = { ETag = '"1"', ["Last-Modified"] = "Tue, 14 Nov 2023 22:13:20 GMT" } }
      :answer { status = 304 }:answer { body = "b", headers = { ETag = '"2"' } }:answer { status = 304 }
    start { ["http.conditional"] = true }
    t:poll()
    assert.same({}, t:poll())
    local records = t:poll()
    assert.equal("b", records[1].value)
    t:close()
    start({ ["http.conditional"] = true }, offset_of(records))
    assert.same({}, t:poll())
    local seen = {}
    for i, asked in ipairs(server:requests()) do
      seen[i] = { asked.headers["if-none-match"], asked.headers["if-modified-since"] }
    end
    assert.same({ {}, { '"1"', "Tue, 14 Nov 2023 22:13:20 GMT" }, { '"1"', "Tue, 14 Nov 2023 22:13:20 GMT" }, { '"2"' } }, seen)
  end)

  it("ends in peace when asked to stop", function()
    server:answer { body = "a" }
    start {}
    t:poll()
    t:ask_to_stop()
    assert.same({}, t:poll())
    assert.equal(1, #server:requests())
  end)

  describe("refuses", function()
    local function wrong(config)
      config["http.url"] = config["http.url"] or "http://h/"
      return plugin.validate(config)
    end

    it("nothing that is right", function()
      assert.same({}, wrong {})
      assert.same({}, wrong { ["http.url"] = "https://u:p@h:1/a?o=${offset}&p=${page}", ["http.paging.mode"] = "number",
        ["http.response.list.pointer"] = "", ["http.response.record.offset.pointer"] = "/a~1b",
        ["http.fatal.status.codes"] = "401, 500-599", ["http.headers"] = "A: b|C-d:e", ["http.auth.type"] = "bearer",
        ["http.auth.token"] = "t", ["http.proxy.url"] = "environment" })
    end)

    for name, case in pairs {
      ["a URL that is none"] = { "http.url", "URL", { ["http.url"] = "ftp://h/" } },
      ["an unknown variable"] = { "http.url", "no ${ofset}", { ["http.url"] = "http://h/${ofset}" } },
      ["half a variable"] = { "http.body", "has no }", { ["http.body"] = "${offset" } },
      ["a variable as a server"] = { "http.url", "behind the server's name", { ["http.url"] = "http://${offset}/",
        ["http.response.record.offset.pointer"] = "/at" } },
      ["a pointer that is none"] = { "http.response.list.pointer", "begins with /", { ["http.response.list.pointer"] = "a" } },
      ["an offset from nowhere"] = { "http.response.record.offset.pointer", "needs it", { ["http.url"] = "http://h/${offset}" } },
      ["a status that is none"] = { "http.fatal.status.codes", "5xx is neither", { ["http.fatal.status.codes"] = "404,5xx" } },
      ["a header that is none"] = { "http.headers.secret", "Name: value", { ["http.headers.secret"] = "abc" } },
      ["half of a user"] = { "http.auth.password", "basic needs it", { ["http.auth.type"] = "basic", ["http.auth.user"] = "u" } },
      ["a certificate without its key"] = { "http.ssl.keystore.key", "needs it",
        { ["http.ssl.keystore.certificate.chain"] = "c.pem" } },
      ["a proxy that is none"] = { "http.proxy.url", "environment", { ["http.proxy.url"] = "ftp://p" } },
      ["pages without numbers"] = { "http.paging.mode", "${page}",
        { ["http.paging.mode"] = "number", ["http.response.list.pointer"] = "/" } },
      ["pages without a pointer"] = { "http.paging.next.pointer", "needs it", { ["http.paging.mode"] = "pointer" } },
      ["pages that are counted"] = { "http.offset.mode", "paging.mode=none", { ["http.offset.mode"] = "count",
        ["http.paging.mode"] = "link" } },
      ["a count that begins with none"] = { "http.offset.initial", "whole number", { ["http.offset.mode"] = "count",
        ["http.offset.initial"] = "x" } },
      ["conditional pages"] = { "http.conditional", "without pages", { ["http.conditional"] = "TRUE", ["http.paging.mode"] = "link" } },
    } do
      it(name, function()
        local key, text, config = unpack(case)
        local errors = wrong(config)
        assert.truthy(errors[key] and errors[key]:find(text, 1, true), connect.json.encode(errors))
        errors[key] = nil
        assert.same({}, errors)
      end)
    end
  end)
end)
