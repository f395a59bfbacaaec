/* SPDX-License-Identifier: Apache-2.0
 *
 * Characters as java.lang.Character sees them. Any thread, no state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Character.digit(char, 10): 0..9, or -1. Digits beyond the basic plane are none, since Java's
 * number parsers look at one UTF-16 unit at a time. */
int cl_java_digit(uint32_t c);

/* The code point at *p < end, valid UTF-8; *p moves behind it. */
uint32_t cl_java_next(const char **p, const char *end);

/* Valid UTF-8 as UTF-16; out has room for len units. Answers how many there are. */
size_t cl_java_units(const char *p, size_t len, uint16_t *out);

/* Case folding of String.regionMatches(true, ...) as far as ASCII names can match. */
uint16_t cl_java_fold(uint16_t c);
