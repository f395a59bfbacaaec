-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua try`: converters and transforms over records without a worker, for people and
-- for machines.
local helpers = require "spec.helpers"
local json = require "dkjson"

local STRING = "org.apache.kafka.connect.storage.StringConverter"
local JSON = "org.apache.kafka.connect.json.JsonConverter"

local MARK = [[
return { api = 1, kind = "transform", class = "x.Mark", version = "1.0.0", doc = "Marks.",
  config = { { name = "text", type = "string", required = true, doc = "What to put there." } },
  validate = function(config)
    return config.text == "bad" and { text = "bad is not good" } or {}
  end,
  configure = function(config)
    if config.text == "late" then error "too late" end
    return config
  end,
  apply = function(record, config)
    if config.text == "drop" then return nil end
    if config.text == "fail" then error "no way" end
    record.value.mark = config.text
    return record
  end }
]]
local SOME = [[
return { api = 1, kind = "predicate", class = "x.TopicIs", version = "1.0.0", doc = "Looks at the topic.",
  config = { { name = "name", type = "string", required = true, doc = "The topic." } },
  test = function(record, config) return record.topic == config.name end }
]]

describe("connect-lua try #embedded", function()
  local folder

  before_each(function()
    folder = helpers.folder()
    helpers.shell("mkdir " .. folder .. "/plugins")
    helpers.write(folder .. "/plugins/mark.lua", MARK)
    helpers.write(folder .. "/plugins/topic_is.lua", SOME)
    helpers.write(folder .. "/worker.properties", helpers.properties {
      ["bootstrap.servers"] = "embedded", ["key.converter"] = STRING, ["value.converter"] = JSON,
      ["value.converter.schemas.enable"] = "false", ["plugin.path"] = folder .. "/plugins",
    })
  end)
  after_each(helpers.clean)

  local function connector(config)
    local all = { name = "c", ["connector.class"] = "FileStreamSink", topics = "first,second", file = "-" }
    for key, value in pairs(config or {}) do all[key] = value end
    return helpers.write(folder .. "/c.json", json.encode { name = "c", config = all })
  end

  local function marks(text, more)
    local config = { transforms = "m", ["transforms.m.type"] = "Mark", ["transforms.m.text"] = text }
    for key, value in pairs(more or {}) do config[key] = value end
    return config
  end

  local function try(options, config, lines)
    local argv = { "try", "--worker", folder .. "/worker.properties" }
    for _, option in ipairs(options) do argv[#argv + 1] = option end
    argv[#argv + 1] = connector(config)
    argv[#argv + 1] = helpers.write(folder .. "/records", lines)
    return helpers.run(argv)
  end

  it("explains itself", function()
    local code, out = helpers.run { "try", "--help" }
    assert.equal(0, code)
    for _, word in ipairs { "--records", "--format", "--json", "expect", "Exit codes" } do
      assert.matches(word, out, 1, true)
    end
    local err
    code, out, err = helpers.run { "try" }
    assert.equal(1, code)
    assert.matches("try --help", out .. err, 1, true)
    for _, argv in ipairs { { "--format", "xml", "f" }, { "--sink", "--source", "f" }, { "a", "b", "c" },
      { "--worker", "a", "--worker", "b", "f" } } do
      table.insert(argv, 1, "try")
      assert.equal(1, (helpers.run(argv)))
    end
  end)

  describe("for people", function()
    it("shows what each step changes", function()
      local code, out = try({}, marks("red"), '{"a":1,"b":"1"}\n')
      assert.equal(0, code)
      assert.matches("record 1:", out, 1, true)
      assert.matches("topic: first", out, 1, true)
      assert.matches("value.a: 1 int64", out, 1, true)
      assert.matches('value.b: "1" string', out, 1, true)
      assert.matches('m:\n  + value.mark: "red" string', out, 1, true)
      assert.is_nil(out:find("written", 1, true)) -- a sink gets the record as it is
      code, out = try({}, marks("red"), '{"mark":1}\n{"mark":"red"}\n')
      assert.equal(0, code)
      assert.matches('  ~ value.mark: 1 int64 -> "red" string', out, 1, true)
      assert.matches("record 2:.*m: no change", out)
    end)

    it("says what was dropped and what a predicate passed by", function()
      local code, out = try({}, marks("drop"), "{}\n")
      assert.equal(0, code)
      assert.matches("m: dropped", out, 1, true)
      code, out = try({ "--topic", "other" }, marks("drop", { predicates = "p", ["predicates.p.type"] = "TopicIs",
        ["predicates.p.name"] = "first", ["transforms.m.predicate"] = "p" }), "{}\n")
      assert.equal(0, code)
      assert.matches("m: no change", out, 1, true)
    end)

    it("ends with 4 when a record fails, and goes on with the next", function()
      local code, out = try({}, marks("red"), 'not json\n{"a":2}\n')
      assert.equal(4, code)
      assert.matches("FAILED in VALUE_CONVERTER: org.apache.kafka.connect.errors.DataException: ", out, 1, true)
      assert.matches("  Error converting message value in topic 'first' partition 0 at offset 0 ", out, 1, true)
      assert.matches("  Caused by: org.apache.kafka.common.errors.SerializationException: .* at byte %d+\n", out)
      assert.matches("record 2:\n.*value.a: 2 int64", out)
      code, out = try({}, marks("fail"), "{}\n")
      assert.equal(4, code)
      assert.matches("FAILED in TRANSFORMATION: .*mark.lua:%d+: no way", out)
    end)

    it("ends with 3 when the configuration is refused", function()
      local code, _, err = try({}, marks("bad"), "{}\n")
      assert.equal(3, code)
      assert.matches("org.apache.kafka.common.config.ConfigException: bad is not good", err, 1, true)
      code, _, err = try({}, marks("late"), "{}\n")
      assert.equal(3, code)
      assert.matches("too late", err, 1, true)
      code, _, err = try({}, { ["connector.class"] = "io.nobody.Jdbc" }, "{}\n")
      assert.equal(3, code)
      assert.matches("there is no plugin io.nobody.Jdbc here: say --sink or --source", err, 1, true)
      assert.equal(0, (try({ "--sink" }, { ["connector.class"] = "io.nobody.Jdbc" }, "{}\n")))
    end)

    it("takes whole records", function()
      local code, out = try({ "--records" }, { ["header.converter"] = STRING },
        '{"topic":"t","key":"k","value":{"a":[1,null]},"headers":{"h":"x"},"partition":3,"timestamp":5}\n')
      assert.equal(0, code)
      for _, text in ipairs { "topic: t\n", "partition: 3", "timestamp: 5", 'key: "k" string', "value.a[0]: 1 int64",
        "value.a[1]: null", 'header h: "x" string' } do assert.matches(text, out, 1, true) end
    end)

    local BAD = {
      { "[1]", "the line is no JSON object" },
      { '{"topic":1}', 'not a record: "topic" must be a string' },
      { '{"vaule":1}', 'not a record: "vaule" is no key of one' },
      { '{"headers":5}', 'not a record: "headers" must be a list of [name, bytes]' },
      { '{"headers":[["h"]]}', 'not a record: "headers" must be a list of [name, bytes]' },
      { '{"partition":4294967296}', 'not a record: "partition" 4294967296 is beyond 32 bits' },
      { '{"timestampType":"Later"}', 'not a record: "timestampType" must be NoTimestampType, CreateTime' },
    }

    it("tells a line that is no record, and goes on with the next", function()
      local lines = {}
      for i, bad in ipairs(BAD) do lines[i] = bad[1] end
      lines[#lines + 1] = '{"value":{"last":1}}\n'
      local code, out, err = try({ "--records" }, {}, table.concat(lines, "\n"))
      assert.equal(4, code)
      for i, bad in ipairs(BAD) do assert.matches(("record %d: %s"):format(i, bad[2]), err, 1, true) end
      assert.matches(("record %d:\n.*value.last: 1 int64"):format(#lines), out)
      code, out = try({ "--records", "--json" }, {}, table.concat(lines, "\n"))
      assert.equal(4, code)
      local answers = json.decode(out).expect
      assert.equal(#lines, #answers)
      for i, bad in ipairs(BAD) do assert.matches(bad[2], answers[i].error.message, 1, true) end
      assert.same({ utf8 = '{"last":1}' }, answers[#lines].record.value)
    end)

    it("shows what plugins print, and characters that would not show", function()
      helpers.write(folder .. "/plugins/loud.lua", [[
local connect = require "connect"
return { api = 1, kind = "transform", class = "x.Loud",
  apply = function(record)
    print("a\0b", record.topic)
    connect.log:warn("careful")
    return record
  end }
]])
      local code, out, err = try({ "--topic", "lines" }, { ["connector.class"] = "FileStreamSource", topic = "lines",
        file = "/x", ["value.converter"] = STRING, transforms = "l", ["transforms.l.type"] = "Loud" }, "c\0d\te\n")
      assert.equal(0, code)
      assert.matches("INFO a\\x00b\tlines", err, 1, true)
      assert.matches("WARN careful", err, 1, true)
      assert.matches('value: "c\\x00d\\x09e" string', out, 1, true)
      assert.matches("    value: c\\x00d\\x09e\n", out, 1, true)
      code, out = try({}, {}, '{"k\\u0000x":1}\n')
      assert.equal(0, code)
      assert.matches("value.k\\x00x: 1 int64", out, 1, true)
    end)

    it("says when records need more memory than there is", function()
      local lines = {}
      for i = 1, 60000 do lines[i] = i end
      helpers.write(folder .. "/worker.properties", helpers.properties {
        ["bootstrap.servers"] = "embedded", ["key.converter"] = STRING, ["value.converter"] = JSON,
        ["value.converter.schemas.enable"] = "false", ["connect.lua.memory.max.bytes"] = "1048576" })
      local code, out = try({ "--json" }, {}, "[" .. table.concat(lines, ",") .. "]\n{}\n")
      assert.equal(4, code)
      local answers = json.decode(out).expect
      assert.equal("org.apache.kafka.connect.errors.ConnectException", answers[1].error.class)
      assert.matches("connect.lua.memory.max.bytes", answers[1].error.message, 1, true)
      assert.same({ utf8 = "{}" }, answers[2].record.value)
    end)

    it("shows what a source writes", function()
      local source = { ["connector.class"] = "FileStreamSource", topic = "lines", file = "/x" }
      local code, out = try({ "--key", "k" }, source, "hello\n")
      assert.equal(0, code)
      assert.matches('value: "hello" string', out, 1, true)
      assert.matches('written to topic lines:\n    key: k\n    value: "hello"', out, 1, true)
      for key, value in pairs(marks "red") do source[key] = value end
      code, out = try({ "--format", "json" }, source, '{"a":1}\n')
      assert.equal(0, code)
      assert.matches('    value: {"a":1,"mark":"red"}', out, 1, true)
    end)

    it("needs no worker file, and reads standard input", function()
      local out, code = helpers.shell(("echo text | %q try %q"):format(helpers.binary, connector()))
      assert.equal(0, code)
      assert.matches('value: "text" string', out, 1, true)
    end)

    it("runs the README's example as it stands there", function()
      local readme = assert(io.open(helpers.root .. "/README.md")):read "*a"
      local plugin = assert(io.open(helpers.root .. "/config/plugins/lower_email.lua")):read "*a"
      local shown = readme:match "    %-%- config/plugins/lower_email%.lua\n(.-)\n`connect%-lua try`":gsub("\n    ", "\n")
      assert.equal(plugin:match "\n(local connect.*)", shown:match "(local connect.*)")
      local text, code = helpers.shell(([[cd %q && echo '{"email":"A@B.org","password":"x"}' | %q try ]]
        .. "--worker config/try.conf config/try-lower-email.json"):format(helpers.root, helpers.binary))
      assert.equal(0, code)
      assert.matches('value.password: "x" string\n  ~ value.email: "A@B.org" string %-> "a@b.org" string\n'
        .. '  %+ value.domain: "B.org" string\n  %+ header seen: true boolean', text)
    end)

    it("names a file that is not there", function()
      local code, _, err = helpers.run { "try", folder .. "/none.json" }
      assert.equal(2, code)
      assert.matches("none.json", err, 1, true)
      code, _, err = helpers.run { "try", connector(), folder .. "/none.txt" }
      assert.equal(2, code)
      assert.matches("none.txt", err, 1, true)
    end)

    it("says when records cannot be read", function()
      for _, option in ipairs { "--topic=t", "--json" } do
        local code, _, err = helpers.run { "try", option, connector(), folder }
        assert.equal(2, code)
        assert.matches(folder .. ": Is a directory", err, 1, true)
      end
    end)
  end)

  describe("for machines", function()
    it("answers with --json, in one line", function()
      local code, out = try({ "--json" }, marks("red"), '{"a":1}\n')
      assert.equal(0, code)
      local answer = json.decode(out)
      assert.same({ utf8 = '{"a":1,"mark":"red"}' }, answer.expect[1].record.value)
      code, out = try({ "--json" }, marks("bad"), "{}\n")
      assert.equal(3, code)
      assert.same({ class = "org.apache.kafka.common.config.ConfigException", message = "bad is not good" },
        json.decode(out).configError)
      code, out = try({ "--json" }, marks("fail"), "{}\n")
      assert.equal(4, code)
      assert.equal("TRANSFORMATION", json.decode(out).expect[1].error.stage)
    end)

    local function ask(lines)
      for i, line in ipairs(lines) do lines[i] = type(line) == "table" and json.encode(line) or line end
      helpers.write(folder .. "/in", table.concat(lines, "\n") .. "\n")
      local out, code = helpers.shell(("%q try --worker %q --json < %q"):format(helpers.binary,
        folder .. "/worker.properties", folder .. "/in"))
      assert.equal(0, code)
      local answers = {}
      for line in out:gmatch "[^\n]+" do answers[#answers + 1] = assert(json.decode(line, 1, json.null), line) end
      assert.equal(#lines, #answers)
      return answers
    end

    local function request(config, records, direction)
      local all = { ["key.converter"] = STRING, ["value.converter"] = STRING, ["out.key.converter"] = STRING,
        ["out.value.converter"] = STRING }
      for key, value in pairs(config) do all[key] = value end
      return { config = all, direction = direction or "sink", records = records }
    end

    local function record(fields)
      local all = { topic = "t", partition = 0, offset = 5, timestamp = 1700000000123, timestampType = "CreateTime",
        key = json.null, value = { utf8 = "v" }, headers = {} }
      for key, value in pairs(fields or {}) do all[key] = value end
      return all
    end

    it("carries bytes, nulls and numbers through", function()
      local bytes = { ["value.converter"] = "ByteArrayConverter", ["out.value.converter"] = "ByteArrayConverter" }
      local answers = ask {
        request({}, { record(), record { key = { utf8 = "k\0\"é" }, value = json.null } }),
        request(bytes, { record { value = { b64 = "/wA=" } }, record { value = { b64 = "YWI=" } } }),
        request({}, { record { partition = json.null, timestamp = json.null, topic = "ü" } }, "source"),
        request({}, { record { timestamp = -1 }, record { timestamp = -5 } }),
      }
      local first = answers[1].expect
      assert.same({ topic = "t", partition = 0, timestamp = 1700000000123, key = json.null, value = { utf8 = "v" },
        headers = {} }, first[1].record)
      assert.same({ utf8 = "k\0\"é" }, first[2].record.key)
      assert.equal(json.null, first[2].record.value)
      assert.same({ b64 = "/wA=" }, answers[2].expect[1].record.value)
      assert.same({ utf8 = "ab" }, answers[2].expect[2].record.value)
      local source = answers[3].expect[1].record
      assert.equal(json.null, source.partition)
      assert.equal(json.null, source.timestamp)
      assert.equal("ü", source.topic)
      assert.equal(json.null, answers[4].expect[1].record.timestamp)
      assert.same({ stage = "WORKER", class = "org.apache.kafka.common.InvalidRecordException",
        message = "Invalid record timestamp -5" }, answers[4].expect[2].error)
    end)

    it("keeps nothing from one line to the next, and survives each", function()
      local answers = ask {
        "not json", "[]", "{}", '{"direction":"sink","config":{},"records":[]}',
        { direction = "sideways", config = {}, records = {} },
        request({}, { { topic = 5 } }),
        request({ transforms = "m", ["transforms.m.type"] = "Mark", ["transforms.m.text"] = "drop" }, { record() }),
        request({}, { record() }),
        request({ transforms = "m", ["transforms.m.type"] = "Mark" }, { record() }),
        request({ ["value.converter"] = "" }, { record() }),
      }
      for i = 1, 6 do
        if i ~= 4 then assert.is_string(answers[i].error, "line " .. i) end
      end
      assert.same({}, answers[4].expect)
      assert.is_true(answers[7].expect[1].dropped)
      assert.same({ utf8 = "v" }, answers[8].expect[1].record.value)
      assert.equal('Missing required configuration "transforms.m.text" which has no default value.',
        answers[9].configError.message)
      assert.equal("Invalid value  for configuration value.converter: Class  could not be found.",
        answers[10].configError.message)
    end)
  end)
end)
