-- SPDX-License-Identifier: Apache-2.0
-- What authors of transforms write: exact types, schemas of fields, lists and maps with a schema, headers, walks.

local connect = require "connect"
local task = require "spec.helpers.task"
local view = require "connect.host.view"
local shown = require "spec.helpers.transform"

local JSON = "lua/connect/converters/json.lua"
local PLAIN = { ["schemas.enable"] = false }
local NAMED = [["name":"org.apache.kafka.connect.data.%s","version":1]]

-- A required field of an envelope.
local function field(name, schema) return { name, '"optional":false,' .. schema } end

describe("an author's transform", function()
  local t
  after_each(function()
    if t then t:close() end
    t = nil
  end)

  -- apply on one record of JSON (with an envelope when schemas); what comes out as spec.helpers.transform tells it.
  local function run(apply, value, schemas)
    local out
    t = task.new { value = JSON, value_config = not schemas and PLAIN or nil,
      transforms = { { plugin = { kind = "transform", apply = function(r)
        apply(r)
        return r
      end } } },
      plugin = { kind = "sink", put = function(_, batch) out = shown.record(view.record_of(batch[1])) end } }
    t:put { { value = value, headers = {} } }
    t:close()
    t = nil
    return out
  end

  local function fails(apply, value, schemas)
    local ok, e = pcall(run, apply, value, schemas)
    assert(not ok, "no error")
    if t then t:close() end
    t = nil
    return e.message
  end

  local PRICED = shown.struct({ field("at", '"type":"int64",' .. NAMED:format "Timestamp"), field("raw", '"type":"bytes"'),
    field("small", '"type":"int8"'), field("id", '"type":"int64"'),
    field("price", '"type":"bytes",' .. NAMED:format "Decimal" .. ',"parameters":{"scale":"2"}'),
    field("tags", '"type":"array","items":{"type":"int32","optional":false}'),
    field("limits", '"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false}'),
    field("by", '"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":true}'),
    field("in", '"type":"struct","fields":[{"field":"n","type":"int16","optional":false},{"field":"l",'
      .. '"type":"array","optional":false,"items":{"type":"array","optional":false,'
      .. '"items":{"type":"string","optional":false}}}]') },
    [=[{"at":1700000000000,"raw":"AP8=","small":5,"id":9007199254740993,"price":"BNI=","tags":[1,2],"limits":{"a":1},]=]
      .. [=["by":[[7,"seven"]],"in":{"n":3,"l":[["x"]]}}]=])

  describe("with decimals and bytes", function()
    it("writes them without a schema", function()
      local out = run(function(r)
        r.value.d = connect.decimal "12.50"
        r.value.b = connect.bytes "\0x"
        r.value.list = { connect.decimal("1250", 2), { connect.bytes "y", connect.decimal(-5, 0) } }
        assert.equal(connect.decimal "12.50", r.value.d)
        assert.equal("12.50", tostring(r.value.list[1]))
        assert.same({ "-5", 0 }, { r.value.list[2][2].digits, r.value.list[2][2].scale })
        r.value.e = r.value.d
        r.value.b2 = r.value.b
        r.value.b = r.value.b .. "z"
        connect.headers.add(r, "d", r.value.d)
        assert.equal("12.50", tostring(r.headers.d))
        connect.set(r, "key", connect.decimal "1.5", connect.schema.decimal(3))
        assert.equal("1.500", tostring(r.key))
      end, "{}")
      assert.same({ d = "decimal 12.50", e = "decimal 12.50", b = "bytes \0xz", b2 = "string \0x",
        list = "array [12.50, [[B@0, -5]]" }, { d = out.value.fields.d, e = out.value.fields.e, b = out.value.fields.b,
        b2 = out.value.fields.b2, list = out.value.fields.list:gsub("%[B@%x+", "[B@0") })
    end)

    it("reads the texts that Java's BigDecimal reads, and no others", function()
      for text, parts in pairs { ["0"] = { "0", 0 }, ["-0.50"] = { "-50", 2 }, [".5"] = { "5", 1 }, ["+007."] = { "7", 0 },
        ["1e3"] = { "1", -3 }, ["1.25E-2"] = { "125", 4 }, ["-0.0"] = { "0", 1 } } do
        local d = connect.decimal(text)
        assert.same(parts, { d.digits, d.scale }, text)
      end
      for _, text in ipairs { "", "-", ".", "1,5", "0x10", "1e", "e5", "1e5.0", "NaN", " 1", "1e99999999999" } do
        assert.error_matches(function() connect.decimal(text) end, "is no text of a decimal")
      end
      assert.error_matches(function() connect.decimal(12.5) end, "a number needs its scale")
      assert.error_matches(function() connect.decimal(1.5, 2) end, "the unscaled 1.5 is no whole number")
      assert.error_matches(function() connect.decimal(1, 0.5) end, "a scale is a whole number")
      assert.equal("92233720368547758.07", tostring(connect.decimal(9223372036854775807LL, 2)))
      assert.error_matches(function() connect.bytes(5) end, "a string expected, not a number")
    end)

    it("gives a decimal the scale of its field, where that changes nothing", function()
      local out = run(function(r)
        r.value.price = connect.decimal "1.5"
        assert.equal("1.50", tostring(r.value.price))
        r.value.price = connect.decimal "1.5000"
      end, PRICED, true)
      assert.equal("decimal 1.50", out.value.fields.price)
      assert.matches("price: the decimal 1.555 has no scale of 2 without rounding",
        fails(function(r) r.value.price = connect.decimal "1.555" end, PRICED, true))
      assert.matches("price: the number 1.5 does not fit its", fails(function(r) r.value.price = 1.5 end, PRICED, true))
    end)

    it("shows them as text in JSON", function()
      assert.equal([[{"b":"x","d":"1.50"}]], connect.json.encode { d = connect.decimal "1.50", b = connect.bytes "x" })
    end)
  end)

  describe("on a struct", function()
    it("gives new fields a schema that no value changes", function()
      local out = run(function(r)
        r.value.one, r.value.half = 1, 0.5
        r.value.whole, r.value.small2 = connect.int64(1), connect.int8(1)
        r.value.big, r.value.money, r.value.bin = r.value.id, connect.decimal "1.5", connect.bytes "x"
      end, PRICED, true)
      local s = out.value.schema
      for name, want in pairs { one = "float64%?", half = "float64%?", whole = "int64%?", small2 = "int8%?", big = "int64%?",
        money = "bytes<Decimal scale=1>%?", bin = "bytes%?" } do
        assert.matches("," .. name .. ":" .. want .. "[,}]", s)
      end
      assert.equal("int64 9007199254740993", out.value.fields.big)
      assert.equal("float64 1.0", out.value.fields.one)
    end)

    it("says the schema of a field", function()
      local user = {}
      local out = run(function(r)
        connect.put(r.value, "n", 5, "int32")
        connect.put(r.value, "t", 1700000000000, "timestamp?")
        connect.put(r.value, "void", connect.null, "string?")
        connect.put(r.value, "small", "five", "string")
        user.s = connect.schema.struct { fields = { { "tags", connect.schema.array "string" } } }
        connect.put(r.value, "in", { tags = { "a" } }, user.s)
        connect.put(r.value, "id", nil, "string")
      end, PRICED, true)
      assert.matches(",small:string,price:", out.value.schema)
      assert.matches(",in:S{tags:array%(string%)},n:int32,t:int64<Timestamp>%?,void:string%?}$", out.value.schema)
      assert.equal("string five", out.value.fields.small)
      assert.equal("timestamp 1700000000000", out.value.fields.t)
      assert.is_true(out.value.same_schema)
      assert.matches('n: the string "x" does not fit its Schema{INT32}',
        fails(function(r) connect.put(r.value, "n", "x", "int32") end, PRICED, true))
      assert.matches("x: a null has no schema of its own: connect.put says one",
        fails(function(r) r.value.x = connect.null end, PRICED, true))
      assert.matches("x: a table has no schema of its own", fails(function(r) r.value.x = {} end, PRICED, true))
    end)

    it("copies fields exactly", function()
      local out = run(function(r)
        local v = r.value
        for _, name in ipairs { "at", "raw", "small", "id", "price", "tags", "limits", "by", "in" } do
          assert.is_true(connect.put_field(v, name .. "2", v, name))
        end
        assert.is_false(connect.put_field(v, "none", v, "nothing"))
        v.tags3 = v.tags
        v.in3 = v["in"]
        v.tags2[1] = 100
      end, PRICED, true)
      local before, after = out.value.schema:match "^S{(.*),at2:(.*)}$"
      assert.equal(before, (("at:" .. after):gsub(",tags3.*$", ""):gsub("(%w+)2:", "%1:")))
      for _, name in ipairs { "at", "raw", "small", "id", "price", "limits", "by", "in" } do
        assert.equal(out.value.fields[name], out.value.fields[name .. "2"])
      end
      assert.equal("array [100, 2]", out.value.fields.tags2)
      assert.equal("array [1, 2]", out.value.fields.tags)
      assert.matches(",tags3:array%(int32%),in3:S{n:int16,", out.value.schema)
    end)

    it("copies fields exactly to and from objects", function()
      local out = run(function(r)
        local v = r.value
        v.t, v.small, v.b, v.f = connect.timestamp(5), connect.int8(1), connect.bytes "x", connect.float32(1.5)
        for _, name in ipairs { "t", "small", "b", "f" } do connect.put_field(v, name .. "2", v, name) end
        connect.put(v, "day", 86400000, "date")
      end, "{}")
      assert.same({ "timestamp 5", "int8 1", "bytes x", "float32 1.5", "date 86400000" }, { out.value.fields.t2,
        out.value.fields.small2, out.value.fields.b2, out.value.fields.f2, out.value.fields.day })
    end)
  end)

  describe("on a list or map with a schema", function()
    it("cannot put what does not fit, and is told where", function()
      for text, apply in pairs {
        ['tags%[1%]: the string "x" does not fit its Schema{INT32}'] = function(r) r.value.tags[1] = "x" end,
        ["tags%[3%]: the number 1.5 does not fit"] = function(r) r.value.tags[3] = 1.5 end,
        ['null used for required field: "tags%[1%]"'] = function(r) r.value.tags[1] = connect.null end,
        ["limits%.b: the string"] = function(r) r.value.limits.b = "x" end,
        ["by%[8%]: the number 5 does not fit its Schema{STRING}"] = function(r) r.value.by[8] = 5 end,
        ["by's key: the string \"k\" does not fit its Schema{INT32}"] = function(r) r.value.by.k = "x" end,
        ["in%.l%[1%]%[2%]: the number 5 does not fit its Schema{STRING}"] = function(r) r.value["in"].l[1][2] = 5 end,
        ["in%.n: the number 70000 does not fit its Schema{INT16}"] = function(r) r.value["in"].n = 70000 end,
        ['Invalid Java object for schema with type INT32: class java.lang.Long for field: "tags%[1%]"'] = function(r)
          r.value.tags[1] = connect.int64(5)
        end,
      } do
        assert.matches(text, fails(apply, PRICED, true))
      end
    end)

    it("writes what fits as the schema says", function()
      local out = run(function(r)
        local v = r.value
        v.tags[1], v.tags[3] = 10, connect.int32(30)
        v.limits.b, v.limits.a = 2, nil
        v.by[7], v.by[connect.int32(8)], v.by[9] = "s", "e", connect.null
        v.by[connect.int32(7)] = "S"
        v["in"].l[1][2] = "y"
        v["in"].l[2] = { "z" }
        for _, _, list in connect.fields(v["in"].l) do list[#list + 1] = "end" end
      end, PRICED, true)
      local fields = out.value.fields
      assert.same({ "array [10, 2, 30]", "object {b=2}", "map {7=S, 8=e, 9=null}" }, { fields.tags, fields.limits, fields.by })
      assert.matches("l=%[%[x, y, end%], %[z, end%]%]", fields["in"])
    end)

    it("does not change a schema's default", function()
      local out = {}
      t = task.new { value = JSON, value_config = PLAIN, plugin = { kind = "sink", put = function() end },
        transforms = { { plugin = { kind = "transform", apply = function(r)
          local s = connect.schema.struct { fields = { { "l",
            connect.schema.derive(connect.schema.array "int32", { default = { 1 } }) } } }
          r.value = connect.struct(s, {})
          r.value.l[2] = 2
          out[#out + 1] = connect.text(r.value.l)
          return r
        end } } } }
      t:put { "1", "2" }
      assert.same({ "[1, 2]", "[1, 2]" }, out)
    end)
  end)

  describe("with headers", function()
    it("reads, sets and removes them by name", function()
      local out = run(function(r)
        assert.is_nil(r.headers.a)
        connect.headers.add(r, "a", 1)
        connect.headers.add(r, "b", "x", "string")
        connect.headers.add(r, "a", 2)
        assert.same({ 3, 2, "x" }, { #r.headers, r.headers.a, r.headers.b })
        assert.same({ "a", 1 }, { r.headers[1].name, r.headers[1].value })
        assert.equal("string", r.headers[2].schema.type)
        r.headers.a = 3
        assert.same({ 2, "b", 3 }, { #r.headers, r.headers[1].name, r.headers.a })
        r.headers.b = nil
        assert.same({ { name = "a", value = 3 } }, connect.copy(r.headers))
        r.headers.a = nil
        assert.equal(0, #r.headers)
      end, "{}")
      assert.truthy(out)
    end)

    it("cannot change them unseen", function()
      assert.matches("record.headers.name = x", fails(function(r) r.headers = {} end, "{}"))
      assert.matches("a header is set by its name", fails(function(r) r.headers[1] = { name = "a", value = 1 } end, "{}"))
      assert.matches("a header is changed by its name", fails(function(r)
        r.headers.a = 1
        r.headers[1].value = 2
      end, "{}"))
    end)

    it("leaves no header behind that could not be", function()
      run(function(r)
        r.headers.a = 1
        assert.is_false(pcall(connect.headers.add, r, "b", function() end))
        assert.is_false(pcall(connect.headers.add, r, "b", "x", "int32"))
        assert.is_false(pcall(function() r.headers.a = function() end end))
        assert.same({ { name = "a", value = 1 } }, connect.copy(r.headers))
      end, "{}")
    end)

    it("may remove them while it walks", function()
      run(function(r)
        for _, name in ipairs { "a", "b", "a", "c" } do connect.headers.add(r, name, 1) end
        local seen = {}
        for _, name in connect.fields(r.headers) do
          seen[#seen + 1] = name
          r.headers[name] = nil
        end
        assert.same({ { "a", "b", "a", "c" }, 0 }, { seen, #r.headers })
        connect.headers.add(r, "d", 1)
        for i, h in ipairs(r.headers) do
          r.headers.d = nil
          assert.same({ 1, "d" }, { i, h.name })
        end
      end, "{}")
    end)
  end)

  describe("that walks", function()
    local walks = {
      pairs = function(v, fn) for key in pairs(v) do fn(key) end end,
      fields = function(v, fn) for _, key in connect.fields(v) do fn(key) end end,
    }
    local FLAT = shown.struct({ field("a", '"type":"int32"'), field("b", '"type":"int32"'), field("c", '"type":"int32"') },
      [[{"a":1,"b":2,"c":3}]])

    for how, walk in pairs(walks) do
      it("may remove each field with " .. how, function()
        for value, schemas in pairs { [ [[{"a":1,"b":2,"c":3}]] ] = false, [FLAT] = true } do
          run(function(r)
            local seen = {}
            walk(r.value, function(key)
              seen[#seen + 1] = key
              r.value[key] = nil
            end)
            assert.same({ "a", "b", "c" }, seen)
            assert.same({}, connect.copy(r.value))
          end, value, schemas)
        end
      end)

      it("may rename each field, and remove those before and behind, with " .. how, function()
        for value, schemas in pairs { [ [[{"a":1,"b":2,"c":3}]] ] = false, [FLAT] = true } do
          local out = run(function(r)
            walk(r.value, function(key)
              connect.put_field(r.value, key .. "_x", r.value, key)
              r.value[key] = nil
              connect.copy(r.value)
            end)
          end, value, schemas)
          assert.same(schemas and { a_x = "int32 1", b_x = "int32 2", c_x = "int32 3" }
            or { a_x = "int64 1", b_x = "int64 2", c_x = "int64 3" }, out.value.fields)
          run(function(r)
            local seen = {}
            walk(r.value, function(key)
              seen[#seen + 1] = key
              if key == "b" then r.value.a, r.value.c = nil, nil end
            end)
            assert.same({ "a", "b" }, seen)
          end, value, schemas)
        end
      end)

      it("may remove from a map with " .. how, function()
        run(function(r)
          local map = r.value.by
          map[8] = "e"
          map[9] = "n"
          local seen = {}
          walk(map, function(key)
            seen[#seen + 1] = key
            assert.is_nil(map[100])
            map[key] = nil
          end)
          assert.equal("7 8 9", table.concat(seen, " "))
        end, PRICED, true)
      end)
    end
  end)

  describe("reads and writes", function()
    it("null, -0.0, NaN, empty lists and objects and int64 as they are", function()
      local out = run(function(r)
        local v = r.value
        for _, name in ipairs { "n", "z", "l", "o", "i" } do v[name .. "2"] = v[name] end
        v.nan, v.z3, v.list = 0 / 0, -0.0, { -0.0, {}, connect.array {} }
        assert.equal(connect.null, v.n)
        assert.is_nil(v.absent)
      end, [=[{"n":null,"z":-0.0,"l":[],"o":{},"i":9007199254740993}]=])
      local f = out.value.fields
      assert.same({ "null", "float64 -0.0", "array []", "object {}", "int64 9007199254740993", "float64 NaN", "float64 -0.0",
        "array [-0.0, {}, []]" }, { f.n2, f.z2, f.l2, f.o2, f.i2, f.nan, f.z3, f.list })
    end)
  end)

  it("emits decimals and bytes inside tables, and its own objects as tables", function()
    local value
    t = task.new { value = { kind = "converter", encode = function(datum)
      value = connect.text(datum:get().l[1]) .. " " .. datum:get().l[2] .. " " .. tostring(datum:get().l[3].x)
      datum:set_text(nil)
    end }, plugin = { kind = "source", poll = function(ctx)
      local own = setmetatable({ x = 1 }, { __index = { y = 2 } })
      ctx:emit { topic = "t", value = { l = { connect.decimal "1.50", connect.bytes "raw", own } } }
    end } }
    t:poll()
    assert.equal("1.50 raw 1", value)
  end)
end)
