local connect = require "connect"
local kit = require "connect.testkit"

describe("my_converter", function()
  local plugin = kit.plugin "my_converter"

  it("reads lines as fields", function()
    assert.same({ a = "1", b = "x=y" }, kit.decode(plugin, "a=1\nb=x=y\n"))
  end)

  it("writes fields as lines", function()
    assert.equal("a=1\nb=x", kit.encode(plugin, { b = "x", a = 1 }))
  end)

  it("has another separator when it is asked to", function()
    assert.same({ a = "1" }, kit.decode(plugin, "a: 1", { config = { separator = ": " } }))
  end)

  it("knows null", function()
    assert.equal(connect.null, kit.decode(plugin, nil))
    assert.is_nil(kit.encode(plugin, connect.null))
  end)

  it("says which line is none", function()
    assert.error_matches(function() kit.decode(plugin, "a=1\nb") end, "a line without =: b")
  end)
end)
