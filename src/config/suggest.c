/* SPDX-License-Identifier: BSD-3-Clause */
/* Edit distance by one row of the dynamic programme. The words are short and bounded, so the rows are on the
 * stack, and nothing on the error path allocates.
 * Source: Wagner, Fischer, "The string-to-string correction problem", J. ACM 21(1), 1974. */
#include "config/suggest.h"

#include <string.h>

#include "base/size.h"

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
  size_t row[LS_SUGGEST_WORD_MAX + 1];
  for (size_t j = 0; j <= b_length; j++) row[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t above = row[j];
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      row[j] = ls_size_min(replaced, 1 + ls_size_min(above, row[j - 1]));
      diagonal = above;
    }
  }
  return row[b_length];
}

void ls_suggestion_offer(ls_suggestion *suggestion, const char *word, size_t length)
{
  size_t wanted_length = strnlen(suggestion->wanted, LS_SUGGEST_WORD_MAX + 1);
  if (wanted_length > LS_SUGGEST_WORD_MAX || length > LS_SUGGEST_WORD_MAX) return;
  size_t found = distance(suggestion->wanted, wanted_length, word, length);
  size_t allowed = ls_size_max(1, ls_size_max(wanted_length, length) / 3);
  if (found > allowed || length <= found) return; /* nothing in common */
  if (suggestion->best[0] != '\0' && found >= suggestion->distance) return;
  memcpy(suggestion->best, word, length);
  suggestion->best[length] = '\0';
  suggestion->distance = found;
}
