/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's login configurations. Errors say what is wrong, not where it stands; values are in none.
 * *class is malloc'd, *options an object of strings; both are the caller's, also after an error.
 * Any thread, no state.
 */
#pragma once

#include "base/json.h"

/* A text that is one module: `Class flag key="value" ... ;` */
int cl_jaas_module(const char *text, char **class, json_t **options, struct cl_err *err);
/* A file of entries `Name { modules };`: the one module of this entry. */
int cl_jaas_file(const char *text, const char *name, char **class, json_t **options, struct cl_err *err);
