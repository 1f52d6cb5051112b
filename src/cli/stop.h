/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals that ask the program to end: SIGINT (Ctrl-C), SIGTERM, SIGUSR1, and SIGHUP, but where it is
 * ignored, as under nohup. A command that can save what it has done is asked to stop; any other ends at once.
 * Either way it is told in one line, on a line of its own, by rank 0, or by the rank that alone has got the
 * signal. */
#ifndef LS_CLI_STOP_H
#define LS_CLI_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/** Catch them from now on, for main() alone. `saves`: the first signal asks to stop, see ls_stop_requested(),
 * and only a second Ctrl-C ends the program; otherwise the first does. That exit status is 128 and the
 * signal's number: 130 for Ctrl-C. Local. */
void ls_stop_catch(bool saves);

/** What becomes other than 0 when the program is asked to stop; for as long as the program runs. */
const volatile sig_atomic_t *ls_stop_requested(void);

/** Which rank this is, once that is known; before, the launcher's variables tell. Local. */
void ls_stop_set_rank(int rank);

/** So many columns of a bar stand on the terminal's current line; 0: none. They are taken away before a line
 * is told. Local. */
void ls_stop_set_bar(size_t columns);

#endif
