/* SPDX-License-Identifier: Apache-2.0
 * The last error of each thread, because an FFI function cannot hand an error object to Lua
 * cheaply. Made when a thread first asks: as a thread-local variable it would take 3 KiB in each
 * of librdkafka's threads too, of which a task has four. Thread: any. May include base. */
#include "record/codec.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct cl_err *last;
/* Of all threads that had no memory for their own: a text may then be another's. */
static struct cl_err shared;

static void make_key(void) { CL_REQUIRE(pthread_key_create(&key, free) == 0); }

struct cl_err *cl_ffi_err(void) {
  if (last)
    return last;
  pthread_once(&once, make_key);
  struct cl_err *own = calloc(1, sizeof(*own));
  if (!own)
    return &shared;
  if (pthread_setspecific(key, own) != 0) { /* it would never be freed */
    free(own);
    return &shared;
  }
  last = own;
  return last;
}
