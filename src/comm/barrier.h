/* SPDX-License-Identifier: BSD-3-Clause */
/* A barrier of processes, or threads, that share memory. A member that waits spins for a moment, which is
 * fastest where every rank has a core of its own, and then sleeps: on a busy core, spinning takes time from
 * the threads that have work. */
#ifndef LS_COMM_BARRIER_H
#define LS_COMM_BARRIER_H

#include <stdatomic.h>
#include <stdint.h>

/** In memory that all share, 64-byte aligned and zeroed. */
typedef struct ls_barrier {
  _Alignas(64) atomic_uint arrived; /* at this meeting */
  _Alignas(64) atomic_uint turn;    /* meetings that are over; what sleepers sleep on */
  atomic_uint sleepers;             /* who sleeps, or is about to */
} ls_barrier;

/** Wait until `members` have arrived. Afterwards all see what each wrote before. No call of the system but to
 * sleep, and to wake those that do. Collective over the members; cannot fail. */
void ls_barrier_wait(ls_barrier *barrier, uint32_t members);

#endif
