/* SPDX-License-Identifier: Apache-2.0
 * The validators of config rows. Any thread. May include libc, jansson and base only. */
#include "base/confdef_value.h"

#include "base/buf.h"
#include "base/regex.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Java prints a list as [a, b] in these messages, everything else as REST does. */
static int refuse(struct cl_err *err, const struct cl_conf_row *row, const struct cl_conf_value *v,
                  const char *detail) {
  char *shown = cl_conf_value_text(row, v);
  if (v->list) {
    struct cl_buf out = {0};
    cl_buf_char(&out, '[');
    for (size_t i = 0; i < json_array_size(v->list); i++)
      cl_buf_fmt(&out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(v->list, i)));
    cl_buf_char(&out, ']');
    free(shown);
    shown = cl_buf_take(&out);
    cl_buf_free(&out);
  }
  cl_conf_invalid(err, row, shown, "%s", detail);
  free(shown);
  return CL_EINVAL;
}

static int check_range(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err) {
  if (v->is_null)
    return refuse(err, row, v, "Value must be non-null");
  bool is_double = row->type == CL_CONF_DOUBLE;
  double d = is_double ? v->d : (double)v->i;
  /* NaN passes, as in Java: no comparison with it is true. */
  bool low = row->min != -HUGE_VAL && d < row->min;
  bool high = row->max != HUGE_VAL && d > row->max;
  if (!low && !high)
    return 0;
  char bound[CL_CONF_DOUBLE_TEXT], detail[96];
  double b = low ? row->min : row->max;
  if (is_double)
    cl_conf_double_text(b, bound);
  else
    snprintf(bound, sizeof(bound), "%.0f", b);
  snprintf(detail, sizeof(detail), low ? "Value must be at least %s" : "Value must be no more than %s",
           bound);
  return refuse(err, row, v, detail);
}

static bool is_one_of(const struct cl_conf_row *row, const char *text, bool any_case) {
  for (const char *const *p = row->values; *p; p++)
    if ((any_case ? strcasecmp(*p, text) : strcmp(*p, text)) == 0)
      return true;
  return false;
}

static int refuse_member(const struct cl_conf_row *row, const char *shown, bool any_case,
                         struct cl_err *err) {
  struct cl_buf list = {0};
  for (const char *const *p = row->values; *p; p++) {
    cl_buf_str(&list, p == row->values ? "" : ", ");
    for (const char *c = *p; *c; c++)
      cl_buf_char(&list, any_case ? (char)toupper((unsigned char)*c) : *c);
  }
  cl_conf_invalid(err, row, shown, "String must be one of%s: %s", any_case ? " (case insensitive)" : "",
                  list.p ? list.p : "");
  cl_buf_free(&list);
  return CL_EINVAL;
}

static int check_one_of(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err) {
  bool any_case = row->check == CL_CHECK_ONE_OF_ICASE;
  if (v->is_null)
    return refuse_member(row, NULL, any_case, err);
  if (!v->list)
    return is_one_of(row, v->s, any_case) ? 0 : refuse_member(row, v->s, any_case, err);
  for (size_t i = 0; i < json_array_size(v->list); i++) {
    const char *item = json_string_value(json_array_get(v->list, i));
    if (!is_one_of(row, item, any_case))
      return refuse_member(row, item, any_case, err);
  }
  return 0;
}

static int check_non_empty(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err) {
  if (row->type == CL_CONF_LIST && json_array_size(v->list) == 0)
    return refuse(err, row, v, "Empty list");
  if (v->s && !*v->s)
    return refuse(err, row, v, "String must be non-empty");
  return 0;
}

/* ISO control characters are U+0000 to U+001F and U+007F to U+009F; those above are C2 xx in UTF-8. */
static int check_name(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err) {
  if (v->is_null)
    return 0;
  if (!*v->s)
    return refuse(err, row, v, "String may not be empty");
  struct cl_buf codes = {0};
  for (const unsigned char *p = (const unsigned char *)v->s; *p; p++) {
    bool above = p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F;
    if (*p < 0x20 || *p == 0x7F || above)
      cl_buf_fmt(&codes, "%s%d", codes.len ? ", " : "", above ? p[1] : *p);
    p += above;
  }
  int rc = 0;
  if (codes.len > 0)
    rc = cl_conf_invalid(err, row, v->s,
                         "String may not contain control sequences but had the following ASCII chars: %s",
                         codes.p);
  cl_buf_free(&codes);
  return rc;
}

static int check_regex(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err) {
  if (v->is_null)
    return refuse(err, row, v, "Invalid regex: null");
  struct cl_regex *regex;
  struct cl_err why;
  if (cl_regex_compile(v->s, &regex, &why) != 0)
    return cl_conf_invalid(err, row, v->s, "%s", why.msg);
  cl_regex_free(regex);
  return 0;
}

static bool has_duplicates(const json_t *list) {
  json_t *seen = json_object();
  for (size_t i = 0; i < json_array_size(list); i++)
    json_object_set_new(seen, json_string_value(json_array_get(list, i)), json_true());
  bool found = json_object_size(seen) < json_array_size(list);
  json_decref(seen);
  return found;
}

static int check_valid_list(const struct cl_conf_row *row, const struct cl_conf_value *v,
                            struct cl_err *err) {
  if (v->is_null)
    return cl_conf_error(err, "Configuration '%s' values must not be null.", row->name);
  if (row->check == CL_CHECK_FULL_LIST && json_array_size(v->list) == 0)
    return cl_conf_error(
        err, "Configuration '%s' must not be empty. Valid values include: any non-empty value", row->name);
  if (has_duplicates(v->list))
    return cl_conf_error(err, "Configuration '%s' values must not be duplicated.", row->name);
  for (size_t i = 0; i < json_array_size(v->list); i++)
    if (json_string_length(json_array_get(v->list, i)) == 0)
      return cl_conf_error(err, "Configuration '%s' values must not be empty.", row->name);
  return 0;
}

int cl_conf_value_check(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err) {
  switch (row->check) {
  case CL_CHECK_NONE: return 0;
  case CL_CHECK_RANGE: return check_range(row, v, err);
  case CL_CHECK_ONE_OF:
  case CL_CHECK_ONE_OF_ICASE: return check_one_of(row, v, err);
  case CL_CHECK_NON_NULL: return v->is_null ? refuse(err, row, v, "entry must be non null") : 0;
  case CL_CHECK_NON_EMPTY: return check_non_empty(row, v, err);
  case CL_CHECK_NAME: return check_name(row, v, err);
  case CL_CHECK_REGEX: return check_regex(row, v, err);
  case CL_CHECK_NON_EMPTY_REGEX:
    return check_non_empty(row, v, err) != 0 ? CL_EINVAL : check_regex(row, v, err);
  case CL_CHECK_UNIQUE_LIST:
    if (v->is_null)
      return refuse(err, row, v, "entry must be non null");
    return has_duplicates(v->list) ? refuse(err, row, v, "Duplicate alias provided.") : 0;
  case CL_CHECK_VALID_LIST:
  case CL_CHECK_FULL_LIST: return check_valid_list(row, v, err);
  }
  return 0;
}
