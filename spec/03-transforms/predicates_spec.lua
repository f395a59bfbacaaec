-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

-- Which of the records pass a Filter that drops those the predicate is true for.
local function dropped(predicate, config, records, negate)
  local left = smt.run({ { plugin = "lua/connect/transforms/filter.lua", negate = negate,
    predicate = "lua/connect/predicates/" .. predicate .. ".lua", predicate_config = config } }, records)
  local stay = {}
  for _, r in ipairs(left) do stay[r.value .. "@" .. r.topic] = true end
  local out = {}
  for i, r in ipairs(records) do
    local value = r.value and r.value:match '"payload":(.*)}$' or "null"
    out[i] = not stay[value .. "@" .. r.topic]
  end
  return out
end

describe("predicates", function()
  local A, B = { "a", smt.plain "1" }, { "b", smt.plain "2" }

  it("HasHeaderKey: some header has exactly the name", function()
    local records = { { topic = "1", value = smt.plain "1", headers = { A } },
      { topic = "2", value = smt.plain "1", headers = { B, A, B, A } }, { topic = "3", value = smt.plain "1", headers = { B } },
      { topic = "4", value = smt.plain "1" }, { topic = "5", value = smt.plain "1", headers = { { "A", smt.plain "1" } } } }
    assert.same({ true, true, false, false, false }, dropped("has_header_key", { name = "a" }, records))
    assert.same({ false, false, true, true, true }, dropped("has_header_key", { name = "a" }, records, true))
  end)

  it("RecordIsTombstone: the value is null, whatever its schema or the key", function()
    local records = { { topic = "1", key = smt.plain "1" }, { topic = "2", value = smt.with("int32?", "null") },
      { topic = "3", value = smt.plain "0" }, { topic = "4", value = smt.plain '""' } }
    local left = smt.run({ { plugin = "lua/connect/transforms/filter.lua",
      predicate = "lua/connect/predicates/record_is_tombstone.lua" } }, records)
    assert.same({ "3", "4" }, { left[1].topic, left[2].topic })
    assert.equal(2, #left)
  end)

  it("TopicNameMatches: the whole topic matches", function()
    local records = {}
    for i, topic in ipairs { "my-prefix-", "my-prefix-foo", "x-my-prefix-", "my-prefi" } do
      records[i] = { topic = topic, value = smt.plain "1" }
    end
    assert.same({ true, true, false, false }, dropped("topic_name_matches", { pattern = "my-prefix-.*" }, records))
    assert.same({ false, false, true, true }, dropped("topic_name_matches", { pattern = "my-prefix-.*" }, records, true))
  end)

  it("see the record as the stages before left it", function()
    local left = smt.run({ { plugin = "lua/connect/transforms/regex_router.lua",
      config = { regex = "a", replacement = "b" } }, { plugin = "lua/connect/transforms/filter.lua",
      predicate = "lua/connect/predicates/topic_name_matches.lua", predicate_config = { pattern = "b" } } },
      { { topic = "a", value = smt.plain "1" }, { topic = "c", value = smt.plain "1" } })
    assert.equal(1, #left)
    assert.equal("c", left[1].topic)
  end)
end)
