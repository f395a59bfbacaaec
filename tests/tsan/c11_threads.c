/* SPDX-License-Identifier: Apache-2.0
 *
 * C11 threads over pthreads, linked into the ThreadSanitizer build only. librdkafka as
 * Debian packages it starts its threads with thrd_create, which ThreadSanitizer does not
 * intercept: such a thread has no sanitizer state and crashes at its first allocation.
 * These definitions come before libc's and go through calls that are intercepted.
 * May include: libc only. Thread: any.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct start {
  thrd_start_t fn;
  void *arg;
};

static void *run(void *p) {
  struct start s = *(struct start *)p;
  free(p);
  return (void *)(intptr_t)s.fn(s.arg);
}

static int result(int rc) {
  switch (rc) {
  case 0: return thrd_success;
  case EBUSY: return thrd_busy;
  case ETIMEDOUT: return thrd_timedout;
  case ENOMEM: return thrd_nomem;
  default: return thrd_error;
  }
}

int thrd_create(thrd_t *thr, thrd_start_t fn, void *arg) {
  struct start *s = malloc(sizeof *s);
  if (!s)
    return thrd_nomem;
  *s = (struct start){fn, arg};
  int rc = pthread_create(thr, NULL, run, s);
  if (rc != 0)
    free(s);
  return result(rc);
}

int thrd_join(thrd_t thr, int *res) {
  void *value = NULL;
  int rc = pthread_join(thr, &value);
  if (rc == 0 && res)
    *res = (int)(intptr_t)value;
  return result(rc);
}

int thrd_detach(thrd_t thr) { return result(pthread_detach(thr)); }

int mtx_init(mtx_t *m, int type) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  if (type & mtx_recursive)
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
  int rc = pthread_mutex_init((pthread_mutex_t *)m, &attr);
  pthread_mutexattr_destroy(&attr);
  return result(rc);
}

int mtx_lock(mtx_t *m) { return result(pthread_mutex_lock((pthread_mutex_t *)m)); }
int mtx_trylock(mtx_t *m) { return result(pthread_mutex_trylock((pthread_mutex_t *)m)); }
int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until) {
  return result(pthread_mutex_timedlock((pthread_mutex_t *)m, until));
}
int mtx_unlock(mtx_t *m) { return result(pthread_mutex_unlock((pthread_mutex_t *)m)); }
void mtx_destroy(mtx_t *m) { pthread_mutex_destroy((pthread_mutex_t *)m); }

int cnd_init(cnd_t *c) { return result(pthread_cond_init((pthread_cond_t *)c, NULL)); }
int cnd_signal(cnd_t *c) { return result(pthread_cond_signal((pthread_cond_t *)c)); }
int cnd_broadcast(cnd_t *c) { return result(pthread_cond_broadcast((pthread_cond_t *)c)); }
int cnd_wait(cnd_t *c, mtx_t *m) {
  return result(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}
int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until) {
  return result(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}
void cnd_destroy(cnd_t *c) { pthread_cond_destroy((pthread_cond_t *)c); }
