/* SPDX-License-Identifier: Apache-2.0
 * Life of chains of transforms. Any thread. May include base and vm/plugin.h. */
#include "vm/chain.h"

#include <stdlib.h>
#include <string.h>

struct cl_chain *cl_chain_new(size_t n) {
  struct cl_chain *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  s->v = calloc(n + 1, sizeof(*s->v));
  if (!s->v) {
    free(s);
    return NULL;
  }
  s->n = n;
  s->refs = 1;
  return s;
}

struct cl_chain *cl_chain_copy(const struct cl_chain *from) {
  struct cl_chain *s = cl_chain_new(from->n);
  for (size_t i = 0; s && i < from->n; i++) {
    const struct cl_chain_stage *f = &from->v[i];
    struct cl_chain_stage *t = &s->v[i];
    *t = (struct cl_chain_stage){.alias = strdup(f->alias),
                                 .transform = f->transform,
                                 .config = json_incref(f->config),
                                 .predicate_alias = f->predicate_alias ? strdup(f->predicate_alias) : NULL,
                                 .predicate = f->predicate,
                                 .predicate_config = json_incref(f->predicate_config),
                                 .negate = f->negate};
    cl_plugin_ref(t->transform);
    if (t->predicate)
      cl_plugin_ref(t->predicate);
    if (!t->alias || (f->predicate_alias && !t->predicate_alias)) {
      cl_chain_unref(s);
      s = NULL;
    }
  }
  return s;
}

void cl_chain_ref(struct cl_chain *s) {
  if (s)
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
}

static void clear_stage(struct cl_chain_stage *s) {
  cl_plugin_unref(s->transform);
  cl_plugin_unref(s->predicate);
  json_decref(s->config);
  json_decref(s->predicate_config);
  free(s->alias);
  free(s->predicate_alias);
}

void cl_chain_unref(struct cl_chain *s) {
  if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  for (size_t i = 0; i < s->n; i++)
    clear_stage(&s->v[i]);
  free(s->v);
  free(s);
}
