-- SPDX-License-Identifier: Apache-2.0
-- TimestampRouter: topics made of topics and times.

local T = require "spec.helpers.transform"

describe("TimestampRouter", function()
  local function options(topic_format, timestamp_format)
    return { file = "timestamp_router", sides = false,
      config = { ["topic.format"] = topic_format, ["timestamp.format"] = timestamp_format } }
  end

  local function topic(name, ms, ...)
    return T.run(options(...), { { topic = name, timestamp = ms, value = "1" } })[1].topic
  end

  it("appends the day by default", function()
    assert.equal("test-20170103", topic("test", 1483425001864))
  end)

  it("puts the topic in everywhere first, then the time, in UTC", function()
    assert.equal("2017-01-03 06:30/topic/topic", topic("topic", 1483425001864, "${timestamp}/${topic}/${topic}",
      "yyyy-MM-dd HH:mm"))
    assert.equal("x19700101-19700101", topic("x${timestamp}", 0))
    assert.equal("19700101", topic("stamp", 0, "${time${topic}}"))
    assert.equal("${topic}-19700101", topic("${topic}", 0))
  end)

  it("takes what it puts in as it is", function()
    assert.equal("a$1\\b%1%%-19700101", topic("a$1\\b%1%%", 0))
    assert.equal("$topic-$timestamp", topic("t", 5, "$topic-$timestamp"))
    assert.equal("\\t", topic("t", 5, "\\${topic}"))
  end)

  it("keeps topics apart, and many of them", function()
    local records = {}
    for i = 1, 1500 do records[i] = { topic = "t" .. i % 1100, timestamp = i % 2 * 86400000, value = "1" } end
    for part = 0, 2 do
      local some = {}
      for i = 1, 500 do some[i] = records[part * 500 + i] end
      local out = T.run(options("${topic}-${timestamp}-${topic}"), some)
      for i = 1, 500 do
        local given = some[i]
        local day = given.timestamp == 0 and "19700101" or "19700102"
        assert.equal(given.topic .. "-" .. day .. "-" .. given.topic, out[i].topic)
      end
    end
  end)

  it("grows with the topic's length", function()
    local long = ("x"):rep(5000)
    assert.equal(long .. "19700101" .. long, topic(long, 0, "${topic}${timestamp}${topic}"))
  end)

  it("needs a timestamp, before it looks at the pattern", function()
    assert.same({ "org.apache.kafka.connect.errors.DataException", "Timestamp missing on record: SinkRecord{kafkaOffset=5, "
      .. "timestampType=NoTimestampType, originalTopic=t, originalKafkaPartition=2, originalKafkaOffset=5} "
      .. "ConnectRecord{topic='t', kafkaPartition=2, key={a=1}, keySchema=null, value=[1, x], valueSchema=null, "
      .. "timestamp=null, headers=ConnectHeaders(headers=[ConnectHeader(key=h, value=v, schema=Schema{STRING})])}" },
      T.error(options(nil, "bad-format"), { { topic = "t", partition = 2, offset = 5, timestamp = -1, key = '{"a":1}',
        value = '[1,"x"]', headers = { { "h", "v" } } } }))
  end)

  it("tells about a bad pattern with each record", function()
    assert.same({ "java.lang.IllegalArgumentException", "Illegal pattern character 'b'" },
      T.error(options(nil, "bad-format"), { { topic = "t", value = "1" } }))
  end)

  it("makes nothing in Lua per record #memory", function()
    T.cheap(options(), { topic = "t", value = "1" })
  end)
end)
