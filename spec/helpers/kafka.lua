-- SPDX-License-Identifier: Apache-2.0
--
-- Topics made, filled and read exactly: keys, values and header values as bytes or null, headers in
-- order, partitions, timestamps. Over the librdkafka that the binary under test is linked with. Not
-- for plugins.
local ffi = require "ffi"

ffi.cdef [[
struct cl_spec_vu { /* rd_kafka_vu_t */
  int vtype;
  union {
    const char *cstr;
    int i;
    int32_t i32;
    int64_t i64;
    struct { const void *ptr; size_t size; } mem;
    struct { const char *name; const void *val; ssize_t size; } header;
    char pad[64];
  } u;
};
struct cl_spec_message { /* rd_kafka_message_t */
  int err;
  void *rkt;
  int32_t partition;
  void *payload;
  size_t len;
  void *key;
  size_t key_len;
  int64_t offset;
  void *opaque;
};
struct cl_spec_partition { /* rd_kafka_topic_partition_t */
  char *topic;
  int32_t partition;
  int64_t offset;
};
struct cl_spec_partitions { /* rd_kafka_topic_partition_list_t */
  int cnt, size;
  struct cl_spec_partition *elems;
};
struct cl_spec_partitions *rd_kafka_topic_partition_list_new(int size);
void rd_kafka_topic_partition_list_add(struct cl_spec_partitions *list, const char *topic, int32_t partition);
void rd_kafka_topic_partition_list_destroy(struct cl_spec_partitions *list);
int rd_kafka_committed(void *rk, struct cl_spec_partitions *list, int timeout_ms);
void *rd_kafka_conf_new(void);
int rd_kafka_conf_set(void *conf, const char *name, const char *value, char *why, size_t size);
void *rd_kafka_new(int type, void *conf, char *why, size_t size);
void rd_kafka_destroy(void *rk);
int rd_kafka_flush(void *rk, int timeout_ms);
void *rd_kafka_produceva(void *rk, const struct cl_spec_vu *vus, size_t n);
const char *rd_kafka_error_string(const void *error);
const char *rd_kafka_err2str(int code);
int rd_kafka_query_watermark_offsets(void *rk, const char *topic, int32_t partition, int64_t *low, int64_t *high,
                                     int timeout_ms);
void *rd_kafka_topic_new(void *rk, const char *topic, void *conf);
void rd_kafka_topic_destroy(void *rkt);
int rd_kafka_consume_start(void *rkt, int32_t partition, int64_t offset);
int rd_kafka_consume_stop(void *rkt, int32_t partition);
struct cl_spec_message *rd_kafka_consume(void *rkt, int32_t partition, int timeout_ms);
void rd_kafka_message_destroy(struct cl_spec_message *m);
int64_t rd_kafka_message_timestamp(const struct cl_spec_message *m, int *type);
int rd_kafka_message_headers(const struct cl_spec_message *m, void **headers);
int rd_kafka_header_get_all(const void *headers, size_t at, const char **name, const void **value, size_t *size);
void *rd_kafka_NewTopic_new(const char *topic, int partitions, int replicas, char *why, size_t size);
void rd_kafka_NewTopic_destroy(void *new_topic);
int rd_kafka_NewTopic_set_config(void *new_topic, const char *name, const char *value);
void *rd_kafka_queue_new(void *rk);
void rd_kafka_queue_destroy(void *queue);
void rd_kafka_CreateTopics(void *rk, void **topics, size_t n, const void *options, void *queue);
void *rd_kafka_queue_poll(void *queue, int timeout_ms);
int rd_kafka_event_error(void *event);
const char *rd_kafka_event_error_string(void *event);
const void *rd_kafka_event_CreateTopics_result(void *event);
const void **rd_kafka_CreateTopics_result_topics(const void *result, size_t *n);
int rd_kafka_topic_result_error(const void *result);
const char *rd_kafka_topic_result_error_string(const void *result);
void rd_kafka_event_destroy(void *event);
struct cl_spec_topic { /* rd_kafka_metadata_topic_t */
  char *topic;
  int partition_cnt;
  void *partitions;
  int err;
};
struct cl_spec_metadata { /* rd_kafka_metadata_t */
  int broker_cnt;
  void *brokers;
  int topic_cnt;
  struct cl_spec_topic *topics;
  int32_t orig_broker_id;
  char *orig_broker_name;
};
int rd_kafka_metadata(void *rk, int all, void *rkt, const struct cl_spec_metadata **out, int timeout_ms);
void rd_kafka_metadata_destroy(const struct cl_spec_metadata *metadata);
void *rd_kafka_ConfigResource_new(int type, const char *name);
void rd_kafka_ConfigResource_destroy(void *resource);
void rd_kafka_DescribeConfigs(void *rk, void **resources, size_t n, const void *options, void *queue);
const void *rd_kafka_event_DescribeConfigs_result(void *event);
const void **rd_kafka_DescribeConfigs_result_resources(const void *result, size_t *n);
const void **rd_kafka_ConfigResource_configs(const void *resource, size_t *n);
const char *rd_kafka_ConfigEntry_name(const void *entry);
const char *rd_kafka_ConfigEntry_value(const void *entry);
int rd_kafka_ConfigEntry_is_default(const void *entry);
]]
local C = ffi.C

