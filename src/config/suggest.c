/* SPDX-License-Identifier: BSD-3-Clause */
/* Edit distance by the dynamic programme, in which two swapped neighbours count as one error:
 * the most common typing error. The words are short and bounded, so the rows are on the stack.
 * Source: Damerau, "A technique for computer detection and correction of spelling errors", Comm. ACM 7(3),
 * 1964; Wagner, Fischer, "The string-to-string correction problem", J. ACM 21(1), 1974. */
#include "config/suggest.h"

#include <string.h>

#include "base/size.h"

/* rows[i % 3][j] is the distance of a[0..i) and b[0..j). */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
  size_t rows[3][LS_SUGGEST_WORD_MAX + 1];
  for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    size_t *row = rows[i % 3];
    const size_t *last = rows[(i + 2) % 3], *before_last = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      row[j] = ls_size_min(1 + ls_size_min(last[j], row[j - 1]), last[j - 1] + (a[i - 1] != b[j - 1]));
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = ls_size_min(row[j], 1 + before_last[j - 2]);
    }
  }
  return rows[a_length % 3][b_length];
}

void ls_suggestion_offer(ls_suggestion *suggestion, const char *word, size_t length, ls_text *list)
{
  ls_text_add(list, "%s%.*s", list->length > 0 ? ", " : "", (int)length, word);
  size_t wanted_length = strnlen(suggestion->wanted, LS_SUGGEST_WORD_MAX + 1);
  if (wanted_length > LS_SUGGEST_WORD_MAX || length > LS_SUGGEST_WORD_MAX) return;
  size_t found = distance(suggestion->wanted, wanted_length, word, length);
  size_t allowed = ls_size_max(1, ls_size_max(wanted_length, length) / 3);
  bool has_common = found < ls_size_min(wanted_length, length);
  if (found > allowed || !has_common) return;
  if (suggestion->best[0] != '\0' && found >= suggestion->distance) return;
  memcpy(suggestion->best, word, length);
  suggestion->best[length] = '\0';
  suggestion->distance = found;
}

void ls_suggestion_add(const ls_suggestion *suggestion, ls_text *out)
{
  if (suggestion->best[0] != '\0') ls_text_add(out, "; did you mean '%s'?", suggestion->best);
}
