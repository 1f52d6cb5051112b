/* SPDX-License-Identifier: BSD-3-Clause */
/* Teams of OpenMP threads: the one file where parallel regions begin, and where their size is checked. */
#ifndef LS_COMM_TEAM_H
#define LS_COMM_TEAM_H

#include <stddef.h>

#include "base/status.h"

enum { LS_TEAM_SHORTAGE_CHARS = 320 }; /* of what ls_team_shortage() writes, at most */

/** Run work(user, part) for every part from 0 to threads - 1, each on a thread of its own, part 0 on the
 * calling one. Where OpenMP gives fewer threads they take the parts in turn, so parts that wait for each
 * other need ls_team_check() before. Local. */
void ls_team_run(size_t threads, void (*work)(void *user, size_t part), void *user);

/** Write zeros to values[count], each thread to its share, so that the memory is near the threads: right
 * after ls_alloc_untouched(). Shares are those of ls_part_first(). Local. */
void ls_team_clear(size_t threads, float *values, size_t count);

/** Does OpenMP give the calling thread a team of that many? Local. Errors: LS_E_INPUT, with the variable that
 * is in the way and the remedy. */
ls_status ls_team_check(size_t threads) LS_CHECKED;

/** What ls_team_check() would say, into text[bytes]; "" where it would pass. Local. */
void ls_team_shortage(size_t threads, char *text, size_t bytes);

#endif
