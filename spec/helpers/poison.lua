-- SPDX-License-Identifier: Apache-2.0
--
-- A topic in which some records fail, each kind in its own way, for specs of errors.*: a sink that tolerates
-- them, killed while dead letters are on their way, must have delivered every good record and no other, and
-- every other must be a dead letter that tells what was wrong with it.
local assert = require "luassert"
local helpers = require "spec.helpers"
local kafka = require "spec.helpers.kafka"

local poison = {}

local JSON = "org.apache.kafka.connect.json.JsonConverter"
local CAST = "org.apache.kafka.connect.transforms.Cast$Value"
local SINK_TASK = "org.apache.kafka.connect.sink.SinkTask"
local DATA = "org.apache.kafka.connect.errors.DataException"
local RETRIABLE = "org.apache.kafka.connect.errors.RetriableException"

-- Ten kinds, %d makes each record one of its kind, and n is what its wrong delivery would show. Each with the
-- stage and class that fail, and the exception's class and message; no class = a letter without exception.
local KINDS = {
  { value = "{torn %d", "VALUE_CONVERTER", JSON, DATA, "Converting byte[] to Kafka Connect data failed due to serialization error: " },
  { key = "{torn key %d", value = '{"n":"%d"}', "KEY_CONVERTER", JSON, DATA,
    "Converting byte[] to Kafka Connect data failed due to serialization error: " },
  { header = "{torn header %d", value = '{"n":"%d"}', "HEADER_CONVERTER", JSON, DATA,
    "Converting byte[] to Kafka Connect data failed due to serialization error: " },
  { value = '{"n":"not a number %d"}', "TRANSFORMATION", CAST, DATA, "Value (not a number %d) was out of range for requested data type" },
  { value = '{"n":{"deep":%d}}', "TRANSFORMATION", CAST, DATA, "Cast transformation does not support casting from MAP; "
    .. "supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]" },
  { value = '[%d]', "TRANSFORMATION", CAST, DATA,
    "Only Map objects supported in absence of schema for [cast types], found: java.util.ArrayList" },
  { value = '{"n":"%d","do":"raise"}', "TRANSFORMATION", "moody", DATA, "in no mood for %d" },
  { value = '{"n":"%d","do":"retry"}', "TRANSFORMATION", "moody", RETRIABLE, "not now, %d" },
  { value = '{"n":"%d","do":"reject"}', "TASK_PUT", SINK_TASK, DATA, "no room for %d" },
  { value = '{"n":"%d","do":"reject quietly"}', "TASK_PUT", SINK_TASK },
}

local TRANSFORM = [[
local connect = require "connect"
return { api = 1, kind = "transform", apply = function(record)
  local what = record.value["do"]
  if what == "raise" then error("in no mood for " .. tostring(record.value.n), 0) end
  if what == "retry" then connect.retriable("not now, " .. tostring(record.value.n)) end
  return record
end }]]

-- Takes no more once it has had a record of hold.at or beyond, and then tells of each flush.
local SINK = [[
local connect = require "connect"
local out, marks, held
return { api = 1, kind = "sink",
  config = { { name = "file", type = "string" }, { name = "marks", type = "string" }, { name = "hold.at", type = "long" } },
  start = function(ctx)
    out, marks = connect.file.writer { path = ctx.config.file }, connect.file.writer { path = ctx.config.marks }
  end,
  put = function(ctx, batch)
    for _, r in batch:records() do
      local what = r.value["do"]
      if what == "reject" then ctx:reject(r, "no room for " .. tostring(r.value.n))
      elseif what then ctx:reject(r)
      else out:line(("{n=%d}"):format(tonumber(r.value.n))) end
      held = held or r.offset >= ctx.config["hold.at"]
    end
    out:flush()
    if held then for _, at in ipairs(ctx:assignment()) do ctx:pause(at.topic, at.partition) end end
  end,
  flush = function()
    if held then marks:line("flush") marks:flush() end
  end }]]

