-- SPDX-License-Identifier: Apache-2.0
-- errors.tolerance=all and errors.retry.* inside the stages: which records go on, what is noted of those
-- that do not, and how often a stage is asked again.
local ffi = require "ffi"

local connect = require "connect"
local task = require "spec.helpers.task"

local C = ffi.C

-- Acts on texts by what they hold: bad data, bug, fatal, memory; "later" is retriable `tries` times.
local function actor(tries)
  local seen = {}
  return function(text)
    if type(text) ~= "string" then return end
    if text:find "bad" then connect.data_error("%s refused", text) end
    if text:find "bug" then error("a bug with " .. text, 0) end
    if text:find "fatal" then connect.fatal("%s ends it", text) end
    if text:find "memory" then error("not enough memory", 0) end
    if text:find "later" then
      seen[text] = (seen[text] or 0) + 1
      if seen[text] <= tries then connect.retriable("%s, try %d", text, seen[text]) end
    end
  end
end

local function converter(act)
  return { kind = "converter", class = "test.Converter", config = {},
    decode = function(d)
      act(d:text())
      d:set(d:text())
    end,
    encode = function(d)
      local x = d:get()
      act(x)
      d:set_text(x)
    end }
end

local function transform(act)
  return { plugin = { kind = "transform", class = "test.Transform", config = {}, apply = function(r)
    act(r.value)
    if r.value == "drop" then return nil end
    return r
  end } }
end

