/* SPDX-License-Identifier: Apache-2.0
 * A task's vm over real plugin files and the real Lua host: each verb, what it hands over,
 * and what a plugin's errors become. */
#include "vm/vm.h"

#include "base/clock.h"
#include "record/batch.h"
#include "record/space.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { STACK_BYTES = 4 << 20, MEMORY = 32 << 20 };

/* Lua finds these by name only: keep their object files. */
const void *const vm_task_keeps[] = {(const void *)cl_ffi_sleep, (const void *)cl_ffi_emit};

/* ------------------------------------------------------------------ a task */

struct task { /* what the ops are called with */
  int sleeps, commits_asked;
  char partition[256], asked[256];
  int64_t rewound, timeout;
  bool paused;
};

static int op_sleep(void *task, int64_t ms) {
  (void)ms;
  ((struct task *)task)->sleeps++;
  return 1;
}

static bool op_stopping(void *task) {
  (void)task;
  return true;
}

static int op_offset(void *arg, const json_t *partition, json_t **out, struct cl_err *err) {
  struct task *task = arg;
  if (json_object_get(partition, "broken")) {
    cl_err_set(err, CL_EIO, "the store is away");
    err->retriable = true;
    return err->code;
  }
  char *text = json_dumps(partition, JSON_COMPACT | JSON_ENCODE_ANY);
  snprintf(task->asked, sizeof(task->asked), "%s", text);
  free(text);
  *out = json_object_get(partition, "known") ? json_pack("{s:I}", "position", (json_int_t)9007199254740993)
                                             : NULL;
  return 0;
}

static int64_t op_partition(void *arg, const char *json, size_t len, struct cl_err *err) {
  struct task *task = arg;
  (void)err;
  snprintf(task->partition, sizeof(task->partition), "%.*s", (int)len, json);
  return 7;
}

static int op_rewind(void *arg, const char *topic, int32_t partition, int64_t offset, struct cl_err *err) {
  if (strcmp(topic, "t") != 0)
    return cl_err_set(err, CL_EINVAL, "%s-%d is not assigned", topic, partition);
  ((struct task *)arg)->rewound = offset;
  return 0;
}

static int op_pause(void *arg, const char *topic, int32_t partition, bool pause, struct cl_err *err) {
  (void)topic, (void)partition, (void)err;
  ((struct task *)arg)->paused = pause;
  return 0;
}

static json_t *op_assignment(void *arg) {
  (void)arg;
  return json_pack("[{s:s, s:i}]", "topic", "t", "partition", 3);
}

static void op_timeout(void *arg, int64_t ms) { ((struct task *)arg)->timeout = ms; }
static void op_request_commit(void *arg) { ((struct task *)arg)->commits_asked++; }

static const struct cl_vm_ops source_ops = {
    .sleep = op_sleep, .stopping = op_stopping, .offset = op_offset, .partition = op_partition};
static const struct cl_vm_ops sink_ops = {.sleep = op_sleep,
                                          .stopping = op_stopping,
                                          .rewind = op_rewind,
                                          .pause = op_pause,
                                          .assignment = op_assignment,
                                          .timeout = op_timeout,
                                          .request_commit = op_request_commit};

/* ----------------------------------------------------------------- fixtures */

struct fixture {
  char folder[64], file[96];
  struct task task;
  struct cl_space *space;
  struct cl_batch_pool *pool;
  struct cl_plugin *plugin, *converter;
  struct cl_vm *vm;
  bool jit;
};

static struct cl_plugin *make_plugin(enum cl_plugin_kind kind, const char *file, const char *verbs) {
  struct cl_plugin *p = calloc(1, sizeof(*p));
  p->kind = kind;
  p->class = strdup("demo");
  p->file = strdup(file);
  p->root = strndup(file, (size_t)(strrchr(file, '/') - file));
  p->verbs = json_object();
  p->refs = 1;
  char *list = strdup(verbs), *rest = list, *name;
  while ((name = strsep(&rest, " ")) != NULL)
    json_object_set_new(p->verbs, name, json_true());
  free(list);
  return p;
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  snprintf(f->folder, sizeof(f->folder), "/tmp/cl-vm-task-XXXXXX");
  assert_non_null(mkdtemp(f->folder));
  snprintf(f->file, sizeof(f->file), "%s/p.lua", f->folder);
  f->space = cl_space_new(NULL);
  f->pool = cl_batch_pool_new(f->space, NULL, 10);
  f->converter = make_plugin(CL_PLUGIN_CONVERTER, CL_SOURCE_DIR "/lua/connect/converters/string.lua", "");
  *state = f;
  return 0;
}

