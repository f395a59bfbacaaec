local kit = require "connect.testkit"

describe("my_transform", function()
  local plugin = kit.plugin "my_transform"

  it("puts the text into a field", function()
    local record = kit.apply(plugin, { value = { id = 7 } }, { config = { text = "me" } })
    assert.same({ id = 7, seen_by = "me" }, record.value)
  end)

  it("puts it into the field that is named", function()
    local record = kit.apply(plugin, { value = {} }, { config = { text = "me", field = "by" } })
    assert.same({ by = "me" }, record.value)
  end)

  it("leaves tombstones alone", function()
    local connect = require "connect"
    local record = kit.apply(plugin, { key = "k" }, { config = { text = "me" } })
    assert.equal(connect.null, record.value)
    assert.equal("k", record.key)
  end)
end)
