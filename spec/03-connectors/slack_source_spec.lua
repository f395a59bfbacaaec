-- SPDX-License-Identifier: Apache-2.0
-- slack_source against prepared answers, and against a channel whose history is paged as Slack pages it.
local connect = require "connect"
local kit = require "connect.testkit"

local json = connect.json
local plugin = kit.load "connectors/slack_source/init.lua"

describe("slack_source", function()
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

  local function start(config, offsets)
    local all = { topic = "talk", token = "xoxb-secret", channels = { "C1" }, ["base.url"] = server.url,
      ["poll.interval.ms"] = 777, ["page.size"] = 3 }
    for name, value in pairs(config or {}) do all[name] = value end
    t = kit.task { plugin = plugin, config = all, offsets = offsets, value = "json", value_config = kit.PLAIN, cap = 4 }
    t:start()
    return t
  end

  local function ts(n) return ("1700000%03d.000100"):format(n) end

  local function message(n, more)
    local m = { type = "message", ts = ts(n), text = "m" .. n }
    for name, x in pairs(more or {}) do m[name] = x end
    return m
  end

  -- Messages as Slack gives them: the newest first.
  local function page(numbers, cursor, path)
    local messages = connect.array {}
    for i, n in ipairs(numbers) do messages[i] = type(n) == "table" and n or message(n) end
    server:answer { path = path or "/conversations.history", json = { ok = true, messages = messages,
      has_more = cursor ~= nil, response_metadata = { next_cursor = cursor or "" } } }
  end

  local function refuse(name, more)
    local answer = { json = { ok = false, error = name } }
    for option, x in pairs(more or {}) do answer[option] = x end
    server:answer(answer)
  end

  local function poll()
    local out = {}
    for i, r in ipairs(t:poll()) do out[i] = json.decode(r.value).text end
    return out
  end

  -- What n polls give, joined.
  local function polls(n)
    local out = {}
    for _ = 1, n do
      for _, text in ipairs(poll()) do out[#out + 1] = text end
    end
    return table.concat(out, " ")
  end

  local function query(i)
    local out = {}
    for name, value in server:requests()[i].query:gmatch "([^&=]+)=([^&]*)" do out[name] = value end
    return out
  end

  local function fails(class, ...)
    local ok, e = pcall(t.poll, t)
    assert.is_false(ok)
    assert.equal(class, e.class, e.message)
    for _, text in ipairs { ... } do assert.matches(text, e.message, 1, true) end
    assert.not_matches("xoxb-secret", e.message, 1, true)
  end

  it("emits messages, the oldest first", function()
    page { 3, 2, message(1, { user = "U1", reactions = connect.array {} }) }
    start()
    local r = t:poll()
    assert.same({ "talk", "C1", 1700000001000, [[{"channel":"C1"}]], { ts = ts(1) } },
      { r[1].topic, r[1].key, r[1].timestamp, r[1].source_partition, r[1].source_offset })
    assert.same({ type = "message", ts = ts(1), text = "m1", user = "U1", reactions = {}, channel = "C1" },
      json.decode(r[1].value))
    assert.same({ { ts = ts(2) }, { ts = ts(3) } }, { r[2].source_offset, r[3].source_offset })
    local asked = server:requests()[1]
    assert.same({ "/conversations.history", "Bearer xoxb-secret" }, { asked.path, asked.headers.authorization })
    assert.same({ channel = "C1", oldest = "0", latest = "1700000060", limit = "3" }, query(1))
  end)

  it("goes on behind the stored message, and waits when there is nothing new", function()
    page { 8 }
    page {}
    page { 9 }
    start({}, { [ [[{"channel":"C1"}]] ] = { ts = ts(7) } })
    assert.equal("m8 m9", polls(3))
    assert.same({ ts(7), ts(8), ts(8) }, { query(1).oldest, query(2).oldest, query(3).oldest })
    assert.same({ 777, 777 }, t.slept)
  end)

  it("walks back to the oldest page first", function()
    page({ 9, 8, 7 }, "c2")
    page({ 6, 5, 4 }, "c3")
    page { 3, 2, 1 }
    start()
    assert.equal("", polls(2))
    assert.equal("m1 m2 m3", polls(1))
    page({ 6, 5, 4 }, "c3") -- again, by its cursor
    assert.equal("m4 m5 m6", polls(1))
    page { 10, 9, 8, 7 } -- the newest, with one that came meanwhile
    assert.equal("m7 m8 m9 m10", polls(1))
    page {}
    assert.equal("", polls(2))
    assert.same({ nil, "c2", "c3", "c2" }, { query(1).cursor, query(2).cursor, query(3).cursor, query(4).cursor })
    assert.same({ "0", "0", "0", "0", ts(6), ts(10) }, { query(1).oldest, query(2).oldest, query(3).oldest,
      query(4).oldest, query(5).oldest, query(6).oldest })
  end)

  it("walks anew when Slack has forgotten a cursor", function()
    page({ 9, 8, 7 }, "c2")
    page({ 6, 5, 4 }, "c3")
    page { 3, 2, 1 }
    start()
    assert.equal("m1 m2 m3", polls(3))
    refuse "invalid_cursor"
    page({ 9, 8, 7 }, "d2")
    page { 6, 5, 4 }
    page { 9, 8, 7 }
    assert.equal("m4 m5 m6 m7 m8 m9", polls(4))
    assert.equal(ts(3), query(5).oldest)
  end)

  it("goes on with the walk after an error", function()
    page({ 9, 8, 7 }, "c2")
    refuse("ratelimited", { status = 429, headers = { ["Retry-After"] = "30" } })
    page { 3, 2, 1 }
    start()
    poll()
    fails("retriable", "429")
    assert.same({ 30000 }, t.slept)
    assert.equal("m1 m2 m3", polls(1))
    assert.equal("c2", query(3).cursor)
  end)

  it("takes no more than a batch holds", function()
    page { 6, 5, 4, 3, 2, 1 }
    start()
    assert.equal("m1 m2 m3 m4", polls(1))
    assert.equal("m5 m6", polls(1))
    assert.equal(1, #server:requests())
  end)

  it("reads channels in turn", function()
    page({ 3, 2, 1 }, "c2")
    page { message(2, { text = "other" }) }
    page { 0 }
    page {}
    page { 3, 2, 1 }
    start { channels = { "C1", "C2" } }
    assert.equal("other m0 m1 m2 m3", polls(5))
    assert.same({}, t.slept)
    page {}
    poll()
    assert.same({ 777 }, t.slept)
    assert.same({ "C1", "C2", "C1", "C2", "C1", "C2" }, { query(1).channel, query(2).channel, query(3).channel,
      query(4).channel, query(5).channel, query(6).channel })
  end)

  it("deals channels out to tasks", function()
    local function dealt(channels, max)
      local out = {}
      for i, config in ipairs(plugin.tasks({ channels = channels, x = "y" }, max)) do
        assert.equal("y", config.x)
        out[i] = config.channels
      end
      return out
    end
    assert.same({ "C1,C3", "C2" }, dealt("C1, C2,C3", 2))
    assert.same({ "C1", "C2", "C3" }, dealt("C1,C2,C3", 5))
    assert.same({ "C1,C2,C3" }, dealt("C1,C2,C3", 1))
  end)

  describe("reads threads:", function()
    local function thread(n, latest) return message(n, { thread_ts = ts(n), reply_count = 1, latest_reply = ts(latest) }) end
    local function reply(n, of, more)
      local m = message(n, { thread_ts = ts(of), text = "r" .. n })
      for name, x in pairs(more or {}) do m[name] = x end
      return m
    end

    it("the replies that are new", function()
      start { threads = true, ["threads.days"] = 2 }
      page { 2, thread(1, 6) }
      page { 2, thread(1, 6) } -- the look for threads
      page({ thread(1, 6), reply(4, 1), reply(5, 1, { subtype = "thread_broadcast" }) }, "c", "/conversations.replies")
      page({ thread(1, 6), reply(6, 1) }, nil, "/conversations.replies")
      assert.equal("m1 m2", polls(4))
      local r = t:poll()
      assert.same({ 2, "r4", "r6" }, { #r, json.decode(r[1].value).text, json.decode(r[2].value).text })
      assert.same({ [[{"channel":"C1","thread":"]] .. ts(1) .. [["}]], { ts = ts(6) } },
        { r[2].source_partition, r[2].source_offset })
      assert.same({ tostring(1700000000 - 2 * 86400), ts(2), "true" },
        { query(2).oldest, query(2).latest, query(2).inclusive })
      assert.same({ ts(1), ts(1), "c" }, { query(3).ts, query(3).oldest, query(4).cursor })
      page {}
      page { 2, thread(1, 6) } -- nothing new: no replies are asked for
      page {}
      assert.equal("", polls(3))
      assert.same({ 777 }, t.slept)
      assert.equal("", polls(1))
      for i = 5, #server:requests() do assert.equal("/conversations.history", server:requests()[i].path) end
    end)

    it("on from the stored one", function()
      page {}
      page { thread(1, 6) }
      page({ thread(1, 6), reply(5, 1), reply(6, 1) }, nil, "/conversations.replies")
      start({ threads = true }, { [ [[{"channel":"C1"}]] ] = { ts = ts(1) },
        [ [[{"channel":"C1","thread":"]] .. ts(1) .. [["}]] ] = { ts = ts(5) } })
      assert.equal("r6", polls(4))
      assert.equal(ts(5), query(3).oldest)
    end)
  end)

  describe("meets an error:", function()
    before_each(function() start() end)

    it("a token that is none", function()
      refuse "invalid_auth"
      fails("fatal", "Slack answered conversations.history of C1 with invalid_auth; see that token is")
    end)

    it("a scope that is missing", function()
      server:answer { json = { ok = false, error = "missing_scope", needed = "channels:history" } }
      fails("fatal", "missing_scope (channels:history); add the scope")
    end)

    it("one that nobody knows", function()
      refuse "no_such_thing"
      fails("fatal", "no_such_thing")
    end)

    it("what passes", function()
      refuse "ratelimited"
      refuse "internal_error"
      server:answer { status = 503, body = "<html>" }
      server:answer { body = "<html>" }
      server:answer { close = true }
      for _ = 1, 5 do fails "retriable" end
      assert.same({ 1000, 2000, 4000, 8000, 16000 }, t.slept)
      page { 1 }
      assert.equal("m1", polls(1))
      refuse "internal_error"
      fails "retriable"
      assert.equal(1000, t.slept[#t.slept])
    end)

    it("a server that is not Slack", function()
      server:answer { status = 404, body = "not here" }
      fails("fatal", "404: see base.url")
    end)
  end)

  -- A channel as Slack keeps it: pages from the newest back, cursors that stand for a place in time.
  describe("at any moment of a crash", function()
    local function slack(written)
      local api = { page_size = 3 }
      function api.call(_, _, _, q)
        local found = {}
        for n = written(), 1, -1 do
          local at = ts(n)
          if at > q.oldest and (not q.cursor or at < q.cursor) then found[#found + 1] = at end
        end
        local messages = {}
        for i = 1, math.min(#found, q.limit) do messages[i] = { ts = found[i] } end
        local more = #found > q.limit
        return { messages = messages, response_metadata = { next_cursor = more and messages[#messages].ts or "" } }
      end
      function api.next_cursor(page_)
        local cursor = page_.response_metadata.next_cursor
        return cursor ~= "" and cursor or nil
      end
      return api
    end

    it("nothing is lost, nothing comes twice", function()
      local history = require("connect.host.sandbox").load("connectors/slack_source/history.lua", "connectors/slack_source")
      for seed = 1, 100 do
        math.randomseed(seed)
        local n, stored, seen = math.random(0, 30), "0", {}
        local api = slack(function()
          if n < 60 and math.random() < 0.3 then n = n + math.random(1, 4) end
          return n
        end)
        for _ = 1, 20 do -- lives, each until it crashes
          local h = history.new(api, "C1", stored)
          for _ = 1, math.random(1, 40) do
            local m = h:next {}
            if m then
              seen[#seen + 1], stored = m.ts, m.ts
            end
          end
        end
        local h = history.new(api, "C1", stored)
        local last = h:next {}
        while last ~= false do
          if last then seen[#seen + 1] = last.ts end
          last = h:next {}
        end
        for i, at in ipairs(seen) do assert.equal(ts(i), at, "seed " .. seed) end
        assert.is_true(#seen >= n - 4, "seed " .. seed)
      end
    end)
  end)

  it("says what is wrong with a config, key by key", function()
    assert.same({}, plugin.validate { channels = "C0123456789,G1,D1", ["start.ts"] = "1700000000.5" })
    assert.same({ channels = "at least one channel's id is needed" }, plugin.validate { channels = " , " })
    assert.same({ channels = "'#general' is no channel's id (C0123456789): Slack shows it in the channel's details",
      ["start.ts"] = "seconds since 1970, as 1700000000", ["base.url"] = "a URL that begins with https://" },
      plugin.validate { channels = "C1,#general", ["start.ts"] = "yesterday", ["base.url"] = "slack.com" })
  end)

  it("takes offsets that are some", function()
    local function alter(offset) return plugin.alter_offsets({}, { { partition = { channel = "C1" }, offset = offset } }) end
    assert.is_true(alter { ts = "1700000000.000100" })
    assert.is_true(alter(nil))
    assert.has_error(function() alter { ts = 5 } end)
    assert.has_error(function() alter { ts = "x" } end)
  end)
end)
