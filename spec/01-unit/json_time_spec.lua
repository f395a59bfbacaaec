-- SPDX-License-Identifier: Apache-2.0
-- connect.json, connect.time and connect.metrics, as plugins have them.
local connect = require "connect"

local json, time = connect.json, connect.time

describe("connect.json", function()
  it("keeps null, integers, empty lists and objects", function()
    local text = '{"a":[],"b":{},"c":null,"d":9007199254740993,"e":1.5,"f":"\\u0000x"}'
    assert.equal(text, json.encode(json.decode(text)))
    assert.equal(connect.null, json.decode "null")
    assert.equal('{\n "a": 1\n}', json.encode({ a = 1 }, { indent = 1 }))
  end)

  it("raises for what has no JSON, and says where a text is none", function()
    for _, x in ipairs { 0 / 0, math.huge, print, "\255" } do assert.has_error(function() json.encode { x } end) end
    local deep = {}
    deep[1] = deep
    assert.has_error(function() json.encode(deep) end)
    assert.has_error(function() json.encode({}, { indent = -1 }) end, "indent is a number up to 31")
    local _, why = json.decode '{"a": }'
    assert.truthy(why:find "^line 1, column 7: ", why)
    assert.truthy(select(2, json.decode(("["):rep(102) .. ("]"):rep(102))):find "nested deeper than 100")
  end)

  it("takes a million values and no more", function()
    local many = "[" .. ("1,"):rep(999998) .. "1]"
    assert.equal(999999, #json.decode(many))
    many = "[" .. ("1,"):rep(1000000) .. "1]"
    assert.same({ nil, "JSON of more than 1000000 values" }, { json.decode(many) })
    assert.equal(2000002, #json.decode('"\\"' .. ("[,"):rep(1000000) .. '\\\\"')) -- not in strings
  end)

  it("follows pointers", function() -- RFC 6901, 5
    local doc = json.decode [[{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"m~n":8," ":7,"n":null,"o":{"0":"x"},"l":[]}]]
    assert.equal(doc, json.pointer(doc, ""))
    assert.same({ "bar", "baz" }, json.pointer(doc, "/foo"))
    assert.equal("bar", json.pointer(doc, "/foo/0"))
    assert.equal(0, json.pointer(doc, "/"))
    assert.equal(1, json.pointer(doc, "/a~1b"))
    assert.equal(8, json.pointer(doc, "/m~0n"))
    assert.equal(7, json.pointer(doc, "/ "))
    assert.equal("x", json.pointer(doc, "/o/0"))
    assert.equal(connect.null, json.pointer(doc, "/n"))
    for _, none in ipairs { "/foo/2", "/foo/00", "/foo/-", "/foo/-1", "/foo/a", "/none", "/n/x", "/foo/0/x", "/l/0", "/foo/1e0" } do
      assert.is_nil(json.pointer(doc, none), none)
    end
    assert.has_error(function() json.pointer(doc, "foo") end, "a JSON pointer begins with /")
    assert.has_error(function() json.pointer(doc, "/a~2b") end, "in a JSON pointer ~ is written ~0")
    assert.has_error(function() json.pointer(doc, "/a~") end, "in a JSON pointer ~ is written ~0")
  end)
end)

describe("connect.time", function()
  it("writes moments", function()
    assert.equal("2023-11-14T22:13:20.123Z", time.format(1700000000123))
    assert.equal("1970-01-01T00:00:00Z", time.format(0))
    assert.equal("1969-12-31T23:59:59.999Z", time.format(-1))
    assert.equal("0000-01-01T00:00:00Z", time.format(-62167219200000))
    assert.equal("9999-12-31T23:59:59.999Z", time.format(253402300799999))
    assert.equal("Sun, 06 Nov 1994 08:49:37 GMT", time.http_date(784111777000))
    for _, bad in ipairs { 1e300, -1e300, 0 / 0, 253402300800000 } do
      assert.has_error(function() time.format(bad) end, "a moment of the years 0000 to 9999 is needed")
    end
    assert.has_error(function() time.format "0" end, "milliseconds expected, not a string")
  end)

  it("reads what it writes, on every day of four hundred years", function()
    local weekdays = { [0] = "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }
    for day = -135140, 11000 do -- from 1600 on
      local ms = day * 86400000 + 45296789
      local text, http = time.format(ms), time.http_date(ms)
      assert(time.parse(text) == ms, text)
      assert(time.parse_http(http) == ms - 789, http)
      assert(http:sub(1, 3) == weekdays[day % 7], http)
    end
  end)

  it("agrees with the system's calendar", function()
    for _, s in ipairs { 0, 951782400, 951868800, 1709164800, 4107542399, 32503680000 } do
      assert.equal(os.date("!%Y-%m-%dT%H:%M:%SZ", s), time.format(s * 1000))
    end
  end)

  it("reads ISO 8601", function()
    for text, ms in pairs {
      ["2023-11-14T23:13:20.5+01:00"] = 1700000000500, ["2023-11-14 22:13:20Z"] = 1700000000000,
      ["2023-11-14T22:13:20.123456789Z"] = 1700000000123, ["2023-11-14T22:13:20,123"] = 1700000000123,
      ["2023-11-14"] = 1699920000000, ["2023-11-14T22:13"] = 1699999980000, ["2023-11-14T17:13:20-0500"] = 1700000000000,
      ["2023-11-14T22:13:20+00"] = 1700000000000, ["2016-12-31T23:59:60Z"] = 1483228800000,
      ["2024-02-29t00:00:00z"] = 1709164800000,
    } do
      assert.equal(ms, time.parse(text), text)
    end
    for _, bad in ipairs { "", "2023", "2023-13-01", "2023-02-29", "2023-00-01", "2023-01-00", "2023-11-14T24:00:00Z",
      "2023-11-14T22:60:00Z", "2023-11-14T22:13:61Z", "2023-11-14T22", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+1:00",
      "2023-11-14T22:13:20+19:00", "2023-11-14T22:13:20Zx", "2023-11-14x", "2023-11-14Z", " 2023-11-14" } do
      local ms, why = time.parse(bad)
      assert.is_nil(ms, bad)
      assert.is_string(why)
    end
  end)

  it("reads HTTP's dates", function()
    assert.equal(784111777000, time.parse_http "Sun, 06 Nov 1994 08:49:37 GMT")
    assert.equal(784111777000, time.parse_http "Sunday, 06-Nov-94 08:49:37 GMT")
    assert.equal(784111777000, time.parse_http "Sun Nov  6 08:49:37 1994")
    for _, bad in ipairs { "", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT" } do
      assert.same({ nil, "not an HTTP date" }, { time.parse_http(bad) })
    end
  end)
end)

describe("connect.metrics", function()
  it("takes what ctx.metrics takes, where nobody counts", function()
    local n = connect.metrics:counter "rows"
    n:add(3)
    assert.equal(n, connect.metrics:counter "rows")
    connect.metrics:gauge("open"):set(1)
    assert.has_error(function() connect.metrics:gauge "rows" end, "ctx.metrics: rows is a counter already")
  end)
end)
