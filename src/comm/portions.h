/* SPDX-License-Identifier: BSD-3-Clause */
/* MPI counts elements in an int; we count in size_t. A vector that is too long for one call goes in several.
 * Apart from MPI, so that lengths that no test machine could hold are tested, too. */
#ifndef LS_COMM_PORTIONS_H
#define LS_COMM_PORTIONS_H

#include <stddef.h>

#include "base/size.h"
#include "base/status.h"

/** Work on elements [first, first + count) of the vector that `context` describes. */
typedef ls_status ls_portion_call(void *context, size_t first, int count);

/** Call `call` on [0, count) in order, in portions of at most `limit` >= 1 elements; stop at the first
 * failure. Not called for count 0. As collective as `call`. Errors: those of `call`. */
LS_CHECKED static inline ls_status ls_in_portions(size_t count, int limit, ls_portion_call *call,
                                                  void *context)
{
  for (size_t first = 0; first < count;) {
    const size_t portion = ls_size_min(count - first, (size_t)limit);
    LS_PASS(call(context, first, (int)portion));
    first += portion;
  }
  return LS_OK;
}

#endif
