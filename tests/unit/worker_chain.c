/* SPDX-License-Identifier: Apache-2.0
 * Chains of transforms: stages out of configs, and Apache's words when it will not make one. */
#include "worker_rig.h"

#include "worker/chain.h"
#include "worker/validate.h"

static const char cut_lua[] =
    "return {api=1, kind='transform', class='x.Cut', sides=true, config={"
    "{name='fields', type='list', required=true}, {name='size', type='int', default=3, min=1}},"
    " apply=function(r) return r end, validate=function(c)"
    "  if not c.fields then return {fields='no fields'} end"
    "  if #c.fields > 2 then return {fields={'too many', 'by ' .. (#c.fields - c.size)}} end return {} "
    "end}\n";
static const char pred_lua[] =
    "return {api=1, kind='predicate', class='x.Sometimes', config={{name='share', type='double',"
    " default=0.5}}, test=function() return true end}\n";

static struct rig *rig;

static int setup(void **state) {
  (void)state;
  rig = rig_open("", "cut.lua", cut_lua, "pred.lua", pred_lua, NULL);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rig_close(rig);
  return 0;
}

#define CUT(alias) "transforms." alias ".type", "x.Cut$Value", "transforms." alias ".fields", "f,g"

static void stages(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_chain *chain = NULL;
  json_t *config = config_of("transforms", "a, b.c", "transforms.a.type", "x.Cut$Key", "transforms.a.fields",
                             "f,g", "transforms.a.plugin.version", "1", "transforms.a.other", "o", CUT("b.c"),
                             "transforms.b.c.predicate", "p", "transforms.b.c.negate", "TRUE", "predicates",
                             "q,p", "predicates.p.type", "Sometimes", "predicates.p.share", "0.25",
                             "predicates.q.type", "x.Sometimes", NULL);
  if (cl_chain_check(rig->worker->plugins, config, &err) != 0 ||
      cl_chain_resolve(rig->worker->plugins, config, &chain, &err) != 0)
    fail_msg("%s", err.msg);
  assert_int_equal(chain->n, 2);
  const struct cl_chain_stage *a = &chain->v[0], *b = &chain->v[1];
  assert_string_equal(a->alias, "a");
  assert_string_equal(a->transform->side, "key");
  assert_null(a->predicate);
  assert_false(a->negate);
  char *text = json_dumps(a->config, JSON_COMPACT | JSON_SORT_KEYS);
  assert_string_equal(text, "{\"fields\":[\"f\",\"g\"],\"other\":\"o\",\"size\":3}"); /* no reserved keys */
  free(text);
  assert_string_equal(b->alias, "b.c");
  assert_string_equal(b->transform->class, "x.Cut$Value");
  assert_string_equal(b->predicate_alias, "p");
  assert_string_equal(b->predicate->class, "x.Sometimes");
  assert_true(json_real_value(json_object_get(b->predicate_config, "share")) == 0.25);
  assert_true(b->negate);
  cl_chain_ref(chain);
  cl_chain_unref(chain);
  assert_int_equal(chain->n, 2);
  cl_chain_unref(chain);
  json_decref(config);
  config = config_of("name", "x", NULL);
  assert_int_equal(cl_chain_resolve(rig->worker->plugins, config, &chain, &err), 0);
  assert_int_equal(chain->n, 0);
  cl_chain_unref(chain);
  json_decref(config);
}

/* What Apache says when it makes the connector's config: its ConfigException. Takes config. */
static void refused(json_t *config, const char *message) {
  struct cl_err err = CL_ERR_INIT;
  const struct cl_plugin *sink = cl_plugins_find(rig->worker->plugins, CL_PLUGIN_SINK, "FileStreamSink");
  json_object_set_new(config, "name", json_string("x"));
  json_object_set_new(config, "connector.class", json_string("FileStreamSink"));
  json_object_set_new(config, "topics", json_string("t"));
  assert_int_equal(cl_validate_construct(rig->worker, sink, config, &err), message ? CL_EINVAL : 0);
  if (message) {
    assert_string_equal(err.msg, message);
    assert_string_equal(err.class, CL_JAVA_CONFIG);
  }
  json_decref(config);
}

