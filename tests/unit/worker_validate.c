/* SPDX-License-Identifier: Apache-2.0
 * Validation of connector configs: what REST shows of each key, and how errors are counted. */
#include "cpu_time.h"
#include "worker_rig.h"

#include "worker/admit.h"
#include "worker/plugin_info.h"
#include "worker/validate.h"

#define SOURCE "org.apache.kafka.connect.file.FileStreamSourceConnector"
#define SINK "org.apache.kafka.connect.file.FileStreamSinkConnector"

/* A source whose own code looks at its config. */
static const char checks_lua[] = "return {api=1, kind='source', config={{name='n', type='int', default=1}},"
                                 " poll=function() end, validate=function(c)"
                                 "  if c.n == '7' then return {n={'seven','is bad'}, other='no'} end"
                                 "  if c.n == '8' then error 'eight' end"
                                 "  if c.n == '9' then return {n=5} end"
                                 "  if c.n == '10' then return {n={'ten', true}} end"
                                 "  if c.n == '11' then return {n={text='x'}} end"
                                 "  if c.n == '12' then return 'twelve' end"
                                 "  if c.n == '13' then return false end"
                                 "  if c.n == '14' then return {n={}} end"
                                 "  if c.n == '15' then return nil end return {} end}\n";
static const char cut_lua[] = "return {api=1, kind='transform', config={"
                              "{name='field', type='string', required=true},"
                              "{name='size', type='int', default=3, min=1, group='Size'}},"
                              " apply=function(r) return r end}\n";

static struct cl_worker *worker_of(void **state) { return ((struct rig *)*state)->worker; }

static struct cl_validation validate(void **state, json_t *config) {
  struct cl_validation v;
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugin *p = cl_plugins_find(worker_of(state)->plugins, CL_PLUGIN_SINK,
                                        cl_json_str(config, "connector.class"));
  assert_non_null(p);
  assert_int_equal(cl_validate_config(worker_of(state), p, config, &v, &err), 0);
  return v;
}

static json_t *entry(const struct cl_validation *v, const char *key) {
  json_t *item;
  size_t i;
  json_array_foreach (v->configs, i, item) {
    if (strcmp(cl_json_str(json_object_get(item, "value"), "name"), key) == 0)
      return item;
  }
  return NULL;
}

static json_t *value_of(const struct cl_validation *v, const char *key) {
  return json_object_get(entry(v, key), "value");
}

static const char *first_error(const struct cl_validation *v, const char *key) {
  return json_string_value(json_array_get(json_object_get(value_of(v, key), "errors"), 0));
}

static void done(struct cl_validation *v) {
  json_decref((json_t *)v->config);
  cl_validate_clear(v);
}

static void partial_config(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", "FileStreamSource", NULL));
  assert_int_equal(v.error_count, 2);
  assert_string_equal(first_error(&v, "name"),
                      "Missing required configuration \"name\" which has no default value.");
  assert_string_equal(first_error(&v, "topic"),
                      "Missing required configuration \"topic\" which has no default value.");
  assert_int_equal(json_array_size(v.configs), 27);
  const char *const groups[] = {"Common",         "Transforms",           "Predicates",   "Error Handling",
                                "Topic Creation", "Exactly Once Support", "offsets.topic"};
  assert_int_equal(json_array_size(v.groups), 7);
  for (size_t i = 0; i < 7; i++)
    assert_string_equal(json_string_value(json_array_get(v.groups, i)), groups[i]);
  /* the worker's converters are the defaults, with what they could be */
  assert_string_equal(cl_json_str(value_of(&v, "value.converter"), "value"),
                      "org.apache.kafka.connect.storage.StringConverter");
  assert_string_equal(cl_json_str(json_object_get(entry(&v, "key.converter"), "definition"), "default_value"),
                      "org.apache.kafka.connect.json.JsonConverter");
  assert_true(json_array_size(json_object_get(value_of(&v, "key.converter"), "recommended_values")) >= 3);
  assert_string_equal(cl_json_str(value_of(&v, "header.converter.plugin.version"), "value"), "4.2.0");
  json_t *body = cl_validate_body(&v);
  assert_string_equal(cl_json_str(body, "name"), "FileStreamSource");
  assert_int_equal(json_integer_value(json_object_get(body, "error_count")), 2);
  json_decref(body);
  done(&v);
}

