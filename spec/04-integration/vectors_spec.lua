-- SPDX-License-Identifier: Apache-2.0
-- What Apache Kafka Connect 4.2.0 made of these records and configurations, `connect-lua try
-- --json` has to make of them, too.
local helpers = require "spec.helpers"
local json = require "dkjson"
local vectors = require "spec.helpers.vectors"

local FILE = helpers.root .. "/spec/fixtures/vectors.jsonl"
local SHOWN = 20

local function compare(areas, answers)
  for i, vector in ipairs(vectors.read(FILE)) do
    local area = areas[vector.area] or { n = 0, wrong = {} }
    areas[vector.area] = area
    area.n = area.n + 1
    local what = vectors.differs(vector, answers[i] or {})
    if what then table.insert(area.wrong, vector.id .. ": " .. what) end
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
    end)
  end

  it("are all of an area above", function()
    local n = 0
    for _ in pairs(areas) do n = n + 1 end
    assert.equal(27, n)
  end)

  it("are compared to the letter of each message", function()
    local function failed(text, class) return { expect = { { error = { stage = "TRANSFORMATION", class = class or "C",
      message = text } } } } end
    assert.is_nil(vectors.differs(failed "a[B@<hash> b", failed "a[B@1a2b3c b"))
    assert.equal("record 1: message", vectors.differs(failed "a b", failed "a c"))
    assert.equal("record 1: message", vectors.differs(failed "a b", failed(nil)))
    assert.equal("record 1: class", vectors.differs(failed "a b", failed("a b", "D")))
    assert.equal("message", vectors.differs({ configError = { class = "C", message = "a" } },
      { configError = { class = "C", message = "b" } }))
  end)
end)
