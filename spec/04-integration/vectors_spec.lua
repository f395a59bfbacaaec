-- SPDX-License-Identifier: Apache-2.0
-- What Apache Kafka Connect 4.2.0 made of these records and configurations, `connect-lua try
-- --json` has to make of them, too.
local helpers = require "spec.helpers"
local json = require "dkjson"
local vectors = require "spec.helpers.vectors"

local FILE = helpers.root .. "/spec/fixtures/vectors.jsonl"
local SHOWN = 20

-- Messages that are the JVM's, Jackson's or the regex compiler's own; class and stage count.
local function is_foreign_message(what) return what:match "message$" ~= nil end

-- Where connect-lua differs and says so; what is right again leaves this list.
local DIFFERENCES = {
  ["regexrouter-java-71-1fa32603"] = "PCRE2 has no names of characters: \\N{DIGIT ONE}",
  ["regexrouter-java-84-e9179617"] = "PCRE2 wants lookbehinds of a fixed length",
  ["regexrouter-java-94-e6c60942"] = "PCRE2 takes no quantifier after a quantifier: a?{2}",
}

local function compare(areas, answers)
  for i, vector in ipairs(vectors.read(FILE)) do
    local area = areas[vector.area] or { n = 0, wrong = {}, messages = 0 }
    areas[vector.area] = area
    area.n = area.n + 1
    local answer = answers[i] or {}
    local what = vectors.differs(vector, answer)
    if DIFFERENCES[vector.id] then
      if not what then table.insert(area.wrong, vector.id .. ": right now, and yet among DIFFERENCES") end
    elseif what and is_foreign_message(what) then
      area.messages = area.messages + 1
    elseif what then
      table.insert(area.wrong, vector.id .. ": " .. what)
    end
  end
  return areas
end

describe("golden vectors #embedded", function()
  local areas = {}

  setup(function()
    local text, code = helpers.shell(("%q try --json < %q"):format(helpers.binary, FILE))
    assert(code == 0, text:sub(-2000))
    local answers = {}
    for line in text:gmatch "[^\n]+" do answers[#answers + 1] = json.decode(line, 1, json.null) end
    compare(areas, answers)
  end)

  for _, area in ipairs { "bytearrayconverter", "cast", "chain", "converterconfig", "dropheaders", "extractfield",
    "filter", "flatten", "headerfrom", "hoistfield", "insertfield", "insertheader", "jsonconverter", "maskfield", "mixed",
    "numbertext", "predicate", "primitives", "realistic", "regexrouter", "replacefield", "setschemametadata",
    "simpleheader", "stringconverter", "timestampconverter", "timestamprouter", "valuetokey" } do
    it("hold for " .. area, function()
      local found = areas[area]
      assert.is_true(found.n >= 8, "too few vectors")
      local wrong = table.concat(found.wrong, "\n", 1, math.min(#found.wrong, SHOWN))
      assert.equal("", wrong, ("%d of %d are wrong"):format(#found.wrong, found.n))
      assert.is_true(found.messages <= found.n / 2, "too many messages differ")
    end)
  end

  it("are all of an area above", function()
    local n = 0
    for _ in pairs(areas) do n = n + 1 end
    assert.equal(27, n)
  end)
end)