static void classes(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                                     "key.converter", " StringConverter ", "value.converter",
                                                     "nope", "header.converter", "java.lang.String", NULL));
  assert_string_equal(cl_json_str(value_of(&v, "key.converter"), "value"),
                      "org.apache.kafka.connect.storage.StringConverter");
  assert_true(json_is_null(json_object_get(value_of(&v, "value.converter"), "value")));
  assert_string_equal(first_error(&v, "value.converter"),
                      "Invalid value nope for configuration value.converter: Class nope could not be found.");
  assert_string_equal(first_error(&v, "header.converter"),
                      "Class class java.lang.String does not implement the HeaderConverter interface");
  assert_int_equal(v.error_count, 2);
  done(&v);
}

static void versions(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                                     "connector.plugin.version", "9", NULL));
  const char *text = "Plugin " SOURCE
                     " not found that matches the version range [9,9], available versions: [4.2.0]";
  assert_int_equal(v.error_count, 2);
  assert_string_equal(first_error(&v, "connector.class"), text);
  assert_string_equal(first_error(&v, "connector.plugin.version"), text);
  done(&v);
  static const char *const good[] = {"4.2.0", " 4.2.0", "[4.2.0]", "latest", ""};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                  "value.converter.plugin.version", good[i], NULL));
    assert_int_equal(v.error_count, 0);
    done(&v);
  }
}

static void sink_topics(void **state) {
  static const struct {
    const char *topics, *regex, *dlq;
    size_t errors;
    const char *key, *text;
  } cases[] = {
      {"a", "a.*", "", 2, "topics.regex",
       "topics and topics.regex are mutually exclusive options, but both are set."},
      {"", " ", "", 2, "topics", "Must configure one of topics or topics.regex"},
      {"a, d", "", "d", 1, "topics",
       "The DLQ topic 'd' may not be included in the list of topics ('topics=[a, d]') consumed by the "
       "connector"},
      {"", "d.*", "dlq", 1, "topics.regex",
       "The DLQ topic 'dlq' may not be matched by the regex for the topics ('topics.regex=d.*') consumed by "
       "the connector"},
      {"a,a", "", "", 1, "topics", "Configuration 'topics' values must not be duplicated."},
      {"", "xd.*", "dlq", 0, NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct cl_validation v = validate(
        state, config_of("connector.class", SINK, "name", "x", "topics", cases[i].topics, "topics.regex",
                         cases[i].regex, "errors.deadletterqueue.topic.name", cases[i].dlq, NULL));
    assert_int_equal(v.error_count, cases[i].errors);
    if (cases[i].key)
      assert_string_equal(first_error(&v, cases[i].key), cases[i].text);
    done(&v);
  }
}

static void nulls(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                                     "file", NULL, "mine", NULL, NULL));
  assert_int_equal(v.error_count, 1); /* the connector's own key takes a null, as in Apache */
  assert_string_equal(first_error(&v, "mine"), "Null value can not be supplied as the configuration value.");
  assert_true(json_is_null(json_object_get(entry(&v, "mine"), "definition")));
  done(&v);
  /* but is refused where Apache would make a connector that cannot start */
  struct cl_admitted a = {0};
  struct cl_reply reply = {0};
  json_t *config = config_of("connector.class", SOURCE, "topic", "t", "file", NULL, NULL);
  assert_int_not_equal(cl_admit_config(worker_of(state), "x", config, &a, &reply), 0);
  assert_int_equal(reply.status, 400);
  assert_non_null(
      strstr(cl_json_str(reply.body, "message"), "contains the following 1 error(s):\nNull value can not"));
  cl_reply_clear(&reply);
  json_decref(config);
}

