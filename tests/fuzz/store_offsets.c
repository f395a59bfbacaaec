/* SPDX-License-Identifier: Apache-2.0
 * Offsets files: no input may crash or overread, and what is taken comes back the same. */
#include "store/offsets_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct cl_offsets_entry *entries, size_t n) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_buf out = {0};
  struct cl_offsets_entry *again = NULL;
  size_t m = 0;
  cl_offsets_file_encode(entries, n, &out);
  CL_REQUIRE(!out.failed);
  CL_REQUIRE(cl_offsets_file_decode(out.p, out.len, "again", &again, &m, &err) == 0 && m == n);
  for (size_t i = 0; i < n; i++) {
    CL_REQUIRE(again[i].key_len == entries[i].key_len && !again[i].value == !entries[i].value);
    CL_REQUIRE(memcmp(again[i].key, entries[i].key, entries[i].key_len) == 0);
  }
  free(again);
  cl_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets_entry *entries = NULL;
  size_t n = 0;
  char *copy = malloc(size ? size : 1); /* exactly as long as the input: one byte over is seen */
  CL_REQUIRE(copy);
  memcpy(copy, data, size);
  if (cl_offsets_file_decode(copy, size, "fuzz", &entries, &n, &err) == 0)
    check_round_trip(entries, n);
  else
    CL_REQUIRE(strncmp(err.msg, "fuzz", 4) == 0);
  free(entries);
  free(copy);
  return 0;
}
