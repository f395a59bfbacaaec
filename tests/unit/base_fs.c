/* SPDX-License-Identifier: Apache-2.0
 * Whole-file reading and replacing. */
#include "base/fs.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/cl-fs-XXXXXX";
static char path[PATH_MAX], other[PATH_MAX];

static int setup(void **state) {
  (void)state;
  memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
  if (!mkdtemp(dir))
    return -1;
  snprintf(path, sizeof(path), "%s/file", dir);
  snprintf(other, sizeof(other), "%s/other", dir);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  unlink(other);
  return rmdir(dir); /* fails when a temp file was left behind */
}

static void put(const char *name, const char *text) {
  struct cl_err err = CL_ERR_INIT;
  if (cl_fs_replace(name, text, strlen(text), 0666, &err) != 0)
    fail_msg("%s", err.msg);
}

static void holds(const char *name, const char *text) {
  struct cl_err err = CL_ERR_INIT;
  char *data = NULL;
  size_t len = 0;
  assert_int_equal(cl_fs_read(name, 1 << 20, &data, &len, &err), 0);
  assert_int_equal(len, strlen(text));
  assert_string_equal(data, text);
  free(data);
}

static mode_t mode_of(const char *name) {
  struct stat st;
  assert_int_equal(stat(name, &st), 0);
  return st.st_mode & 07777;
}

static void replaces(void **state) {
  (void)state;
  put(path, "one");
  holds(path, "one");
  put(path, "another, longer");
  put(path, "two");
  holds(path, "two");
  put(path, "");
  holds(path, "");
}

static void modes(void **state) {
  (void)state;
  mode_t mask = umask(027);
  put(path, "x");
  umask(mask);
  assert_int_equal(mode_of(path), 0640);
  assert_int_equal(chmod(path, 0604), 0);
  put(path, "y");
  assert_int_equal(mode_of(path), 0604);
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_fs_replace(path, "z", 1, 0600, &err), 0);
  assert_int_equal(mode_of(path), 0600);
  assert_int_equal(chmod(path, 0400), 0);
  assert_int_equal(cl_fs_replace(path, "z", 1, 0600, &err), 0);
  assert_int_equal(mode_of(path), 0400);
}

static void through_a_link(void **state) {
  (void)state;
  put(other, "old");
  assert_int_equal(symlink(other, path), 0);
  put(path, "new");
  holds(other, "new");
  struct stat st;
  assert_int_equal(lstat(path, &st), 0);
  assert_true(S_ISLNK(st.st_mode));
}

/* What a crash left behind neither stops a writer nor gets into the file. */
static void leftover(void **state) {
  (void)state;
  char left[PATH_MAX];
  snprintf(left, sizeof(left), "%.4000s.%d-0.tmp", path, (int)getpid());
  FILE *f = fopen(left, "w");
  fputs("torn", f);
  fclose(f);
  put(path, "whole");
  holds(path, "whole");
  holds(left, "torn");
  unlink(left);
}

/* A second one is refused whatever replaced the file meanwhile; nothing stays: teardown sees it. */
static void locks(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_fs_lock *first = NULL, *second = NULL;
  char inside[PATH_MAX + 8];
  assert_int_equal(symlink(path, other), 0);
  assert_int_equal(cl_fs_lock(path, &first, &err), 0);
  struct cl_fs_lock *held = first;
  assert_int_equal(cl_fs_lock(path, &first, &err), 0);
  assert_ptr_equal(first, held);
  put(path, "kept");
  assert_int_equal(cl_fs_lock(path, &second, &err), CL_ECONFLICT);
  assert_int_equal(cl_fs_lock(other, &second, &err), CL_ECONFLICT); /* by a link, too */
  assert_null(second);
  assert_non_null(strstr(err.msg, "/file.lock; stop that one"));
  cl_fs_unlock(first);
  assert_int_equal(cl_fs_lock(other, &second, &err), 0);
  cl_fs_unlock(second);
  cl_fs_unlock(NULL);
  holds(path, "kept");
  second = NULL;
  snprintf(inside, sizeof(inside), "%s/missing", path);
  assert_int_equal(cl_fs_lock(inside, &second, &err), CL_EIO);
  assert_non_null(strstr(err.msg, "/missing: Not a directory"));
  assert_int_equal(cl_fs_lock(dir, &second, &err), CL_EINVAL);
  assert_int_equal(cl_fs_lock("/proc/offsets", &second, &err), CL_EIO); /* as root, too */
  assert_null(second);
}

