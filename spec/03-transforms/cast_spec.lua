-- SPDX-License-Identifier: Apache-2.0
-- Cast: values, schemas, specs and their errors as Apache's.

local connect = require "connect"
local T = require "spec.helpers.transform"

local DATA = "org.apache.kafka.connect.errors.DataException"
local CONNECT = "org.apache.kafka.connect.errors.ConnectException"
local ILLEGAL = "Invalid value java.lang.IllegalArgumentException: No enum constant "
  .. "org.apache.kafka.connect.data.Schema.Type."
local module = require("spec.helpers.task").load "lua/connect/transforms/cast.lua"

describe("Cast", function()
  -- The value after a cast of everything, from plain JSON or from what prepare makes.
  local function whole(type, json, prepare)
    return T.run({ file = "cast", config = { spec = { type } }, prepare = prepare }, { json or "1" })[1].value.kind
  end

  local function plain(spec, json, side) -- fields of an object
    local record = side == "key" and { key = json, value = "1" } or { value = json }
    return T.run({ file = "cast", config = { spec = spec }, side = side }, { record })[1][side or "value"]
  end

  local function typed(spec, json, prepare, config)
    config = config or {}
    config.spec = spec
    return T.run({ file = "cast", config = config, schemas = true, prepare = prepare }, { json })[1].value
  end

  describe("of a whole value", function()
    it("narrows integers to their low bits and widens them", function()
      assert.equal("int8 44", whole("int8", "300"))
      assert.equal("int8 44", whole("\196\177nt8", "300")) -- a dotless i has the capital of an i, a long s that of an s
      assert.equal("string 300", whole("\197\191tring", "300"))
      assert.equal("int16 4464", whole("int16", "70000"))
      assert.equal("int32 -2147483648", whole("int32", "2147483648"))
      assert.equal("float64 7.0", whole("float64", "7"))
      assert.equal("float32 7.0", whole("float32", "7"))
      assert.equal("int64 5", whole("int64", nil, function(r) r.value = connect.int8(5) end))
    end)

    it("cuts floats towards zero, at the edges, and NaN to 0", function()
      assert.equal("int8 44", whole("int8", "300.7"))
      assert.equal("int32 2147483647", whole("int32", "1e10"))
      assert.equal("int64 -1", whole("int64", "-1.9"))
      assert.equal("int64 0", whole("int64", nil, function(r) r.value = connect.float64(0 / 0) end))
    end)

    it("reads booleans as numbers, numbers as booleans by their whole part", function()
      assert.equal("int8 1", whole("int8", "true"))
      assert.equal("float64 0.0", whole("float64", "false"))
      assert.equal("false", whole("boolean", "0.5"))
      assert.equal("true", whole("boolean", "-2"))
    end)

    it("reads strings", function()
      assert.equal("int32 -12", whole("int32", '"-12"'))
      assert.equal("int8 3", whole("int8", '"\\u0663"'))
      assert.equal("float64 1.5", whole("float64", '" 1.5 "'))
      assert.equal("float32 Infinity", whole("float32", '"1e39"'))
      assert.equal("true", whole("boolean", '"tRuE"'))
      assert.equal("false", whole("boolean", '"yes"'))
    end)

    it("writes strings as Java does", function()
      assert.equal("string 1.0E10", whole("string", "1e10"))
      assert.equal("string true", whole("string", "true"))
      assert.equal("string 42", whole("string", "42"))
    end)

    it("leaves null alone", function()
      assert.equal("null", whole("int8", "null"))
      local out = T.run({ file = "cast", schemas = true, config = { spec = { "string" } } },
        { T.typed('"type":"int32","optional":true', "null") })[1].value
      assert.same({ "int32?", "null" }, { out.schema, out.kind })
    end)

    it("keeps the schema's attributes, and casts its default", function()
      local out = typed({ "int32" }, T.typed('"type":"float","default":-42.125,"name":"n","version":3,"doc":"d"', "42.125"))
      assert.same({ 'int32<n v3 "d">=-42', "int32 42" }, { out.schema, out.kind })
      out = typed({ "string" }, T.typed('"type":"int8","optional":true,"parameters":{"a":"b"}', "1"))
      assert.equal("string<a=b>?", out.schema)
    end)

    it("keeps the name of a logical type on what is no longer its type", function()
      local out = typed({ "int64" }, T.typed('"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"', "5"))
      assert.same({ "int64<Timestamp>", "int64 5" }, { out.schema, out.kind })
      out = typed({ "string" }, T.typed('"type":"int32","name":"org.apache.kafka.connect.data.Date"', "1"))
      assert.same({ "string<Date>", "string 1970-01-02" }, { out.schema, out.kind })
    end)

    it("cannot give a logical schema a default of another class", function()
      assert.same({ "org.apache.kafka.connect.errors.SchemaBuilderException", "Invalid default value" },
        T.error({ file = "cast", schemas = true, config = { spec = { "int32" } } },
          { T.typed('"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","default":7', "5") }))
    end)

    it("refuses containers, with and without schema", function()
      local names = { array = { '"type":"array","items":{"type":"int8"}', "[1]" },
        map = { '"type":"map","keys":{"type":"string"},"values":{"type":"int8"}', '{"a":1}' },
        struct = { '"type":"struct","fields":[]', "{}" } }
      for name, of in pairs(names) do
        local why = ("Cast transformation does not support casting from %s; supported types are [INT8, INT16, INT32, "
          .. "INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"):format(name:upper())
        assert.same({ DATA, why }, T.error({ file = "cast", schemas = true, config = { spec = { "int8" } } },
          { T.typed(of[1], of[2]) }))
        if name ~= "struct" then
          assert.same({ DATA, why }, T.error({ file = "cast", config = { spec = { "string" } } }, { of[2] }))
        end
      end
    end)

    it("refuses bytes but to string", function()
      local bytes = T.typed('"type":"bytes"', '"/ty6mHZUMhA="')
      assert.equal("string /ty6mHZUMhA=", typed({ "string" }, bytes).kind)
      assert.same({ DATA, "Unexpected type in Cast transformation: class [B" },
        T.error({ file = "cast", schemas = true, config = { spec = { "int8" } } }, { bytes }))
    end)

    it("refuses schemaless values that Connect has no type for", function()
      local function no_type(x)
        return T.error({ file = "cast", config = { spec = { "string" } }, prepare = function(r) r.value = x end }, { "1" })
      end
      assert.same({ DATA, "Cast transformation was passed a value of type class java.util.Date which is not supported by "
        .. "Connect's data API" }, no_type(connect.date(0)))
    end)

    it("tells which text was no number", function()
      assert.same({ DATA, "Value (abc) was out of range for requested data type" },
        T.error({ file = "cast", config = { spec = { "int8" } } }, { '"abc"' }))
      assert.same({ DATA, "Value (1\\02) was out of range for requested data type" },
        T.error({ file = "cast", config = { spec = { "int8" } } }, { '"1\\u00002"' }))
      assert.same({ DATA, "Value ( 12) was out of range for requested data type" },
        T.error({ file = "cast", config = { spec = { "int32" } } }, { '" 12"' }))
    end)
  end)

  describe("of fields", function()
    local FIELDS = { { "i8", '"type":"int8"' }, { "i16", '"type":"int16","optional":true' },
      { "i32", '"type":"int32","default":2' }, { "i64", '"type":"int64"' }, { "f64", '"type":"double","default":-1.125' },
      { "b", '"type":"boolean"' }, { "s", '"type":"string"' }, { "x", '"type":"bytes"' }, { "n", '"type":"string","name":"n"' } }
    local PAYLOAD = '{"i8":8,"i16":16,"i32":32,"i64":64,"f64":-64,"b":true,"s":"42","x":"/ty6mHZUMhA=","n":"kept"}'

    it("changes their schemas, of which only optional and the default stay", function()
      local out = typed({ "i8:int16", "i16:int32", "i32:int64", "i64:boolean", "f64:boolean", "b:int8", "s:int32",
        "x:string", "none:int8" }, T.struct(FIELDS, PAYLOAD))
      assert.equal("S{i8:int16,i16:int32?,i32:int64=2,i64:boolean,f64:boolean=true,b:int8,s:int32,x:string,n:string<n>}",
        out.schema)
      assert.same({ i8 = "int16 8", i16 = "int32 16", i32 = "int64 32", i64 = "true", f64 = "true", b = "int8 1",
        s = "int32 42", x = "string /ty6mHZUMhA=", n = "string kept" }, out.fields)
      assert.is_true(out.same_schema)
    end)

    it("encodes logical types and drops their names", function()
      local P = '","name":"org.apache.kafka.connect.data.'
      local out = typed({ "d:int64", "t:string", "ts:int64", "dec:int32" }, T.struct({ { "d", '"type":"int32' .. P .. 'Date"' },
        { "t", '"type":"int32' .. P .. 'Time"' }, { "ts", '"type":"int64' .. P .. 'Timestamp"' },
        { "dec", '"type":"bytes' .. P .. 'Decimal","parameters":{"scale":"2"}' } },
        '{"d":1,"t":3600000,"ts":86400001,"dec":"AMc="}'))
      assert.equal("S{d:int64,t:string,ts:int64,dec:int32}", out.schema)
      assert.same({ d = "int64 1", t = "string 01:00:00.000Z", ts = "int64 86400001", dec = "int32 1" }, out.fields)
    end)

    it("keeps what the struct's schema says", function()
      local out = typed({ "a:string" }, ('{"schema":{"type":"struct","name":"S","version":2,"doc":"d","optional":true,'
        .. '"fields":[{"field":"a","type":"int8"}]},"payload":{"a":1}}'))
      assert.equal('S{a:string}<S v2 "d">?', out.schema)
    end)

    it("reads a null as the default, or not", function()
      local record = T.struct({ { "a", '"type":"int32","optional":true,"default":10' } }, '{"a":null}')
      local function with(flag)
        return T.run({ file = "cast", schemas = true, config = { spec = { "a:string" }, ["replace.null.with.default"] = flag },
          prepare = function(r) r.value.a = connect.null end }, { record })[1].value
      end
      assert.same({ "S{a:string?=10}", { a = "string 10" } }, { with(true).schema, with(true).fields })
      assert.same({ a = "null" }, with(false).fields)
    end)

    it("fails where Java does when a null and a bad text meet", function()
      local function meet(...)
        local fields = {}
        for i, name in ipairs { ... } do fields[i] = { name, name == "n" and "int8" or "string" } end
        return T.error({ file = "cast", config = { spec = { "s:int8" } }, prepare = function(r)
          r.value = connect.struct(connect.schema.struct { fields = fields }, { s = "x" })
        end }, { "1" })
      end
      assert.same({ DATA, "Value (x) was out of range for requested data type" }, meet("s", "n"))
      assert.same({ DATA, 'Invalid value: null used for required field: "n", schema type: INT8' }, meet("n", "s"))
    end)

    it("adds what a schemaless object has not, as null", function()
      local out = plain({ "nope:int8", "a:string" }, '{"a":1,"b":[1]}')
      assert.same({ a = "string 1", b = "array [1]", nope = "null" }, out.fields)
    end)

    it("copies into a HashMap of Java's size, and adds in the order of Java's spec", function()
      assert.equal(4, plain({ "a:int8" }, '{"a":1,"b":2}').capacity)
      assert.equal(8, plain({ "zz:int8", "yy:int8", "xx:int8" }, '{"a":1}', "key").capacity)
      assert.equal("a,b,c,d", plain({ "d:int8", "b:int8", "c:int8" }, '{"a":1}', "key").order)
    end)

    it("needs a struct or an object", function()
      assert.same({ DATA, "Only Map objects supported in absence of schema for [cast types], found: java.lang.Long" },
        T.error({ file = "cast", config = { spec = { "a:int8" } } }, { "5" }))
      assert.same({ DATA, "Cannot list fields on non-struct type" },
        T.error({ file = "cast", schemas = true, config = { spec = { "a:int8" } } }, { T.typed('"type":"int8"', "5") }))
    end)

    it("cannot cast a struct whose schema has a default", function()
      local made
      local e = T.error({ file = "cast", config = { spec = { "a:string" } }, prepare = function(r)
        made = made or connect.schema.struct { fields = { { "a", "int8" } }, default = { a = 1 } }
        r.value = connect.struct(made, { a = 1 })
      end }, { "1" })
      assert.matches("^Cast transformation does not support casting from STRUCT;", e[2])
    end)

    it("leaves null values and their schema alone", function()
      assert.equal("null", plain({ "a:int8" }, "null").kind)
      local out = typed({ "a:string" }, '{"schema":{"type":"struct","optional":true,"fields":[{"field":"a","type":"int8"}]},'
        .. '"payload":null}')
      assert.same({ "S{a:int8}?", "null" }, { out.schema, out.kind })
    end)
  end)

  describe("spec", function()
    local function why(...) return module.validate({ spec = { ... } }).spec end

    it("takes any case and blanks, and the last of two", function()
      assert.is_nil(why(" a : INT8 ", "b:Float64"))
      assert.same({ a = "string 1" }, plain({ "a:int8", " a : STRING " }, '{"a":1}').fields)
      assert.equal("int8 5", whole(" Int8 ", "5"))
    end)

    it("is refused as Apache's validator does", function()
      assert.equal("Must specify at least one field to cast.", why())
      assert.equal(ILLEGAL .. "FAKETYPE for configuration Invalid type found in casting spec: faketype", why("foo:faketype"))
      assert.equal(ILLEGAL .. "A for configuration Invalid type found in casting spec: a", why("a"))
      assert.equal(ILLEGAL .. " for configuration Invalid type found in casting spec: ", why("a:int8", ""))
      for _, name in ipairs { "array", "map", "struct", "bytes" } do
        assert.equal(("Cast transformation does not support casting to %s; supported types are [INT8, INT16, INT32, INT64, "
          .. "FLOAT32, FLOAT64, BOOLEAN, STRING]"):format(name:upper()), why("foo:" .. name))
      end
      assert.equal("Invalid value [foo:int8:extra] for configuration renames: Invalid rename mapping: foo:int8:extra",
        why("foo:int8:extra"))
      assert.equal("Cast transformations that specify a type to cast the entire value to may only specify a single cast in "
        .. "their spec", why("foo:int8", "int32"))
      assert.equal("Must specify at least one field to cast.", module.validate({}).spec) -- a missing one, too
    end)

    it("is refused by configure too", function()
      assert.same({ CONNECT, "org.apache.kafka.common.config.ConfigException: Must specify at least one field to cast." },
        T.config_error { file = "cast", config = { spec = {} } })
    end)

    it("splits as Java does: trailing colons are nothing", function()
      assert.is_nil(why("int8::"))
      assert.is_nil(why("a:int8:"))
      assert.is_nil(why(":int8"))
      assert.matches("^Invalid value %[a::int8%]", why("a::int8"))
    end)
  end)

  it("makes nothing in Lua per record #memory", function()
    local spec = { "id:string", "n:int32", "none:int8" }
    local record = T.struct({ { "id", '"type":"int64"' }, { "n", '"type":"double"' } }, '{"id":$i,"n":$i.5}')
    T.cheap({ file = "cast", schemas = true, config = { spec = spec } }, { value = record })
    T.cheap({ file = "cast", config = { spec = spec } }, { value = '{"id":$i,"n":$i.5}' })
    T.cheap({ file = "cast", config = { spec = { "string" } } }, { value = "$i" })
  end)
end)
