/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /metrics: what can be seen of the worker, as Prometheus reads it (text format 0.0.4), under the
 * names that dashboards for Apache's workers use. Any thread; never waits.
 */
#pragma once

struct cl_exchange;

void cl_metrics(struct cl_exchange *x);