static void classes(void **state) {
  (void)state;
  static const struct {
    const char *class, *message;
  } cases[] = {
      {NULL, "Invalid value null for configuration transforms.a.type: Not a Transformation"},
      {"", "Invalid value  for configuration transforms.a.type: Class  could not be found."},
      {"no.Such",
       "Invalid value no.Such for configuration transforms.a.type: Class no.Such could not be found."},
      {"Cut$Value",
       "Invalid value Cut$Value for configuration transforms.a.type: Class Cut$Value could not be found."},
      {"Cut", "Invalid value Cut for configuration transforms.a.type: Class Cut could not be found."},
      {"x.Cut", "This class is abstract and cannot be created. Did you mean x.Cut$Key, x.Cut$Value?"},
      {"org.apache.kafka.connect.transforms.Transformation", "This class is abstract and cannot be created."},
      {"Sometimes", "Class class x.Sometimes does not implement the Transformation interface"},
      {"java.lang.String", "Class class java.lang.String does not implement the Transformation interface"},
      {" x.Cut$Value ",
       "Invalid value  x.Cut$Value  for configuration transforms.a.type: Error getting config "
       "definition from Transformation:  x.Cut$Value "},
      {"x.Cut$Value", NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    json_t *config = config_of("transforms", "a", "transforms.a.fields", "f", "tasks.max", "1", NULL);
    if (cases[i].class)
      json_object_set_new(config, "transforms.a.type", json_string(cases[i].class));
    refused(config, cases[i].message);
  }
  refused(config_of("transforms", ",a", CUT("a"), NULL),
          "Invalid value null for configuration transforms..type: Not a Transformation");
  refused(config_of("predicates", "p", "predicates.p.type", "x.Cut$Key", NULL),
          "Class class x.Cut$Key does not implement the Predicate interface");
  refused(config_of("predicates", "p", NULL),
          "Invalid value null for configuration predicates.p.type: Not a Predicate");
  /* classes are looked at before any key is read */
  refused(config_of("tasks.max", "x", "transforms", "a", NULL),
          "Invalid value null for configuration transforms.a.type: Not a Transformation");
}

static void keys(void **state) {
  (void)state;
  refused(config_of("tasks.max", "x", "transforms", "a", CUT("a"), "transforms.a.size", "y", NULL),
          "Invalid value x for configuration tasks.max: Not a number of type INT");
  refused(config_of("transforms", "a,a", CUT("a"), NULL),
          "Invalid value [a, a] for configuration transforms: Duplicate alias provided.");
  refused(config_of("transforms", "a", "transforms.a.type", "x.Cut$Value", NULL),
          "Missing required configuration \"transforms.a.fields\" which has no default value.");
  refused(config_of("transforms", "a", CUT("a"), "transforms.a.size", "0", NULL),
          "Invalid value 0 for configuration size: Value must be at least 1");
  refused(config_of("transforms", "a", CUT("a"), "transforms.a.size", "y", NULL),
          "Invalid value y for configuration transforms.a.size: Not a number of type INT");
  refused(
      config_of("transforms", "a", CUT("a"), "transforms.a.negate", "false", NULL),
      "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' defining "
      "a predicate to be negated.");
  refused(
      config_of("transforms", "a", CUT("a"), "transforms.a.predicate", "p", "transforms.a.negate", "", NULL),
      "Invalid value  for configuration transforms.a.negate: Expected value to be either true or false");
  /* a plugin's own check, after its rows' */
  refused(config_of("transforms", "a", "transforms.a.type", "x.Cut$Key", "transforms.a.fields", "1,2,3,4",
                    "transforms.a.size", "1", NULL),
          "too many");
  /* only the start of a task looks at the predicate's alias */
  refused(config_of("transforms", "a", CUT("a"), "transforms.a.predicate", "p", NULL), NULL);
}

/* The alias is compared as it stands, and negate is what Boolean.parseBoolean makes of it. */
static void predicates_at_the_start(void **state) {
  (void)state;
  static const char *const aliases[] = {"q", "", " p "};
  struct cl_err err = CL_ERR_INIT;
  struct cl_chain *chain = NULL;
  json_t *config = config_of("transforms", "a", CUT("a"), "predicates", "p", "predicates.p.type", "Sometimes",
                             "transforms.a.negate", " true", NULL);
  for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
    char message[200];
    json_object_set_new(config, "transforms.a.predicate", json_string(aliases[i]));
    assert_int_equal(cl_chain_resolve(rig->worker->plugins, config, &chain, &err), CL_EINVAL);
    snprintf(
        message, sizeof(message),
        "org.apache.kafka.connect.errors.ConnectException: org.apache.kafka.common.config.ConfigException: "
        "Unknown configuration 'predicates.%s.plugin.version'",
        aliases[i]);
    assert_string_equal(err.msg, message);
    assert_string_equal(err.class, CL_JAVA_CONNECT);
    assert_null(chain);
  }
  json_object_set_new(config, "transforms.a.predicate", json_string("p"));
  assert_int_equal(cl_chain_resolve(rig->worker->plugins, config, &chain, &err), 0);
  assert_false(chain->v[0].negate);
  cl_chain_unref(chain);
  json_decref(config);
}

/* REST's validation: all errors of a key, those of the plugin's own code last. */
static void validation(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_validation v;
  const struct cl_plugin *sink = cl_plugins_find(rig->worker->plugins, CL_PLUGIN_SINK, "FileStreamSink");
  json_t *config = config_of("name", "x", "connector.class", "FileStreamSink", "topics", "t", "file", "/x",
                             "transforms", "a,b", "transforms.a.type", "x.Cut$Key", "transforms.b.type",
                             "x.Cut$Key", "transforms.b.fields", "1,2,3,4", "transforms.b.size", "none",
                             NULL);
  assert_int_equal(cl_validate_config(rig->worker, sink, config, &v, &err), 0);
  assert_true(cl_validate_wants_plugin(&v));
  assert_int_equal(cl_validate_plugin(&v, &err), CL_ELUA); /* size cannot be read, so it is not there */
  assert_non_null(strstr(err.msg, "arithmetic on field 'size'"));
  cl_validate_clear(&v);
  json_object_set_new(config, "transforms.b.size", json_string("1"));
  assert_int_equal(cl_validate_config(rig->worker, sink, config, &v, &err), 0);
  assert_int_equal(cl_validate_plugin(&v, &err), 0);
  assert_false(cl_validate_wants_plugin(&v));
  json_t *errors = cl_validate_errors(&v);
  char *text = json_dumps(errors, JSON_COMPACT);
  assert_string_equal(text, "[\"Missing required configuration \\\"transforms.a.fields\\\" which has no "
                            "default value.\",\"no fields\",\"too many\",\"by 3\"]");
  assert_int_equal(v.error_count, 4);
  free(text);
  json_decref(errors);
  cl_validate_clear(&v);
  json_decref(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stages),     cmocka_unit_test(classes),
      cmocka_unit_test(keys),       cmocka_unit_test(predicates_at_the_start),
      cmocka_unit_test(validation),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
