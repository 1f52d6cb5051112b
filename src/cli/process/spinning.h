/* SPDX-License-Identifier: BSD-3-Clause */
/* How long OpenMP's threads spin where they wait for each other. By default that is for milliseconds: on
 * cores that other programs use too, spinning takes the time that threads with work need, and two threads are
 * three times slower than one. So threads sleep after a millisecond at most. */
#ifndef LS_CLI_PROCESS_SPINNING_H
#define LS_CLI_PROCESS_SPINNING_H

/** Let threads spin briefly, unless the environment says how they wait. Before MPI starts, and before the
 * first thread: the program may be started again, with the same arguments. Local. */
void ls_spin_briefly(char **argv);

#endif
