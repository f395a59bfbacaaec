-- SPDX-License-Identifier: Apache-2.0
-- CORS and configured headers, as Apache Connect 4.2 sends them; who is not allowed gets no permission.
local helpers = require "spec.helpers"

describe("response headers #embedded", function()
  local worker
  after_each(helpers.clean)

  -- All headers of an answer: name in lower case to the list of its values.
  local function ask(options, path, url)
    local out = helpers.shell(("curl -sS -o /dev/null -D - %s '%s%s'"):format(options or "", url or worker.url, path or "/connectors"))
    local status, all = tonumber(out:match("HTTP/1.1 (%d+)")), {}
    for name, value in out:gmatch("\n([%w-]+): ?([^\r\n]*)") do
      name = name:lower()
      all[name] = all[name] or {}
      table.insert(all[name], value)
    end
    return all, status
  end
  local function serve(keys) worker = helpers.worker(keys):start() end
  local PREFLIGHT = "-X OPTIONS -H 'Access-Control-Request-Method: PUT' "
  local function from(origin, more) return ("%s -H 'Origin: %s'"):format(more or "", origin) end

  it("allow the origins of the worker file, no others", function()
    serve { ["access.control.allow.origin"] = "http://a.example, HTTPS://.*\\.c\\.org", ["access.control.allow.methods"] = "GET,PUT" }
    for _, origin in ipairs { "http://a.example", "HTTP://A.EXAMPLE", "https://x.c.org" } do
      local found, status = ask(from(origin))
      assert.equal(200, status)
      assert.same({ origin }, found["access-control-allow-origin"])
      assert.same({ "Origin" }, found.vary)
      assert.is_nil(found["access-control-allow-credentials"])
      assert.is_nil(found["access-control-allow-methods"])
    end
    for _, origin in ipairs { "http://evil", "http://a.example.evil", "http://xa.example", "https://c.org", "null", "" } do
      for _, more in ipairs { "", PREFLIGHT } do
        local found, status = ask(from(origin, more))
        assert.equal(200, status)
        for name in pairs(found) do assert.is_nil(name:match("^access%-control"), origin) end
        assert.same({ "Origin" }, found.vary)
      end
    end
    assert.same({ "Origin" }, (ask()).vary)
    local found, status = ask(from("http://a.example", PREFLIGHT))
    assert.equal(200, status)
    assert.same({ "http://a.example" }, found["access-control-allow-origin"])
    assert.same({ "GET,PUT" }, found["access-control-allow-methods"])
    assert.same({ "Content-Type" }, found["access-control-allow-headers"])
    assert.same({ "60" }, found["access-control-max-age"])
    assert.same({ "HEAD,POST,GET,OPTIONS" }, found.allow)
    local missing, code = ask(from "http://a.example", "/nowhere") -- errors, too
    assert.equal(404, code)
    assert.same({ "http://a.example" }, missing["access-control-allow-origin"])
    worker:stop()
  end)

  it("allow any origin when told so, and none by default", function()
    serve { ["access.control.allow.origin"] = "*" }
    local found = ask(from("http://anybody", PREFLIGHT))
    assert.same({ "http://anybody" }, found["access-control-allow-origin"])
    assert.same({ "GET,POST,HEAD" }, found["access-control-allow-methods"])
    worker:stop()
    serve { ["access.control.allow.methods"] = "GET" }
    for name in pairs((ask(from("http://anybody", PREFLIGHT)))) do
      assert.is_nil(name:match("^access%-control"))
      assert.not_equal("vary", name)
    end
    worker:stop()
  end)

  it("are those of response.http.headers.config, but for the answer's own", function()
    serve { ["admin.listeners"] = "http://127.0.0.1:0", ["response.http.headers.config"] =
      'set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store",setDate Expires: 0,set A: 1,set a: 2,add A: 3,'
      .. "add Server: me,set Content-Type: x/y,set Allow: none" }
    for path, status in pairs { ["/connectors"] = 200, ["/nowhere"] = 404, ["/connectors/none"] = 404, ["//"] = 400 } do
      local found, code = ask(nil, path)
      assert.equal(status, code)
      assert.same({ "DENY" }, found["x-frame-options"])
      assert.same({ "no-cache, no-store" }, found["cache-control"])
      assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", found.expires[1])
      assert.same({ "2", "3" }, found.a)
      assert.same({ "me" }, found.server)
      assert.same({ "application/json" }, found["content-type"])
      assert.same({ "none" }, found.allow)
    end
    assert.same({ "HEAD,POST,GET,OPTIONS" }, (ask "-X OPTIONS").allow)
    local refusal = ask(("-H 'Content-Type: application/json' -H 'Content-Length: %d' -X POST"):format(2 ^ 30))
    assert.same({ "DENY" }, refusal["x-frame-options"])
    local admin, status = ask(nil, "/admin/loggers", worker.admin_url)
    assert.equal(200, status)
    assert.is_nil(admin["x-frame-options"])
    worker:stop()
  end)

  it("that cannot be end the start", function()
    for key, value in pairs { ["response.http.headers.config"] = "nonsense", ["access.control.allow.origin"] = "http://(" } do
      worker = helpers.worker { [key] = value }
      worker:launch()
      assert.equal(2, (worker:wait()))
      assert.matches(value, worker:log(), 1, true)
    end
  end)
end)
