-- SPDX-License-Identifier: Apache-2.0
-- What transforms and predicates cost: no Lua memory per record.
local smt = require "spec.helpers.smt"

local DIR = "lua/connect/transforms/"
local PLAIN = smt.plain [[{"a":{"b":{"c":$i,"d":null},"e":[{"x":"x$i"}]},"z":$i.5}]]
local STRUCT = smt.with({ fields = { { "a", { fields = { { "b", "int32" }, { "c", "string?" } }, optional = true } },
  { "z", "int32?" } } }, [[{"a":{"b":$i,"c":"x$i"},"z":$i}]])

describe("#memory 100,000 records grow the Lua heap by less than 64 KB through", function()
  local function stage(file, config, more)
    local s = { plugin = DIR .. file .. ".lua", config = config, side = "value" }
    for k, v in pairs(more or {}) do s[k] = v end
    return { s }
  end
  local chains = {
    DropHeaders = stage("drop_headers", { headers = { "h" } }),
    ExtractField = stage("extract_field", { field = "a.b", ["field.syntax.version"] = "V2" }),
    Filter = stage("filter", nil, { predicate = "lua/connect/predicates/has_header_key.lua",
      predicate_config = { name = "zz" } }),
    Flatten = stage("flatten", {}),
    ["HeaderFrom copying"] = stage("header_from", { fields = { "a", "z" }, headers = { "x", "y" }, operation = "copy" }),
    ["HeaderFrom moving"] = stage("header_from", { fields = { "a", "z" }, headers = { "x", "y" }, operation = "move" }),
    HoistField = stage("hoist_field", { field = "f" }),
    InsertField = stage("insert_field", { ["topic.field"] = "t", ["partition.field"] = "p", ["offset.field"] = "o",
      ["timestamp.field"] = "ts", ["static.field"] = "s", ["static.value"] = "v" }),
    InsertHeader = stage("insert_header", { header = "i", ["value.literal"] = "[1,2]" }),
    RegexRouter = stage("regex_router", { regex = "(.*)", replacement = "$1-x" },
      { predicate = "lua/connect/predicates/topic_name_matches.lua", predicate_config = { pattern = "t.*" } }),
    ReplaceField = stage("replace_field", { exclude = { "z" }, renames = { "a:q" } },
      { predicate = "lua/connect/predicates/record_is_tombstone.lua", negate = true }),
    SetSchemaMetadata = stage("set_schema_metadata", { ["schema.name"] = "n" }),
    ValueToKey = stage("value_to_key", { fields = { "a", "z" } }),
  }
  local names = {}
  for name in pairs(chains) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name, function()
      for _, value in ipairs { PLAIN, STRUCT } do
        if name ~= "SetSchemaMetadata" or value == STRUCT then
          local grown = smt.growth(chains[name], { value = value, headers = { { "h", smt.plain "$i" } } }, 100)
          assert.is_true(grown < 65536, ("%s: %d bytes"):format(value, grown))
        end
      end
    end)
  end
end)

describe("#memory the chain of tests/bench", function()
  local growth = require "spec.helpers.growth"
  local task = require "spec.helpers.task"

  local function stage(file, config) return { plugin = DIR .. file .. ".lua", config = config, side = "value" } end

  local function aborts(with_schema)
    local t = task.new { value = "lua/connect/converters/json.lua", value_config = { ["schemas.enable"] = with_schema },
      header = false, cap = 500, plugin = { kind = "sink", put = function() end },
      transforms = { stage("insert_field", { ["static.field"] = "source", ["static.value"] = "bench" }),
        stage("replace_field", { exclude = { "note" }, renames = { "name:title" } }),
        stage("timestamp_converter", { field = "ts", ["target.type"] = "string", format = "yyyy-MM-dd'T'HH:mm:ss.SSS" }) } }
    local value = [[{"id":$i,"name":"name $i","note":"a note","ts":170000000$i}]]
    if with_schema then
      value = smt.with({ fields = { { "id", "int64" }, { "name", "string" }, { "note", "string?" },
        { "ts", "timestamp" } } }, value)
    end
    local ok, found = pcall(growth.aborts, t, growth.varied({ key = "k", value = value }, 500), 50)
    t:close()
    if not ok then error(found, 0) end
    return found
  end

  it("is compiled without a trace given up", function()
    assert.same({}, aborts(false))
    assert.same({}, aborts(true))
  end)
end)
