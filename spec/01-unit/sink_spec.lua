-- SPDX-License-Identifier: Apache-2.0
-- The verbs of a sink and what its ctx asks of the task.
local connect = require "connect"
local task = require "spec.helpers.task"

describe("a sink", function()
  local t

  local function sink(plugin, config)
    plugin.kind = "sink"
    plugin.put = plugin.put or function() end
    t = task.new { plugin = plugin, config = config }
    return t
  end

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  it("needs no verb but put", function()
    sink {}
    t:start()
    t:open { { topic = "t", partition = 0 } }
    t:put { "a" }
    assert.is_nil(t:flush {})
    t:close_partitions {}
    t:stop()
  end)

  it("gets the same ctx in every verb, with what the plugin keeps there", function()
    local seen = {}
    local function note(name)
      return function(ctx, arg)
        ctx.count = (ctx.count or 0) + 1
        seen[#seen + 1] = { name, ctx.count, type(arg) }
      end
    end
    sink { start = note "start", open = note "open", put = note "put", flush = note "flush", close = note "close",
      stop = note "stop" }
    t:start()
    t:open {}
    t:put { "a" }
    t:flush {}
    t:close_partitions {}
    t:stop()
    assert.same({ { "start", 1, "nil" }, { "open", 2, "table" }, { "put", 3, "cdata" }, { "flush", 4, "table" },
      { "close", 5, "table" }, { "stop", 6, "nil" } }, seen)
  end)

  it("sees its configuration, unset keys as nil", function()
    local config, id
    sink({ start = function(ctx) config, id = ctx.config, ctx.task end }, { file = connect.null, n = 3 })
    t:start()
    assert.same({ n = 3 }, config)
    assert.same({ id = 0, max = 1, connector = "test" }, id)
  end)

  it("may answer flush with offsets, and with nothing else", function()
    local answer
    sink { flush = function(_, offsets) return answer and answer(offsets) end }
    local offsets = { { topic = "t", partition = 0, offset = 5 } }
    answer = function(given)
      given[1].offset = 4
      return given
    end
    assert.same({ { topic = "t", partition = 0, offset = 4 } }, t:flush(offsets))
    answer = function() return "all" end
    assert.error_matches(function() t:flush(offsets) end, "flush returned a string")
  end)

  it("asks its task", function()
    sink { put = function(ctx)
      ctx:rewind("t", 1, 20)
      ctx:pause("t", 2)
      ctx:resume("t", 2)
      ctx:timeout(500)
      ctx:request_commit()
      ctx:assignment()
    end }
    t:put {}
    assert.same({ { "rewind", "t", 1, 20 }, { "pause", "t", 2, true }, { "pause", "t", 2, false }, { "timeout", 500 },
      { "request_commit" }, { "assignment" } }, t.asked)
  end)

  it("is told what it asked wrongly", function()
    local ctx
    sink { start = function(c) ctx = c end }
    t:start()
    assert.error_matches(function() ctx:rewind(nil, 1, 20) end, "topic must be a string")
    assert.error_matches(function() ctx:rewind("t", "1", 20) end, "partition must be a number")
    assert.error_matches(function() ctx:rewind("t", 1) end, "offset must be a number")
    assert.error_matches(function() ctx:timeout "soon" end, "takes milliseconds")
    assert.error_matches(function() ctx:emit { topic = "t" } end, "ctx:emit is not for a sink")
    assert.error_matches(function() ctx:offset {} end, "ctx:offset is not for a sink")
  end)

  it("logs", function()
    sink { start = function(ctx)
      ctx.log:info("read %d of %s", 3, "x")
      ctx.log:warn "100% sure"
    end }
    t:start()
    assert.same({ { level = 2, text = "read 3 of x" }, { level = 3, text = "100% sure" } }, t.logged)
    assert.error_matches(function() connect.log.info "x" end, "call it as log:info")
  end)
end)
