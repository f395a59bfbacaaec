-- SPDX-License-Identifier: Apache-2.0
-- TimestampConverter: every kind of time to every other, schemas, units, and its errors as Apache's.

local connect = require "connect"
local T = require "spec.helpers.transform"

local DATA = "org.apache.kafka.connect.errors.DataException"
local CONNECT = "org.apache.kafka.connect.errors.ConnectException"
local PATTERN = "yyyy MM dd HH mm ss SSS z"
local TEXT = "1970 01 02 00 00 01 234 UTC"
local MAX = "9223372036854775807"

describe("TimestampConverter", function()
  local function options(target, more)
    local o = { file = "timestamp_converter", config = { ["target.type"] = target, format = PATTERN } }
    for k, v in pairs(more or {}) do
      if k == "field" or k == "format" or k:find "%." then o.config[k] = v else o[k] = v end
    end
    return o
  end

  local function typed(target, schema, payload, more)
    local o = options(target, more)
    o.schemas = true
    local out = T.run(o, { T.typed(schema, payload) })[1].value
    return { out.schema, out.kind }
  end

  local function logical(name) return ('"name":"org.apache.kafka.connect.data.%s"'):format(name) end

  -- What becomes of a number of milliseconds, without schema.
  local function from_ms(target, ms, more) return T.run(options(target, more), { ms })[1].value.kind end

  local SOURCES = {
    Timestamp = { '"type":"int64",' .. logical "Timestamp", "86401234", 86401234 },
    Date = { '"type":"int32",' .. logical "Date", "1", 86400000 },
    Time = { '"type":"int32",' .. logical "Time", "1234", 1234 },
    unix = { '"type":"int64"', "86401234", 86401234 },
    string = { '"type":"string"', '"' .. TEXT .. '"', 86401234 },
  }
  local SCHEMAS = { Timestamp = "int64<Timestamp>", Date = "int32<Date>", Time = "int32<Time>", unix = "int64",
    string = "string" }
  local TEXTS = { [86401234] = TEXT, [86400000] = "1970 01 02 00 00 00 000 UTC", [1234] = "1970 01 01 00 00 01 234 UTC" }

  local function expected(target, ms)
    local out = { Timestamp = "timestamp " .. ms, Date = "date " .. ms - ms % 86400000, Time = "time " .. ms % 86400000,
      unix = "int64 " .. ms, string = "string " .. TEXTS[ms] }
    return out[target]
  end

  for source, of in pairs(SOURCES) do
    for target, schema in pairs(SCHEMAS) do
      it(("makes a %s of a %s"):format(target, source), function()
        assert.same({ schema, expected(target, of[3]) }, typed(target, of[1], of[2]))
        assert.same({ schema .. "?", "null" }, typed(target, of[1] .. ',"optional":true', "null"))
        local out = T.run(options(target, { schemas = true, field = "ts" }),
          { T.struct({ { "a", '"type":"int8"' }, { "ts", of[1] .. ',"optional":true' } }, '{"a":1,"ts":' .. of[2] .. "}") })
        assert.equal(("S{a:int8,ts:%s?}"):format(schema), out[1].value.schema)
        assert.same({ a = "int8 1", ts = expected(target, of[3]) }, out[1].value.fields)
        assert.is_true(out[1].value.same_schema)
      end)
    end
  end

  it("takes what it finds without a schema: longs, strings and dates", function()
    assert.equal("timestamp 86401234", from_ms("Timestamp", "86401234"))
    assert.equal("timestamp 86401234", from_ms("Timestamp", '"' .. TEXT .. '"'))
    for _, name in ipairs { "date", "time_of_day", "timestamp" } do
      assert.equal("int64 86400000", T.run(options("unix", { prepare = function(r) r.value = connect[name](86400000) end }),
        { "1" })[1].value.kind)
    end
    assert.equal("null", from_ms("string", "null"))
  end)

  it("refuses other values without a schema", function()
    local function why(prepare)
      return T.error(options("Timestamp", { prepare = prepare }), { "true" })
    end
    assert.same({ DATA, "TimestampConverter does not support class java.lang.Boolean objects as timestamps" }, why())
    assert.same({ DATA, "TimestampConverter does not support class java.lang.Integer objects as timestamps" },
      why(function(r) r.value = connect.int32(5) end))
    assert.same({ DATA, "TimestampConverter does not support class java.lang.Double objects as timestamps" },
      why(function(r) r.value = 1.5 end))
    assert.same({ DATA, "TimestampConverter does not support class java.util.HashMap objects as timestamps" },
      T.error(options "Timestamp", { '{"a":1}' }))
  end)

  it("floors days and times of day", function()
    assert.equal("date -86400000", from_ms("Date", "-1500"))
    assert.equal("time 86398500", from_ms("Time", "-1500"))
    assert.equal("timestamp -1500", from_ms("Timestamp", "-1500"))
  end)

  it("counts in any unit, cut towards zero and kept within a long", function()
    local function unit(name, value, target) return from_ms(target or "Timestamp", value, { ["unix.precision"] = name }) end
    assert.equal("timestamp 86401234", unit("microseconds", "86401234123"))
    assert.equal("timestamp 86401234", unit("nanoseconds", "86401234123456"))
    assert.equal("timestamp 86401000", unit("seconds", "86401"))
    assert.equal("timestamp -1", unit("microseconds", "-1500"))
    assert.equal("timestamp " .. MAX, unit("seconds", "9223372036854776"))
    assert.equal("timestamp 9223372036854775000", unit("seconds", "9223372036854775"))
    assert.equal("timestamp -9223372036854775808", unit("seconds", "-9223372036854776"))
    assert.equal("int64 86401", unit("seconds", '"' .. TEXT .. '"', "unix"))
    assert.equal("int64 86401234000", unit("microseconds", '"' .. TEXT .. '"', "unix"))
    assert.equal("int64 86401234000000", unit("nanoseconds", '"' .. TEXT .. '"', "unix"))
    local function from_date(name, ms)
      return T.run(options("unix", { ["unix.precision"] = name, prepare = function(r) r.value = connect.timestamp(ms) end }),
        { "1" })[1].value.kind
    end
    assert.equal("int64 -1", from_date("seconds", -1500))
    assert.equal("int64 " .. MAX, from_date("nanoseconds", 2 ^ 52))
    assert.equal("int64 -9223372036854775808", from_date("nanoseconds", -2 ^ 52))
  end)

  it("reads leniently, a prefix", function()
    assert.equal("timestamp 1613260800000", from_ms("Timestamp", '"2020-13-45zzz"', { format = "yyyy-MM-dd" }))
  end)

  it("tells which text does not match", function()
    assert.same({ DATA, "Could not parse timestamp: value (xx) does not match pattern (yyyy-MM-dd)" },
      T.error(options("Timestamp", { format = "yyyy-MM-dd" }), { '"xx"' }))
  end)

  it("fails at a text when it has no format", function()
    assert.same({ "java.lang.NullPointerException",
      'Cannot invoke "java.text.SimpleDateFormat.parse(String)" because "config.format" is null' },
      T.error(options("unix", { format = "" }), { '"1970"' }))
  end)

  describe("by schema", function()
    it("refuses types that are no times, null or not", function()
      local why = "Schema Schema{INT32} does not correspond to a known timestamp type format"
      local o = options("unix", { schemas = true })
      assert.same({ CONNECT, why }, T.error(o, { T.typed('"type":"int32"', "5") }))
      assert.same({ CONNECT, why }, T.error(o, { T.typed('"type":"int32","optional":true', "null") }))
      o.config.field = "a"
      assert.same({ CONNECT, why }, T.error(o, { T.struct({ { "a", '"type":"int32","optional":true' } }, '{"a":null}') }))
    end)

    it("refuses values of another class than the schema's", function()
      local function cast(to, schema, payload)
        local o = options("unix", { schemas = true })
        local task = require "spec.helpers.task"
        local t = task.new { value = "lua/connect/converters/json.lua", key = false, plugin = { kind = "sink", put = function() end },
          transforms = { { plugin = "lua/connect/transforms/cast.lua", config = { spec = { to } }, side = "value" },
            { plugin = "lua/connect/transforms/timestamp_converter.lua", config = o.config, side = "value" } } }
        local ok, e = pcall(t.put, t, { T.typed(schema, payload) })
        t:close()
        assert.is_false(ok)
        return e.message
      end
      for _, name in ipairs { "Timestamp", "Date", "Time" } do
        local base = name == "Timestamp" and "int64" or "int32"
        local schema = ('"type":"%s",%s'):format(base, logical(name))
        assert.equal(("Expected %s to be a java.util.Date, but found class java.lang.Long"):format(name),
          cast("int64", schema, "5"))
      end
    end)

    it("gives the field a bare schema; the struct keeps its own", function()
      local record = '{"schema":{"type":"struct","name":"S","version":2,"doc":"d","optional":true,"fields":[{"field":"ts",'
        .. '"type":"int64","name":"' .. "x" .. '","doc":"d","default":5},{"field":"o","type":"string","doc":"kept"}]},'
        .. '"payload":{"ts":1,"o":"x"}}'
      assert.equal('S{ts:string,o:string<"kept">}<S v2 "d">?',
        T.run(options("string", { schemas = true, field = "ts" }), { record })[1].value.schema)
    end)

    it("reads a null as the default, or not", function()
      local record = T.struct({ { "ts", '"type":"int64","optional":true,"default":0' } }, '{"ts":1}')
      local function with(flag)
        return T.run(options("Timestamp", { schemas = true, field = "ts", ["replace.null.with.default"] = flag,
          prepare = function(r) r.value.ts = connect.null end }), { record })[1].value
      end
      assert.same({ "S{ts:int64<Timestamp>?}", { ts = "timestamp 0" } }, { with(true).schema, with(true).fields })
      assert.same({ "S{ts:int64<Timestamp>?}", { ts = "null" } }, { with(false).schema, with(false).fields })
    end)

    it("changes nothing when the field is missing", function()
      local out = T.run(options("string", { schemas = true, field = "zz" }), { T.struct({ { "a", '"type":"int8"' } }, '{"a":1}') })
      assert.same({ "S{a:int8}", { a = "int8 1" } }, { out[1].value.schema, out[1].value.fields })
    end)

    it("converts the schema of a null struct", function()
      local out = T.run(options("string", { schemas = true, field = "ts" }),
        { '{"schema":{"type":"struct","optional":true,"fields":[{"field":"ts","type":"int64"}]},"payload":null}' })[1].value
      assert.same({ "S{ts:string}?", "null" }, { out.schema, out.kind })
    end)

    it("converts the default of a struct", function()
      local made
      local out = T.run(options("string", { field = "ts", prepare = function(r)
        made = made or connect.schema.struct { fields = { { "ts", "timestamp" } }, default = { ts = 1234 } }
        r.value = connect.struct(made, { ts = 86401234 })
      end }), { "1", "1" })
      assert.same({ ts = "string " .. TEXT }, out[2].value.fields)
      assert.equal("S{ts:string}={...}", out[2].value.schema)
    end)

    it("needs a struct when a field is named", function()
      local o = options("string", { schemas = true, field = "ts" })
      assert.same({ DATA, "Only Struct objects supported for [converting timestamp formats], found: java.lang.Long" },
        T.error(o, { T.typed('"type":"int64"', "5") }))
      assert.same({ DATA, "Cannot list fields on non-struct type" },
        T.error(o, { T.typed('"type":"int64","optional":true', "null") }))
    end)

    it("fails where Java does when a null and a bad text meet", function()
      local function meet(...)
        local fields = {}
        for i, name in ipairs { ... } do fields[i] = { name, "string" } end
        return T.error(options("unix", { field = "ts", prepare = function(r)
          r.value = connect.struct(connect.schema.struct { fields = fields }, { ts = "x" })
        end }), { "1" })[2]
      end
      assert.equal(("Could not parse timestamp: value (x) does not match pattern (%s)"):format(PATTERN), meet("ts", "n"))
      assert.equal('Invalid value: null used for required field: "n", schema type: STRING', meet("n", "ts"))
    end)
  end)

  describe("in a schemaless object", function()
    it("converts the field, adds it as null when missing, and copies as Java", function()
      local out = T.run(options("string", { field = "ts" }), { '{"a":true,"ts":86401234}', '{"a":1}', "null" })
      assert.same({ a = "true", ts = "string " .. TEXT }, out[1].value.fields)
      assert.same({ a = "int64 1", ts = "null" }, out[2].value.fields)
      assert.same({ 4, "null" }, { out[1].value.capacity, out[3].value.kind })
      local key = T.run(options("string", { field = "ts", side = "key" }), { { key = '{"zz":1,"b":2}', value = "1" } })[1].key
      assert.equal("zz,b,ts", key.order)
    end)

    it("needs an object", function()
      assert.same({ DATA, "Only Map objects supported in absence of schema for [converting timestamp formats], found: "
        .. "java.util.ArrayList" }, T.error(options("string", { field = "ts" }), { "[1]" }))
    end)
  end)

  describe("config", function()
    local NEEDED = "org.apache.kafka.common.config.ConfigException: TimestampConverter requires format option to be specified "
      .. "when using string timestamps"

    it("needs a format for strings", function()
      assert.same({ CONNECT, NEEDED }, T.config_error(options("string", { format = "" })))
      assert.same({ CONNECT, NEEDED }, T.config_error(options("string", { format = " \t" })))
    end)

    it("needs a good pattern whatever the target", function()
      assert.same({ CONNECT, "org.apache.kafka.common.config.ConfigException: Invalid value "
        .. "java.lang.IllegalArgumentException: Illegal pattern character 'b' for configuration TimestampConverter requires "
        .. "a SimpleDateFormat-compatible pattern for string timestamps: bad-format" },
        T.config_error(options("unix", { format = "bad-format" })))
    end)
  end)

  it("makes nothing in Lua per record #memory", function()
    local record = T.struct({ { "id", '"type":"int64"' }, { "ts", '"type":"int64",' .. logical "Timestamp" } },
      '{"id":5,"ts":170000$i}')
    for target in pairs(SCHEMAS) do
      T.cheap(options(target, { schemas = true, field = "ts" }), { value = record })
      T.cheap(options(target, { field = "ts", ["unix.precision"] = "seconds" }), { value = '{"id":5,"ts":170000$i}' })
    end
    T.cheap(options("unix", { field = "ts" }), { value = '{"id":5,"ts":"' .. TEXT .. '"}' })
    T.cheap(options("Date"), { value = "1700000000$i" })
  end)
end)