/* What crashes left goes with the next lock, through a link too, and nothing else of such a name. */
static void lock_clears_leftovers(void **state) {
  (void)state;
  static const char *const names[] = {"file.1-0.tmp", "file.4194304-12.tmp", "file.1-0.tmp2",
                                      "file.1-.tmp",  "file.-1-0.tmp",       "file.1-0.tm",
                                      "file.x-0.tmp", "file2.1-0.tmp"};
  enum { OURS = 2, ALL = sizeof(names) / sizeof(*names) };
  struct cl_err err = CL_ERR_INIT;
  struct cl_fs_lock *lock = NULL;
  char name[PATH_MAX];
  put(path, "whole");
  assert_int_equal(symlink(path, other), 0);
  for (size_t i = 0; i < ALL; i++) {
    snprintf(name, sizeof(name), "%s/%s", dir, names[i]);
    put(name, "torn");
  }
  assert_int_equal(cl_fs_lock(other, &lock, &err), 0);
  cl_fs_unlock(lock);
  for (size_t i = 0; i < ALL; i++) {
    snprintf(name, sizeof(name), "%s/%s", dir, names[i]);
    assert_int_equal(unlink(name), i < OURS ? -1 : 0);
  }
  holds(path, "whole");
}

/* What killed its holder lets it go. */
static void lock_of_the_dead(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_fs_lock *mine = NULL;
  int ready[2];
  char byte;
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    bool ok = cl_fs_lock(path, &mine, &err) == 0 && write(ready[1], "x", 1) == 1;
    while (ok)
      pause();
    _exit(1);
  }
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(cl_fs_lock(path, &mine, &err), CL_ECONFLICT);
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(cl_fs_lock(path, &mine, &err), 0);
  cl_fs_unlock(mine);
  close(ready[0]);
  close(ready[1]);
}

/* What could not be locked before it was read may have been another's since. */
static void late_locks(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_fs_lock *lock = NULL;
  put(path, "of another");
  assert_int_equal(cl_fs_lock_late(path, &lock, &err), CL_EIO);
  assert_null(lock);
  assert_non_null(strstr(err.msg, "restart this one"));
  unlink(path);
  assert_int_equal(cl_fs_lock_late(path, &lock, &err), 0);
  put(path, "mine");
  assert_int_equal(cl_fs_lock_late(path, &lock, &err), 0);
  cl_fs_unlock(lock);
}

/* The old content stays, and no temp file, when the new one cannot be put in place. */
static void failures(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  char deep[PATH_MAX];
  snprintf(deep, sizeof(deep), "%s/none/file", dir);
  assert_int_equal(cl_fs_replace(deep, "x", 1, 0666, &err), CL_EIO);
  assert_non_null(strstr(err.msg, "/none/file: No such file or directory"));
  assert_int_equal(cl_fs_replace(dir, "x", 1, 0666, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "not a regular file"));
  assert_int_equal(cl_fs_replace("/dev/null", "x", 1, 0666, &err), CL_EINVAL);
}

static void reading(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  char *data = NULL;
  size_t len = 0;
  assert_int_equal(cl_fs_read(path, 10, &data, &len, &err), CL_ENOTFOUND);
  put(path, "0123456789");
  assert_int_equal(cl_fs_read(path, 9, &data, &len, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "/file is larger than 9 bytes"));
  assert_int_equal(cl_fs_read(path, 10, &data, &len, &err), 0);
  assert_int_equal(len, 10);
  free(data);
  assert_int_equal(cl_fs_read(dir, 10, &data, &len, &err), CL_EIO);
  size_t big = 300000;
  char *text = malloc(big + 1);
  memset(text, 'x', big);
  text[big] = '\0';
  put(path, text);
  holds(path, text);
  free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(replaces), TEST(modes), TEST(through_a_link),        TEST(leftover),         TEST(failures),
      TEST(reading),  TEST(locks), TEST(lock_clears_leftovers), TEST(lock_of_the_dead), TEST(late_locks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
