-- SPDX-License-Identifier: Apache-2.0
-- Tests that a plugin holds itself, tests = { ["name"] = function(t) ... end }.
local connect = require "connect"
local run = require "connect.host.inline_tests"

local UPPER = { kind = "transform", config = { { name = "by", type = "int", required = true, doc = "By." } },
  apply = function(record, config)
    if record.value == connect.null then return nil end
    if record.value.n == nil then connect.data_error "no n" end
    record.value.n = record.value.n + config.by
    return record
  end }

describe("tests inside a plugin", function()
  -- Nil, or what the failure says.
  local function failure(test, module)
    local ok, e = pcall(run, { one = test }, "p.lua", module or UPPER)
    return not ok and e or nil
  end

  it("compare values", function()
    assert.is_nil(failure(function(t)
      t.equal({ a = { 1, "x" } }, { a = { 1, "x" } })
      t.ok(1)
      t.raises("not so", error, "it is not so")
    end))
    assert.matches('inline_tests_spec.lua:%d+: expected {"a":1}, got {"a":2} %(test \'one\'%)$',
      failure(function(t) t.equal({ a = 2 }, { a = 1 }) end))
    assert.matches("a sum: expected 2, got 1", failure(function(t) t.equal(1, 2, "a sum") end))
    assert.matches("expected something true, got nil", failure(function(t) t.ok(nil) end))
    assert.matches('expected an error with "x", there was none', failure(function(t) t.raises("x", function() end) end))
    assert.matches('expected an error with "x", got', failure(function(t) t.raises("x", error, "y") end))
  end)

  it("apply a transform to records", function()
    assert.is_nil(failure(function(t)
      local record = t.apply({ key = "k", value = { n = 1 }, topic = "t" }, { by = 2 })
      t.equal(record.value, { n = 3 })
      t.equal(record.key, "k")
      t.equal(t.apply({ key = "k" }, { by = 2 }), nil)
      t.raises("no n", t.apply, { value = {} }, { by = 2 })
      t.raises("the config lacks by", t.apply, { value = {} })
    end))
  end)

  it("ask a predicate, and convert", function()
    local has = { kind = "predicate", test = function(record) return record.topic == "t" end }
    assert.is_nil(failure(function(t)
      t.ok(t.test { topic = "t" })
      t.ok(not t.test { topic = "u" })
    end, has))
    local twice = { kind = "converter", decode = function(datum) datum:set(datum:text():rep(2)) end,
      encode = function(datum) datum:set_text(datum:get():rep(3)) end }
    assert.is_nil(failure(function(t)
      t.equal(t.decode "a", "aa")
      t.equal(t.encode "a", "aaa")
    end, twice))
  end)

  it("run a connector's task, which is closed at the end", function()
    local one = { kind = "source", poll = function(ctx)
      if ctx:sleep(5) then return end
      ctx:emit { topic = "t", value = "x" }
    end }
    local kept
    assert.is_nil(failure(function(t)
      kept = t.task()
      t.equal(kept:poll()[1].value, "x")
      t.equal(kept.slept, { 5 })
    end, one))
    assert.is_true(connect.time.now() ~= kept.now) -- the clock is the machine's again
    assert.matches("expected 2, got 1", failure(function(t)
      t.task()
      t.equal(1, 2)
    end, one))
    assert.is_true(connect.time.now() ~= kept.now)
  end)
end)