local PRODUCER, CONSUMER = 0, 1
local TOPIC, PARTITION, VALUE, KEY, MSGFLAGS, TIMESTAMP, HEADER = 1, 3, 4, 5, 7, 8, 9
local COPY = 2
local TIMEOUT_MS = 60000

local kafka = {}
local Kafka = {}
Kafka.__index = Kafka

--- What stands for a null key or value in records; one left out is null as well.
kafka.null = setmetatable({}, { __tostring = function() return "null" end })

local function client(type, servers, settings)
  local why, conf = ffi.new "char[512]", C.rd_kafka_conf_new()
  local function set(key, value)
    assert(C.rd_kafka_conf_set(conf, key, value, why, 512) == 0, ffi.string(why))
  end
  set("bootstrap.servers", servers)
  for key, value in pairs(settings) do set(key, value) end
  local rk = C.rd_kafka_new(type, conf, why, 512)
  assert(rk ~= nil, ffi.string(why))
  return rk
end

--- A client of the broker; end it with close().
function kafka.open(servers)
  return setmetatable({
    servers = servers,
    rk = client(PRODUCER, servers, { ["enable.idempotence"] = "true" }), -- keeps the records' order
  }, Kafka)
end

function Kafka:close()
  C.rd_kafka_destroy(self.rk)
end

