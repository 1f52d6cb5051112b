/* SPDX-License-Identifier: BSD-3-Clause */
/* "did you mean ...?": the allowed word that is nearest to what was written. For all
 * that look a name up: keys, words and kinds here, layers in nn/graph/wire.c. */
#ifndef LS_CONFIG_SUGGEST_H
#define LS_CONFIG_SUGGEST_H

#include <stddef.h>

#include "base/text.h"

enum { LS_SUGGEST_WORD_MAX = 40 }; /* longer words are not compared */

typedef struct ls_suggestion {
  const char *wanted;                 /* what was written; set by the caller */
  char best[LS_SUGGEST_WORD_MAX + 1]; /* nearest word so far; "" for none */
  size_t distance;                    /* its edit distance */
} ls_suggestion;

/** Consider an allowed word of `length` characters, and append it to the list of all. It is taken if it is
 * nearer than the best so far, and if no more than one character in three is wrong. */
void ls_suggestion_offer(ls_suggestion *suggestion, const char *word, size_t length, ls_text *list);

/** Append "; did you mean 'WORD'?", if there is one. */
void ls_suggestion_add(const ls_suggestion *suggestion, ls_text *out);

#endif
