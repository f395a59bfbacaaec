local kit = require "connect.testkit"

describe("my_sink", function()
  local plugin, path, t = kit.plugin "my_sink", nil, nil

  local function read()
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  before_each(function()
    path = os.tmpname()
    t = kit.task { plugin = plugin, config = { file = path } }
    t:start()
  end)

  after_each(function()
    t:stop()
    t:close()
    os.remove(path)
  end)

  it("writes keys and values", function()
    t:put { { key = "a", value = "1" }, { key = "b", value = "2" } }
    t:flush {}
    assert.equal("a=1\nb=2\n", read())
  end)

  it("writes records without key or value", function()
    t:put { { value = "1" }, { key = "b" } }
    t:flush {}
    assert.equal("null=1\nb=null\n", read())
  end)

  it("is content with no records", function()
    t:put {}
    t:flush {}
    assert.equal("", read())
  end)
end)
