/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua try` for people: a connector's converters and transforms over records of a file or
 * standard input, each step's difference shown. No broker, and the connector itself does not run. */
#include "cli/cli.h"
#include "cli/light_worker.h"
#include "cli/try.h"

#include "base/loggers.h"
#include "worker/providers.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "connect-lua try [OPTIONS] CONNECTOR [RECORDS]\n"
    "    runs the converters and transforms of a connector file (JSON or properties) over records and\n"
    "    shows what each step changes. No Kafka is needed, and the connector's plugin does not run.\n"
    "connect-lua try [--worker FILE] --json\n"
    "    answers lines of {\"config\":{...},\"direction\":\"sink\"|\"source\",\"records\":[...]} on "
    "standard\n"
    "    input, one line each: {\"expect\":[...]} or {\"configError\":{\"class\",\"message\"}}. Output\n"
    "    converters are the config's keys under \"out.\".\n"
    "\n"
    "RECORDS is a file, - or nothing for standard input: one record a line, the line being its value.\n"
    "\n"
    "  --records       each line is a JSON object {\"value\",\"key\",\"headers\",\"topic\",\"partition\",\n"
    "                  \"timestamp\",\"timestampType\",\"offset\"}; a key, value or header that is no\n"
    "                  string is taken as its JSON text; headers are an object or a list of [name, value]\n"
    "  --key TEXT      key of records that have none\n"
    "  --topic NAME    topic of records that have none; else the connector's topic, or \"topic\"\n"
    "  --format KIND   how keys and values of a source's records are read: text (default), json, or\n"
    "                  schema (JSON with \"schema\" and \"payload\"). A sink's are read by its converters\n"
    "  --sink, --source  the direction, for a connector whose plugin is not here\n"
    "  --worker FILE   whose plugin.path and converters hold; else StringConverter where the connector\n"
    "                  names none\n"
    "  --json          answer as {\"expect\":[...]}, one line for all records\n"
    "\n"
    "  echo '{\"a\":1}' | connect-lua try sink.json\n"
    "\n"
    "What plugins print or log goes to standard error.\n"
    "\n"
    "Exit codes: 0 every record went through or was filtered out, 1 wrong usage, 2 a file cannot be\n"
    "read, 3 the connector's configuration is refused, 4 a record failed or a line is no record.\n";

struct options {
  const char *worker_file, *connector_file, *records_file;
  const char *key, *topic, *format;
  bool json, as_objects, sink, source;
};

/* ------------------------------------------------------------------------ records */

/* A string as it is, null as null, anything else as its JSON text: as the kit's bytes. */
static json_t *bytes_of(const json_t *value) {
  if (!value || json_is_null(value))
    return json_null();
  if (json_is_string(value))
    return json_pack("{s:O}", "utf8", (json_t *)value);
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  json_t *out = json_pack("{s:o}", "utf8", json_string(text ? text : ""));
  free(text);
  return out;
}

/* What is neither is refused where headers are read (vm/try.c). */
static json_t *headers_of(json_t *given) {
  json_t *out, *value;
  const char *name;
  size_t i;
  if (given && !json_is_object(given) && !json_is_array(given))
    return json_incref(given);
  out = json_array();
  json_object_foreach (given, name, value)
    json_array_append_new(out, json_pack("[s,o]", name, bytes_of(value)));
  json_array_foreach (given, i, value)
    json_array_append_new(out, json_array_size(value) == 2 ? json_pack("[O,o]", json_array_get(value, 0),
                                                                       bytes_of(json_array_get(value, 1)))
                                                           : json_incref(value));
  return out;
}

/* Fields that stay as they are are checked where they are read (vm/try.c). */
static int copy_fields(json_t *record, json_t *given, struct cl_err *err) {
  static const char *const same[] = {"topic", "partition", "offset", "timestamp", "timestampType"};
  const char *name;
  json_t *value;
  json_object_foreach (given, name, value) {
    bool known = strcmp(name, "key") == 0 || strcmp(name, "value") == 0 || strcmp(name, "headers") == 0;
    for (size_t i = 0; !known && i < sizeof(same) / sizeof(*same); i++) {
      known = strcmp(name, same[i]) == 0;
      if (known)
        json_object_set(record, name, value);
    }
    if (!known)
      return cl_err_set(err, CL_EINVAL, "not a record: \"%s\" is no key of one", name);
  }
  return 0;
}

/* Bytes that are no UTF-8 can be in a value, too. */
static json_t *line_bytes(const char *line, size_t n) {
  json_t *text = json_stringn(line, n);
  return text ? json_pack("{s:o}", "utf8", text) : NULL;
}

static json_t *record_of(const struct options *o, const char *topic, const char *line, size_t n,
                         size_t offset, struct cl_err *err) {
  json_t *given = NULL,
         *record = json_pack("{s:s,s:i,s:I,s:n,s:o,s:n,s:[]}", "topic", topic, "partition", 0, "offset",
                             (json_int_t)offset, "timestamp", "key",
                             o->key ? json_pack("{s:s}", "utf8", o->key) : json_null(), "value", "headers");
  if (!o->as_objects) {
    json_t *value = line_bytes(line, n);
    if (value)
      json_object_set_new(record, "value", value);
    else
      cl_err_set(err, CL_EINVAL, "the line is not UTF-8");
  } else if (cl_json_parse(line, n, &given, err) == 0 && !json_is_object(given)) {
    cl_err_set(err, CL_EINVAL, "the line is no JSON object");
  } else if (err->code == 0 && copy_fields(record, given, err) == 0) {
    json_object_set_new(record, "value", bytes_of(json_object_get(given, "value")));
    if (json_object_get(given, "key"))
      json_object_set_new(record, "key", bytes_of(json_object_get(given, "key")));
    json_object_set_new(record, "headers", headers_of(json_object_get(given, "headers")));
  }
  json_decref(given);
  if (err->code == 0)
    return record;
  json_decref(record);
  return NULL;
}

/* ------------------------------------------------------------------------- people */

/* Control characters, of which a text can hold any, as lua/connect/host/describe.lua shows them. */
static void print_text(const json_t *text) {
  const unsigned char *p = (const unsigned char *)json_string_value(text);
  for (size_t i = 0, n = json_string_length(text); i < n; i++) {
    if (p[i] == '\n')
      fputs("\\n", stdout);
    else if (p[i] < 0x20 || p[i] == 0x7f)
      printf("\\x%02x", p[i]);
    else
      putchar(p[i]);
  }
}

/* What a record looks like at the end: as Kafka gets it. */
static void print_bytes(const json_t *bytes) {
  const json_t *utf8 = json_object_get(bytes, "utf8"), *b64 = json_object_get(bytes, "b64");
  fputs(b64 ? ": (Base64) " : utf8 ? ": " : ": null", stdout);
  print_text(utf8 ? utf8 : b64);
  putchar('\n');
}

static void print_written(const json_t *record) {
  json_t *header;
  size_t i;
  fputs("written to topic ", stdout);
  print_text(json_object_get(record, "topic"));
  fputs(":\n    key", stdout);
  print_bytes(json_object_get(record, "key"));
  fputs("    value", stdout);
  print_bytes(json_object_get(record, "value"));
  json_array_foreach (json_object_get(record, "headers"), i, header) {
    fputs("    header ", stdout);
    print_text(json_array_get(header, 0));
    print_bytes(json_array_get(header, 1));
  }
}

static void print_failure(const json_t *error) {
  const char *where = cl_json_str(error, "where"), *cause = cl_json_str(error, "cause");
  printf("FAILED in %s: %s: %s\n", cl_json_str(error, "stage"), cl_json_str(error, "class"),
         cl_json_str(error, "message"));
  if (where)
    printf("  %s\n", where);
  if (cause)
    printf("  %s\n", cause);
}

/* Answers whether the record went well. */
static bool print_answer(const json_t *answer, const char *steps, bool written) {
  const json_t *error = json_object_get(answer, "error");
  if (steps && *steps)
    puts(steps);
  if (error)
    print_failure(error);
  else if (written && json_object_get(answer, "record"))
    print_written(json_object_get(answer, "record"));
  putchar('\n');
  return !error;
}

/* --------------------------------------------------------------------------- runs */

struct session {
  const struct options *o;
  const struct cl_try_setup *setup;
  const char *topic;
  FILE *in;
};

/* getline without the newline; false at the end, and when the rest cannot be read, which *code then says.
 * Empty lines are records too. */
static bool next_line(const struct session *s, char **line, size_t *cap, size_t *n, int *code) {
  errno = 0;
  ssize_t got = getline(line, cap, s->in);
  if (got < 0 && !feof(s->in)) {
    cl_cli_complain("%s: %s", s->in == stdin ? "standard input" : s->o->records_file, strerror(errno));
    *code = CL_EXIT_START;
  }
  if (got < 0)
    return false;
  *n = (size_t)got;
  if (*n && (*line)[*n - 1] == '\n')
    (*n)--;
  return true;
}

/* One line. A line that is no record, or too large a one, is told; the next may be better. */
static int run_line(const struct session *s, struct cl_try *t, const char *line, size_t n, size_t number) {
  struct cl_err err = CL_ERR_INIT;
  json_t *answer = NULL, *record = record_of(s->o, s->topic, line, n, number - 1, &err);
  char *steps = NULL;
  int code = CL_EXIT_OK;
  fflush(stdout); /* plugins print to standard error: in order where both are one */
  if (!record || cl_try_run(t, record, &answer, &steps, &err) != 0) {
    cl_cli_complain("record %zu: %s", number, err.msg);
    code = CL_EXIT_RECORD;
  } else {
    printf("record %zu:\n", number);
    if (!print_answer(answer, steps, s->setup->source))
      code = CL_EXIT_RECORD;
  }
  free(steps);
  json_decref(answer);
  json_decref(record);
  return code;
}

static int run_for_people(const struct session *s) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_try *t = NULL;
  char *line = NULL;
  size_t cap = 0, n, number = 0;
  cl_loggers_start(CL_INFO); /* what plugins print */
  if (cl_try_setup(s->setup, &t, &err) != 0) {
    cl_cli_complain("%s: %s: %s", s->o->connector_file, cl_err_java(&err), err.msg);
    return CL_EXIT_CONNECTOR;
  }
  int code = CL_EXIT_OK;
  while (next_line(s, &line, &cap, &n, &code)) {
    if (run_line(s, t, line, n, ++number) != CL_EXIT_OK)
      code = CL_EXIT_RECORD;
  }
  free(line);
  cl_try_close(t);
  return code;
}

/* The answer to a line; one that is no record has an error that names no stage. *code as run_line's. */
static json_t *answer_line(const struct session *s, struct cl_try *t, const char *line, size_t n,
                           size_t number, int *code) {
  struct cl_err err = CL_ERR_INIT;
  json_t *answer = NULL, *record = record_of(s->o, s->topic, line, n, number - 1, &err);
  char *steps = NULL;
  if (!record || cl_try_run(t, record, &answer, &steps, &err) != 0) {
    cl_cli_complain("record %zu: %s", number, err.msg);
    answer = json_pack("{s:{s:n,s:n,s:o}}", "error", "stage", "class", "message", cl_json_lenient(err.msg));
  }
  if (json_object_get(answer, "error"))
    *code = CL_EXIT_RECORD;
  free(steps);
  json_decref(record);
  return answer;
}

static int run_for_machines(const struct session *s) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_try *t = NULL;
  char *line = NULL;
  size_t cap = 0, n, number = 0;
  int code = CL_EXIT_OK;
  json_t *list = json_array(), *out = NULL;
  if (cl_try_setup(s->setup, &t, &err) != 0) {
    code = CL_EXIT_CONNECTOR;
    out = cl_try_config_error(&err);
  }
  while (t && next_line(s, &line, &cap, &n, &code))
    json_array_append_new(list, answer_line(s, t, line, n, ++number, &code));
  if (t)
    out = json_pack("{s:O}", "expect", list);
  cl_try_print(out);
  json_decref(out);
  json_decref(list);
  free(line);
  cl_try_close(t);
  return code;
}

/* ------------------------------------------------------------------------ options */

/* How a source's records are read. */
static json_t *input_config(const char *format) {
  static const char json[] = "org.apache.kafka.connect.json.JsonConverter",
                    text[] = "org.apache.kafka.connect.storage.StringConverter";
  if (!format || strcmp(format, "text") == 0)
    return json_pack("{s:s,s:s}", "key.converter", text, "value.converter", text);
  bool schema = strcmp(format, "schema") == 0;
  if (!schema && strcmp(format, "json") != 0)
    return NULL;
  const char *enable = schema ? "true" : "false";
  return json_pack("{s:s,s:s,s:s,s:s}", "key.converter", json, "value.converter", json,
                   "key.converter.schemas.enable", enable, "value.converter.schemas.enable", enable);
}

/* By the connector's plugin, or as the command line says. */
static int direction(const struct options *o, const struct cl_worker *w, const json_t *config, bool *source,
                     struct cl_err *err) {
  const char *class = cl_json_str(config, "connector.class");
  const struct cl_plugin *p = class ? cl_plugins_find(w->plugins, CL_PLUGIN_SINK, class) : NULL;
  *source = o->source || (!o->sink && p && p->kind == CL_PLUGIN_SOURCE);
  if (p || o->sink || o->source)
    return 0;
  return cl_err_set(err, CL_ENOTFOUND, "%s: there is no plugin %s here: say --sink or --source",
                    o->connector_file, class ? class : "(connector.class is missing)");
}

static const char *topic_of(const struct options *o, const json_t *config, char first[256]) {
  const char *text = cl_json_str(config, "topic");
  if (o->topic)
    return o->topic;
  if (text && *text)
    return text;
  text = cl_json_str(config, "topics");
  snprintf(first, 256, "%.*s", text ? (int)strcspn(text, ", ") : 0, text ? text : "");
  return *first ? first : "topic";
}

static int try_connector(const struct options *o, const struct cl_worker *w, const json_t *config) {
  struct cl_err err = CL_ERR_INIT;
  char first[256];
  struct cl_try_setup setup = {.worker = w, .steps = !o->json, .config = config};
  struct session s = {.o = o, .setup = &setup, .topic = topic_of(o, config, first), .in = stdin};
  if (direction(o, w, config, &setup.source, &err) != 0) {
    cl_cli_complain("%s", err.msg);
    return CL_EXIT_CONNECTOR;
  }
  json_t *input = setup.source ? input_config(o->format) : NULL;
  setup.input = input;
  setup.output = setup.source || o->json ? config : NULL;
  if (o->records_file && strcmp(o->records_file, "-") != 0)
    s.in = fopen(o->records_file, "re");
  int code;
  if (!s.in) {
    cl_cli_complain("%s: %s", o->records_file, strerror(errno));
    code = CL_EXIT_START;
  } else {
    code = o->json ? run_for_machines(&s) : run_for_people(&s);
  }
  if (s.in && s.in != stdin)
    fclose(s.in);
  json_decref(input);
  return code;
}

/* -1 = go on. */
static int read_options(int argc, char **argv, struct options *o) {
  static const struct option known[] = {
      {"worker", required_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'},
      {"records", no_argument, NULL, 'r'},      {"key", required_argument, NULL, 'k'},
      {"topic", required_argument, NULL, 't'},  {"format", required_argument, NULL, 'f'},
      {"sink", no_argument, NULL, 'i'},         {"source", no_argument, NULL, 'o'},
      {"help", no_argument, NULL, 'h'},         {0}};
  int opt;
  while ((opt = getopt_long(argc, argv, "w:h", known, NULL)) != -1) {
    switch (opt) {
    case 'w':
      if (!cl_cli_worker_file(&o->worker_file, optarg))
        return CL_EXIT_USAGE;
      break;
    case 'j': o->json = true; break;
    case 'r': o->as_objects = true; break;
    case 'k': o->key = optarg; break;
    case 't': o->topic = optarg; break;
    case 'f': o->format = optarg; break;
    case 'i': o->sink = true; break;
    case 'o': o->source = true; break;
    case 'h': fputs(help, stdout); return CL_EXIT_OK;
    default: return CL_EXIT_USAGE;
    }
  }
  o->connector_file = optind < argc ? argv[optind] : NULL;
  o->records_file = optind + 1 < argc ? argv[optind + 1] : NULL;
  bool bad_format = o->format && strcmp(o->format, "text") != 0 && strcmp(o->format, "json") != 0 &&
                    strcmp(o->format, "schema") != 0;
  if ((o->connector_file || o->json) && optind + 2 >= argc && !(o->sink && o->source) && !bad_format)
    return -1;
  cl_cli_complain("usage: connect-lua try [OPTIONS] CONNECTOR [RECORDS]; connect-lua try --help says more");
  return CL_EXIT_USAGE;
}

int cl_cli_try(int argc, char **argv) {
  struct options o = {0};
  struct cl_err err = CL_ERR_INIT;
  struct cl_worker w = {0};
  char *name = NULL, *state = NULL;
  json_t *given = NULL, *config = NULL;
  int code = read_options(argc, argv, &o);
  if (code >= 0)
    return code;
  cl_loggers_start(CL_ERROR);
  if (cl_light_worker_open(&w, o.worker_file, &err) != 0 ||
      (o.connector_file && (cl_cli_connector_file(o.connector_file, &name, &given, &state, &err) != 0 ||
                            cl_providers_resolve(w.conf->providers, given, &config, &err) != 0))) {
    cl_cli_complain("%s", err.msg);
    code = CL_EXIT_START;
  } else {
    code = o.connector_file ? try_connector(&o, &w, config) : cl_try_protocol(&w);
  }
  json_decref(config);
  json_decref(given);
  free(state);
  free(name);
  cl_light_worker_close(&w);
  return code;
}
