/* SPDX-License-Identifier: Apache-2.0
 * Properties text: no input may crash, overread or give a config that is not one. */
#include "base/loggers.h"
#include "base/props.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cl_err err = CL_ERR_INIT;
  cl_loggers_start(CL_OFF); /* repeated keys are warned of */
  json_t *config = NULL;
  int rc = cl_props_parse((const char *)data, size, "fuzz", &config, &err);
  CL_REQUIRE((rc == 0) == (config != NULL));
  CL_REQUIRE(rc == 0 || err.msg[0] != '\0');
  const char *key;
  json_t *value;
  json_object_foreach (config, key, value)
    CL_REQUIRE(json_is_string(value));
  json_decref(config);
  return 0;
}
