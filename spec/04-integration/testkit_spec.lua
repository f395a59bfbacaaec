-- SPDX-License-Identifier: Apache-2.0
-- connect.testkit's HTTP server, asked by curl; its clock. What tasks and single calls do, the templates' specs show.
local helpers = require "spec.helpers"
local kit = require "connect.testkit"

describe("the testkit's #embedded", function()
  describe("server", function()
    local server

    before_each(function() server = kit.server() end)
    after_each(function()
      server:stop()
      helpers.clean()
    end)

    -- curl's output and exit code.
    local function curl(line) return helpers.shell("curl -sS --max-time 60 " .. line:gsub("URL", server.url)) end

    it("answers as prepared, in order", function()
      server:answer { status = 503, headers = { ["Retry-After"] = 7 }, body = "later" }
        :answer { json = { ok = true } }
      assert.matches("^HTTP/1.1 503 .*Retry%-After: 7\r\n.*\r\n\r\nlater$", (curl "-i URL/a"))
      assert.matches('^HTTP/1.1 200 .*Content%-Type: application/json\r\n.*\r\n\r\n{"ok":true}$', (curl "-i URL/a"))
      assert.equal("testkit: no answer is prepared for GET /a\n", (curl "URL/a"))
    end)

    it("keeps what was asked", function()
      server:answer { times = "always" }
      curl "'URL/a%20b?x=1&y=%2F' -H 'X-One: a' -H 'x-one: b'"
      curl "-X PUT URL/ --data-binary @README.md -H 'Content-Type: text/plain'"
      local first, second = unpack(server:requests())
      assert.same({ "GET", "/a%20b", "x=1&y=%2F", "a, b", "" },
        { first.method, first.path, first.query, first.headers["x-one"], first.body })
      assert.same({ "PUT", "/", "/", "text/plain" },
        { second.method, second.path, second.target, second.headers["content-type"] })
      assert.is_nil(second.query)
      assert.equal(helpers.read "README.md", second.body)
    end)

    it("answers by method and path", function()
      server:answer { method = "POST", path = "/a", body = "post" }
      server:answer { path = "/a", body = "get", times = 2 }
      server:answer { path = "/b", body = "b", times = "always" }
      assert.same({ "get", "b", "post", "get", "b" }, { (curl "URL/a?q"), (curl "URL/b"), (curl "-d x URL/a"),
        (curl "-d x URL/a"), (curl "URL/b") })
      assert.matches("no answer", (curl "URL/a"))
      assert.equal(6, #server:requests())
    end)

    it("may come late, not at all, or in part", function()
      server:answer { delay = 300, body = "late" }
      local _, code = curl "--max-time 0.05 URL/"
      assert.equal(28, code) -- curl's time is over
      server:answer { close = true }
      assert.equal(52, select(2, curl "URL/")) -- an empty reply
      server:answer { cut = true, body = ("x"):rep(1000) }
      local text
      text, code = curl "URL/"
      assert.equal(18, code) -- a part
      assert.equal(500, select(2, text:gsub("x", "", 500)))
      assert.equal(3, #server:requests())
    end)

    it("stops while an answer waits", function()
      server:answer { delay = 3600000 }
      helpers.shell("curl -s " .. server.url .. "/ >/dev/null 2>&1 & ")
      helpers.wait_for("the request", function() return #server:requests() == 1 end)
      server:stop()
      server = kit.server()
    end)

    it("answers connect.http in a task, whose pauses cost no time", function()
      local connect = require "connect"
      server:answer { status = 503, headers = { ["Retry-After"] = 30 } }:answer { status = 503 }
        :answer { json = { items = { "a" } } }
      local t = kit.task { plugin = { kind = "source", poll = function(ctx)
        local res, e = connect.http.get(server.url .. "/items", { retries = 3, backoff = 60000 })
        if not res then error(e) end
        for _, item in ipairs(res:json().items) do ctx:emit { topic = "t", value = item } end
      end } }
      local records = t:poll()
      t:close()
      assert.equal("a", records[1].value)
      assert.equal(3, #server:requests())
      assert.equal(2, #t.slept)
      assert.is_true(t.slept[1] >= 30000 and t.slept[2] >= 30000)
    end)

    it("waits for what is really late, by the machine's clock", function()
      local connect, failed = require "connect", nil
      server:answer { delay = 3600000 }
      local t = kit.task { plugin = { kind = "source", poll = function()
        failed = select(2, connect.http.get(server.url, { timeout = 50 }))
      end } }
      t:poll()
      t:close()
      assert.equal("timeout", failed.reason)
    end)

    it("does not know what is misspelt", function()
      assert.error_matches(function() server:answer { stauts = 200 } end, "there is no stauts")
      assert.error_matches(function() server:answer { status = "200" } end, "status is a number, not a string")
    end)
  end)

  it("task wants what the worker would want", function()
    local plugin = kit.load "lua/connect/kit/templates/my_source.lua"
    assert.error_matches(function() kit.task { plugin = plugin } end, "the config lacks topic, which has no default")
    local transform = kit.load "lua/connect/kit/templates/my_transform.lua"
    assert.error_matches(function() kit.apply(transform, { value = {} }) end, "lacks text")
  end)

  it("clock stands still until somebody sleeps", function()
    local connect, seen = require "connect", {}
    local t = kit.task { now = 5000, plugin = { kind = "source", poll = function(ctx)
      seen[#seen + 1] = connect.time.now()
      local stop = ctx:sleep(250)
      seen[#seen + 1] = { connect.time.now(), connect.time.monotonic(), stop, ctx:stopping() }
    end } }
    t:poll()
    t:ask_to_stop()
    t:poll()
    t:close()
    assert.same({ 5000, { 5250, 5250, false, false }, 5250, { 5500, 5500, true, true } }, seen)
    assert.same({ 250, 250 }, t.slept)
    assert.is_true(connect.time.now() > 1e12)
  end)
end)
