-- SPDX-License-Identifier: Apache-2.0
--
-- A topic in which some records cannot be read, for specs of errors.*: a sink that tolerates them, killed
-- at chosen moments, must have delivered every good record, and every other must be a dead letter.
local assert = require "luassert"
local helpers = require "spec.helpers"
local kafka = require "spec.helpers.kafka"

local poison = {}

local JSON = "org.apache.kafka.connect.json.JsonConverter"
local TRANSFORMS = "org.apache.kafka.connect.transforms."

-- Ten kinds, each with the stage and class that fail; %d makes each record one of its kind.
local KINDS = {
  { value = "{torn %d", stage = "VALUE_CONVERTER", class = JSON },
  { value = "text %d", stage = "VALUE_CONVERTER", class = JSON },
  { value = "\0\0\0\0\1 avro %d", stage = "VALUE_CONVERTER", class = JSON },
  { value = "\255\254%d", stage = "VALUE_CONVERTER", class = JSON },
  { value = '{"n":%d,', stage = "VALUE_CONVERTER", class = JSON },
  { value = '{"n":"not a number %d"}', stage = "TRANSFORMATION", class = TRANSFORMS .. "Cast$Value" },
  { value = '{"n":{"deep":%d}}', stage = "TRANSFORMATION", class = TRANSFORMS .. "Cast$Value" },
  { value = '[%d]', stage = "TRANSFORMATION", class = TRANSFORMS .. "Cast$Value" },
  { key = "{torn key %d", value = '{"n":1}', stage = "KEY_CONVERTER", class = JSON },
  { header = "{torn header %d", value = '{"n":%d}', stage = "HEADER_CONVERTER", class = JSON },
}

-- Record number i of n; every `every`-th is poison.
local function record(i, every)
  if i % every ~= 0 then return { key = tostring(i), value = ('{"n":"%d"}'):format(i) } end
  local kind = KINDS[i / every % #KINDS + 1]
  local out = { kind = kind, key = kind.key and kind.key:format(i) or tostring(i), value = (kind.value:gsub("%%d", i)),
    timestamp = 1700000000000 + i }
  if kind.header then out.headers = { { "h", kind.header:format(i) }, { "null", kafka.null } } end
  return out
end

-- Adds the records first..last; notes the poison by offset.
local function fill(client, topic, first, last, every, expected)
  local part = {}
  for i = first, last do
    local r = record(i, every)
    if r.kind then expected[i - 1] = r end
    part[#part + 1] = r
  end
  client:produce(topic, part)
end

-- The distinct good records in the sink's file. One torn by a kill is whole in a later line.
local function good(path)
  local seen, count = {}, 0
  for n in (helpers.read(path) or ""):gmatch "{n=(%d+)}\n" do
    if not seen[n] then seen[n], count = true, count + 1 end
  end
  return count
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
  assert.equal(want.value, letter.value)
  assert.equal(want.key, letter.key)
  assert.equal(want.timestamp, letter.timestamp)
  for i, header in ipairs(want.headers or {}) do assert.same(header, letter.headers[i]) end
  assert.equal(#(want.headers or {}) + 10, #letter.headers)
  assert.same({ names.topic, "0", names.connector, "0", want.kind.stage, want.kind.class }, {
    headers["__connect.errors.topic"], headers["__connect.errors.partition"], headers["__connect.errors.connector.name"],
    headers["__connect.errors.task.id"], headers["__connect.errors.stage"], headers["__connect.errors.class.name"] })
  assert.matches("^" .. headers["__connect.errors.exception.class.name"]:gsub("%.", "%%."),
    headers["__connect.errors.exception.stacktrace"])
  return offset
end

--- n records, every `every`-th poison, through `kills` kill -9.
function poison.with_kills(n, every, kills)
  local worker = helpers.worker {
    ["key.converter"] = JSON, ["key.converter.schemas.enable"] = "false", ["value.converter"] = JSON,
    ["value.converter.schemas.enable"] = "false", ["header.converter"] = JSON, ["header.converter.schemas.enable"] = "false",
    ["consumer.session.timeout.ms"] = "6000", ["offset.flush.interval.ms"] = "200" }
  local client = kafka.open(helpers.broker)
  local names = { topic = helpers.unique "poison", connector = helpers.unique "sink" }
  local letters, out = names.topic .. "-letters", worker:path "out"
  client:create { [names.topic] = 1 }
  worker.files[1] = helpers.write(worker:path "sink.properties", helpers.properties {
    name = names.connector, ["connector.class"] = "FileStreamSink", ["tasks.max"] = "1", file = out, topics = names.topic,
    transforms = "number", ["transforms.number.type"] = TRANSFORMS .. "Cast$Value", ["transforms.number.spec"] = "n:int64",
    ["consumer.override.max.poll.records"] = "200", -- so that each kill falls between two batches of many
    ["errors.tolerance"] = "all", ["errors.deadletterqueue.topic.name"] = letters,
    ["errors.deadletterqueue.topic.replication.factor"] = "1",
    ["errors.deadletterqueue.context.headers.enable"] = "true" })
  local expected, portion = {}, math.floor(n / (kills + 1))
  for kill = 1, kills do -- each as soon as it has begun with records of its own
    fill(client, names.topic, (kill - 1) * portion + 1, kill * portion, every, expected)
    local before = good(out)
    worker:start()
    helpers.wait_for("new records", function() return good(out) > before end)
    worker:crash()
  end
  fill(client, names.topic, kills * portion + 1, n, every, expected)
  worker:start()
  helpers.wait_for("the last records", function()
    return client:committed("connect-" .. names.connector, names.topic, 0) == n
  end)
  worker:wait_state(names.connector, "RUNNING")
  worker:stop()
  local found, count = {}, 0
  for _, letter in ipairs(client:read(letters, 0, 0, client:upto(letters, 0))) do
    local offset = check_letter(letter, expected, names)
    if not found[offset] then found[offset], count = true, count + 1 end
  end
  client:close()
  assert.equal(n / every, count)
  assert.equal(n - n / every, good(out))
end

return poison
