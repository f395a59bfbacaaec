-- SPDX-License-Identifier: Apache-2.0
-- The same connectors, records and topics through Apache's standalone worker and through ours: the
-- same topics and files come out, byte for byte. spec/helpers/pipelines.lua says which.
--
-- Both write to the same topics, Apache's worker first, so that the configs are the same to the
-- letter; what lies behind the end that it left is ours. Not compared: timestamps of records that
-- FileStreamSource makes, which are the clock's.
local apache = require "spec.helpers.apache"
local helpers = require "spec.helpers"
local kafka = require "spec.helpers.kafka"
local pipelines = require "spec.helpers.pipelines"

local FILE = "org.apache.kafka.connect.file.FileStream"
local SIDES = { "apache", "ours" }

describe("beside Apache's worker #kafka", function()
  local worker, client
  local prefix = helpers.unique "pipe"
  local pipes = pipelines(prefix)

  local function out_file(pipe, side) return worker:path(pipe.name .. "." .. side) end

  -- The connector's file for one side. Only names differ, which are those of consumer groups, and
  -- the sink's file.
  local function connector(pipe, side)
    local config = {}
    for key, value in pairs(pipe.config) do config[key] = value end
    config.name = prefix .. "-" .. pipe.name .. "-" .. side
    config["tasks.max"] = "1"
    if pipe.lines then
      config["connector.class"] = FILE .. "SourceConnector"
      config.file, config.topic = worker:path(pipe.name .. ".in"), pipe.topic
    else
      local topics = {}
      for topic in pairs(pipe.topics) do topics[#topics + 1] = topic end
      table.sort(topics)
      config["connector.class"] = FILE .. "SinkConnector"
      config.file, config.topics = out_file(pipe, side), table.concat(topics, ",")
    end
    return helpers.write(worker:path(config.name .. ".properties"), helpers.properties(config))
  end

  local function prepare()
    local partitions = {}
    for _, pipe in ipairs(pipes) do
      for topic, n in pairs(pipe.outputs or {}) do partitions[topic] = n end
      for topic in pairs(pipe.topics or { [pipe.topic] = true }) do partitions[topic] = pipe.partitions or 1 end
    end
    client:create(partitions)
    for _, pipe in ipairs(pipes) do
      if pipe.lines then helpers.write(worker:path(pipe.name .. ".in"), table.concat(pipe.lines, "\n") .. "\n") end
      for topic, records in pairs(pipe.topics or {}) do client:produce(topic, records) end
      pipe.from, pipe.upto, pipe.trace = { apache = {}, ours = {} }, {}, {}
    end
  end

  -- The end of each partition a source writes to, as { ["topic/partition"] = offset }.
  local function ends(pipe)
    local found, sum = {}, 0
    for topic, n in pairs(pipe.outputs) do
      for partition = 0, n - 1 do
        local upto = client:upto(topic, partition)
        found[topic .. "/" .. partition] = upto
        sum = sum + upto
      end
    end
    return found, sum
  end

  -- How many records or lines came out on this side.
  local function amount(pipe, side)
    if not pipe.lines then return select(2, (helpers.read(out_file(pipe, side)) or ""):gsub("\n", "")) end
    local _, sum = ends(pipe)
    for _, from in pairs(pipe.from[side]) do sum = sum - from end
    return sum
  end

  -- Whether a pipeline has done what it will do; notes why it failed.
  local function done(pipe, side, statuses)
    local status = statuses[prefix .. "-" .. pipe.name .. "-" .. side]
    local task = status and status.status.tasks[1]
    if task and task.state == "FAILED" then
      pipe.trace[side] = task.trace
      return true
    end
    return not pipe.fails and amount(pipe, side) >= pipe.expect
  end

  -- Waits until every pipeline is done, or three minutes after the last one was: what is compared then
  -- shows what is missing.
  local function wait(side, url)
    local left, deadline = {}, os.time() + 180
    for i, pipe in ipairs(pipes) do left[i] = pipe end
    while #left > 0 and os.time() < deadline do
      local status, statuses = helpers.http("GET", url .. "/connectors?expand=status")
      for i = #left, 1, -1 do
        if status == 200 and done(left[i], side, statuses) then
          table.remove(left, i)
          deadline = os.time() + 180
        end
      end
      helpers.sleep(0.05)
    end
  end

  lazy_setup(function()
    worker = helpers.worker()
    client = kafka.open(helpers.broker)
    prepare()
    for _, side in ipairs(SIDES) do
      worker.config["offset.storage.file.filename"] = worker:path("offsets." .. side)
      local files = {}
      for i, pipe in ipairs(pipes) do
        files[i] = connector(pipe, side)
        if pipe.lines then pipe.from[side] = ends(pipe) end
      end
      if side == "apache" then
        local theirs = apache.start(worker, files)
        wait(side, theirs.url)
        theirs:stop()
      else
        worker.files = files
        worker:start()
        wait(side, worker.url)
        worker:stop()
      end
      for _, pipe in ipairs(pipes) do
        if pipe.lines then pipe.upto[side] = ends(pipe) end
      end
    end
  end)

  lazy_teardown(function()
    if client then client:close() end
    helpers.clean()
  end)

  -- What a source wrote, by "topic/partition": records as text, for messages that can be read.
  local function records(pipe, side)
    local out, count = {}, 0
    for place, from in pairs(pipe.from[side]) do
      local topic, partition = place:match "^(.*)/(%d+)$"
      out[place] = {}
      for i, record in ipairs(client:read(topic, tonumber(partition), from, pipe.upto[side][place])) do
        local headers = {}
        for k, header in ipairs(record.headers) do headers[k] = header[1] .. ": " .. tostring(header[2]) end
        out[place][i] = { key = record.key, value = record.value, headers = headers }
        count = count + 1
      end
    end
    return out, count
  end

  -- The lines of a sink's file.
  local function lines(pipe, side)
    local out = {}
    for line in (helpers.read(out_file(pipe, side)) or ""):gmatch "([^\n]*)\n" do
      out[#out + 1] = line
    end
    if pipe.any_order then table.sort(out) end
    return out, #out
  end

  -- Class and message of what Apache's error handler gave up on. What its JSON parser and its
  -- deserializers said below that is no part of the contract.
  local function cause(trace)
    return ((trace or "") .. "\n"):match "\nCaused by: ([%w.]+Exception): ([^\n]*)\n"
  end

  for _, pipe in ipairs(pipes) do
    it(pipe.name .. ": " .. pipe.title, function()
      if pipe.fails then
        local class, message = cause(pipe.trace.apache)
        assert(class, "Apache's task did not fail: " .. tostring(pipe.trace.apache))
        assert(pipe.trace.ours, "our task did not fail; Apache's: " .. class .. ": " .. message)
        assert.equal(pipe.trace.apache:match "^[^\n]*", pipe.trace.ours:match "^[^\n]*")
        assert.equal(class, (cause(pipe.trace.ours)))
        assert.matches(message, pipe.trace.ours, 1, true)
        for _, part in ipairs { pipe.topic, "partition 0", "offset 0" } do assert.matches(part, pipe.trace.ours, 1, true) end
        return
      end
      assert(not pipe.trace.apache, "Apache's task failed: " .. tostring(pipe.trace.apache))
      assert(not pipe.trace.ours, "our task failed: " .. tostring(pipe.trace.ours))
      local made = pipe.lines and records or lines
      local theirs, count = made(pipe, "apache")
      assert.equal(pipe.expect, count)
      assert.same(theirs, (made(pipe, "ours")))
    end)
  end
end)
