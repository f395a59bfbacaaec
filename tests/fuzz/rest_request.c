/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a request: target, headers and body go through the parser, the routes and the
 * handlers to a command or an answer, as the server does it, without sockets.
 * Input: lines of method, target, Accept, Content-Type ("-" = absent), then the body.
 */
#include "rest/routes.h"

#include "../unit/rest_fake.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts a line off *rest, "-" becoming NULL. */
static char *next_line(char **rest) {
  char *line = *rest, *end = strchr(line, '\n');
  *rest = end ? end + 1 : line + strlen(line);
  if (end)
    *end = 0;
  return strcmp(line, "-") == 0 ? NULL : line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  CL_REQUIRE(text);
  memcpy(text, data, size);
  text[size] = 0;
  char *rest = text;
  const char *method = next_line(&rest), *target = next_line(&rest);
  const char *accept = next_line(&rest), *type = next_line(&rest);
  struct cl_request req = {.method = method ? method : "GET",
                           .target = target ? target : "/",
                           .accept = accept,
                           .content_type = type,
                           .body = rest,
                           .body_len = size - (size_t)(rest - text)};
  struct cl_herder herder = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct cl_exchange x = {.req = &req, .herder = &herder};
  struct cl_err err = CL_ERR_INIT;

  if (cl_request_parse(&req, &err) < 0)
    cl_reply_error(&x.answer.reply, 400, "%s", err.msg);
  else
    cl_routes_dispatch(&x);
  /* exactly one of answer and command, and the command complete */
  CL_REQUIRE(x.cmd ? !x.answer.reply.status && x.cmd->name : x.answer.reply.status >= 200);
  if (x.cmd && (x.cmd->kind == CL_CMD_CREATE || x.cmd->kind == CL_CMD_PUT_CONFIG ||
                x.cmd->kind == CL_CMD_PATCH_CONFIG || x.cmd->kind == CL_CMD_VALIDATE))
    CL_REQUIRE(json_is_object(x.cmd->config));
  if (x.cmd) {
    char *encoded = cl_request_encode(x.cmd->name);
    CL_REQUIRE(encoded && !strpbrk(encoded, "/?#; "));
    free(encoded);
    fake_command_free(x.cmd);
  }
  cl_answer_clear(&x.answer);
  cl_request_clear(&req);
  free(text);
  return 0;
}