/* Texts name the key without its prefix, and two errors of one key count once. */
static void converter_settings(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                                     "value.converter", "JsonConverter",
                                                     "value.converter.schemas.enable", "maybe",
                                                     "value.converter.schemas.cache.size", "x",
                                                     "key.converter.schemas.enable", "ignored", NULL));
  assert_int_equal(v.error_count, 2);
  assert_string_equal(
      first_error(&v, "value.converter.schemas.enable"),
      "Invalid value maybe for configuration schemas.enable: Expected value to be either true or false");
  assert_string_equal(
      cl_json_str(json_object_get(entry(&v, "value.converter.converter.type"), "definition"), "display_name"),
      "converter.type");
  assert_string_equal(cl_json_str(value_of(&v, "value.converter.converter.type"), "value"), "value");
  assert_null(
      entry(&v, "key.converter.schemas.enable")); /* the worker's converter has the worker's settings */
  done(&v);
}

static void client_overrides(void **state) {
  struct cl_validation v = validate(
      state, config_of("connector.class", SOURCE, "name", "x", "topic", "t", "producer.override.batch.size",
                       "abc", "producer.override.what", "1", "consumer.override.what", "1", NULL));
  assert_int_equal(v.error_count, 1);
  assert_string_equal(first_error(&v, "producer.override.batch.size"),
                      "Invalid value abc for configuration batch.size: Not a number of type INT");
  assert_true(json_is_null(json_object_get(entry(&v, "producer.override.what"), "definition")));
  assert_null(entry(&v, "consumer.override.what"));
  json_t *def = json_object_get(entry(&v, "producer.override.batch.size"), "definition");
  assert_string_equal(cl_json_str(def, "name"), "producer.override.batch.size");
  assert_string_equal(cl_json_str(def, "display_name"), "batch.size");
  assert_string_equal(cl_json_str(def, "default_value"), "16384");
  done(&v);
}

/* What Java's client would refuse at the start of the task is refused here. */
static void client_overrides_out_of_range(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                                     "producer.override.linger.ms", "5",
                                                     "producer.override.acks", "7", NULL));
  assert_int_equal(v.error_count, 1);
  assert_string_equal(first_error(&v, "producer.override.acks"),
                      "Invalid value 7 for configuration acks: String must be one of: all, -1, 0, 1");
  done(&v);
  v = validate(state, config_of("connector.class", SINK, "name", "x", "topics", "t",
                                "consumer.override.session.timeout.ms", "400", NULL));
  assert_int_equal(v.error_count, 1);
  assert_string_equal(first_error(&v, "consumer.override.session.timeout.ms"),
                      "Heartbeat must be set lower than the session timeout: heartbeat.interval.ms is 500, "
                      "session.timeout.ms is 400");
  done(&v);
}

/* Values are shown as their type has them; each kind of client where the connector has one. */
static void client_definitions(void **state) {
  struct cl_validation v = validate(
      state,
      config_of("connector.class", SINK, "name", "x", "topics", "t", "consumer.override.sasl.jaas.config",
                "secret", "consumer.override.max.poll.records", " 12 ", "consumer.override.check.crcs",
                "TRUE", "producer.override.acks", "1", "admin.override.retries", "3", NULL));
  assert_string_equal(cl_json_str(value_of(&v, "consumer.override.sasl.jaas.config"), "value"), "[hidden]");
  assert_string_equal(cl_json_str(value_of(&v, "consumer.override.max.poll.records"), "value"), "12");
  assert_string_equal(cl_json_str(value_of(&v, "consumer.override.check.crcs"), "value"), "true");
  assert_null(entry(&v, "producer.override.acks"));
  assert_null(entry(&v, "admin.override.retries"));
  done(&v);
  v = validate(state, config_of("connector.class", SINK, "name", "x", "topics", "t",
                                "errors.deadletterqueue.topic.name", "d", "producer.override.acks", "1",
                                "admin.override.retries", "x", NULL));
  json_t *def = json_object_get(entry(&v, "producer.override.acks"), "definition");
  assert_string_equal(cl_json_str(def, "type"), "STRING");
  assert_string_equal(cl_json_str(def, "importance"), "LOW");
  assert_string_equal(first_error(&v, "admin.override.retries"),
                      "Invalid value x for configuration retries: Not a number of type INT");
  done(&v);
  v = validate(state,
               config_of("connector.class", SOURCE, "name", "x", "topic", "t", "admin.override.retries", "3",
                         "topic.creation.default.partitions", "1", NULL));
  assert_string_equal(
      cl_json_str(json_object_get(entry(&v, "admin.override.retries"), "definition"), "default_value"),
      "2147483647");
  done(&v);
}

