-- SPDX-License-Identifier: Apache-2.0
-- google_sheet against prepared answers: what is asked, what becomes of rows and of errors, which task reads what.
local connect = require "connect"
local helpers = require "spec.helpers"
local kit = require "connect.testkit"

local json = connect.json
local plugin = kit.load "connectors/google_sheet/init.lua"

describe("google_sheet", function()
  local key, public, server, t

  setup(function()
    local folder = helpers.folder()
    local out, code = helpers.shell(("cd %s && openssl genrsa -out key 2048 && openssl rsa -in key -pubout -out public")
      :format(folder))
    assert(code == 0, out)
    key, public = helpers.read(folder .. "/key"), helpers.read(folder .. "/public")
  end)
  teardown(helpers.clean)

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
    local all = { topic = "rows", sheet_id = "sheet-1", client_email = "me@x.iam", private_key = key,
      token_uri = server.url .. "/token", ["base.url"] = server.url, ["poll.interval.ms"] = 777 }
    for name, value in pairs(config or {}) do all[name] = value end
    t = kit.task { plugin = plugin, config = all, offsets = offsets, value = "json", value_config = kit.PLAIN, cap = 5 }
    t:start()
    return t
  end

  local function token(text, seconds, times)
    server:answer { method = "POST", path = "/token", times = times or 1,
      json = { access_token = text or "token-1", expires_in = seconds or 3600, token_type = "Bearer" } }
  end

  local function path_of(range)
    return "/v4/spreadsheets/sheet-1/values/" .. range:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)
  end

  local function range(name, rows, more)
    local answer = { method = "GET", path = path_of(name), json = { range = "x", values = rows } }
    for option, x in pairs(more or {}) do answer[option] = x end
    server:answer(answer)
  end

  local function refuse(status, message, more)
    local answer = { method = "GET", status = status, json = { error = { code = status, message = message } } }
    for option, x in pairs(more or {}) do answer[option] = x end
    server:answer(answer)
  end

  -- All that a poll gives, as "key=value".
  local function poll()
    local out = {}
    for i, r in ipairs(t:poll()) do out[i] = tostring(r.key) .. "=" .. r.value end
    return out
  end

  local function fails(class, ...)
    local ok, e = pcall(t.poll, t)
    assert.is_false(ok)
    assert.equal(class, e.class, e.message)
    for _, text in ipairs { ... } do assert.matches(text, e.message, 1, true) end
    return e
  end

  local function asked(method)
    local out = {}
    for _, r in ipairs(server:requests()) do
      if r.method == method then out[#out + 1] = r end
    end
    return out
  end

  describe("signs in", function()
    it("with a statement that the account's key signed", function()
      token()
      range("A2:B101", { { "a", "1" } })
      start { private_key_id = "key-7" }
      assert.same({ 'a="1"' }, poll())
      local post, get = asked "POST"[1], asked "GET"[1]
      assert.equal("application/x-www-form-urlencoded", post.headers["content-type"])
      local jwt = post.body:match "^assertion=([^&]*)&grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant%-type%%3Ajwt%-bearer$"
      local head, claims, signature = jwt:match "^([^.]+)%.([^.]+)%.([^.]+)$"
      assert.is_true(connect.crypto.verify("RS256", public, head .. "." .. claims,
        connect.crypto.from_base64url(signature)))
      assert.same({ alg = "RS256", typ = "JWT", kid = "key-7" }, json.decode(connect.crypto.from_base64url(head)))
      assert.same({ iss = "me@x.iam", aud = server.url .. "/token", iat = 1700000000, exp = 1700003600,
        scope = "https://www.googleapis.com/auth/spreadsheets.readonly" },
        json.decode(connect.crypto.from_base64url(claims)))
      assert.equal("Bearer token-1", get.headers.authorization)
    end)

    it("with a key as it is pasted", function()
      token()
      range("A2:B101", { { "a", "1" } })
      start { private_key = key:gsub("\n", "\\n") }
      assert.equal(1, #poll())
    end)

    it("once for many requests, and anew shortly before the token ends", function()
      token("token-1", 100)
      token("token-2", 3600)
      range("A2:B101", nil, { times = "always" })
      start()
      poll()
      t.now = t.now + 38000
      poll()
      assert.equal(1, #asked "POST")
      t.now = t.now + 2000
      poll()
      assert.equal(2, #asked "POST")
      assert.equal("Bearer token-2", asked "GET"[3].headers.authorization)
    end)

    it("anew when the token is refused, once", function()
      token "token-1"
      token "token-2"
      refuse(401, "Invalid Credentials")
      range("A2:B101", { { "a", "1" } })
      start()
      assert.same({ 'a="1"' }, poll())
      assert.equal("Bearer token-2", asked "GET"[2].headers.authorization)
    end)

    it("and gives up when it is refused again", function()
      token("token-1", 3600, "always")
      refuse(401, "Invalid Credentials", { times = "always" })
      start()
      local e = fails("fatal", "401", "Invalid Credentials")
      assert.not_matches("token%-1", e.message)
      assert.equal(2, #asked "GET")
    end)

    it("not with a key that is none", function()
      local ok, e = pcall(start, { private_key = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n" })
      assert.is_false(ok)
      assert.equal("fatal", e.class)
      assert.matches("^private_key cannot be used %(the PEM text holds no private key that can be read%): give", e.message)
    end)

    it("not with an account that Google does not know", function()
      server:answer { path = "/token", status = 400,
        json = { error = "invalid_grant", error_description = "Invalid grant: account not found" } }
      start()
      fails("fatal", "400", "invalid_grant: Invalid grant: account not found")
    end)

    it("later, when Google cannot", function()
      server:answer { path = "/token", status = 503, body = "no" }
      start()
      fails("retriable", "503")
      assert.same({ 1000 }, t.slept)
    end)
  end)

  describe("reads", function()
    before_each(function() token(nil, nil, "always") end)

    it("key and value columns, with the position behind each row", function()
      range("A2:B101", { { "a", "1" }, {}, { "", "3" }, { "d" } })
      start()
      local r = t:poll()
      assert.equal(3, #r)
      assert.same({ "rows", "a", '"1"', [[{"task.id":"0"}]], { position = 1, base = 0, tasks = 1, block = 100 } },
        { r[1].topic, r[1].key, r[1].value, r[1].source_partition, r[1].source_offset })
      assert.same({ "", '"3"', 3 }, { r[2].key, r[2].value, r[2].source_offset.position })
      assert.same({ "d", '""', 4 }, { r[3].key, r[3].value, r[3].source_offset.position })
    end)

    it("other columns of a tab", function()
      local cells = { "v" }
      for i = 2, 24 do cells[i] = "" end
      cells[25] = "k"
      range("'Bob''s tab'!C4:AA13", { cells })
      start { ["key.column"] = "AA", ["value.column"] = "c", ["sheet.name"] = "Bob's tab", ["header.row"] = 3,
        ["fetch.size"] = 10 }
      assert.same({ 'k="v"' }, poll())
    end)

    it("all columns as a struct", function()
      range("1:1", { { "id", "", "name", "name" } })
      range("2:101", { { "1", "x", "n", "m" }, { "2", "", "o" } })
      start { ["value.format"] = "struct", ["key.column"] = "C" }
      assert.same({ 'n={"id":"1","B":"x","name":"n","name_D":"m"}', 'o={"id":"2","B":null,"name":"o","name_D":null}' },
        poll())
    end)

    it("all columns as a map, and the new ones of a wider row", function()
      range("1:1", { { "id" } })
      range("2:101", { { "1" } })
      range("1:1", { { "id", "more" } })
      range("3:101", { { "2", "x" } })
      start { ["value.format"] = "map" }
      assert.same({ '1={"id":"1"}' }, poll())
      local r = t:poll()[1]
      assert.same({ id = "2", more = "x" }, json.decode(r.value))
    end)

    it("a sheet that grows, with a pause when there is nothing new", function()
      range("A2:B101", { { "a", "1" } })
      range("A3:B101", nil)
      range("A3:B101", { { "b", "2" }, { "c", "3" } })
      start()
      assert.same({ 'a="1"' }, poll())
      assert.same({}, t.slept)
      assert.same({}, poll())
      assert.same({ 'b="2"', 'c="3"' }, poll())
      assert.same({ 777, 777 }, t.slept)
    end)

    it("block after block without a pause", function()
      range("A2:B3", { { "a", "1" }, { "b", "2" } })
      range("A4:B5", { { "c", "3" } })
      start { ["fetch.size"] = 2 }
      assert.same({ 'a="1"', 'b="2"' }, poll())
      assert.same({ 'c="3"' }, poll())
      assert.same({}, t.slept)
    end)

    it("more rows than a batch takes", function()
      local rows = {}
      for i = 1, 8 do rows[i] = { "k" .. i, "v" } end
      range("A2:B101", rows)
      start()
      assert.equal(5, #poll()) -- its cap
      assert.same({ 'k6="v"', 'k7="v"', 'k8="v"' }, poll())
      assert.equal(1, #asked "GET")
    end)

    it("on from the stored position", function()
      range("A44:B101", { { "a", "1" } })
      start({}, { [ [[{"task.id":"0"}]] ] = { position = 42, base = 0, tasks = 1, block = 100 } })
      assert.same({ position = 43, base = 42, tasks = 1, block = 100 }, t:poll()[1].source_offset)
    end)

    it("nothing below the sheet's grid, until it grows", function()
      refuse(400, "Range (Sheet1!A1001:B1100) exceeds grid limits. Max rows: 1000, max columns: 26")
      range("A1002:B1101", { { "a", "1" } })
      start({}, { [ [[{"task.id":"0"}]] ] = { position = 1000, base = 0, tasks = 1, block = 100 } })
      assert.same({}, poll())
      assert.same({ 'a="1"' }, poll())
    end)
  end)

  describe("meets an error:", function()
    before_each(function()
      token(nil, nil, "always")
      start()
    end)

    it("a quota that is used up is waited out as Google says", function()
      refuse(429, "Quota exceeded for quota metric 'Read requests'", { headers = { ["Retry-After"] = 42 } })
      range("A2:B101", { { "a", "1" } })
      fails("retriable", "429", "Quota exceeded")
      assert.same({ 42000 }, t.slept)
      assert.same({ 'a="1"' }, poll())
    end)

    it("or ever longer, a minute at most", function()
      refuse(503, "The service is currently unavailable.", { times = 8 })
      range("A2:B101", { { "a", "1" } })
      for _ = 1, 8 do fails("retriable", "503", "currently unavailable") end
      assert.same({ 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 }, t.slept)
      poll()
      refuse(500, "Internal error", { path = path_of "A3:B101" })
      fails("retriable", "500")
      assert.equal(1000, t.slept[#t.slept])
    end)

    it("a sheet that is not shared", function()
      refuse(403, "The caller does not have permission")
      fails("fatal", "403: The caller does not have permission; share the sheet with me@x.iam")
    end)

    it("a sheet that is not there", function()
      refuse(404, "Requested entity was not found.")
      fails("fatal", "404: Requested entity was not found.; there is no such spreadsheet: see sheet_id")
    end)

    it("a tab that is not there", function()
      refuse(400, "Unable to parse range: nothing!A2:B101")
      fails("fatal", "400: Unable to parse range: nothing!A2:B101")
    end)

    it("a column beyond the grid", function()
      refuse(400, "Range (Sheet1!A2:B101) exceeds grid limits. Max rows: 1000, max columns: 1")
      fails("fatal", "max columns: 1")
    end)

    it("an answer cut short, and what is no JSON", function()
      range("A2:B101", { { "a", "1" } }, { cut = true })
      fails("retriable", "GET http://127.0.0.1")
      server:answer { body = "<html>" }
      fails "retriable"
      assert.same({ 1000 }, t.slept)
    end)
  end)

  describe("divides rows", function()
    local division

    setup(function()
      local load = require("connect.host.sandbox").load
      division = load("connectors/google_sheet/division.lua", "connectors/google_sheet")
    end)

    -- A run of `tasks` tasks over a sheet of `rows`, each reading up to `limit` rows; stored: offsets by task, changed
    -- as they would be. Adds to counts, by row, how often it was read.
    local function run(stored, counts, rows, tasks, block, limit)
      local before = {}
      for id, offset in pairs(stored) do before[id] = offset end
      for id = 0, tasks - 1 do
        local d = division.new(id, tasks, block)
        local position = d:start(function(other) return before[other] end)
        for _ = 1, limit or rows do
          local first = d:next(position)
          if first >= rows then break end
          counts[first] = (counts[first] or 0) + 1
          position = first + 1
          stored[id] = d:offset(position)
        end
      end
    end

    local function count(counts, rows)
      local least, most = math.huge, 0
      for i = 0, rows - 1 do
        least, most = math.min(least, counts[i] or 0), math.max(most, counts[i] or 0)
      end
      return least, most
    end

    it("without overlap and without a gap", function()
      for tasks = 1, 5 do
        local counts, stored = {}, {}
        run(stored, counts, 57, tasks, 10)
        assert.same({ 1, 1 }, { count(counts, 57) })
        run(stored, counts, 123, tasks, 10) -- it grew, and they were restarted
        assert.same({ 1, 1 }, { count(counts, 123) })
      end
    end)

    it("anew when there are more or fewer tasks: nothing is lost, and nothing comes again once all was read", function()
      local counts, stored, rows = {}, {}, 0
      for i, tasks in ipairs { 1, 2, 5, 3, 1, 4, 4, 2 } do
        rows = rows + 37
        run(stored, counts, rows, tasks, i == 4 and 7 or 10)
        assert.same({ 1, 1 }, { count(counts, rows) })
      end
    end)

    it("anew in the midst of reading: nothing is lost", function()
      for seed = 1, 200 do
        math.randomseed(seed)
        local counts, stored, rows = {}, {}, 200
        for _ = 1, 6 do run(stored, counts, rows, math.random(1, 5), math.random(5, 15), math.random(1, 30)) end
        run(stored, counts, rows, math.random(1, 5), 10)
        assert.equal(1, (count(counts, rows)), "seed " .. seed)
      end
    end)

    it("in the midst of reading one task's rows stay its own", function()
      local counts, stored = {}, {}
      for _ = 1, 30 do run(stored, counts, 200, 3, 10, 3) end
      assert.same({ 1, 1 }, { count(counts, 200) })
    end)

    it("by the tasks' configs", function()
      local configs = plugin.tasks({ topic = "t" }, 2)
      assert.same({ { topic = "t", ["task.id"] = "0", ["task.max"] = "2" },
        { topic = "t", ["task.id"] = "1", ["task.max"] = "2" } }, configs)
      token(nil, nil, "always")
      range("A102:B201", { { "a", "1" } })
      start { ["task.id"] = "1", ["task.max"] = "2" }
      local r = t:poll()[1]
      assert.same({ [[{"task.id":"1"}]], { position = 101, base = 0, tasks = 2, block = 100 } },
        { r.source_partition, r.source_offset })
    end)
  end)

  it("says what is wrong with a config, key by key", function()
    assert.same({}, plugin.validate { topic = "t" })
    local errors = plugin.validate { ["key.column"] = "1", ["value.column"] = "ABCD", token_uri = "x", ["base.url"] = "http:/",
      ["value.format"] = "map", ["header.row"] = "0" }
    local names = {}
    for name in pairs(errors) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "base.url", "header.row", "key.column", "token_uri", "value.column" }, names)
  end)

  it("takes offsets that are some", function()
    local function alter(partition, offset) return plugin.alter_offsets({}, { { partition = partition, offset = offset } }) end
    assert.is_true(alter({ ["task.id"] = "0" }, { position = 5 }))
    assert.is_true(alter({ ["task.id"] = "0" }, { position = 5, base = 0, tasks = 2, block = 100 }))
    assert.is_true(alter({ other = "0" }, nil))
    for _, bad in ipairs { { { ["task.id"] = 0 }, { position = 5 } }, { {}, { position = 5 } },
      { { ["task.id"] = "0" }, {} }, { { ["task.id"] = "0" }, { position = -1 } },
      { { ["task.id"] = "0" }, { position = "5" } }, { { ["task.id"] = "0" }, { position = 5, tasks = 0 } } } do
      assert.has_error(function() alter(bad[1], bad[2]) end)
    end
  end)
end)
