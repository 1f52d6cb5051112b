/* SPDX-License-Identifier: BSD-3-Clause */
/* What every rank has found by itself must be what the others have found. Rank 0's is the measure: not that
 * it is right, but that one rank can be named whose differs. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "comm/comm.h"

enum { SHOWN_CHARS = 200 }; /* of a line */

/* The line at `text` without its blanks, as it is told; released with ls_text_fini(). */
static ls_text shown(const char *text)
{
  ls_text line = {0};
  if (*text == '\0') {
    ls_text_add(&line, "nothing");
    return line;
  }
  text += strspn(text, " ");
  const size_t length = strcspn(text, "\n");
  ls_text_add(&line, "'%.*s'", (int)(length < SHOWN_CHARS ? length : SHOWN_CHARS), text);
  return line;
}

/* Local. */
static ls_status compare(const char *mine, const char *first, const char *what, ls_status code)
{
  if (strcmp(mine, first) == 0) return LS_OK;
  size_t start = 0; /* of the line that differs */
  for (size_t i = 0; mine[i] == first[i]; i++)
    if (mine[i] == '\n') start = i + 1;
  ls_text here = shown(mine + start), there = shown(first + start);
  const ls_status status =
      ls_fail(code, "%s not rank 0's: %s instead of %s", what, ls_text_get(&here), ls_text_get(&there));
  ls_text_fini(&here);
  ls_text_fini(&there);
  return status;
}

ls_status ls_comm_same(ls_comm *comm, const char *mine, const char *what, ls_status code)
{
  if (ls_comm_size(comm) == 1) return LS_OK;
  char *first = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? ls_text_copy(&first, mine) : LS_OK));
  LS_GO(ls_comm_broadcast_text(comm, &first));
  status = ls_comm_agree(comm, compare(mine, first, what, code));
done:
  free(first);
  return status;
}
