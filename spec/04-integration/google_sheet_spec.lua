-- SPDX-License-Identifier: Apache-2.0
-- google_sheet in the real binary, against a server that is as strict with the account's statement as Google is, and
-- has a sheet that grows. The tutorial's file is used as it is, but for the credentials.
local Server = require "spec.helpers.http_server"
local helpers = require "spec.helpers"
local json = require "dkjson"
local kafka = require "spec.helpers.kafka"

-- FOLDER: where the public key and the sheet (a row a line, cells by |) are.
local SCRIPT = [==[
local folder = "FOLDER"
local request = ...
local connect = require "connect"
local crypto, json = connect.crypto, connect.json

local function read(name)
  local file = io.open(folder .. "/" .. name)
  local text = file and file:read "*a"
  if file then file:close() end
  return text
end

local function unescaped(text) return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)) end
local function answer(status, body, headers) return { status = status, body = json.encode(body), headers = headers } end
local function refuse(why) return answer(400, { error = "invalid_grant", error_description = why }) end

if request.path == "/token" then
  local form = {}
  for name, value in request.body:gmatch "([^&=]+)=([^&]*)" do form[name] = unescaped(value) end
  if form.grant_type ~= "urn:ietf:params:oauth:grant-type:jwt-bearer" then return refuse "grant_type" end
  local head, claims, signature = form.assertion:match "^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$"
  if not head or not crypto.verify("RS256", read "public", head .. "." .. claims, crypto.from_base64url(signature)) then
    return refuse "Invalid JWT Signature."
  end
  head, claims = json.decode(crypto.from_base64url(head)), json.decode(crypto.from_base64url(claims))
  local now = os.time()
  if head.alg ~= "RS256" or head.kid ~= "kid-1" then return refuse "header" end
  if claims.iss ~= "me@project.iam" or claims.aud ~= "http://" .. request.headers.host .. "/token" then return refuse "iss, aud" end
  if claims.scope ~= "https://www.googleapis.com/auth/spreadsheets.readonly" then return refuse "scope" end
  if math.abs(claims.iat - now) > 300 or claims.exp <= now or claims.exp > claims.iat + 3600 then return refuse "times" end
  tokens = (tokens or 0) + 1
  valid = valid or {}
  valid["Bearer ya29.secret-" .. tokens] = true
  return answer(200, { access_token = "ya29.secret-" .. tokens, expires_in = 3600, token_type = "Bearer" })
end

if read "revoke" then
  os.remove(folder .. "/revoke")
  valid = {}
end
if not valid[request.headers.authorization] then
  return answer(401, { error = { code = 401, message = "Invalid Credentials", status = "UNAUTHENTICATED" } })
end
if read "hang" then return { hang = true } end
if read "quota" then
  os.remove(folder .. "/quota")
  return answer(429, { error = { code = 429, message = "Quota exceeded", status = "RESOURCE_EXHAUSTED" } }, { ["Retry-After"] = "1" })
end
local range = unescaped(request.path:match "/values/(.*)$" or "")
if request.path:match "^/v4/spreadsheets/([^/]*)/" ~= "1U_Q4qWeIzrXezL8CERnfxwNNxfNZlyyVwG0mujTKJZY" then
  return answer(404, { error = { code = 404, message = "Requested entity was not found.", status = "NOT_FOUND" } })
