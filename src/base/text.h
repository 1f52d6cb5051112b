/* SPDX-License-Identifier: BSD-3-Clause */
/* Growing texts, decoding of characters, and strict parsing of numbers for all text from outside. Numbers are
 * read and written as in the C locale, with a point, whatever the locale of the calling program is. */
#ifndef LS_BASE_TEXT_H
#define LS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { LS_TEXT_WIDTH = 79 }; /* characters of a line for people: argp takes as many */

/** A text that grows; zero-initialize it, release it with ls_text_fini().
 *
 * A failed allocation is remembered in `failed` and reported once, by ls_text_take().
 */
typedef struct ls_text {
  char *chars;     /* terminated; NULL while empty */
  size_t length;   /* characters before the terminator */
  size_t capacity; /* bytes allocated */
  bool failed;     /* an allocation failed: the text is cut */
} ls_text;

/** Append formatted text. */
void ls_text_add(ls_text *text, const char *fmt, ...) LS_PRINTF(2, 3);

/** Append `bytes` bytes as they are. */
void ls_text_add_bytes(ls_text *text, const void *data, size_t bytes);

/** Make the text longer by `length` characters, which the caller writes, and a terminator after them. Returns
 * where; NULL, with `failed` set, if there is no memory. */
char *ls_text_extend(ls_text *text, size_t length);

/** The text so far, borrowed; "" while empty. */
const char *ls_text_get(const ls_text *text);

/** Hand the text over to the caller, who frees it; `text` is empty afterwards. Local. Errors: LS_E_MEMORY. */
ls_status ls_text_take(ls_text *text, char **out) LS_CHECKED;

void ls_text_fini(ls_text *text);

/** Does a text begin, or end, with `part`? */
bool ls_text_begins(const char *text, const char *part);
bool ls_text_ends(const char *text, const char *part);

/** What makes a plural of an English noun: "" for one, else "s". */
const char *ls_plural(uint64_t count);

/** Append a field of CSV (RFC 4180): between quotes where it holds what separates fields or lines. */
void ls_text_add_csv(ls_text *text, const char *field);

/** Append a line, and its end, in lines of at most LS_TEXT_WIDTH bytes: all but the first begin with `indent`
 * blanks. It is broken at blanks, which fall away; a longer word has a line to itself. */
void ls_text_add_wrapped(ls_text *text, size_t indent, const char *line);

/** snprintf() in the C locale. */
int ls_format(char *out, size_t size, const char *fmt, ...) LS_PRINTF(3, 4);

/** Decode a character of UTF-8, of `length` bytes, at least one. Returns those that it takes; 0 if there is
 * none: cut, longer than needed, a surrogate, too large (RFC 3629). */
size_t ls_decode_character(const char *text, size_t length, uint32_t *code);

/** Parse a whole text as a decimal count: digits only, no sign, no blanks, no octal, fits 64 bits. */
bool ls_parse_count(const char *text, uint64_t *value);

/** Parse a whole text as a finite decimal number: [+-]digits[.digits][e[+-]digits]; no hexadecimal. */
bool ls_parse_real(const char *text, double *value);

/** Parse `true` or `false` (YAML 1.2's core schema; nothing else is a boolean). */
bool ls_parse_bool(const char *text, bool *value);

#endif