static void drop_vm(struct fixture *f) {
  cl_vm_free(f->vm);
  cl_plugin_unref(f->plugin);
  f->vm = NULL;
  f->plugin = NULL;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  drop_vm(f);
  cl_plugin_unref(f->converter);
  cl_batch_pool_free(f->pool);
  cl_space_free(f->space);
  unlink(f->file);
  rmdir(f->folder);
  free(f);
  return 0;
}

/* A vm over a file made of text; verbs: those the scan would have found. */
static int open_vm(struct fixture *f, enum cl_plugin_kind kind, const char *text, const char *verbs,
                   struct cl_err *err) {
  drop_vm(f);
  FILE *out = fopen(f->file, "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
  f->plugin = make_plugin(kind, f->file, verbs);
  json_t *config = json_pack("{s:s, s:i, s:n, s:[s]}", "topic", "t", "n", 3, "none", "list", "a");
  json_t *empty = json_object();
  struct cl_vm_conf conf = {.home = CL_SOURCE_DIR,
                            .connector = "demo",
                            .task = 1,
                            .tasks_max = 2,
                            .memory_max = MEMORY,
                            .jit = f->jit,
                            .ops = kind == CL_PLUGIN_SINK ? &sink_ops : &source_ops,
                            .opaque = &f->task,
                            .space = f->space,
                            .plugin = {f->plugin, config},
                            .key = {f->converter, empty},
                            .value = {f->converter, empty}};
  *err = (struct cl_err)CL_ERR_INIT;
  int rc = cl_vm_new(&conf, &f->vm, err);
  json_decref(config);
  json_decref(empty);
  return rc;
}

static void must_open(struct fixture *f, enum cl_plugin_kind kind, const char *text, const char *verbs) {
  struct cl_err err;
  if (open_vm(f, kind, text, verbs, &err) != 0)
    fail_msg("%s\n%s", err.msg, err.trace);
}

static struct cl_err must_err; /* for MUST */
#define MUST(call)                                                                                           \
  do {                                                                                                       \
    if ((call) != 0)                                                                                         \
      fail_msg("%s\n%s", must_err.msg, must_err.trace);                                                      \
  } while (0)

/* ------------------------------------------------------------------- sources */

static const char source_text[] = "return { api = 1, kind = 'source',\n"
                                  "start = function(ctx)\n"
                                  "  assert(ctx.config.topic == 't' and ctx.config.n == 3 and "
                                  "ctx.config.none == nil and ctx.config.list[1] == 'a')\n"
                                  "  assert(ctx.task.id == 1 and ctx.task.max == 2)\n"
                                  "  assert(ctx:offset { new = 1 } == nil)\n"
                                  "  assert(ctx:offset { known = 1 }.position == 9007199254740993LL)\n"
                                  "end,\n"
                                  "poll = function(ctx)\n"
                                  "  assert(ctx:sleep(5) and ctx:stopping())\n"
                                  "  ctx:emit { topic = 't', value = 'hello', source_partition = { p = 'x', "
                                  "a = 1 }, source_offset = { n = 1 } }\n"
                                  "end,\n"
                                  "commit_record = function(ctx, record, m) assert(m.topic == 't' and "
                                  "m.partition == 2 and m.offset == 42) end,\n"
                                  "stop = function(ctx) ctx.stopped = true end }\n";

static void test_source(void **state) {
  struct fixture *f = *state;
  must_open(f, CL_PLUGIN_SOURCE, source_text, "start poll commit_record stop");
  assert_true(cl_vm_has(f->vm, "poll"));
  assert_false(cl_vm_has(f->vm, "commit"));
  MUST(cl_vm_start(f->vm, &must_err));
  assert_string_equal(f->task.asked, "{\"known\":1}");
  struct cl_batch *batch = cl_batch_get(f->pool);
  MUST(cl_vm_poll(f->vm, batch, &must_err));
  assert_int_equal(f->task.sleeps, 1);
  assert_int_equal(batch->n, 1);
  assert_int_equal(batch->stage, CL_BATCH_READY);
  assert_int_equal(batch->records[0].value.bytes.len, 5);
  assert_memory_equal(batch->records[0].value.bytes.p, "hello", 5);
  assert_int_equal(batch->records[0].slot, 7);
  assert_string_equal(f->task.partition, "{\"p\":\"x\",\"a\":1}"); /* Java's key order */
  MUST(cl_vm_commit(f->vm, &must_err));
  MUST(cl_vm_commit_record(f->vm, &batch->records[0], 2, 42, true, &must_err));
  cl_batch_unref(batch);
  MUST(cl_vm_stop(f->vm, &must_err));
}

/* --------------------------------------------------------------------- sinks */

static const char sink_text[] =
    "return { api = 1, kind = 'sink',\n"
    "put = function(ctx, batch)\n"
    "  ctx:rewind('t', 0, 12) ctx:pause('t', 0) ctx:timeout(250) ctx:request_commit()\n"
    "  assert(ctx:assignment()[1].partition == 3)\n"
    "end,\n"
    "open = function(ctx, parts) assert(parts[1].topic == 't') end,\n"
    "flush = function(ctx, offsets) offsets[1].offset = offsets[1].offset - 1 return offsets end }\n";

static void test_sink(void **state) {
  struct fixture *f = *state;
  must_open(f, CL_PLUGIN_SINK, sink_text, "put open flush");
  json_t *parts = json_pack("[{s:s, s:i, s:I}]", "topic", "t", "partition", 3, "offset", (json_int_t)100);
  json_t *safe = NULL;
  struct cl_batch *batch = cl_batch_get(f->pool);
  MUST(cl_vm_start(f->vm, &must_err));
  MUST(cl_vm_open(f->vm, parts, &must_err));
  MUST(cl_vm_put(f->vm, batch, &must_err));
  assert_int_equal(f->task.rewound, 12);
  assert_int_equal(f->task.timeout, 250);
  assert_int_equal(f->task.commits_asked, 1);
  assert_true(f->task.paused);
  MUST(cl_vm_flush(f->vm, parts, &safe, &must_err));
  assert_int_equal(json_integer_value(json_object_get(json_array_get(safe, 0), "offset")), 99);
  MUST(cl_vm_close(f->vm, parts, &must_err));
  MUST(cl_vm_stop(f->vm, &must_err));
  json_decref(safe);
  json_decref(parts);
  cl_batch_unref(batch);
}

/* -------------------------------------------------------------------- errors */

/* One put of a sink with this body. */
static int put_error(struct fixture *f, const char *body, struct cl_err *err) {
  char text[1024];
  snprintf(text, sizeof(text),
           "local connect = require 'connect'\nreturn { api = 1, kind = 'sink',\n"
           "put = function(ctx, batch)\n%s\nend }\n",
           body);
  must_open(f, CL_PLUGIN_SINK, text, "put");
  struct cl_batch *batch = cl_batch_get(f->pool);
  *err = (struct cl_err)CL_ERR_INIT;
  int rc = cl_vm_put(f->vm, batch, err);
  cl_batch_unref(batch);
  return rc;
}

static void test_errors(void **state) {
  struct fixture *f = *state;
  struct cl_err err;
  assert_int_equal(put_error(f, "connect.retriable 'try later'", &err), CL_ELUA);
  assert_true(err.retriable && !err.fatal);
  assert_non_null(strstr(err.msg, "try later"));
  assert_int_equal(put_error(f, "connect.data_error 'bad record'", &err), CL_EDATA);
  assert_int_equal(put_error(f, "connect.fatal 'no way'", &err), CL_ELUA);
  assert_true(err.fatal);
  assert_int_equal(put_error(f, "local x = nil .. 'a'", &err), CL_ELUA);
  assert_true(err.fatal);
  assert_non_null(strstr(err.msg, "p.lua:4: attempt to concatenate"));
  assert_non_null(strstr(err.trace, "p.lua:4 in "));
  assert_null(strstr(err.trace, "connect/host"));
  assert_int_equal(put_error(f, "ctx:rewind('other', 0, 0)", &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "other-0 is not assigned"));
  assert_int_equal(put_error(f, "error(setmetatable({}, { __tostring = function() error 'x' end }))", &err),
                   CL_ELUA);
  assert_int_equal(put_error(f, "local t = {} for i = 1, 1e9 do t[i] = {} end", &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "connect.lua.memory.max.bytes"));
  assert_true(err.fatal);
  assert_int_equal(
      put_error(f, "local t = {} for i = 1, 1e9 do pcall(function() t[i] = ('x'):rep(1e6) .. i end) end",
                &err),
      CL_ELUA);
}

static void test_retriable_ops(void **state) {
  struct fixture *f = *state;
  struct cl_err err = CL_ERR_INIT;
  must_open(f, CL_PLUGIN_SOURCE,
            "return { api = 1, kind = 'source', poll = function() end,\n"
            "start = function(ctx) ctx:offset { broken = 1 } end }",
            "start poll");
  assert_int_equal(cl_vm_start(f->vm, &err), CL_ELUA);
  assert_true(err.retriable);
  assert_non_null(strstr(err.msg, "the store is away"));
}

static void test_bad_files(void **state) {
  struct fixture *f = *state;
  struct cl_err err;
  assert_int_equal(open_vm(f, CL_PLUGIN_SINK, "return {\n", "put", &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "p.lua:2: "));
  assert_null(f->vm);
  assert_int_equal(open_vm(f, CL_PLUGIN_SINK, "error 'at file level'", "put", &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "p.lua:1: at file level"));
  assert_int_equal(open_vm(f, CL_PLUGIN_SINK, "return 1", "put", &err), CL_ELUA);
  assert_int_equal(open_vm(f, CL_PLUGIN_SINK, "local t = {} while true do t[#t + 1] = {} end", "put", &err),
                   CL_ELUA);
  assert_non_null(strstr(err.msg, "not enough memory"));
}

/* ------------------------------------------------------- depth, interrupts */

struct bomb {
  struct fixture *f;
  const char *body;
  struct cl_err err;
  int rc;
};

static void *run_bomb(void *arg) {
  struct bomb *b = arg;
  b->rc = put_error(b->f, b->body, &b->err);
  drop_vm(b->f); /* a vm dies on the thread it was made on */
  return NULL;
}

/* With the JIT on, on a thread of the size tasks get. */
/* An error that names no line names the verb, at least. */
static void test_where_without_a_line(void **state) {
  struct fixture *f = *state;
  struct cl_err err;
  char where[300];
  put_error(f, "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", &err);
  assert_non_null(strstr(err.msg, "not enough memory"));
  snprintf(where, sizeof(where), "\tat %s in 'put'", f->file);
  assert_string_equal(err.trace, where);
  drop_vm(f);
  put_error(f, "local function deep(n) return 1 + deep(n + 1) end deep(1)", &err);
  assert_non_null(strstr(err.msg, "stack overflow"));
  assert_non_null(strstr(err.trace, "\n\t...\n"));
  assert_non_null(strstr(err.trace, "in function 'put'"));
  drop_vm(f);
  put_error(f, "error { a = 1 }", &err);
  snprintf(where, sizeof(where), "\tat %s:4 in function 'put'", f->file);
  assert_string_equal(err.trace, where);
}

/* What a verb returns is looked at when it is gone from the stack. */
static void test_nonsense_returned(void **state) {
  struct fixture *f = *state;
  struct cl_err err = CL_ERR_INIT;
  char where[300];
  must_open(f, CL_PLUGIN_SOURCE, "return { api = 1, kind = 'source',\npoll = function() return 5 end }",
            "poll");
  struct cl_batch *batch = cl_batch_get(f->pool);
  assert_int_equal(cl_vm_poll(f->vm, batch, &err), CL_ELUA);
  assert_string_equal(err.msg, "poll returned a number: records are handed over with ctx:emit");
  snprintf(where, sizeof(where), "\tat %s:2 in function 'poll'", f->file);
  assert_string_equal(err.trace, where);
  cl_batch_unref(batch);
}

static void test_deep_recursion(void **state) {
  struct fixture *f = *state;
  static const char *const bodies[] = {
      "local function f() return (('x'):gsub('x', f)) end f()",
      "local function f() table.sort({ 1, 2, 3 }, f) end f()",
      "local function f() local ok, e = coroutine.resume(coroutine.create(f)) if not ok then error(e, 0) end "
      "end f()",
      "local mt = {} mt.__tostring = function() return ('%s'):format(setmetatable({}, mt)) end "
      "return ('%s'):format(setmetatable({}, mt))",
      "local function f() return 1 + f() end f()",
  };
  f->jit = true;
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    struct bomb b = {.f = f, .body = bodies[i]};
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    assert_int_equal(pthread_create(&thread, &attr, run_bomb, &b), 0);
    pthread_attr_destroy(&attr);
    pthread_join(thread, NULL);
    assert_int_equal(b.rc, CL_ELUA);
    assert_non_null(strstr(b.err.msg, "stack overflow"));
  }
}

static void *interrupt_later(void *vm) {
  usleep(100 * 1000);
  cl_vm_interrupt(vm);
  return NULL;
}

static void test_interrupt(void **state) {
  struct fixture *f = *state;
  must_open(f, CL_PLUGIN_SOURCE,
            "return { api = 1, kind = 'source', poll = function() while true do end end }", "poll");
  struct cl_batch *batch = cl_batch_get(f->pool);
  struct cl_err err = CL_ERR_INIT;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, interrupt_later, f->vm), 0);
  assert_int_equal(cl_vm_poll(f->vm, batch, &err), CL_ESTOPPED);
  pthread_join(thread, NULL);
  MUST(cl_vm_stop(f->vm, &must_err)); /* the next call runs */
  cl_batch_unref(batch);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(test_source),
      CASE(test_sink),
      CASE(test_errors),
      CASE(test_retriable_ops),
      CASE(test_bad_files),
      CASE(test_where_without_a_line),
      CASE(test_nonsense_returned),
      CASE(test_deep_recursion),
      CASE(test_interrupt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
