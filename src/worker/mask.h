/* SPDX-License-Identifier: Apache-2.0
 *
 * What REST shows of configs, and with connect.lua.rest.mask.passwords no password in them: neither in
 * rows of type password nor inside URLs, nor what no row tells of. References to config providers are
 * shown. What was shown so is "unchanged" when it comes back.
 * Any thread, no state.
 */
#pragma once

#include "worker/validate.h"

/* The keys that a row calls no password, as a set (new reference). */
json_t *cl_mask_open_keys(const struct cl_validation *v);

/* A connector's config as it is shown; open NULL: its rows are not known. New references, also below. */
json_t *cl_mask_config(const struct cl_worker *w, const json_t *open, const json_t *config);
/* One of its tasks' configs. What the plugin wrote under another name is shown without secrets, masked
 * or not. */
json_t *cl_mask_task_config(const struct cl_worker *w, const json_t *open, const json_t *config,
                            const json_t *task_config);

/* given, with the stored value for each that is shown as given has it; this thread's holder of secrets
 * learns it. */
json_t *cl_mask_unchanged(const struct cl_worker *w, const json_t *open, const json_t *stored,
                          const json_t *given);
/* Errors on what is still masked in given: nothing is stored for it; and on what was kept for a mask in
 * sent, but would be shown by the rows of v: another plugin's, say. The answer then has it as sent. */
void cl_mask_refuse(struct cl_validation *v, const json_t *sent, const json_t *given);
/* Masks the values of a validation's answer. */
void cl_mask_validation(struct cl_validation *v);