--- Makes topics of so many partitions each, { name = partitions }, with these settings.
function Kafka:create(topics, settings)
  local why, list = ffi.new "char[512]", {}
  for name, partitions in pairs(topics) do
    local made = C.rd_kafka_NewTopic_new(name, partitions, 1, why, 512)
    assert(made ~= nil, ffi.string(why))
    for key, value in pairs(settings or {}) do assert(C.rd_kafka_NewTopic_set_config(made, key, value) == 0) end
    list[#list + 1] = made
  end
  local queue = C.rd_kafka_queue_new(self.rk)
  C.rd_kafka_CreateTopics(self.rk, ffi.new("void *[?]", #list, list), #list, nil, queue)
  local event = C.rd_kafka_queue_poll(queue, TIMEOUT_MS)
  assert(event ~= nil, "no answer to CreateTopics")
  assert(C.rd_kafka_event_error(event) == 0, ffi.string(C.rd_kafka_event_error_string(event)))
  local n = ffi.new "size_t[1]"
  local results = C.rd_kafka_CreateTopics_result_topics(C.rd_kafka_event_CreateTopics_result(event), n)
  for i = 0, tonumber(n[0]) - 1 do
    assert(C.rd_kafka_topic_result_error(results[i]) == 0, "CreateTopics refused a topic")
  end
  C.rd_kafka_event_destroy(event)
  C.rd_kafka_queue_destroy(queue)
  for _, made in ipairs(list) do C.rd_kafka_NewTopic_destroy(made) end
end

--- How many partitions each topic has that is there, by name; nothing is made by asking.
function Kafka:partitions()
  local all, out = ffi.new "const struct cl_spec_metadata *[1]", {}
  local err = C.rd_kafka_metadata(self.rk, 1, nil, all, TIMEOUT_MS)
  assert(err == 0, err ~= 0 and ffi.string(C.rd_kafka_err2str(err)))
  for i = 0, all[0].topic_cnt - 1 do
    out[ffi.string(all[0].topics[i].topic)] = all[0].topics[i].partition_cnt
  end
  C.rd_kafka_metadata_destroy(all[0])
  return out
end

--- The settings a topic was given, by name.
function Kafka:settings(topic)
  local resource, queue = C.rd_kafka_ConfigResource_new(2, topic), C.rd_kafka_queue_new(self.rk)
  C.rd_kafka_DescribeConfigs(self.rk, ffi.new("void *[1]", { resource }), 1, nil, queue)
  local event, n, out = C.rd_kafka_queue_poll(queue, TIMEOUT_MS), ffi.new "size_t[1]", {}
  assert(event ~= nil, "no answer to DescribeConfigs")
  assert(C.rd_kafka_event_error(event) == 0, ffi.string(C.rd_kafka_event_error_string(event)))
  local results = C.rd_kafka_DescribeConfigs_result_resources(C.rd_kafka_event_DescribeConfigs_result(event), n)
  local entries = C.rd_kafka_ConfigResource_configs(results[0], n)
  for i = 0, tonumber(n[0]) - 1 do
    if C.rd_kafka_ConfigEntry_is_default(entries[i]) == 0 then
      out[ffi.string(C.rd_kafka_ConfigEntry_name(entries[i]))] = ffi.string(C.rd_kafka_ConfigEntry_value(entries[i]))
    end
  end
  C.rd_kafka_event_destroy(event)
  C.rd_kafka_queue_destroy(queue)
  C.rd_kafka_ConfigResource_destroy(resource)
  return out
end

-- Unknown topic or partition, or one without a leader, by the broker's word and by librdkafka's.
local BEING_MADE = { [3] = true, [5] = true, [6] = true, [-188] = true, [-190] = true }

--- The end offset of a partition; 0 of one that is just being made.
function Kafka:upto(topic, partition)
  local low, high = ffi.new "int64_t[1]", ffi.new "int64_t[1]"
  local err = C.rd_kafka_query_watermark_offsets(self.rk, topic, partition, low, high, TIMEOUT_MS)
  if BEING_MADE[tonumber(err)] then return 0 end
  assert(err == 0, ffi.string(C.rd_kafka_err2str(err)))
  return tonumber(high[0])
end

--- The offset that a group has committed for a partition; negative = none.
function Kafka:committed(group, topic, partition)
  local rk = client(CONSUMER, self.servers, { ["group.id"] = group, ["enable.auto.commit"] = "false" })
  local list = C.rd_kafka_topic_partition_list_new(1)
  C.rd_kafka_topic_partition_list_add(list, topic, partition)
  local err = C.rd_kafka_committed(rk, list, TIMEOUT_MS)
  local offset = tonumber(list.elems[0].offset)
  C.rd_kafka_topic_partition_list_destroy(list)
  C.rd_kafka_destroy(rk)
  assert(err == 0, ffi.string(C.rd_kafka_err2str(err)))
  return offset
end

local function text(x)
  if x == nil or x == kafka.null then return nil, 0 end
  return x, #x
end

--- Writes records { key, value, partition = 0, timestamp = ms, headers = { { name, value }, ... } },
-- in order; returns when the broker has them.
function Kafka:produce(topic, records)
  local partitions = {}
  for _, record in ipairs(records) do
    local vus, n = ffi.new("struct cl_spec_vu[?]", 6 + #(record.headers or {})), 0
    local function vu(vtype)
      vus[n].vtype = vtype
      n = n + 1
      return vus[n - 1].u
    end
    vu(TOPIC).cstr = topic
    vu(PARTITION).i32 = record.partition or 0
    vu(MSGFLAGS).i = COPY
    local mem = vu(KEY).mem
    mem.ptr, mem.size = text(record.key)
    mem = vu(VALUE).mem
    mem.ptr, mem.size = text(record.value)
    if record.timestamp then vu(TIMESTAMP).i64 = record.timestamp end
    for _, header in ipairs(record.headers or {}) do
      local h = vu(HEADER).header
      h.name = header[1]
      h.val, h.size = text(header[2])
    end
    local err = C.rd_kafka_produceva(self.rk, vus, n)
    assert(err == nil, err ~= nil and ffi.string(C.rd_kafka_error_string(err)))
    partitions[record.partition or 0] = true
  end
  assert(C.rd_kafka_flush(self.rk, TIMEOUT_MS) == 0, "records were not delivered to " .. topic)
  local held = 0
  for partition in pairs(partitions) do held = held + self:upto(topic, partition) end
  assert(held >= #records, ("%s holds %d of %d records"):format(topic, held, #records))
end

local function bytes(p, n)
  if p == nil then return kafka.null end
  return ffi.string(p, n)
end

local function headers_of(m)
  local list, headers = {}, ffi.new "void *[1]"
  if C.rd_kafka_message_headers(m, headers) ~= 0 then return list end
  local name, value, size = ffi.new "const char *[1]", ffi.new "const void *[1]", ffi.new "size_t[1]"
  while C.rd_kafka_header_get_all(headers[0], #list, name, value, size) == 0 do
    list[#list + 1] = { ffi.string(name[0]), bytes(value[0], size[0]) }
  end
  return list
end

--- The records of one partition in order, offsets from..upto - 1, as produce takes them.
function Kafka:read(topic, partition, from, upto)
  local list = {}
  if from == upto then return list end
  local rk = client(CONSUMER, self.servers, { ["group.id"] = "spec", ["enable.auto.commit"] = "false" })
  local rkt = C.rd_kafka_topic_new(rk, topic, nil)
  assert(C.rd_kafka_consume_start(rkt, partition, from) == 0, "cannot read " .. topic)
  while #list < upto - from do
    local m = C.rd_kafka_consume(rkt, partition, TIMEOUT_MS)
    assert(m ~= nil, "no more records of " .. topic)
    assert(m.err == 0, m.err ~= 0 and ffi.string(C.rd_kafka_err2str(m.err)))
    list[#list + 1] = {
      partition = partition, timestamp = tonumber(C.rd_kafka_message_timestamp(m, nil)),
      key = bytes(m.key, m.key_len), value = bytes(m.payload, m.len), headers = headers_of(m),
    }
    C.rd_kafka_message_destroy(m)
  end
  C.rd_kafka_consume_stop(rkt, partition)
  C.rd_kafka_topic_destroy(rkt)
  C.rd_kafka_destroy(rk)
  return list
end

return kafka
