/* SPDX-License-Identifier: BSD-3-Clause */
/* Where ranks and threads run: hosts, bound cores, OpenMP threads, and what is wrong with them. */
#ifndef LS_COMM_PLACEMENT_PLACEMENT_H
#define LS_COMM_PLACEMENT_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "comm/comm.h"
#include "comm/placement/launcher.h"
#include "comm/team.h"

enum { LS_THREADS_LIMIT = 4096 }; /* more OpenMP threads than that are taken for a slip */

typedef struct ls_placement {
  char host[64];
  char cores[128];   /* logical cores that the process may use, as a list: "0-3,8" */
  size_t core_count; /* how many those are */
  size_t host_cores; /* logical cores of the host, whether this process may use them or not */
  size_t host_ranks; /* ranks of this job on this host */
  size_t sharing;    /* ranks on this host (this one included) whose core sets overlap with this one's */
  size_t threads;    /* OpenMP threads that this rank will use */
  size_t
      crowd_threads; /* threads of the ranks on this host (this one included) with no cores but this one's */
  char
      shortage[LS_TEAM_SHORTAGE_CHARS]; /* why OpenMP gives fewer threads, see comm/team.h; "": it does not */
  bool is_asked;                        /* the user has chosen the threads, or the cores */
  bool is_by_quota;                     /* the CPU quota of a control group has decided over the threads */
  double quota;                         /* CPUs: the quota that is strained most; 0: there is none */
  size_t quota_threads;                 /* of this host's ranks under that quota */
  size_t quota_ranks;                   /* those ranks */
  ls_launcher launcher;                 /* what has started the job */
  size_t offered_cores; /* that there are for this host's ranks, without hyper-threads; 0: not known */
  size_t used_cores;    /* of those, what this host's ranks are bound to */
  size_t siblings;      /* hyper-threads of a core */
  char omp_binding[96]; /* "OMP_PLACES={0}": what leaves OpenMP a part of the cores; "": nothing does */
  bool is_pinned;       /* OpenMP binds each thread to cores of its own choice (OMP_PROC_BIND, OMP_PLACES) */
} ls_placement;

/** Find this rank's placement, and choose its threads: OMP_NUM_THREADS (its first number, where it is a list)
 * if set, else its bound cores divided fairly among the ranks that share them, or its part of the processor
 * time that a container allows if that is less, at least 1.
 *
 * Collective. Errors: LS_E_INPUT if OMP_NUM_THREADS is not a count from 1 to LS_THREADS_LIMIT, or OpenMP
 * gives fewer threads; LS_E_COMM, LS_E_MEMORY. */
ls_status ls_placement_find(ls_comm *comm, ls_placement *placement) LS_CHECKED;

/** The same for reports: fewer threads are no error, but a `shortage`. Collective. */
ls_status ls_placement_look(ls_comm *comm, ls_placement *placement) LS_CHECKED;

/** Gather every rank's placement on rank 0: *all holds size placements there (freed with free()), NULL
 * elsewhere. Collective. Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_placement_gather(ls_comm *comm, const ls_placement *mine, ls_placement **all) LS_CHECKED;

/** How many hosts the ranks are on. */
size_t ls_placement_hosts(const ls_placement *placements, size_t count);

/** Append a line for each thing that will make the job slow or wrong, with its remedy: OpenMP gives fewer
 * threads; threads outnumber the bound cores, or the CPUs of a container; several ranks share cores and have
 * more threads than those, or pin their threads there; ranks without a given number of threads
 * are bound to fewer cores than there are for them; SLURM_NTASKS > 1 but the MPI world has one rank;
 * fewer hosts than the nodes of the Slurm step, or of the job where there is no step. One line speaks of all
 * ranks with the same trouble. Unbound ranks with a core for each thread are fine. Rank 0. */
void ls_placement_warnings(const ls_placement *placements, size_t count, ls_text *lines);

#endif
