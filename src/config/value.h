/* SPDX-License-Identifier: BSD-3-Clause */
/* One value of a scalar type: from text to the member of a struct and back. Private to the module. */
#ifndef LS_CONFIG_VALUE_H
#define LS_CONFIG_VALUE_H

#include "base/status.h"
#include "base/text.h"
#include "config/keys.h"

enum { LS_EXCERPT_BYTES = 84 };

/* The scalar types, by name: what value.c's table is made of. */
#define LS_SCALAR_LIST(X)                                                                                    \
  X(bool) X(count) X(real) X(word) X(text) X(amount) X(count_or_word) X(real_or_word) X(counts)

/** From text to the member, see ls_value_parse(); and back, see ls_value_format(). */
#define LS_SCALAR_DECLARE(name)                                                                              \
  ls_status ls_parse_key_##name(const ls_key *key, const char *text, void *member);                          \
  void ls_format_key_##name(const ls_key *key, const void *member, ls_text *out);
LS_SCALAR_LIST(LS_SCALAR_DECLARE)
#undef LS_SCALAR_DECLARE

/** Can it be written as one scalar? COUNTS also as a list; the other types are TEXTS, REALS, KIND and LAYERS.
 */
bool ls_value_is_scalar(ls_key_type type);

/** Is a plain scalar YAML's word for nothing: empty, ~ or null? */
bool ls_value_is_null(const char *text);

/** Is a count, a real or a number of layers in the row's range? */
bool ls_value_in_range(const ls_key *key, double value);

/** Shorten lists whose items say the same. */
void ls_counts_shorten(ls_counts *counts);

/** Parse a value strictly and check its range.
 *
 * @param[in]  key     row of a scalar type
 * @param[in]  text    what was written
 * @param[in]  plain   it was written without quotes: a quoted text is no number, and is not nothing
 * @param[out] member  of the row's type; a text is allocated and replaces NULL
 *
 * Local. Errors: LS_E_CONFIG "expected ..., found '...'; remedy", to be wrapped with the origin; LS_E_MEMORY.
 */
ls_status ls_value_parse(const ls_key *key, const char *text, bool plain, void *member) LS_CHECKED;

/** Append a value such that ls_value_parse() reads it back exactly. */
void ls_value_format(const ls_key *key, const void *member, ls_text *out);

/** Append the allowed values of a row of any type: "a count of samples, at least 1", "one of: fast, exact".
 */
void ls_value_expect(const ls_key *key, ls_text *out);

/** Start a chain: "expected <what the row takes>, found <found><remedy>". Returns LS_E_CONFIG. */
ls_status ls_value_refuse(const ls_key *key, const char *found, const char *remedy) LS_CHECKED;

/** An excerpt of a text for a message: at most 80 bytes. Returns `excerpt`. */
const char *ls_excerpt(char excerpt[LS_EXCERPT_BYTES], const char *text);

#endif
