-- SPDX-License-Identifier: Apache-2.0
-- Transforms' hosting: chains, what apply may do to a record, what it costs.

local connect = require "connect"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"
local PLAIN = { ["schemas.enable"] = false }

describe("a transform", function()
  local t
  after_each(function()
    if t then t:close() end
    t = nil
  end)

  -- What becomes of a record: value as JSON text, in and out.
  local function run(transforms, record, plain)
    local out = {}
    for i, x in ipairs(transforms) do
      if type(x) == "function" then transforms[i] = { plugin = { kind = "transform", apply = x } } end
    end
    t = task.new { value = JSON, value_config = plain and PLAIN, key = JSON, key_config = PLAIN, transforms = transforms,
      plugin = { kind = "sink", put = function(_, batch)
        for _, rec in batch:records() do
          out[#out + 1] = { topic = rec.topic, partition = rec.partition, timestamp = rec.timestamp,
            key = connect.text(rec.key), value = connect.text(rec.value), schema = tostring(rec.value_schema) }
        end
      end } }
    t:put { record }
    return out[1]
  end

  local STRUCT = [[{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},
    {"type":"string","optional":true,"field":"email"}],"optional":false},"payload":{"id":7,"email":"a@b"}}]]

  it("changes fields, topic, partition and timestamp by assignment", function()
    local out = run({ function(r)
      r.value.email = r.value.email:upper()
      r.value.n = r.value.n + 1
      r.value.gone = nil
      r.value.void = connect.null
      r.value.list = { 1, 2.5, "x" }
      r.topic, r.partition, r.timestamp = "other", 3, 5
      return r
    end }, { topic = "t", value = [[{"email":"a","n":1,"gone":true,"void":1}]] }, true)
    assert.equal("{void=null, list=[1, 2.5, x], email=A, n=2}", out.value)
    assert.same({ "other", 3, 5 }, { out.topic, out.partition, out.timestamp })
  end)

  it("changes a struct the same way, and its schema with it", function()
    local out = run({ function(r)
      r.value.id = r.value.id + 1
      r.value.region = "eu"
      r.value.email = nil
      assert.same({ "id", "region" }, { r.value_schema.fields[1][1], r.value_schema.fields[2][1] })
      assert.equal("int32", r.value_schema:field("id").type)
      assert.is_true(r.value_schema:field("region").optional)
      return r
    end }, { value = STRUCT })
    assert.equal("Struct{id=8,region=eu}", out.value)
  end)

  it("cannot put into a struct what its schema does not take", function()
    local ok, e = pcall(run, { function(r) r.value.id = "x" return r end }, { value = STRUCT })
    assert.is_false(ok)
    assert.matches("id: the string \"x\" does not fit its Schema{INT32}", e.message)
    assert.matches("^Error transforming record in topic 't' partition 0 at offset 0 %(transform 't1', test%)$", e.where)
    assert.equal("TRANSFORMATION", e.stage)
  end)

  it("drops a record by returning nothing", function()
    assert.is_nil(run({ function() end }, { value = "1" }, true))
  end)

  it("must return the record it got", function()
    local ok, e = pcall(run, { function() return 5 end }, { value = "1" }, true)
    assert.is_false(ok)
    assert.matches("apply must return the record or nil, not a number", e.message)
  end)

  it("copies what it assigns, so that one change does not show twice", function()
    local out = run({ function(r)
      r.value.b = r.value.a
      r.value.b.x = 2
      r.key = r.value.a
      r.key.x = 3
      return r
    end }, { value = [[{"a":{"x":1}}]] }, true)
    assert.equal("{a={x=1}, b={x=2}}", out.value)
    assert.equal("{x=3}", out.key)
  end)

  it("may put a container into itself or one of its parts", function()
    local out = run({ function(r)
      r.value.a = r.value
      r.value.a.b = r.value.a
      r.value.l[1] = r.value.l
      r.value.l[3] = r.value.l
      return r
    end }, { value = [[{"a":1,"l":[1,2]}]] }, true)
    assert.equal("{a={a=1, b={a=1, l=[1, 2]}, l=[1, 2]}, l=[[1, 2], 2, [[1, 2], 2]]}", out.value)
    t:close()
    out = run({ function(r)
      r.value.me = r.value
      r.value.me = r.value.me
      return r
    end }, { value = STRUCT })
    assert.equal("Struct{id=7,email=a@b,me=Struct{id=7,email=a@b}}", out.value)
  end)

  it("is the only one that may change a record", function()
    t = task.new { value = JSON, value_config = PLAIN, plugin = { kind = "sink", put = function(_, batch)
      assert.error_matches(function() batch[1].topic = "x" end, "inside a transform's apply only")
      assert.error_matches(function() batch[1].value.a = 1 end, "inside a transform's apply only")
    end } }
    t:put { [[{"a":1}]] }
  end)

  it("is applied where its predicate says", function()
    local function chain(negate)
      return { { plugin = { kind = "transform", apply = function(r) r.topic = "hit" return r end }, negate = negate,
        predicate = { kind = "predicate", test = function(r) return r.value.a == 1 end } } }
    end
    assert.equal("hit", run(chain(), { value = [[{"a":1}]] }, true).topic)
    t:close()
    assert.equal("t", run(chain(), { value = [[{"a":2}]] }, true).topic)
    t:close()
    assert.equal("hit", run(chain(true), { value = [[{"a":2}]] }, true).topic)
  end)

  it("builds structs by schemas made once", function()
    local S = connect.schema
    local user
    local out = run({ function(r)
      user = user or S.struct { name = "user", fields = { { "id", "int64" }, { "tags", S.array "string" },
        { "born", S.date { optional = true } }, { "price", S.decimal(2) } } }
      r.value = connect.struct(user, { id = 5, tags = { "a", "b" }, born = 86400000, price = nil })
      r.value.price = r.value.price
      return r
    end }, { value = "null" }, true)
    assert.equal("Schema{user:STRUCT}", out.schema)
    assert.matches("^Struct{id=5,tags=%[a, b%],born=Fri Jan 02 00:00:00 UTC 1970}$", out.value)
  end)

  describe("of Apache's", function()
    local DIR = "lua/connect/transforms/"
    local function apply(file, config, record, plain, side)
      local out = run({ { plugin = DIR .. file .. ".lua", config = config, side = side or "value" } }, record, plain)
      t:close()
      t = nil
      return out
    end

    it("inserts fields", function()
      local config = { ["topic.field"] = "t!", ["partition.field"] = "p", ["offset.field"] = "o", ["static.field"] = "s",
        ["static.value"] = "x", ["timestamp.field"] = "at" }
      assert.equal("Struct{id=7,email=a@b,t=t,p=0,o=0,at=Tue Nov 14 22:13:20 UTC 2023,s=x}",
        apply("insert_field", config, { value = STRUCT }).value)
      assert.equal("{p=0, a=1, at=1700000000000, s=x, t=t, o=0}",
        apply("insert_field", config, { value = [[{"a":1}]] }, true).value)
    end)

    it("replaces fields", function()
      local config = { exclude = { "c" }, renames = { "a:b", "b:a" } }
      assert.equal("{d=4, a=2, b=1}", apply("replace_field", config, { value = [[{"a":1,"b":2,"c":3,"d":4}]] }, true).value)
      assert.equal("Struct{num=7}", apply("replace_field", { include = { "id" }, renames = { "id:num" } },
        { value = STRUCT }).value)
    end)

    it("hoists, extracts, makes keys", function()
      assert.equal("{f=[1]}", apply("hoist_field", { field = "f" }, { value = "[1]" }, true).value)
      assert.equal("Struct{f=Struct{id=7,email=a@b}}", apply("hoist_field", { field = "f" }, { value = STRUCT }).value)
      assert.equal("7", apply("extract_field", { field = "id", ["field.syntax.version"] = "v1" }, { value = STRUCT }).value)
      assert.equal("2", apply("extract_field", { field = "a.`b.c`", ["field.syntax.version"] = "V2" },
        { value = [[{"a":{"b.c":2}}]] }, true).value)
      assert.equal("Struct{id=7}", apply("value_to_key", { fields = { "id" } }, { value = STRUCT }).key)
    end)
  end)
end)