-- Record number i; the first of each `every` is poison.
local function record(i, every)
  if i % every ~= 1 then return { key = tostring(i), value = ('{"n":"%d"}'):format(i) } end
  local kind = KINDS[(i - 1) / every % #KINDS + 1]
  local out = { kind = kind, number = i, key = kind.key and kind.key:format(i) or tostring(i),
    value = (kind.value:gsub("%%d", i)), timestamp = 1700000000000 + i }
  if kind.header then out.headers = { { "h", kind.header:format(i) }, { "null", kafka.null } } end
  return out
end

-- Adds the records 1..n; answers the poison by offset.
local function fill(client, topic, n, every)
  local expected, part = {}, {}
  for i = 1, n do
    local r = record(i, every)
    if r.kind then expected[i - 1] = r end
    part[#part + 1] = r
    if #part == 20000 or i == n then
      client:produce(topic, part)
      part = {}
    end
  end
  return expected
end

-- Every good record is in the sink's file, and no other. One torn by a kill is whole in a later line.
local function check_delivered(path, n, every)
  local seen = {}
  for number in helpers.read(path):gmatch "{n=(%d+)}\n" do seen[tonumber(number)] = true end
  for i = 1, n do assert.equal(i % every ~= 1, seen[i] or false, "record " .. i) end
end

local function named(list)
  local out = {}
  for _, h in ipairs(list) do out[h[1]] = h[2] end
  return out
end

local function check_letter(letter, expected, names)
  local headers = named(letter.headers)
  local offset = tonumber(headers["__connect.errors.offset"])
  local want = assert(expected[offset], "a letter of a record that is not poison, offset " .. tostring(offset))
  local stage, class, exception, message = unpack(want.kind)
  assert.equal(want.value, letter.value)
  assert.equal(want.key, letter.key)
  assert.equal(want.timestamp, letter.timestamp)
  for i, header in ipairs(want.headers or {}) do assert.same(header, letter.headers[i]) end
  assert.equal(#(want.headers or {}) + (exception and 10 or 7), #letter.headers)
  assert.same({ names.topic, "0", names.connector, "0", stage, class }, {
    headers["__connect.errors.topic"], headers["__connect.errors.partition"], headers["__connect.errors.connector.name"],
    headers["__connect.errors.task.id"], headers["__connect.errors.stage"], headers["__connect.errors.class.name"] })
  assert.equal(exception, headers["__connect.errors.exception.class.name"])
  if exception then
    message = message:gsub("%%d", want.number)
    assert.equal(message, headers["__connect.errors.exception.message"])
    local trace = headers["__connect.errors.exception.stacktrace"]
    assert.equal(exception .. ": " .. message, trace:sub(1, #exception + 2 + #message))
  end
  return offset
end

--- n records, the first of each `every` poison, through `kills` kill -9: each at a count of records, all of them taken
-- and several flushes of offsets done, while the letters of the last ones linger.
function poison.with_kills(n, every, kills)
  local worker = helpers.worker {
    ["key.converter"] = JSON, ["key.converter.schemas.enable"] = "false", ["value.converter"] = JSON,
    ["value.converter.schemas.enable"] = "false", ["header.converter"] = JSON, ["header.converter.schemas.enable"] = "false",
    ["consumer.session.timeout.ms"] = "6000", ["offset.flush.interval.ms"] = "200",
    ["task.shutdown.graceful.timeout.ms"] = "60000" }
  worker.config["plugin.path"] = worker.folder
  helpers.write(worker:path "moody.lua", TRANSFORM)
  helpers.write(worker:path "choosy.lua", SINK)
  local client = kafka.open(helpers.broker)
  local names = { topic = helpers.unique "poison", connector = helpers.unique "sink" }
  local letters, out, marks, group = names.topic .. "-letters", worker:path "out", worker:path "marks", "connect-" .. names.connector
  client:create { [names.topic] = 1 }
  local expected = fill(client, names.topic, n, every)
  local function start(hold_at)
    worker.files[1] = helpers.write(worker:path "sink.properties", helpers.properties {
      name = names.connector, ["connector.class"] = "choosy", ["tasks.max"] = "1", file = out, marks = marks, topics = names.topic,
      ["hold.at"] = hold_at, transforms = "mood,number", ["transforms.mood.type"] = "moody",
      ["transforms.number.type"] = CAST, ["transforms.number.spec"] = "n:int64",
      ["errors.tolerance"] = "all", ["errors.retry.timeout"] = "2", ["errors.retry.delay.max.ms"] = "1",
      ["errors.deadletterqueue.topic.name"] = letters, ["errors.deadletterqueue.topic.replication.factor"] = "1",
      ["errors.deadletterqueue.context.headers.enable"] = "true",
      ["producer.override.linger.ms"] = "600000", ["producer.override.delivery.timeout.ms"] = "700000" })
    os.remove(marks)
    worker:start()
    helpers.wait_for("flushes after record " .. hold_at, function()
      local _, flushes = (helpers.read(marks) or ""):gsub("\n", "")
      return flushes >= 3
    end)
  end
  for kill = 1, kills do
    start(math.floor(n * kill / (kills + 1)))
    worker:crash()
  end
  start(n - 1)
  worker:stop() -- sends what lingers, and commits
  assert.equal(n, client:committed(group, names.topic, 0))
  local found, count = {}, 0
  for _, letter in ipairs(client:read(letters, 0, 0, client:upto(letters, 0))) do
    local offset = check_letter(letter, expected, names)
    if not found[offset] then found[offset], count = true, count + 1 end
  end
  client:close()
  assert.equal(n / every, count)
  check_delivered(out, n, every)
end

return poison