end
local first, last = range:match "^A(%d+):B(%d+)$"
local rows, n = {}, 0
for line in (read "sheet" or ""):gmatch "([^\n]*)\n" do
  n = n + 1
  if n >= tonumber(first) and n <= tonumber(last) then
    local row = {}
    for cell in line:gmatch "[^|]+" do row[#row + 1] = cell end
    rows[#rows + 1] = connect.array(row)
  end
end
return answer(200, { range = range, majorDimension = "ROWS", values = #rows > 0 and connect.array(rows) or nil })
]==]

local CLASS = "io.github.brewagebear.SimpleGoogleSheetConnector"

describe("a Google sheet", function()
  local folder, server, worker, client, file

  before_each(function()
    folder = helpers.folder()
    local out, code = helpers.shell(("cd %s && openssl genrsa -out key 2048 && openssl rsa -in key -pubout -out public")
      :format(folder))
    assert(code == 0, out)
    server = Server.start((SCRIPT:gsub("FOLDER", folder)))
    helpers.write(folder .. "/sheet", "name|value\n")
    file = helpers.read "spec/fixtures/tutorial/google-sheet-source.json"
    worker = helpers.worker { ["connect.lua.log.level"] = "debug", ["offset.flush.interval.ms"] = "100" }:start()
    client = kafka.open(helpers.broker ~= "embedded" and helpers.broker
      or worker:log():match "kcat %-b (%S+) %-L")
  end)

  after_each(function()
    if client then client:close() end
    server:stop()
    helpers.clean()
  end)

  -- The embedded broker makes topics when they are first used.
  local function make_topic(what)
    local topic = helpers.unique(what)
    if helpers.broker ~= "embedded" then client:create { [topic] = 1 } end
    return topic
  end

  -- The tutorial's config with credentials and hosts.
  local function config(more)
    local given = json.decode(file).config
    given.topic = make_topic "sheet"
    given.private_key = helpers.read(folder .. "/key"):gsub("\n", "\\n")
    given.private_key_id, given.client_email = "kid-1", "me@project.iam"
    given.token_uri, given["base.url"] = server.url .. "/token", server.url
    given["poll.interval.ms"] = "50"
    for name, value in pairs(more or {}) do given[name] = value end
    return given
  end

  local function grow(from, to)
    for i = from, to do helpers.append(folder .. "/sheet", ("k%d|v%d\n"):format(i, i)) end
  end

  -- Waits until the topic holds so many records, and answers them.
  local function records(topic, n)
    helpers.wait_for(("%d records in %s"):format(n, topic), function()
      return client:partitions()[topic] and client:upto(topic, 0) >= n
    end)
    return client:read(topic, 0, 0, client:upto(topic, 0))
  end

  local function keys(list)
    local out = {}
    for i, r in ipairs(list) do out[i] = r.key end
    return out
  end

  local function numbered(n)
    local out = {}
    for i = 1, n do out[i] = "k" .. i end
    return out
  end

  local function no_secrets()
    local key = helpers.read(folder .. "/key")
    for _, secret in ipairs { "ya29.secret", key:sub(40, 80), key:sub(100, 130), "assertion" } do
      assert.is_nil(worker:log():find(secret, 1, true), secret)
      assert.is_nil(json.encode((worker:get "/connectors?expand=status")):find(secret, 1, true), secret)
    end
  end

  it("is set up by the tutorial's file as it is, credentials excepted", function()
    local status, valid = worker:http("PUT", "/connector-plugins/SimpleGoogleSheetConnector/config/validate", file)
    assert.equal(200, status)
    assert.equal(0, valid.error_count)
    local created
    status, created = worker:http("POST", "/connectors", file)
    assert.equal(201, status)
    assert.same({ "google-sheet-source", "source" }, { created.name, created.type })
    local failed = worker:wait_state("google-sheet-source", "FAILED") -- its key is none
    assert.matches("private_key cannot be used", failed.tasks[1].trace, 1, true)

    grow(1, 3)
    local mine = config()
    assert.equal(200, (worker:http("PUT", "/connectors/google-sheet-source/config", mine)))
    local list = records(mine.topic, 3)
    assert.same(numbered(3), keys(list))
    assert.equal('{"schema":{"type":"string","optional":false},"payload":"v1"}', list[1].value)
    helpers.wait_for("the offset", function()
      local it = worker:get "/connectors/google-sheet-source/offsets".offsets[1]
      return it and it.partition["task.id"] == "0" and it.offset.position == 3
    end)
    no_secrets()
  end)

  it("tells each wrong key", function()
    local function wrong(given)
      given["connector.class"], given.name = CLASS, "s"
      local status, valid = worker:http("PUT", "/connector-plugins/" .. CLASS .. "/config/validate", given)
      assert.equal(200, status)
      local names = {}
      for _, c in ipairs(valid.configs) do
        if #c.value.errors > 0 then names[#names + 1] = c.value.name end
      end
      table.sort(names)
      return table.concat(names, " ")
    end
    assert.equal("client_email fetch.size private_key sheet_id topic", wrong { ["fetch.size"] = "0" })
    assert.equal("key.column token_uri", wrong(config { ["key.column"] = "1", token_uri = "x" }))
  end)

  it("is read on as it grows, over restarts, a refused token and a quota", function()
    local mine = config()
    worker:create("s", mine)
    grow(1, 2)
    records(mine.topic, 2)
    helpers.write(folder .. "/quota", "")
    grow(3, 4)
    records(mine.topic, 4)
    helpers.write(folder .. "/revoke", "")
    grow(5, 6)
    records(mine.topic, 6)
    assert.equal(202, (worker:http("POST", "/connectors/s/restart?includeTasks=true")))
    grow(7, 8)
    assert.same(numbered(8), keys(records(mine.topic, 8)))
    no_secrets()
  end)

  it("is divided over tasks, also when their number changes", function()
    local mine = config { ["tasks.max"] = "3", ["fetch.size"] = "4" }
    grow(1, 50)
    worker:create("s", mine)
    worker:wait_state("s", "RUNNING", 3)
    records(mine.topic, 50)
    assert.equal(204, (worker:http("PUT", "/connectors/s/stop")))
    mine["tasks.max"] = "2"
    assert.equal(200, (worker:http("PUT", "/connectors/s/config", mine)))
    grow(51, 75)
    worker:http("PUT", "/connectors/s/resume")
    local got = keys(records(mine.topic, 75))
    table.sort(got, function(a, b) return tonumber(a:sub(2)) < tonumber(b:sub(2)) end)
    assert.same(numbered(75), got)
  end)

  it("fails with a remedy when it is not there", function()
    worker:create("s", config { sheet_id = "another" })
    local failed = worker:wait_state("s", "FAILED")
    assert.matches("see sheet_id, and that it is shared with me@project.iam", failed.tasks[1].trace, 1, true)
    no_secrets()
  end)

  it("does not hold up a stop by an answer that never comes", function()
    helpers.write(folder .. "/hang", "")
    worker:create("s", config())
    helpers.wait_for("the request", function()
      for _, r in ipairs(server:take()) do
        if r.method == "GET" then return true end
      end
    end)
    worker:stop() -- else it would end by a task that had to be abandoned
    assert.is_nil(worker:log():find("did not stop in time", 1, true))
  end)
end)
