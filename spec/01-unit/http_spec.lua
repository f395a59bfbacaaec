-- SPDX-License-Identifier: Apache-2.0
-- connect.http against a real server: what goes out, what comes back, and what becomes of everything that fails.
local ffi = require "ffi"

local Server = require "spec.helpers.http_server"
local connect = require "connect"
local control = require "connect.host.control"
local helpers = require "spec.helpers"
local running = require "connect.host.running"

local http = connect.http

ffi.cdef [[
int setenv(const char *, const char *, int);
int unsetenv(const char *);
]]

describe("connect.http", function()
  local server

  local function serve(script)
    if server then server:stop() end
    server = Server.start(script)
    return server
  end

  local function only(list)
    assert.equal(1, #list)
    return list[1]
  end

  after_each(function()
    if server then server:stop() end
    server = nil
  end)

  describe("sends", function()
    before_each(function() serve [[return { body = "ok" }]] end)

    it("a plain GET", function()
      assert.equal(200, http.get(server.url .. "/a/b?x=1#part").status)
      local r = only(server:take())
      assert.same({ "GET", "/a/b?x=1", "" }, { r.method, r.target, r.body })
      assert.same({ host = "127.0.0.1:" .. server.port, accept = "*/*", ["accept-encoding"] = "gzip, deflate",
        ["user-agent"] = "connect-lua/" .. connect.version }, r.headers)
    end)

    it("a query, in order and encoded", function()
      http.get(server.url .. "/a?x=1", { query = { b = { 1, "zwei & drei" }, a = true, ["ä"] = "+" } })
      assert.equal("/a?x=1&a=true&b=1&b=zwei%20%26%20drei&%C3%A4=%2B", only(server:take()).target)
    end)

    it("bodies of all kinds", function()
      http.post(server.url, { body = "a\0b", headers = { ["content-type"] = "x/y" } })
      http.put(server.url, { json = { a = connect.null, b = connect.array {} } })
      http.patch(server.url, { form = { a = "1 2", b = "=" } })
      http.post(server.url)
      http.delete(server.url)
      http.request { url = server.url, method = "report", body = ("x"):rep(3000000) }
      local r = server:take()
      assert.same({ "POST", "a\0b", "x/y" }, { r[1].method, r[1].body, r[1].headers["content-type"] })
      assert.same({ "PUT", '{"a":null,"b":[]}', "application/json" }, { r[2].method, r[2].body, r[2].headers["content-type"] })
      assert.same({ "PATCH", "a=1%202&b=%3D", "application/x-www-form-urlencoded" },
        { r[3].method, r[3].body, r[3].headers["content-type"] })
      assert.same({ "POST", "0" }, { r[4].method, r[4].headers["content-length"], r[4].headers["content-type"] })
      assert.same({ "DELETE" }, { r[5].method, r[5].headers["content-length"] })
      assert.same({ "REPORT", 3000000 }, { r[6].method, #r[6].body, r[6].headers.expect })
    end)

    it("headers, empty ones too", function()
      http.get(server.url, { headers = { ["X-A"] = "", ["X-N"] = 5, ["User-Agent"] = "me" } })
      local r = only(server:take())
      assert.same({ "", "5", "me" }, { r.headers["x-a"], r.headers["x-n"], r.headers["user-agent"] })
    end)

    it("all over one connection", function()
      local api = http.client { base = server.url }
      for _ = 1, 3 do api:get "x" end
      http.get(server.url)
      for _, r in ipairs(server:take()) do assert.equal(1, r.connection) end
    end)

    it("what a client has, below its base", function()
      local api = http.client { base = server.url .. "/v1/", headers = { ["X-A"] = "1", ["X-B"] = "1" }, json = { a = 1 } }
      api:get("items", { headers = { ["x-b"] = "2" } })
      api:post("/items", { body = "text" })
      api:get "?page=2"
      api:request {}
      local r = server:take()
      assert.same({ "/v1/items", "1", "2", '{"a":1}' }, { r[1].target, r[1].headers["x-a"], r[1].headers["x-b"], r[1].body })
      assert.same({ "/v1/items", "text" }, { r[2].target, r[2].body })
      assert.equal("/v1/?page=2", r[3].target)
      assert.equal("/v1/", r[4].target)
    end)

    it("nothing that is wrong", function()
      local function wrong(given, why)
        local ok, e = pcall(http.request, given)
        assert.is_false(ok)
        assert.equal("connect.http: " .. why, (e:gsub("^[^ ]+:%d+: ", "")))
      end
      local u = server.url
      wrong(nil, "a table of options expected, not a nil")
      wrong({}, "url is missing")
      wrong({ url = u, timeut = 1 }, "there is no option timeut")
      wrong({ url = u, timeout = "1" }, "timeout must be a number of milliseconds")
      wrong({ url = u, timeout = 0 / 0 }, "timeout must be a number of milliseconds")
      wrong({ url = u, retries = 1.5 }, "retries must be a whole number from 0 on")
      wrong({ url = u, max_body = 0 }, "max_body must be a whole number from 1 on")
      wrong({ url = u, headers = { ["a b"] = "1" } }, "headers: a b cannot be a name")
      wrong({ url = u, headers = { a = "1\r\nX: y" } }, "headers: a must be one line without NULs")
      wrong({ url = u, headers = { ["Transfer-Encoding"] = "chunked" } }, "headers: Transfer-Encoding is not for the caller to set")
      wrong({ url = u, body = "", json = 1 }, "body, json and form exclude each other")
      wrong({ url = u, method = "GET /x" }, "method is not one")
      wrong({ url = u, auth = {} }, "auth is one of basic, bearer and oauth2")
      wrong({ url = u, auth = { basic = { user = "a:b", password = "" } } }, "auth.basic: a user's name has no colon")
      wrong({ url = u, auth = { oauth2 = { token_url = u } } }, "auth.oauth2 needs client_id")
      wrong({ url = u, auth = { oauth2 = { token_url = "x", client_id = "", client_secret = "" } } },
        "auth.oauth2.token_url: not a URL: Bad scheme")
      wrong({ url = u, proxy = "file:///etc/passwd" },
        'proxy is "environment", or a URL that begins with http://, https://, socks5:// or socks5h://')
      wrong({ url = u, tls = { cert = "x" } }, "tls: cert and key belong together")
      wrong({ url = u, tls = { verfy = false } }, "tls: there is no option verfy")
      for _, bad in ipairs { "ftp://x/", "file:///etc/passwd", "//x", "x", "gopher://x" } do
        local ok, e = pcall(http.get, bad)
        assert.is_false(ok, bad)
        assert.truthy(e:find "connect.http: not a URL", e)
      end
      assert.same({}, server:take())
    end)
  end)

  describe("answers", function()
    it("status, headers and body", function()
      serve [[return { status = 201, headers = { ["Content-Type"] = "a/b", ["Set-Cookie"] = { "a=1", "b=2" } }, body = '{"a":[]}' }]]
      local res = http.get(server.url .. "/x")
      assert.same({ 201, true, server.url .. "/x", '{"a":[]}' }, { res.status, res.ok, res.url, res.body })
      assert.same({ "a/b", "a/b", "a=1, b=2" },
        { res.headers["content-type"], res.headers["Content-Type"], res.headers["SET-COOKIE"], res.headers.none })
      assert.same({ "a=1", "b=2" }, res:values "set-cookie")
      assert.same({ a = {} }, res:json())
    end)

    it("without a body where there is none", function()
      serve [[local r = ... return r.method == "HEAD" and { body = ("x"):rep(99999999) } or { status = 204 }]]
      local res = http.head(server.url)
      assert.same({ 200, "", "99999999" }, { res.status, res.body, res.headers["content-length"] })
      assert.same({ 204, "" }, { http.get(server.url).status, http.get(server.url).body })
    end)

    it("interim answers, folded lines and chunks", function()
      serve [[return { raw = "HTTP/1.1 103 Early Hints\r\nX-A: no\r\n\r\nHTTP/1.1 200 Fine\r\nX-B: one\r\n two\r\n"
        .. "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n" }]]
      local res = http.get(server.url)
      assert.same({ "abcde", "one two" }, { res.body, res.headers["x-b"], res.headers["x-a"], res.headers["x-trailer"] })
    end)

    it("an error object for its status", function()
      serve [[local r = ... return { status = tonumber(r.path:sub(2)), headers = { ["Retry-After"] = "7" } }]]
      local res = http.get(server.url .. "/503?token=s3cret")
      assert.is_false(res.ok)
      local e = res:problem()
      assert.same({ "retriable", "status", ("GET http://127.0.0.1:%d: answered 503 Service Unavailable"):format(server.port) },
        { e.class, e.reason, tostring(e) })
      assert.equal(7000, res:retry_after())
      assert.equal("retriable", http.get(server.url .. "/429"):problem().class)
      assert.equal("fatal", http.get(server.url .. "/404"):problem().class)
      assert.equal("data", http.get(server.url .. "/404"):problem("data").class)
    end)

    it("what was compressed", function()
      local folder = helpers.folder()
      helpers.shell(("printf 'some text' | gzip -n > %s/z"):format(folder))
      serve(([[local f = io.open("%s/z") local z = f:read "*a" f:close()
        return { body = z, headers = { ["Content-Encoding"] = "gzip" } }]]):format(folder))
      assert.equal("some text", http.get(server.url).body)
    end)
  end)

  describe("fails", function()
    local function failed(class, reason, words, ...)
      local res, e = ...
      assert.is_nil(res)
      assert.same({ class, reason }, { e.class, e.reason }, e.message)
      assert.truthy(e.message:find(words, 1, true), e.message)
      assert.truthy(e.message:find "^%u+ https?://[%w.]+:?%d*: ", e.message)
      assert.is_nil(e.message:find("s3cret", 1, true), e.message)
      return e
    end

    it("where nobody listens", function()
      local e = failed("retriable", "connect", "does the server run", http.get "http://user:s3cret@127.0.0.1:1/s3cret?t=s3cret")
      assert.has_error(function() error(e) end)
      failed("retriable", "resolve", "DNS", http.get "http://nosuch.invalid/s3cret")
      failed("retriable", "connect", "after 3 attempts", http.get("http://127.0.0.1:1/", { retries = 2, backoff = 1 }))
    end)

    it("when no answer comes", function()
      serve [[local r = ... return r.path == "/body" and { parts = { "x", "y" }, pause = 3000 } or { hang = true }]]
      failed("retriable", "timeout", "no answer within 50 ms (is the server overloaded?", http.get(server.url, { timeout = 50 }))
      failed("retriable", "timeout", "no whole answer within 200 ms", http.get(server.url .. "/body", { timeout = 200 }))
    end)

    it("when the connection ends", function()
      serve [[local r = ...
        if r.path == "/none" then return { raw = "", close = true } end
        if r.path == "/head" then return { raw = "HTTP/1.1 200 OK\r\nX", close = true } end
        if r.path == "/chunk" then return { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", close = true } end
        return { raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", close = true }]]
      for _, path in ipairs { "/none", "/chunk", "/length" } do
        failed("retriable", "broken", "has ended the connection", http.get(server.url .. path))
      end
    end)

    it("when what comes is no HTTP", function()
      serve [[return { raw = "220 smtp.example.com ready\r\n", close = true }]]
      failed("fatal", "protocol", "is this the port of an HTTP server?", http.get(server.url))
    end)

    it("when it is too large", function()
      local folder = helpers.folder()
      helpers.shell(("head -c 100000000 /dev/zero | gzip -9n > %s/bomb"):format(folder))
      serve(([[local r = ...
        if r.path == "/announced" then return { raw = "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n" } end
        if r.path == "/head" then return { headers = { a = ("x"):rep(60000), b = ("x"):rep(60000), c = ("x"):rep(60000),
          d = ("x"):rep(60000), e = ("x"):rep(60000) } } end
        if r.path == "/exact" then return { body = ("x"):rep(1000) } end
        if r.path == "/bomb" then
          local f = io.open("%s/bomb") local z = f:read "*a" f:close()
          return { body = z, headers = { ["Content-Encoding"] = "gzip" } }
        end
        return { parts = { ("x"):rep(1000), ("x"):rep(1000) } }]]):format(folder))
      local why = "the response is too large (max_body is the longest it may be; stream reads it in pieces)"
      failed("fatal", "too_large", why, http.get(server.url .. "/announced"))
      failed("fatal", "too_large", why, http.get(server.url .. "/chunks", { max_body = 1999 }))
      failed("fatal", "too_large", why, http.get(server.url .. "/bomb"))
      local bomb, n = http.get(server.url .. "/bomb", { stream = true }), 0
      for piece in function() return bomb:read() end do n = n + #piece end
      assert.equal(100000000, n)
      failed("fatal", "too_large", "256 KiB of header lines", http.get(server.url .. "/head"))
      assert.equal(2000, #http.get(server.url .. "/chunks", { max_body = 2000 }).body)
      assert.equal(1000, #http.get(server.url .. "/exact", { max_body = 1000 }).body)
    end)
  end)

  describe("tries again", function()
    it("as often as it may", function()
      serve [[local r = ... return { status = r.n < 3 and 503 or 200, body = "x" }]]
      assert.equal(200, http.post(server.url, { body = "b", retries = 2, backoff = 1 }).status)
      local asked = server:take()
      assert.equal(3, #asked)
      for _, r in ipairs(asked) do assert.same({ "POST", "b", 1 }, { r.method, r.body, r.connection }) end
    end)

    it("and answers the last response, or the last error", function()
      serve [[local r = ... if r.path == "/hang" then return { hang = true } end return { status = 500 }]]
      assert.equal(500, http.get(server.url, { retries = 2, backoff = 1 }).status)
      assert.equal(3, #server:take())
      local _, e = http.get(server.url .. "/hang", { retries = 1, backoff = 1, timeout = 50 })
      assert.truthy(e.message:find(", after 2 attempts", 1, true), e.message)
    end)

    it("not for what it should not", function()
      serve [[local r = ... return { status = tonumber(r.path:sub(2)) }]]
      assert.equal(404, http.get(server.url .. "/404", { retries = 5, backoff = 1 }).status)
      assert.equal(500, http.get(server.url .. "/500", { retries = 5, backoff = 1, retry_on = { 404 } }).status)
      assert.equal(2, #server:take())
      assert.equal(404, http.get(server.url .. "/404", { retries = 1, backoff = 1, retry_on = { 404 } }).status)
      assert.equal(2, #server:take())
    end)

    it("when the server says", function()
      serve [[local r = ...
        if r.n > 1 then return { status = 200 } end
        local date = os.date("!%a, %d %b %Y %X GMT", os.time() + 2)
        return { status = 429, headers = { ["Retry-After"] = r.path == "/date" and date or "1" } }]]
      local began = connect.time.monotonic()
      assert.equal(200, http.get(server.url, { retries = 1, backoff = 1 }).status)
      assert.is_true(connect.time.monotonic() - began >= 1000)
      serve(helpers.read(server.folder .. "/script.lua"))
      began = connect.time.monotonic()
      assert.equal(200, http.get(server.url .. "/date", { retries = 1, backoff = 1 }).status)
      assert.is_true(connect.time.monotonic() - began >= 900)
    end)

    it("not when that is too long to wait", function()
      serve [[return { status = 503, headers = { ["Retry-After"] = "3600" } }]]
      local res = http.get(server.url, { retries = 9 })
      assert.same({ 503, 3600000 }, { res.status, res:retry_after() })
      assert.equal(1, #server:take())
    end)
  end)

  describe("is sent elsewhere", function()
    local function redirect(script) return serve("local r = ... do " .. script .. " end return { body = 'end' }") end

    it("and follows", function()
      redirect [[local to = ({ ["/a/one"] = "two", ["/a/two"] = "/three?x=1", ["/three"] = "//" .. r.headers.host .. "/four" })[r.path]
        if to then return { status = 302, headers = { Location = to }, body = "gone" } end]]
      local res = http.get(server.url .. "/a/one", { headers = { Authorization = "x" } })
      assert.same({ "end", server.url .. "/four" }, { res.body, res.url })
      for _, r in ipairs(server:take()) do assert.same({ "x", 1 }, { r.headers.authorization, r.connection }) end
    end)

    it("with the method that the status asks for", function()
      redirect [[local status = tonumber(r.path:sub(2))
        if status then return { status = status, headers = { Location = "/end" } } end]]
      for _, case in ipairs { { 301, "POST", "GET" }, { 302, "POST", "GET" }, { 303, "PUT", "GET" }, { 307, "POST", "POST" },
        { 308, "PUT", "PUT" }, { 301, "PUT", "PUT" }, { 303, "HEAD", "HEAD" } } do
        http.request { url = ("%s/%d"):format(server.url, case[1]), method = case[2], body = case[2] ~= "HEAD" and "b" or nil,
          headers = { ["Content-Type"] = "t/t" } }
        local last = server:take()[2]
        assert.equal(case[3], last.method, case[1])
        local kept = case[3] ~= "GET" and case[2] ~= "HEAD"
        assert.same({ kept and "b" or "" }, { last.body })
        if case[3] == "GET" then assert.is_nil(last.headers["content-type"]) end
      end
    end)

    it("without its secrets on another server", function()
      redirect [[local to = "http://localhost:" .. r.headers.host:match "%d+$" .. "/x"
        if r.path == "/" then return { status = 307, headers = { Location = to } } end]]
      http.post(server.url, { json = {}, auth = { bearer = "t" }, headers = { Cookie = "c", ["X-A"] = "1" } })
      local asked = server:take()
      assert.same({ "Bearer t", "c", "1" }, { asked[1].headers.authorization, asked[1].headers.cookie, asked[1].headers["x-a"] })
      assert.same({ [3] = "1" }, { asked[2].headers.authorization, asked[2].headers.cookie, asked[2].headers["x-a"] })
    end)

    it("not for ever, and not to what is no HTTP", function()
      redirect [[local to = ({ ["/file"] = "file:///etc/passwd", ["/bad"] = "http://[" })[r.path] or "/loop"
        return { status = 302, headers = { Location = to } }]]
      local res, e = http.get(server.url .. "/loop")
      assert.same({ nil, "redirect", "fatal" }, { res, e.reason, e.class })
      assert.truthy(e.message:find("more than 5 redirects", 1, true), e.message)
      assert.equal(6, #server:take())
      for _, path in ipairs { "/file", "/bad" } do
        res, e = http.get(server.url .. path)
        assert.is_nil(res)
        assert.truthy(e.message:find("was sent to what is no URL of http or https", 1, true), e.message)
      end
      assert.equal(302, http.get(server.url .. "/loop", { follow = 0 }).status)
    end)
  end)

  describe("says who it is", function()
    it("by user and password, or a token", function()
      serve [[return {}]]
      http.get(server.url, { auth = { basic = { user = "me", password = "päss:word" } } })
      http.get((server.url:gsub("//", "//me:p%%40ss@")))
      http.get(server.url, { auth = { bearer = "abc" } })
      local asked = server:take()
      assert.equal("Basic " .. connect.crypto.base64 "me:päss:word", asked[1].headers.authorization)
      assert.equal("Basic " .. connect.crypto.base64 "me:p@ss", asked[2].headers.authorization)
      assert.equal("Bearer abc", asked[3].headers.authorization)
    end)

    it("to the client's server only", function()
      serve [[return {}]]
      local api = http.client { base = server.url .. "/v1", auth = { bearer = "abc" }, headers = { Cookie = "c" } }
      api:get(server.url .. "/other")
      api:get(server.url:gsub("127.0.0.1", "localhost") .. "/other")
      local asked = server:take()
      assert.same({ "Bearer abc", "c" }, { asked[1].headers.authorization, asked[1].headers.cookie })
      assert.same({}, { asked[2].headers.authorization, asked[2].headers.cookie })
    end)

    local OAUTH = [[local r = ...
      made = made or 0
      if r.path == "/token" then
        made = made + 1
        if r.body:find "bad" then return { status = 400, body = '{"error":"invalid_scope","error_description":"no such scope"}' } end
        return { body = '{"access_token":"token-' .. made .. '","token_type":"bearer","expires_in":' .. (life or 3600) .. '}' }
      end
      if r.path == "/revoked" and r.headers.authorization == "Bearer token-1" then return { status = 401 } end
      if r.path == "/never" then return { status = 401 } end
      return { body = r.headers.authorization }]]

    local function oauth(more)
      local conf = { token_url = server.url .. "/token", client_id = "me & you", client_secret = "s3cret!" }
      for k, v in pairs(more or {}) do conf[k] = v end
      return { auth = { oauth2 = conf } }
    end

    it("by client credentials, whose token is kept", function()
      serve(OAUTH)
      assert.equal("Bearer token-1", http.get(server.url, oauth { scope = "a b" }).body)
      assert.equal("Bearer token-1", http.get(server.url, oauth { scope = "a b" }).body)
      local asked = server:take()
      assert.equal(3, #asked)
      assert.equal("grant_type=client_credentials&scope=a%20b", asked[1].body)
      assert.equal("Basic " .. connect.crypto.base64 "me%20%26%20you:s3cret%21", asked[1].headers.authorization)
      http.get(server.url, oauth { style = "body", params = { resource = "r" } })
      asked = server:take()
      assert.equal("client_id=me%20%26%20you&client_secret=s3cret%21&grant_type=client_credentials&resource=r", asked[1].body)
      assert.is_nil(asked[1].headers.authorization)
    end)

    it("anew when it is refused, once", function()
      serve(OAUTH)
      assert.equal(200, http.get(server.url .. "/revoked", oauth()).status)
      assert.equal(4, #server:take())
      assert.equal(401, http.get(server.url .. "/never", oauth()).status)
      assert.equal(3, #server:take())
    end)

    it("anew before it ends", function()
      serve("life = 0.001 " .. OAUTH)
      http.get(server.url, oauth())
      connect.http.get(server.url)
      http.get(server.url, oauth())
      local tokens = 0
      for _, r in ipairs(server:take()) do tokens = tokens + (r.path == "/token" and 1 or 0) end
      assert.equal(2, tokens)
    end)

    it("or says why there is no token", function()
      serve(OAUTH)
      local res, e = http.get(server.url, oauth { scope = "bad" })
      assert.is_nil(res)
      assert.equal(("POST http://127.0.0.1:%d: answered 400 Status to the request for a token: invalid_scope, no such scope")
        :format(server.port), e.message)
      assert.equal("fatal", e.class)
    end)
  end)

  describe("streams", function()
    it("a body in pieces", function()
      serve [[local parts = {} for i = 1, 100 do parts[i] = ("x"):rep(100000) end return { parts = parts }]]
      local res = http.get(server.url, { stream = true })
      assert.is_nil(res.body)
      local n, longest = 0, 0
      for piece in function() return res:read() end do n, longest = n + #piece, math.max(longest, #piece) end
      assert.equal(10000000, n)
      assert.is_true(longest <= 65536)
      assert.is_nil(res:read())
      res = http.get(server.url, { stream = true })
      assert.equal("x", res:read(1))
      res:close()
      assert.is_nil(res:read())
      assert.equal(200, http.get(server.url).status)
    end)

    it("two at once", function()
      serve [[local r = ... local parts = {} for i = 1, 40 do parts[i] = r.path:sub(2):rep(10000) end return { parts = parts }]]
      local a = http.get(server.url .. "/a", { stream = true })
      a:read(1)
      local b = http.get(server.url .. "/b", { stream = true })
      local na, nb = 1, 0
      repeat
        local x, y = a:read(9999), b:read()
        na, nb = na + #(x or ""), nb + #(y or "")
        assert.is_nil((x or ""):find "[^a]")
        assert.is_nil((y or ""):find "[^b]")
      until not x and not y
      assert.same({ 400000, 400000 }, { na, nb })
    end)

    it("up to its ceiling, or to where it breaks off", function()
      serve [[local r = ... if r.path == "/cut" then return { raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", close = true } end
        if r.path == "/slow" then return { parts = { "a", "b" }, pause = 1500 } end
        return { parts = { "12345", "67890", "x" } }]]
      local function all(path, options)
        options.stream = true
        local res, text = http.get(server.url .. path, options), ""
        while true do
          local piece, e = res:read()
          if not piece then return text, e and e.reason end
          text = text .. piece
        end
      end
      local text, reason = all("/long", { max_body = 10 })
      assert.is_true(#text <= 10)
      assert.equal("too_large", reason)
      assert.same({ "1234567890x" }, { all("/long", { max_body = 11 }) })
      assert.same({ "ab", "broken" }, { all("/cut", {}) })
      assert.same({ "", "timeout" }, { all("/slow", { timeout = 300 }) })
    end)
  end)

  it("goes through a proxy only when it is told to", function()
    serve [[local r = ... return { body = r.target }]]
    ffi.C.setenv("http_proxy", server.url, 1)
    local res, e = http.get "http://nosuch.invalid/x"
    assert.same({ nil, "resolve" }, { res, e and e.reason })
    assert.equal("http://nosuch.invalid/x", http.get("http://nosuch.invalid/x", { proxy = "environment" }).body)
    ffi.C.unsetenv "http_proxy"
    assert.equal("http://nosuch.invalid/y", http.get("http://nosuch.invalid/y", { proxy = server.url:gsub("//", "//u:p@") }).body)
    local asked = server:take()
    assert.equal("Basic " .. connect.crypto.base64 "u:p", asked[2].headers["proxy-authorization"])
    res, e = http.get("http://nosuch.invalid/x", { proxy = "http://u:s3cret@127.0.0.1:1" })
    assert.is_nil(res)
    assert.is_nil(e.message:find("s3cret", 1, true), e.message)
  end)

  it("keeps its insides from plugins", function()
    serve [[return { body = "x" }]]
    local res = http.get(server.url, { stream = true })
    for _, value in pairs(res) do assert.not_equal("cdata", type(value)) end
    assert.is_false(getmetatable(res))
    assert.is_false(getmetatable(res.headers))
    assert.is_false(getmetatable(http.client {}))
    assert.has_error(function() res.read({}) end, "a response expected: call it as response:method(...)")
    assert.has_error(function() http.client {}.get({}, "x") end, "a client expected: call it as client:method(...)")
    res:close()
  end)

  it("is for check, not for validate and not for a file's top", function()
    serve [[return { body = "seen" }]]
    local folder = helpers.folder()
    local file = folder .. "/p.lua"
    local call = ("require('connect').http.get('%s').body"):format(server.url)
    helpers.write(file, ([[return { api = 1, kind = "source", poll = function() end,
      check = function() return %s end, validate = function() return %s end, tasks = function() return { %s } end }]])
      :format(call, call, call))
    assert.equal("seen", control.call(file, folder, nil, "check", {}))
    assert.same({ "seen" }, control.call(file, folder, nil, "tasks", {}))
    local ok, e = pcall(control.call, file, folder, nil, "validate", {})
    assert.is_false(ok)
    assert.truthy(e:find("connect.http: not for validate, which must not depend on others: check(config) may", 1, true), e)
    helpers.write(file, "local x = " .. call)
    ok, e = pcall(control.manifest, file, folder)
    assert.is_false(ok)
    assert.truthy(e:find("connect.http: not for the top of a file", 1, true), e)
    running.closed = nil
    assert.equal(2, #server:take())
  end)
end)
