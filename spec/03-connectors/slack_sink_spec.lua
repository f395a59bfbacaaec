-- SPDX-License-Identifier: Apache-2.0
-- slack_sink against prepared answers: what is sent and when, what becomes of errors, which records come again.
local connect = require "connect"
local kit = require "connect.testkit"

local json = connect.json
local plugin = kit.load "connectors/slack_sink/init.lua"

describe("slack_sink", function()
  local server, t

  before_each(function() server = kit.server() end)
  after_each(function()
    if t then
      t:stop()
      t:close()
    end
    t = nil
    server:stop()
  end)

  local function start(config, options)
    local all = { token = "xoxb-secret", channel = "C1", ["base.url"] = server.url .. "/api" }
    for name, value in pairs(config or {}) do all[name] = value end
    local of_task = { plugin = plugin, config = all }
    for name, value in pairs(options or {}) do of_task[name] = value end
    t = kit.task(of_task)
    t:start()
    return t
  end

  local JSON = { value = "json", value_config = kit.PLAIN }

  local function ok(times) server:answer { json = { ok = true, ts = "1.2" }, times = times or 1 } end
  local function refuse(name, more)
    local answer = { json = { ok = false, error = name } }
    for option, x in pairs(more or {}) do answer[option] = x end
    server:answer(answer)
  end

  local function sent()
    local out = {}
    for i, r in ipairs(server:requests()) do out[i] = json.decode(r.body) end
    return out
  end
  local function texts()
    local out = {}
    for i, m in ipairs(sent()) do out[i] = m.text end
    return table.concat(out, " ")
  end

  -- What the sink asked its task for, but pauses.
  local function asked(name)
    local out = {}
    for _, a in ipairs(t.asked) do
      if a[1] == name then out[#out + 1] = a end
    end
    return out
  end

  local function fails(class, list, ...)
    local fine, e = pcall(t.put, t, list)
    assert.is_false(fine)
    assert.equal(class, e.class, e.message)
    for _, text in ipairs { ... } do assert.matches(text, e.message, 1, true) end
    assert.not_matches("secret", e.message)
  end

  it("posts a message for each record", function()
    ok(3)
    start()
    t:put { "a", "b & <c>", "ü" }
    local r = server:requests()[1]
    assert.same({ "POST", "/api/chat.postMessage", "Bearer xoxb-secret", "application/json; charset=utf-8" },
      { r.method, r.path, r.headers.authorization, r.headers["content-type"] })
    assert.same({ { channel = "C1", text = "a" }, { channel = "C1", text = "b &amp; &lt;c&gt;" },
      { channel = "C1", text = "ü" } }, sent())
  end)

  it("posts to a webhook", function()
    server:answer { body = "ok", times = 2 }
    start { token = false, channel = "", ["webhook.url"] = server.url .. "/services/T/B/secret" }
    t:put { "a", "b" }
    local r = server:requests()
    assert.same({ "POST", "/services/T/B/secret", nil, '{"text":"a"}', '{"text":"b"}' },
      { r[1].method, r[1].path, r[1].headers.authorization, r[1].body, r[2].body })
  end)

  it("makes texts of records", function()
    ok(4)
    start({ text = "${key} ${topic}-${partition}@${offset}: ${value.user.name}${value.gone.x}${value.n.x} ${headers.h} } {x}",
      channel = "${value.to}",
      ["message.interval.ms"] = 0 }, JSON)
    t:put { { key = "k&", value = '{"user":{"name":"<b>"},"n":5,"to":"C7"}', topic = "t", partition = 2, offset = 9,
      headers = { { "h", "v" } } }, { value = '"text"' }, {} }
    assert.same({ { channel = "C7", text = "k&amp; t-2@9: &lt;b&gt; v } {x}" }, { channel = "", text = " t-0@1:   } {x}" },
      { channel = "", text = " t-0@2:   } {x}" } }, sent())
  end)

  it("sends values that are messages", function()
    ok(3)
    start({ ["value.format"] = "message", ["message.interval.ms"] = 0 }, JSON)
    t:put { [[{"text":"a","blocks":[{"type":"divider"}],"channel":"C2"}]], [["{\"text\":\"b\"}"]], "7" }
    assert.same({ { text = "a", blocks = { { type = "divider" } }, channel = "C2" }, { text = "b", channel = "C1" },
      { channel = "C1" } }, sent())
  end)

  describe("keeps Slack's pace:", function()
    it("a message a second in a channel", function()
      ok "always"
      start()
      t:put { "a", "b", "c" }
      t.now = t.now + 400
      t:put { "d" }
      assert.equal("a b c d", texts())
      assert.same({ 0, 1000, 1000, 600 }, t.slept)
      assert.same({}, t.asked)
    end)

    it("channels by themselves", function()
      ok "always"
      start { channel = "${key}" }
      t:put { { key = "C1", value = "a" }, { key = "C2", value = "b" }, { key = "C1", value = "c" } }
      assert.same({ 0, 0, 1000 }, t.slept)
    end)

    it("and gives back what does not fit into one put", function()
      ok "always"
      start()
      local list = {}
      for i = 1, 4 do
        list[2 * i - 1] = { value = "p" .. i, topic = "t", partition = 0, offset = 10 + i }
        list[2 * i] = { value = "q" .. i, topic = "t", partition = 1, offset = 20 + i }
      end
      t:put(list)
      assert.equal("p1 q1 p2 q2 p3 q3", texts())
      assert.same({ { "rewind", "t", 0, 14 }, { "rewind", "t", 1, 24 } }, t.asked)
      t.asked[1], t.asked[2] = nil, nil
      t:put { list[7], list[8] }
      assert.equal("p1 q1 p2 q2 p3 q3 p4 q4", texts())
      assert.same({}, t.asked)
    end)

    it("also one that is longer than a put may take", function()
      ok "always"
      start { ["message.interval.ms"] = 12000 }
      t:put { "a" }
      for _ = 1, 2 do
        t:put { { value = "b", offset = 1 } }
        assert.same({ "rewind", "t", 0, 1 }, table.remove(t.asked))
      end
      t:put { { value = "b", offset = 1 } }
      assert.equal("a b", texts())
      assert.same({ 0, 5000, 5000, 2000 }, t.slept)
    end)
  end)

  describe("asked to stop", function()
    it("sends nothing more and gives the rest back", function()
      ok "always"
      start()
      local n, sleep = 0, t.sleep
      function t:sleep(ms)
        n = n + 1
        if n == 3 then self:ask_to_stop() end
        return sleep(self, ms)
      end
      t:put { "a", "b", "c", "d" }
      assert.equal("a b", texts())
      assert.same({ { "rewind", "t", 0, 2 } }, t.asked)
    end)
  end)

  describe("meets an error:", function()
    it("what passes: the same records are put again, later", function()
      start()
      refuse("ratelimited", { status = 429, headers = { ["Retry-After"] = "7" } })
      fails("retriable", { "a", "b" }, "ratelimited")
      assert.same({ { "timeout", 7000 } }, t.asked)
      ok "always"
      t.now = t.now + 3000
      t:put { "a", "b" }
      assert.equal("a a b", texts())
      assert.same({ 0, 4000, 1000 }, t.slept)
    end)

    it("or ever longer", function()
      start()
      refuse "internal_error"
      server:answer { status = 503, body = "<html>" }
      server:answer { close = true }
      for _ = 1, 3 do
        fails("retriable", { "a" })
        t.now = t.now + 60000
      end
      assert.same({ { "timeout", 1000 }, { "timeout", 2000 }, { "timeout", 4000 } }, t.asked)
    end)

    it("behind others: what was sent counts, the rest comes again", function()
      start()
      ok()
      refuse("ratelimited", { status = 429, headers = { ["Retry-After"] = "3" } })
      t:put { "a", "b", "c" }
      assert.same({ { "rewind", "t", 0, 1 } }, t.asked)
      ok "always"
      t:put { { value = "b", offset = 1 }, { value = "c", offset = 2 } }
      assert.equal("a b b c", texts())
      assert.same({ 0, 1000, 3000, 1000 }, t.slept)
    end)

    it("a record's own, which is rejected", function()
      start()
      refuse "msg_too_long"
      ok()
      refuse "invalid_blocks"
      t:put { "a", "b", "c" }
      assert.equal("a b c", texts()) -- c's own fault, too, but it comes again when nothing was sent before it
      local rejected = asked "reject"
      assert.equal(1, #rejected)
      assert.equal("Slack answered msg_too_long", rejected[1][4])
      assert.same({ "rewind", "t", 0, 2 }, asked "rewind"[1])
      refuse "invalid_blocks"
      t:put { { value = "c", offset = 2 } }
      assert.equal(2, #asked "reject")
    end)

    it("text that is none", function()
      start({}, { value = "lua/connect/converters/byte_array.lua" })
      t:put { "\255\254" }
      assert.matches("^the message cannot be JSON: ", asked "reject"[1][4])
      assert.equal(0, #server:requests())
    end)

    it("what only a person can mend", function()
      start()
      refuse "invalid_auth"
      fails("fatal", { "a" }, "Slack answered invalid_auth; see that token is")
      refuse "not_in_channel"
      fails("fatal", { "a" }, "not_in_channel; invite the bot")
      refuse "no_such_thing"
      fails("fatal", { "a" }, "no_such_thing")
    end)

    it("of a webhook", function()
      start { token = false, channel = "", ["webhook.url"] = server.url .. "/services/T/B/secret" }
      server:answer { status = 400, body = "invalid_blocks" }
      t:put { "a" }
      assert.equal("Slack answered invalid_blocks", asked "reject"[1][4])
      server:answer { status = 404, body = "no_service" }
      fails("fatal", { "b" }, "no_service; the webhook was removed")
      server:answer { status = 403, body = "<html>" }
      fails("fatal", { "b" }, "status 403")
      server:answer { status = 500, body = "rollup_error" }
      fails("retriable", { "b" }, "rollup_error")
      server:answer { status = 429, headers = { ["Retry-After"] = "2" } }
      fails("retriable", { "b" }, "429")
      assert.same({ "timeout", 2000 }, t.asked[#t.asked])
    end)
  end)

  -- Batches as a worker hands them over: after a retriable error the same one, else on from where the sink rewound to.
  it("loses nothing, keeps the order and claims only what was answered, whatever Slack says", function()
    for seed = 1, 20 do
      math.randomseed(seed)
      start { ["message.interval.ms"] = math.random(0, 3) * 600 }
      local passes = {} -- by the number of the request
      for i = 1, 40 do
        local n = math.random(6)
        if n <= 3 then ok() elseif n == 4 then refuse "ratelimited" elseif n == 5 then refuse "msg_too_long" else
          server:answer { status = 503 }
        end
        passes[i] = n == 4 or n == 6
      end
      ok "always"
      local at = { [0] = 0, 0 }
      while at[0] < 15 or at[1] < 15 do
        local list, size = {}, math.random(1, 9)
        local to = { [0] = at[0], at[1] }
        for _ = 1, size do
          local p = math.random(0, 1)
          if to[p] < 15 then
            list[#list + 1] = { topic = "t", partition = p, offset = to[p], value = p .. ":" .. to[p] }
            to[p] = to[p] + 1
          end
        end
        local fine, e = pcall(t.put, t, list)
        while not fine do
          assert.equal("retriable", e.class)
          assert.equal(0, #asked "rewind")
          t.now = t.now + 1000
          fine, e = pcall(t.put, t, list)
        end
        for _, r in ipairs(asked "rewind") do to[r[3]] = math.min(to[r[3]], r[4]) end
        for i = #t.asked, 1, -1 do
          if t.asked[i][1] == "rewind" then table.remove(t.asked, i) end
        end
        at = to
        local answered = {}
        for i, m in ipairs(sent()) do answered[m.text] = not passes[i] end
        for p = 0, 1 do
          for offset = 0, at[p] - 1 do assert.is_true(answered[p .. ":" .. offset], "seed " .. seed) end
        end
      end
      local last = { [0] = -1, -1 }
      for _, m in ipairs(sent()) do
        local p, offset = m.text:match "^(%d):(%d+)$"
        p, offset = tonumber(p), tonumber(offset)
        assert.is_true(offset == last[p] or offset == last[p] + 1, "seed " .. seed)
        last[p] = offset
      end
      t:stop()
      t:close()
      t = nil
      server:stop()
      server = kit.server()
    end
  end)

  it("says what is wrong with a config, key by key", function()
    assert.same({}, plugin.validate { token = "x", channel = "C1" })
    assert.same({}, plugin.validate { token = "x", ["value.format"] = "message" })
    assert.same({}, plugin.validate { ["webhook.url"] = "https://hooks.slack.com/services/x", text = "${value.a} ${key}" })
    local function wrong(config)
      local names = {}
      for name, why in pairs(plugin.validate(config)) do
        assert.not_matches("secret", why)
        names[#names + 1] = name
      end
      table.sort(names)
      return table.concat(names, " ")
    end
    assert.equal("webhook.url", wrong {})
    assert.equal("webhook.url", wrong { ["webhook.url"] = "secret" })
    assert.equal("token", wrong { ["webhook.url"] = "https://secret", token = "secret" })
    assert.equal("channel", wrong { token = "secret" })
    assert.equal("base.url channel text", wrong { token = "x", channel = "${record.x}", text = "${foo}", ["base.url"] = "x" })
    assert.equal("text", wrong { token = "x", channel = "C1", text = "${value" })
  end)
end)
