-- SPDX-License-Identifier: Apache-2.0
--
-- Pipelines for Apache's worker and ours: answers what the spec runs through both and compares.
-- Called with a prefix for all names. Each has
--   name      of the connector and of its topics and file, behind the prefix
--   title     what it shows
--   lines     a source: the lines of its file; or
--   records   a sink: what its topic holds, as Kafka:produce takes it, or by topic in `topics`
--   config    of the connector, without name, class, file and topics
--   outputs   of a source: partitions by topic; its own topic has one unless it says
--   expect    how many records (of all topics) or lines come out
--   any_order   the order of lines is not compared: they come from several partitions
--   fails     instead of expect: the task fails
local kafka = require "spec.helpers.kafka"

local STORAGE, CONVERTERS = "org.apache.kafka.connect.storage.", "org.apache.kafka.connect.converters."
local TRANSFORMS = "org.apache.kafka.connect.transforms."
local JSON = "org.apache.kafka.connect.json.JsonConverter"
local DATA = "org.apache.kafka.connect.data."

-- ------------------------------------------------------------- configs, schemas

-- transforms=... out of a list of { TYPE, key = value, predicate = { TYPE, key = value }, negate }.
local function chain(stages)
  local config, names, predicates = {}, {}, {}
  for i, stage in ipairs(stages) do
    local name = "t" .. i
    names[i] = name
    config["transforms." .. name .. ".type"] = TRANSFORMS .. stage[1]
    for key, value in pairs(stage) do
      if key == "predicate" then
        local predicate = "p" .. i
        predicates[#predicates + 1] = predicate
        config["transforms." .. name .. ".predicate"] = predicate
        config["predicates." .. predicate .. ".type"] = TRANSFORMS .. "predicates." .. value[1]
        for k, v in pairs(value) do
          if k ~= 1 then config["predicates." .. predicate .. "." .. k] = v end
        end
      elseif key ~= 1 then
        config["transforms." .. name .. "." .. key] = value
      end
    end
  end
  config.transforms = table.concat(names, ",")
  if #predicates > 0 then config.predicates = table.concat(predicates, ",") end
  return config
end

-- One table of several; later ones win.
local function all(...)
  local out = {}
  for _, config in ipairs { ... } do
    for key, value in pairs(config) do out[key] = value end
  end
  return out
end

local function converter(side, class, options)
  local config = { [side .. ".converter"] = class }
  for key, value in pairs(options or {}) do config[side .. ".converter." .. key] = value end
  return config
end
local function plain_json(side) return converter(side, JSON, { ["schemas.enable"] = "false" }) end
local function schema_json(side) return converter(side, JSON, { ["schemas.enable"] = "true" }) end
local function primitive(side, class) return converter(side, CONVERTERS .. class .. "Converter") end

local function at(list) -- joined as Connect's lists are
  return table.concat(list, ",")
end

-- Schemas as JSON text, members in the order written.
local function schema(kind, options)
  options = options or {}
  local out = { '{"type":"' .. kind .. '","optional":' .. tostring(options.optional or false) }
  if options.name then out[#out + 1] = '"name":"' .. options.name .. '"' end
  if options.version then out[#out + 1] = '"version":' .. options.version end
  if options.scale then out[#out + 1] = '"parameters":{"scale":"' .. options.scale .. '"}' end
  if options.default then out[#out + 1] = '"default":' .. options.default end
  if options.items then out[#out + 1] = '"items":' .. options.items end
  if options.keys then out[#out + 1] = '"keys":' .. options.keys .. ',"values":' .. options.values end
  if options.fields then out[#out + 1] = '"fields":[' .. table.concat(options.fields, ",") .. "]" end
  if options.field then out[#out + 1] = '"field":"' .. options.field .. '"' end
  return table.concat(out, ",") .. "}"
end
local function field(name, kind, options) return schema(kind, all(options or {}, { field = name })) end
local function optional(name, kind, options) return field(name, kind, all(options or {}, { optional = true })) end

local TEXT, OPTIONAL_TEXT, INT = schema "string", schema("string", { optional = true }), schema "int32"
local DATE, TIME = { name = DATA .. "Date", version = 1 }, { name = DATA .. "Time", version = 1 }
local TIMESTAMP = { name = DATA .. "Timestamp", version = 1 }
local function decimal(scale) return { name = DATA .. "Decimal", version = 1, scale = scale } end

-- Records of schema-and-payload envelopes, a millisecond and some apart.
local function envelopes(of, payloads)
  local records = {}
  for i, payload in ipairs(payloads) do
    records[i] = { value = '{"schema":' .. of .. ',"payload":' .. payload .. "}", timestamp = 1709251199000 + i * 1001 }
  end
  return records
end

local function values(list)
  local records = {}
  for i, value in ipairs(list) do records[i] = { value = value, timestamp = 1709251199000 + i * 1001 } end
  return records
end

-- ------------------------------------------------------------------------ data

local LINES = {
  "one", "", "two words", 'quotes " and \\ and / and \t', "grüße, 漢字, 😀, \226\128\168, \127\1", "null", "{\"a\":1}", "x=1", "one",
}

local DOCUMENTS = {
  [=[{"id":1,"name":"one","nested":{"zeta":1,"alpha":{"b":[1,2,{"x":null}],"a":true}},"list":[],"map":{}}]=],
  [=[{"id":9223372036854775807,"name":null,"nested":{"zeta":-1},"list":[1,"two",3.0,null,[4]],"unknown":1e10}]=],
  [=[{"id":-9223372036854775808,"name":"gr\u00fc\u00dfe \ud83d\ude00","nested":null,"f":0.1,"g":1e-5,"h":123456789.125}]=],
  [=[{"thirteen":13,"one":1,"two":2,"three":3,"four":4,"five":5,"six":6,"seven":7,"eight":8,"nine":9,"ten":10,"eleven":11,"twelve":12}]=],
  [=[{}]=], [=[{"id":0,"name":""}]=],
}

local RECORD = schema("struct", { name = "rec", version = 3, fields = {
  field("id", "int64"), optional("name", "string"), optional("small", "int8"), optional("short", "int16"),
  optional("int", "int32"), optional("f", "float"), optional("d", "double"), optional("ok", "boolean"),
  optional("text", "string", { default = '"none"' }),
  optional("tags", "array", { items = OPTIONAL_TEXT }),
  optional("counts", "map", { keys = TEXT, values = INT }),
  optional("pairs", "map", { keys = INT, values = OPTIONAL_TEXT }),
  optional("address", "struct", { name = "addr", fields = { field("street", "string"), optional("floor", "int32") } }),
  optional("price", "bytes", decimal(2)), optional("day", "int32", DATE), optional("time", "int32", TIME),
  optional("at", "int64", TIMESTAMP),
} })
local STRUCTS = {
  [=[{"id":1,"name":"one","small":-128,"short":32767,"int":-2147483648,"f":1.5,"d":1e300,"ok":true,"text":"t",
     "tags":["a",null,"b"],"counts":{"x":1},"pairs":[[1,"one"]],"address":{"street":"s","floor":3},"price":"AJw=",
     "day":19000,"time":86399999,"at":1709251199123}]=],
  [=[{"id":9223372036854775807}]=],
  [=[{"id":-1,"name":null,"f":16777216,"d":0.001,"ok":false,"text":null,"tags":[],"counts":{},"pairs":[],
     "address":{"street":"","floor":null},"price":-12.50,"day":-1,"time":0,"at":-1}]=],
  [=[{"id":0,"name":"grüße 😀","f":1e-10,"d":123456789,"address":null,"price":"ZA==","at":0,"day":0}]=],
}

local FLAT = schema("struct", { name = "outer", version = 1, fields = {
  field("id", "int32"),
  optional("a", "struct", { fields = { field("b", "string"), optional("c", "struct", { fields = {
    optional("d", "double", { default = "1.5" }), field("e", "array", { items = INT }) } }) } }),
  field("last", "boolean"),
} })
local FLATS = {
  [=[{"id":1,"a":{"b":"x","c":{"d":2.5,"e":[1,2]}},"last":true}]=], [=[{"id":2,"a":{"b":"y","c":null},"last":false}]=],
  [=[{"id":3,"a":null,"last":true}]=], [=[{"id":4,"a":{"b":"","c":{"d":null,"e":[]}},"last":false}]=],
}

local HEADERS = {
  { "number", "42" }, { "text", "a text" }, { "null", kafka.null }, { "list", "[1,2,300]" }, { "day", "2024-02-29" },
  { "number", "4.25" },
}

-- ------------------------------------------------------------------- pipelines

-- Every field as text, then each as another type: what Cast makes of text and of numbers. Without
-- those few floats that Java before 19 writes with more digits than needed (2^31 among them).
local function casts()
  local fields = {
    i8 = { "-7", "int8" }, i16 = { "32767", "int16" }, i32 = { "-16777217", "int32" }, i64 = { "9223372036854775807", "int64" },
    f32 = { "3.4028235E38", "float32" }, f64 = { " 1e-7 ", "float64" }, yes = { "TRUE", "boolean" }, no = { "yes", "boolean" },
    inf = { "-Infinity", "float64" }, nan = { "NaN", "float32" },
  }
  local stages, first = { { "HoistField$Value", field = "line" } }, {}
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    stages[#stages + 1] = { "InsertField$Value", ["static.field"] = name .. "!", ["static.value"] = fields[name][1] }
    first[#first + 1] = name .. ":" .. fields[name][2]
  end
  stages[#stages + 1] = { "Cast$Value", spec = at(first) }
  stages[#stages + 1] = { "Cast$Value",
    spec = "line:float64,i8:string,i16:int8,i32:float32,i64:float64,f32:int32,f64:string,inf:int64,no:int32" }
  return chain(stages)
end

local function whole(stages, more) return all(chain(stages), more) end

return function(prefix)
  local function topic(name) return prefix .. "-" .. name end
  local list = {
    -- Sources.
    { name = "hoist", title = "HoistField, InsertField, SetSchemaMetadata to JSON with schema", lines = LINES, expect = #LINES,
      config = all(converter("key", STORAGE .. "StringConverter"), schema_json "value", chain {
        { "HoistField$Value", field = "line" },
        { "InsertField$Value", ["static.field"] = "origin", ["static.value"] = "here", ["topic.field"] = "topic!" },
        { "SetSchemaMetadata$Value", ["schema.name"] = "line.record", ["schema.version"] = "7" },
      }) },
    { name = "keys", title = "ValueToKey and ExtractField: text keys decide the partition", lines = LINES, expect = #LINES,
      partitions = 3,
      config = all(converter("key", STORAGE .. "StringConverter"), plain_json "value", chain {
        { "HoistField$Value", field = "line" }, { "ValueToKey", fields = "line" }, { "ExtractField$Key", field = "line" },
        { "InsertField$Value", ["static.field"] = "n", ["static.value"] = "1" },
        { "ReplaceField$Value", renames = "line:text,n:count" },
      }) },
    { name = "objectkeys", title = "objects as keys, with and without schema", lines = LINES, expect = #LINES, partitions = 3,
      config = all(plain_json "key", schema_json "value", chain {
        { "HoistField$Value", field = "line" },
        { "InsertField$Value", ["static.field"] = "zone", ["static.value"] = "b" },
        { "InsertField$Value", ["static.field"] = "area", ["static.value"] = "a" },
        { "ValueToKey", fields = "zone,line,area" },
      }) },
    { name = "schemakeys", title = "objects as keys with schema, hoisted and masked", lines = LINES, expect = #LINES, partitions = 3,
      config = all(schema_json "key", converter("value", STORAGE .. "StringConverter"), chain {
        { "HoistField$Value", field = "line" },
        { "InsertField$Value", ["static.field"] = "secret", ["static.value"] = "s" },
        { "ValueToKey", fields = "secret,line" }, { "MaskField$Key", fields = "secret", replacement = "***" },
        { "SetSchemaMetadata$Key", ["schema.name"] = "the.key" }, { "HoistField$Key", field = "k" },
        { "ExtractField$Value", field = "line" },
      }) },
    { name = "casts", title = "Cast of text and numbers, and their text", lines = { "0.1", "-1e-3", "1E10", "100", "0x1p3", "1e400" },
      expect = 6, config = all(schema_json "value", casts()) },
    { name = "dates", title = "TimestampConverter between text, dates and numbers", expect = 4,
      lines = { "2024-02-29 23:59:59.123", "1969-12-31 00:00:00.001", "2024-1-1 1:2:3.4", "9999-12-31 23:59:59.999" },
      config = all(schema_json "value", schema_json "key", chain {
        { "HoistField$Value", field = "ts" },
        { "TimestampConverter$Value", field = "ts", ["target.type"] = "Timestamp", format = "yyyy-MM-dd HH:mm:ss.SSS" },
        { "ValueToKey", fields = "ts" },
        { "TimestampConverter$Key", field = "ts", ["target.type"] = "Date" },
        { "HeaderFrom$Value", fields = "ts", headers = "moment", operation = "copy" },
        { "TimestampConverter$Value", field = "ts", ["target.type"] = "string", format = "EEE, d MMM yyyy KK:mm a D w u z" },
      }) },
    { name = "unix", title = "TimestampConverter of whole values to unix time, LongConverter", expect = 3,
      lines = { "01/02/03 04:05", "31/12/69 23:59", "29/02/24 12:00" },
      config = all(primitive("value", "Long"), chain {
        { "TimestampConverter$Value", ["target.type"] = "unix", format = "dd/MM/yy HH:mm", ["unix.precision"] = "microseconds" },
      }) },
    { name = "orders", title = "RegexRouter to another topic, a predicate on its name", lines = LINES, expect = #LINES,
      outputs = { [prefix .. "-orders-v2"] = 1 },
      config = all(plain_json "value", chain {
        { "HoistField$Value", field = "a", predicate = { "TopicNameMatches", pattern = ".*-orders" } },
        { "RegexRouter", regex = "(.*)-(orders)", replacement = "$1-$2-v2" },
        { "HoistField$Value", field = "b", predicate = { "TopicNameMatches", pattern = ".*-orders" } },
        { "HoistField$Value", field = "c", predicate = { "TopicNameMatches", pattern = ".*-orders" }, negate = "true" },
      }) },
    { name = "headers", title = "InsertHeader, HeaderFrom and DropHeaders as text headers", lines = LINES, expect = #LINES,
      config = all(converter("value", STORAGE .. "StringConverter"), chain {
        { "HoistField$Value", field = "line" },
        { "InsertHeader", header = "int", ["value.literal"] = "42" },
        { "InsertHeader", header = "float", ["value.literal"] = "3.140" },
        { "InsertHeader", header = "huge", ["value.literal"] = "12345678901234567890" },
        { "InsertHeader", header = "flag", ["value.literal"] = "TRUE" },
        { "InsertHeader", header = "quoted", ["value.literal"] = '"some \\"text\\""' },
        { "InsertHeader", header = "list", ["value.literal"] = '["a", "b\\"c", null]' },
        { "InsertHeader", header = "map", ["value.literal"] = '{"zz": 1, "b": 300, "aa": -70000}' },
        { "InsertHeader", header = "time", ["value.literal"] = "2024-02-29T23:59:59.123Z" },
        { "InsertHeader", header = "gone", ["value.literal"] = "x" },
        { "InsertHeader", header = "int", ["value.literal"] = "null" },
        { "HeaderFrom$Value", fields = "line", headers = "line", operation = "copy" },
        { "DropHeaders", headers = "gone" },
        { "ExtractField$Value", field = "line" },
      }) },
    { name = "jsonheaders", title = "headers as JSON with schema, moved out of the value", lines = LINES, expect = #LINES,
      config = all(schema_json "value", schema_json "header", chain {
        { "HoistField$Value", field = "line" },
        { "InsertField$Value", ["static.field"] = "origin", ["static.value"] = "here" },
        { "HeaderFrom$Value", fields = "origin,line", headers = "from,line", operation = "move" },
        { "InsertHeader", header = "day", ["value.literal"] = "2024-02-29" },
        { "InsertHeader", header = "list", ["value.literal"] = "[1, 2.5, 300]" },
        { "Filter", predicate = { "HasHeaderKey", name = "nobody" } },
        { "Filter", predicate = { "HasHeaderKey", name = "from" }, negate = "true" },
        { "Filter", predicate = { "RecordIsTombstone" } },
      }) },
    { name = "stamped", title = "TimestampRouter, whose format leaves the clock out", lines = LINES, expect = #LINES,
      outputs = { [prefix .. "-stamped-" .. prefix .. "-stamped"] = 1 }, -- topics by the clock would differ at midnight
      config = all(converter("value", STORAGE .. "StringConverter"), chain {
        { "TimestampRouter", ["topic.format"] = "${topic}-${topic}", ["timestamp.format"] = "yyyy" },
      }) },
    { name = "doubles", title = "DoubleConverter keys, ShortConverter values", lines = { "1", "-1", "30000" }, expect = 3, partitions = 3,
      config = all(primitive("key", "Double"), primitive("value", "Short"), chain {
        { "HoistField$Value", field = "n" }, { "ValueToKey", fields = "n" }, { "ExtractField$Key", field = "n" },
        { "Cast$Key", spec = "float64" }, { "ExtractField$Value", field = "n" }, { "Cast$Value", spec = "int16" },
      }) },
    { name = "integers", title = "IntegerConverter keys, FloatConverter values", lines = { "1", "-1", "2147483647" }, expect = 3,
      partitions = 3,
      config = all(primitive("key", "Integer"), primitive("value", "Float"), chain {
        { "HoistField$Value", field = "n" }, { "ValueToKey", fields = "n" }, { "ExtractField$Key", field = "n" },
        { "Cast$Key", spec = "int32" }, { "ExtractField$Value", field = "n" }, { "Cast$Value", spec = "float32" },
      }) },
    { name = "latin", title = "StringConverter of another encoding, BooleanConverter keys",
      lines = { "true", "gr\195\188\195\159e", "\226\130\172" }, expect = 3,
      config = all(converter("value", STORAGE .. "StringConverter", { ["converter.encoding"] = "ISO-8859-1" }),
        primitive("key", "Boolean"), chain {
          { "HoistField$Value", field = "n" }, { "ValueToKey", fields = "n" }, { "ExtractField$Key", field = "n" },
          { "Cast$Key", spec = "boolean" }, { "ExtractField$Value", field = "n" },
        }) },

    -- Sinks.
    { name = "documents", title = "schemaless JSON as the file shows it", records = values(all(DOCUMENTS, {
        [7] = '"text"', [8] = "1", [9] = "-0.0", [10] = "1e21", [11] = "[1,2.5,[null]]", [12] = "true", [13] = "null", [14] = kafka.null,
        [15] = "12345678901234567890", [16] = '{"a":1,"a":2}' })),
      expect = 16, config = plain_json "value" },
    { name = "structs", title = "JSON with schema as the file shows it", records = envelopes(RECORD, STRUCTS), expect = #STRUCTS,
      config = schema_json "value" },
    { name = "defaults", title = "nulls that stay null beside a default", records = envelopes(RECORD, STRUCTS), expect = #STRUCTS,
      config = whole({ { "ReplaceField$Value", include = "id,text,ok", renames = "text:t" } },
        converter("value", JSON, { ["schemas.enable"] = "true", ["replace.null.with.default"] = "false" })) },
    { name = "flat", title = "Flatten, ReplaceField, InsertField of the record's place, without schema", expect = 6,
      records = all(values(DOCUMENTS), { [5] = { value = FLATS[1], timestamp = 0 } }),
      config = whole({ { "Flatten$Value", delimiter = "_" }, { "ReplaceField$Value", exclude = "name,list", renames = "id:key" },
        { "InsertField$Value", ["topic.field"] = "topic", ["partition.field"] = "p", ["offset.field"] = "o!",
          ["timestamp.field"] = "ts?" } },
        plain_json "value") },
    { name = "flatschema", title = "Flatten, Cast and InsertField with schema", records = envelopes(FLAT, FLATS), expect = #FLATS,
      config = whole({ { "Flatten$Value" }, { "Cast$Value", spec = "id:string,last:int8,a.c.d:float32" },
        { "InsertField$Value", ["topic.field"] = "topic", ["partition.field"] = "p", ["offset.field"] = "o!", ["timestamp.field"] = "ts?",
          ["static.field"] = "s", ["static.value"] = "v" } },
        schema_json "value") },
    { name = "times", title = "TimestampConverter of logical types", records = envelopes(RECORD, STRUCTS), expect = #STRUCTS,
      config = whole({ { "ReplaceField$Value", include = "id,day,time,at" },
        { "TimestampConverter$Value", field = "at", ["target.type"] = "string", format = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX" },
        { "TimestampConverter$Value", field = "day", ["target.type"] = "unix", ["unix.precision"] = "seconds" },
        { "TimestampConverter$Value", field = "time", ["target.type"] = "Timestamp" } }, schema_json "value") },
    { name = "plaintimes", title = "TimestampConverter of schemaless numbers and text", expect = 4,
      records = values { [=[{"ts":1709251199123}]=], [=[{"ts":-9007199254740993,"x":1}]=], [=[{"ts":null}]=], [=[{"x":1}]=] },
      config = whole({ { "TimestampConverter$Value", field = "ts", ["target.type"] = "string", format = "yyyy-MM-dd HH:mm:ss.SSS G",
          ["unix.precision"] = "microseconds" } }, plain_json "value") },
    { name = "masks", title = "MaskField of every type", records = envelopes(RECORD, STRUCTS), expect = #STRUCTS,
      config = whole({ { "ReplaceField$Value", exclude = "address" },
        { "MaskField$Value", fields = "name,int,d,price", replacement = "12" },
        { "MaskField$Value", fields = "small,short,f,ok,text,tags,counts,pairs,day,time,at" } }, schema_json "value") },
    { name = "castdates", title = "Cast of decimals, dates and floats to text and numbers", expect = #STRUCTS,
      records = envelopes(RECORD, STRUCTS),
      config = whole({ { "Cast$Value",
          spec = "id:string,f:string,d:int32,price:string,day:int64,time:string,at:string,ok:string,int:int8" } },
        schema_json "value") },
    { name = "nested", title = "ExtractField by path, HoistField", expect = 6,
      records = values(DOCUMENTS), config = whole({
        { "ExtractField$Value", field = "nested.alpha.b", ["field.syntax.version"] = "V2" }, { "HoistField$Value", field = "b" } },
        plain_json "value") },
    { name = "tombstones", title = "Filter of tombstones and of what has a header", expect = 4, config = whole({
        { "Filter", predicate = { "RecordIsTombstone" } },
        { "Filter", predicate = { "HasHeaderKey", name = "skip" } },
        { "HoistField$Value", field = "kept", predicate = { "HasHeaderKey", name = "keep" }, negate = "true" },
      }, converter("value", STORAGE .. "StringConverter")), records = {
        { key = "a", value = "first" }, { key = "b", value = kafka.null }, { key = "c", value = "second", headers = { { "keep", "1" } } },
        { key = "d", value = "third", headers = { { "keep", kafka.null }, { "skip", "" } } }, { key = kafka.null, value = "" },
        { key = "e", value = "last", headers = { { "Skip", "x" }, { "kee", "p" } } },
      } },
    { name = "onlytombstones", title = "Filter of all but tombstones, TimestampRouter, RegexRouter", expect = 3, config = whole({
        { "Filter", predicate = { "RecordIsTombstone" }, negate = "true" },
        { "TimestampRouter", ["timestamp.format"] = "yyyy.MM.dd-HHmm" },
        { "RegexRouter", regex = ".*-(\\d+)\\.(\\d+).*", replacement = "$2/$1" },
        { "HoistField$Value", field = "nothing" }, { "InsertField$Value", ["topic.field"] = "topic", ["timestamp.field"] = "ts" },
      }, converter("value", STORAGE .. "StringConverter")), records = {
        { key = "a", value = kafka.null, timestamp = 0 }, { key = "b", value = "x" },
        { key = "c", value = kafka.null, timestamp = 1709251199999 }, { key = "d", value = kafka.null, timestamp = 1735689600000 },
      } },
    { name = "several", title = "several topics, TopicNameMatches, two partitions", expect = 8, any_order = true,
      topics = {
        [topic "several-a"] = { { value = [=[{"v":1}]=], timestamp = 5 }, { value = [=[{"v":2}]=], partition = 1, timestamp = 6 },
          { value = [=[{"v":3}]=], partition = 1, timestamp = 7 } },
        [topic "several-b"] = { { value = [=[{"v":1}]=], timestamp = 5 }, { value = [=[{"v":2}]=], partition = 1, timestamp = 6 },
          { value = "[]", partition = 1, timestamp = 7 }, { value = "1", timestamp = 8 }, { value = "{}", timestamp = 9 } },
      },
      partitions = 2, config = whole({
        { "HoistField$Value", field = "b", predicate = { "TopicNameMatches", pattern = ".*-b" } },
        { "InsertField$Value", ["topic.field"] = "topic", ["partition.field"] = "p", ["offset.field"] = "o" },
        { "RegexRouter", regex = ".*(several).*", replacement = "$1",
          predicate = { "TopicNameMatches", pattern = ".*-b" }, negate = "true" },
        { "InsertField$Value", ["topic.field"] = "routed", predicate = { "TopicNameMatches", pattern = "several" } },
      }, plain_json "value") },
    { name = "headersin", title = "parsed headers: moved fields, predicates on them, dropped", expect = 3,
      config = whole({
        { "HeaderFrom$Value", fields = "to", headers = "moved", operation = "move" },
        { "InsertHeader", header = "more", ["value.literal"] = "{\"a\":[1]}" }, { "DropHeaders", headers = "number,absent" },
        { "InsertField$Value", ["static.field"] = "moved", ["static.value"] = "yes", predicate = { "HasHeaderKey", name = "moved" } },
        { "InsertField$Value", ["static.field"] = "number", ["static.value"] = "yes", predicate = { "HasHeaderKey", name = "number" } },
        { "InsertField$Value", ["static.field"] = "text", ["static.value"] = "yes", predicate = { "HasHeaderKey", name = "text" } },
      }, plain_json "value"), records = {
        { value = [=[{"to":1,"stay":2}]=], headers = HEADERS }, { value = [=[{"stay":{"a":"b"},"to":null}]=] },
        { value = [=[{"stay":3}]=], headers = { { "text", "[unclosed" } } },
      } },
    { name = "content", title = "JSON by the schema of the config", expect = 1, records = values { [=[{"id":5,"name":"x"}]=], kafka.null },
      config = whole({ { "Filter", predicate = { "RecordIsTombstone" } }, { "Filter", predicate = { "RecordIsTombstone" } } },
        converter("value", JSON, { ["schemas.enable"] = "true",
          ["schema.content"] = schema("struct", { fields = { field("id", "int8"), optional("name", "string") } }) })) },
    { name = "latinin", title = "text of another encoding", expect = 3, records = values { "gr\252\223e", "\128\255", "" },
      config = converter("value", STORAGE .. "StringConverter", { ["converter.encoding"] = "ISO-8859-1" }) },
    { name = "brokentext", title = "text that is not UTF-8", expect = 4,
      records = values { "a\255b", "\195", "\240\159\152", "\237\160\128x" },
      config = converter("value", STORAGE .. "StringConverter") },
  }

  -- Every primitive converter reads numbers, and nothing.
  local function reading(class, records)
    list[#list + 1] = { name = "read" .. class:lower(), title = class .. "Converter into a file", records = values(records),
      expect = #records, config = primitive("value", class) }
  end
  reading("Boolean", { "\1", "\0", kafka.null })
  reading("Short", { "\128\0", "\0\1", kafka.null })
  reading("Integer", { "\255\255\255\255", "\0\0\1\0" })
  reading("Long", { "\128\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\7", kafka.null })
  reading("Float", { "\63\192\0\0", "\127\192\0\0", "\0\0\0\1" })
  reading("Double", { "\127\240\0\0\0\0\0\0", "\63\185\153\153\153\153\153\154", "\128\0\0\0\0\0\0\0",
    "\65\99\18\208\0\0\0\0" })

  -- What cannot be converted or transformed fails the task, with Apache's words.
  local function failing(name, title, record, config)
    list[#list + 1] = { name = name, title = title, fails = true, records = { record }, config = config }
  end
  failing("badjson", "a value that is not JSON", { value = "{broken" }, plain_json "value")
  failing("badenvelope", "a value without its envelope", { value = "{}" }, schema_json "value")
  failing("badlong", "a value of the wrong size", { value = "abc" }, primitive("value", "Long"))
  failing("badcast", "text that is no number", { value = [=[{"a":"abc"}]=] },
    whole({ { "Cast$Value", spec = "a:int32" } }, plain_json "value"))
  failing("badinsert", "a field in what is no object", { value = "1" },
    whole({ { "InsertField$Value", ["static.field"] = "a", ["static.value"] = "b" } }, plain_json "value"))
  failing("baddate", "text that is no date", { value = [=[{"a":"abc"}]=] },
    whole({ { "TimestampConverter$Value", field = "a", ["target.type"] = "unix", format = "yyyy" } }, plain_json "value"))
  failing("badextract", "a field that is not there", envelopes(RECORD, STRUCTS)[1],
    whole({ { "ExtractField$Value", field = "absent" } }, schema_json "value"))

  for _, pipe in ipairs(list) do
    pipe.topic = topic(pipe.name)
    if pipe.records then pipe.topics = { [pipe.topic] = pipe.records } end
    if pipe.lines then pipe.outputs = pipe.outputs or { [pipe.topic] = pipe.partitions or 1 } end
  end
  return list
end
