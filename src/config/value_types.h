/* SPDX-License-Identifier: BSD-3-Clause */
/* The scalar types of keys, by name: what value.c's table is made of. Private to value*.c. */
#ifndef LS_CONFIG_VALUE_TYPES_H
#define LS_CONFIG_VALUE_TYPES_H

#include "config/value.h"

#define LS_SCALAR_LIST(X)                                                                                    \
  X(bool) X(count) X(real) X(word) X(text) X(amount) X(count_or_word) X(real_or_word) X(counts)

/** From text to the member, see ls_value_parse(); and back, see ls_value_format(). */
#define LS_SCALAR_DECLARE(name)                                                                              \
  ls_status ls_parse_key_##name(const ls_key *key, const char *text, void *member);                          \
  void ls_format_key_##name(const ls_key *key, const void *member, ls_text *out);
LS_SCALAR_LIST(LS_SCALAR_DECLARE)
#undef LS_SCALAR_DECLARE

#endif
