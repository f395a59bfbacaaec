local connect = require "connect"
local kit = require "connect.testkit"

describe("my_predicate", function()
  local plugin = kit.plugin "my_predicate"

  local function holds(value) return kit.test(plugin, { value = value }, { config = { field = "email" } }) end

  it("holds for values with the field", function()
    assert.is_true(holds { email = "a@b.org" })
    assert.is_true(holds { email = connect.null })
  end)

  it("does not hold for others", function()
    assert.is_false(holds { name = "a" })
    assert.is_false(holds(nil))
  end)
end)