describe("errors.tolerance", function()
  local t, put

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  local function failures(batch)
    local out, f = {}, batch.failures
    while f ~= nil do
      out[#out + 1] = ("%d %s %s %s: %s"):format(tonumber(f.record.offset), ffi.string(f.stage), ffi.string(f.plugin),
        ffi.string(f.exception):match "[^.]*$", ffi.string(f.message))
      f = f.next
    end
    return out
  end

  -- What put gets, what is noted, and the error.
  local function sink(list, options)
    put = {}
    options = options or {}
    local act = options.act or actor(options.tries or 0)
    t = task.new { plugin = { kind = "sink", put = function(_, batch)
      for _, r in batch:records() do put[#put + 1] = r.value end
    end }, value = converter(act), key = converter(act), transforms = { transform(options.transform or actor(0)) },
      tolerate = options.tolerate ~= false, retry = options.retry }
    local batch = t:consume(list)
    local ok, e = pcall(t.put_batch, t, batch)
    local noted = failures(batch)
    t:release(batch)
    return put, noted, not ok and e or nil
  end

  it("all passes over the records that fail, and notes why in their order", function()
    local none = function() end
    local got, noted, e = sink({ "a", "bug 1", { value = "x", key = "bad" }, "b", "bad", "drop", "c" }, {
      act = function(text) if text ~= "bug 1" then actor(0)(text) end end, transform = actor(0) })
    assert.is_nil(e)
    assert.same({ "a", "b", "c" }, got)
    assert.same({ "1 TRANSFORMATION test.Transform DataException: a bug with bug 1",
      "2 KEY_CONVERTER test.Converter DataException: bad refused",
      "4 VALUE_CONVERTER test.Converter DataException: bad refused" }, noted)
    t:close()
    got, noted = sink({ "bad", "bug" }, { transform = none })
    assert.same({}, got)
    assert.equal(2, #noted)
  end)

  it("none notes the record that ends the batch", function()
    local got, noted, e = sink({ "a", "bad" , "b" }, { tolerate = false })
    assert.same({}, got)
    assert.same({ "1 VALUE_CONVERTER test.Converter DataException: bad refused" }, noted)
    assert.equal("bad refused", e.message)
  end)

  it("does not tolerate what is no record's fault", function()
    local got, noted, e = sink { "a", "bad", "fatal", "b" }
    assert.equal("fatal ends it", e.message)
    assert.same({}, got)
    assert.equal(1, #noted)
    t:close()
    got, noted, e = sink { "a", "memory", "b" }
    assert.equal("not enough memory", e)
    assert.same({}, got)
    assert.same({}, noted)
  end)

  it("tries a retriable error again for that record alone, as long as the task says", function()
    local asked = {}
    local function retry(attempt, since)
      asked[#asked + 1] = attempt
      assert.is_number(since)
      return attempt < 3
    end
    local got, noted = sink({ "a", "later", "b" }, { tries = 2, retry = retry })
    assert.same({ "a", "later", "b" }, got)
    assert.same({}, noted)
    assert.same({ 1, 2 }, asked)
    t:close()
    asked = {}
    got, noted = sink({ "a", "later", "b", "bad" }, { tries = 5, retry = retry })
    assert.same({ "a", "b" }, got)
    assert.same({ 1, 2, 3 }, asked)
    assert.same({ "1 VALUE_CONVERTER test.Converter RetriableException: later, try 3",
      "3 VALUE_CONVERTER test.Converter DataException: bad refused" }, noted)
    t:close()
    local _, _, e = sink({ "later" }, { tries = 5, retry = retry, tolerate = false })
    assert.equal("org.apache.kafka.connect.errors.RetriableException", e.java)
    t:close()
    got = sink({ "later" }, { act = function() end, transform = actor(1), retry = retry })
    assert.same({ "later" }, got)
  end)

  it("ends in the middle of retries when the task is to stop", function()
    local got, noted, e = sink({ "a", "later" }, { tries = 5, retry = function() return nil end })
    assert.equal("stopped", e.class)
    assert.same({}, got)
    assert.same({}, noted)
  end)

  it("counts for sources too, whose other records go on", function()
    t = task.new { plugin = { kind = "source", poll = function(ctx)
      for i, value in ipairs { "a", "bad", "b", "bug", "later" } do
        ctx:emit { topic = "t", value = value, headers = { h = i == 3 and "bad" or "x" },
          source_partition = { p = 1 }, source_offset = { n = i } }
      end
    end }, value = converter(actor(1)), header = converter(actor(0)), transforms = { transform(function(text)
      if text == "bug" then error("x", 0) end
    end) }, tolerate = true, keep_emitted = true, retry = function() return true end }
    local batch = C.cl_batch_get(t.pool)
    require "connect.host".poll(batch)
    local states, stages, f = {}, {}, batch.failures
    for i = 0, 4 do states[i + 1] = batch.records[i].state end
    while f ~= nil do
      stages[#stages + 1] = ffi.string(f.stage)
      f = f.next
    end
    local kept = batch.emitted ~= nil
    t:release(batch)
    assert.same({ C.CL_RECORD_LIVE, C.CL_RECORD_FAILED, C.CL_RECORD_FAILED, C.CL_RECORD_FAILED, C.CL_RECORD_LIVE }, states)
    assert.same({ "VALUE_CONVERTER", "HEADER_CONVERTER", "TRANSFORMATION" }, stages)
    assert.is_true(kept)
  end)

  it("has what a serialization error was caused by, for the stack trace", function()
    t = task.new { plugin = { kind = "sink", put = function() end }, value = "lua/connect/converters/json.lua",
      tolerate = true }
    local batch = t:consume { "{torn" }
    t:put_batch(batch)
    local trace = ffi.string(batch.failures.trace)
    t:release(batch)
    assert.matches("^Caused by: org%.apache%.kafka%.common%.errors%.SerializationException: ", trace)
  end)
end)

describe("ctx:reject", function()
  it("hands the record and its error to the task", function()
    local t = task.new { plugin = { kind = "sink", put = function(ctx, batch)
      for i, r in batch:records() do
        if i == 1 then ctx:reject(r, "too long") end
        if i == 2 then
          local _, e = pcall(connect.retriable, "later")
          ctx:reject(r, e)
        end
        if i == 3 then ctx:reject(r) end
      end
      assert.has_error(function() ctx:reject("x", "y") end)
    end } }
    t:put { "a", "b", "c" }
    local asked = {}
    for i, call in ipairs(t.asked) do asked[i] = { call[1], call[3], call[4] } end
    t:close()
    assert.same({ { "reject", "org.apache.kafka.connect.errors.DataException", "too long" },
      { "reject", "org.apache.kafka.connect.errors.RetriableException", "later" }, { "reject" } }, asked)
  end)

  it("is not for sources", function()
    local t = task.new { plugin = { kind = "source", poll = function(ctx) ctx:reject() end } }
    local ok, e = pcall(t.poll, t)
    t:close()
    assert.is_false(ok)
    assert.matches("not for a source", tostring(e.message))
  end)
end)

describe("what refused bytes look like", function()
  it("is told", function()
    local function guess(text) return ffi.string(C.cl_ffi_guess(ffi.new("struct cl_str", { text, text and #text or 0 }))) end
    assert.equal("is null", guess(nil))
    assert.equal("is empty", guess "")
    assert.equal("looks like an Avro message of a schema registry (magic byte 0)", guess "\0\0\0\0\1abc")
    assert.equal("looks like plain JSON, not a schema envelope", guess ' {"a": 1}\n')
    assert.equal("looks like plain JSON, not a schema envelope", guess "[1]")
    assert.equal("looks like a JSON schema envelope", guess '{"schema": {}, "payload": 1}')
    assert.equal("looks like text", guess "grüße")
    assert.equal("looks like text", guess(("ü"):rep(4000)))
    assert.equal("is not text", guess "\255\254x")
    assert.equal("is not text", guess "a\1")
  end)
end)