static void transforms(void **state) {
  struct cl_validation v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t",
                                                     "transforms", "a,b", "transforms.a.type", "cut",
                                                     "transforms.a.size", "0", "transforms.b.type", "no.Such",
                                                     NULL));
  assert_int_equal(v.error_count, 3);
  assert_string_equal(first_error(&v, "transforms.a.field"),
                      "Missing required configuration \"transforms.a.field\" which has no default value.");
  assert_string_equal(first_error(&v, "transforms.a.size"),
                      "Invalid value 0 for configuration size: Value must be at least 1");
  assert_string_equal(
      first_error(&v, "transforms.b.type"),
      "Invalid value no.Such for configuration transforms.b.type: Class no.Such could not be found.");
  assert_null(entry(&v, "transforms.b.negate"));
  json_t *field = json_object_get(entry(&v, "transforms.a.field"), "definition"),
         *size = json_object_get(entry(&v, "transforms.a.size"), "definition");
  assert_string_equal(cl_json_str(field, "group"), "Transforms: a");
  assert_int_equal(json_integer_value(json_object_get(field, "order_in_group")), 2);
  assert_string_equal(cl_json_str(size, "group"), "Transforms: a: Size");
  assert_int_equal(json_integer_value(json_object_get(size, "order_in_group")), 5); /* groups come last */
  assert_string_equal(cl_json_str(value_of(&v, "transforms.a.negate"), "value"), "false");
  done(&v);
  v = validate(state,
               config_of("connector.class", SOURCE, "name", "x", "topic", "t", "predicates", "p", NULL));
  assert_int_equal(v.error_count, 1);
  assert_string_equal(first_error(&v, "predicates.p.type"),
                      "Missing required configuration \"predicates.p.type\" which has no default value.");
  assert_string_equal(json_string_value(json_array_get(v.groups, 7)), "Predicates: p");
  done(&v);
}

/* Known by name and keys; used, they are refused, but only when nothing else is wrong. */
static void not_built_yet(void **state) {
  struct cl_validation v = validate(
      state, config_of("connector.class", SOURCE, "name", "x", "topic", "t", "transforms", "m",
                       "transforms.m.type", "org.apache.kafka.connect.transforms.MaskField$Value",
                       "transforms.m.fields", "", "value.converter", "LongConverter", NULL));
  assert_int_equal(v.error_count, 1);
  assert_string_equal(first_error(&v, "transforms.m.fields"),
                      "Configuration 'fields' must not be empty. Valid values include: any non-empty value");
  done(&v);
  v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t", "value.converter",
                                "LongConverter", NULL));
  assert_int_equal(v.error_count, 0);
  done(&v);
  v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t", "value.converter",
                                "org.apache.kafka.connect.storage.SimpleHeaderConverter", NULL));
  assert_int_equal(v.error_count, 1); /* it converts headers only */
  done(&v);
  json_t *list = cl_plugins_list(worker_of(state)->plugins, false), *item;
  size_t i, routers = 0, jsons = 0;
  const char *last = "";
  json_array_foreach (list, i, item) {
    routers += strcmp(cl_json_str(item, "class"), "org.apache.kafka.connect.transforms.TimestampRouter") == 0;
    jsons += strcmp(cl_json_str(item, "class"), "org.apache.kafka.connect.json.JsonConverter") == 0;
    last = cl_json_str(item, "class");
  }
  assert_int_equal(routers, 1);
  assert_int_equal(jsons, 2); /* converter and header_converter */
  assert_string_equal(last, "org.apache.kafka.connect.storage.StringConverter");
  json_decref(list);
}

