-- SPDX-License-Identifier: Apache-2.0
-- The README's plugins do what it says.
local connect = require "connect"
local sandbox = require "connect.host.sandbox"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"

describe("the README's", function()
  local folder, t = os.tmpname(), nil

  -- The plugin shown under the name, run as a file.
  local function shown(name)
    local file = assert(io.open "README.md")
    local lines, inside = {}, false
    for line in file:lines() do
      if inside and line ~= "" and not line:find "^    " then break end
      inside = inside or line:find("-- config/plugins/" .. name .. ".lua", 1, true) ~= nil
      if inside and #lines > 1 and line:find("-- config/plugins/", 1, true) then break end
      if inside then lines[#lines + 1] = line end
    end
    file:close()
    local path = folder .. "/" .. name .. ".lua"
    local out = assert(io.open(path, "w"))
    out:write(table.concat(lines, "\n"))
    out:close()
    return sandbox.load(path, folder)
  end

  setup(function()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder) == 0)
  end)
  teardown(function() os.execute("rm -rf " .. folder) end)
  after_each(function()
    if t then t:close() end
    t = nil
  end)

  it("predicate and transform", function()
    local seen = {}
    t = task.new { value = JSON, value_config = { ["schemas.enable"] = false },
      transforms = { { plugin = shown "lower_email", predicate = shown "has_email" } },
      plugin = { kind = "sink", put = function(_, batch)
        for i, record in batch:records() do seen[i] = connect.text(record.value) end
      end } }
    t:put { [[{"email":"A@B.org","password":"x"}]], [[{"password":"x"}]] }
    assert.same({ "{domain=B.org, email=a@b.org}", "{password=x}" }, seen)
  end)

  it("transform with a shape", function()
    local seen = {}
    t = task.new { value = JSON, transforms = { { plugin = shown "keep_first", side = "value" } },
      plugin = { kind = "sink", put = function(_, batch)
        for i, record in batch:records() do seen[i] = connect.text(record.value) end
      end } }
    t:put { [[{"schema":{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"b"}]},]]
      .. [["payload":{"a":1,"b":2}}]], [[{"schema":null,"payload":{"a":1}}]] }
    assert.same({ "Struct{a=1}", "{a=1}" }, seen)
  end)

  it("converter", function()
    local seen
    t = task.new { value = shown "csv", plugin = { kind = "sink", put = function(_, batch)
      seen = connect.copy(batch[1].value)
    end } }
    t:put { "a,,b" }
    assert.same({ "a", "", "b" }, { unpack(seen) })
    t:close()
    t = task.new { value = shown "csv", value_config = { separator = ";" }, plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = { "x", "y" } }
    end } }
    assert.equal("x;y", t:poll()[1].value)
  end)
end)
