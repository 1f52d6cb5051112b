/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals that ask the program to end: SIGINT (Ctrl-C), SIGTERM, SIGUSR1 and SIGHUP, each but where it was
 * ignored when the program was started, as SIGHUP is under nohup and SIGINT in a script's background jobs.
 * While there is something to save, it is asked to stop; otherwise it ends at once. Rank 0 says so in one
 * line, on a line of its own; where another rank ends without it, the launcher does. A temporary file that
 * was not finished is removed. */
#ifndef LS_CLI_PROCESS_STOP_H
#define LS_CLI_PROCESS_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/** Catch them from now on, for main() alone: the first one ends the program. Its exit status is 128 and the
 * signal's number: 130 for Ctrl-C. Local. */
void ls_stop_catch(void);

/** From now on the first signal asks to stop, see ls_stop_requested(), and only a second Ctrl-C ends the
 * program; or no longer: a request that was not acted on then ends it now. Local. */
void ls_stop_saves(bool is_able);

/** A flag that becomes non-zero when the program is asked to stop; valid as long as the program runs. */
const volatile sig_atomic_t *ls_stop_requested(void);

/** Which rank this is, once that is known; before, the launcher's variables say. Local. */
void ls_stop_set_rank(int rank);

/** The program has said what it has to say: a signal ends it without a word, as a launcher's may that ends
 * what is left. Local. */
void ls_stop_silence(void);

/** So many columns of a bar stand on the terminal's current line; 0: none. They are taken away before a line
 * is reported. Local. */
void ls_stop_set_bar(size_t columns);

#endif