/* A body of the largest size must not keep a REST thread. */
static void hostile_sizes(void **state) {
  json_t *config = config_of(
      "connector.class", SINK, "name", "x", "topics.regex", "(a+)+b", "errors.deadletterqueue.topic.name",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", NULL);
  char key[32], *aliases = calloc(1, 100001);
  for (int i = 0; i < 50000; i++) {
    snprintf(key, sizeof key, "n%d", i);
    json_object_set_new(config, key, json_null());
    snprintf(key, sizeof key, "consumer.override.n%d", i);
    json_object_set_new(config, key, json_string("v"));
  }
  for (int i = 0; i < 100000; i += 2)
    memcpy(aliases + i, (char[]){',', (char)('0' + i / 2 % 10)}, 2);
  json_object_set_new(config, "transforms", json_string(aliases + 1));
  int64_t begun = cpu_ms();
  struct cl_validation v = validate(state, config);
  assert_true(cpu_ms() - begun < 20000); /* a quadratic one takes minutes under sanitizers */
  assert_true(v.error_count >= 50000);
  assert_non_null(entry(&v, "transforms.1.type"));
  assert_true(json_array_size(v.configs) < 101000);
  done(&v);
  free(aliases);
}

static void plugins_own_code(void **state) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_validation v = validate(state,
                                    config_of("connector.class", "checks", "name", "x", "n", "x", NULL));
  assert_false(cl_validate_wants_plugin(&v)); /* it need not cope with what is wrong already */
  done(&v);
  v = validate(state, config_of("connector.class", "checks", "name", "x", "n", "7", NULL));
  assert_true(cl_validate_wants_plugin(&v));
  assert_int_equal(cl_validate_plugin(&v, &err), 0);
  assert_int_equal(v.error_count, 3);
  assert_string_equal(first_error(&v, "n"), "seven");
  assert_string_equal(first_error(&v, "other"), "no");
  json_t *errors = cl_validate_errors(&v);
  assert_int_equal(json_array_size(errors), 3);
  json_decref(errors);
  done(&v);
  v = validate(state, config_of("connector.class", "checks", "name", "x", "n", "8", NULL));
  assert_int_not_equal(cl_validate_plugin(&v, &err), 0);
  assert_non_null(strstr(err.msg, "eight"));
  done(&v);
  v = validate(state, config_of("connector.class", SOURCE, "name", "x", "topic", "t", NULL));
  assert_false(cl_validate_wants_plugin(&v));
  done(&v);
}

/* An answer of another shape is no clean config. */
static void plugins_answers(void **state) {
  static const char *const refused[][2] = {
      {"9", "it returned n = 5"},
      {"10", "it returned n = [\"ten\",true]"},
      {"11", "it returned n = {\"text\":\"x\"}"},
      {"12", "it returned \"twelve\""},
      {"13", "it returned false"},
  };
  static const char *const taken[] = {"6", "14", "15"};
  struct cl_err err = CL_ERR_INIT;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    struct cl_validation v = validate(
        state, config_of("connector.class", "checks", "name", "x", "n", refused[i][0], NULL));
    assert_int_equal(cl_validate_plugin(&v, &err), CL_ELUA);
    assert_non_null(strstr(err.msg, "checks.lua: 'validate' must return errors by key"));
    assert_non_null(strstr(err.msg, refused[i][1]));
    done(&v);
  }
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    struct cl_validation v = validate(
        state, config_of("connector.class", "checks", "name", "x", "n", taken[i], NULL));
    assert_int_equal(cl_validate_plugin(&v, &err), 0);
    assert_int_equal(v.error_count, 0);
    done(&v);
  }
}

static int open_all(void **state) {
  *state = rig_open("", "checks.lua", checks_lua, "cut.lua", cut_lua, NULL);
  return 0;
}

static int close_all(void **state) {
  rig_close(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(partial_config),
      cmocka_unit_test(classes),
      cmocka_unit_test(versions),
      cmocka_unit_test(sink_topics),
      cmocka_unit_test(nulls),
      cmocka_unit_test(converter_settings),
      cmocka_unit_test(client_overrides),
      cmocka_unit_test(client_overrides_out_of_range),
      cmocka_unit_test(client_definitions),
      cmocka_unit_test(transforms),
      cmocka_unit_test(not_built_yet),
      cmocka_unit_test(hostile_sizes),
      cmocka_unit_test(plugins_own_code),
      cmocka_unit_test(plugins_answers),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
