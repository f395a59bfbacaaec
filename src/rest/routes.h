/* SPDX-License-Identifier: Apache-2.0
 *
 * From a parsed request to its answer, or to the command that will make one.
 * Any thread, no state; never waits.
 */
#pragma once

#include "rest/auth.h"
#include "rest/request.h"
#include "worker/herder.h"

struct cl_answer {
  struct cl_reply reply;
  char allow[64]; /* OPTIONS: the Allow header, "" = none */
  char text[64];  /* OPTIONS: the body */
  char type[96];  /* OPTIONS: its type; that of page, too */
  char *page;     /* malloc'd: the body, where it is no JSON */
};
void cl_answer_clear(struct cl_answer *a);

/* What a listener serves of the routes: /admin may have listeners of its own. */
enum cl_route_set { CL_ROUTES_ALL, CL_ROUTES_REGULAR, CL_ROUTES_ADMIN };

/* One request on its way through the routes. */
struct cl_exchange {
  const struct cl_request *req;
  struct cl_herder *herder;
  enum cl_route_set served;
  struct cl_auth *auth;      /* NULL = everybody may */
  const char *authorization; /* the header, or NULL */
  enum cl_verdict verdict;   /* on the client, where it is known already */
  const char *name;          /* the {c} or {p} of the path */
  int task;                  /* the {t} of the path */
  struct cl_answer answer;
  struct cl_command *cmd; /* a write: for cl_herder_submit, which takes it; the answer is then empty */
};
/* What can be said before the body is read: fills x->answer when it is a refusal. x->verdict may stay
 * unknown: cl_auth_ask, then again. */
void cl_routes_check(struct cl_exchange *x);
/* The same and the rest, the verdict being known: fills x->answer or x->cmd. Without memory the answer is a
 * 500. */
void cl_routes_dispatch(struct cl_exchange *x);
