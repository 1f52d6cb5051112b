/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep doctor: the libraries of a job, the placement of its ranks and threads, and warnings about both.
 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/print.h"
#include "comm/placement/launcher.h"
#include "comm/placement/placement.h"
#include "comm/placement/topology.h"
#include "h5/h5.h"
#include "eval/report/json.h"
#include "kernels/gemm/gemm.h"

enum { KEY_JSON = 256 };

typedef struct arguments {
  bool json;
} arguments;

/* What the doctor has found out. */
typedef struct findings {
  const ls_placement *placements; /* [ranks] */
  size_t ranks;
  ls_text launcher; /* what started the job */
  ls_text warnings; /* one line each */
} findings;

/* A part that lockstep is built on, as a word in the JSON document and in the table. */
typedef struct part {
  const char *key, *label;
  const char *(*version)(void); /* borrowed text */
} part;

static const char *lockstep_version(void)
{
  return LS_VERSION;
}

/* The compiler states a date; people know the number. */
static const char *openmp_version(void)
{
  static const struct {
    long date;
    const char *version;
  } versions[] = {{202111L, "5.2"}, {202011L, "5.1"}, {201811L, "5.0"},      {201511L, "4.5"},
                  {201307L, "4.0"}, {201107L, "3.1"}, {0L, "older than 3.1"}};
  size_t i = 0;
  while (versions[i].date > (long)_OPENMP) i++;
  return versions[i].version;
}

static const part parts[] = {
    {.key = "lockstep", .label = "lockstep", .version = lockstep_version},
    {.key = "mpi", .label = "MPI", .version = ls_comm_library},
    {.key = "openmp", .label = "OpenMP", .version = openmp_version},
    {.key = "gemm", .label = "GEMM", .version = ls_gemm_backend},
    {.key = "hdf5", .label = "HDF5", .version = ls_h5_version},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  arguments *given = state->input;
  if (key == ARGP_KEY_ARG) {
    argp_error(state, "'%s' is one argument too many: doctor takes none", value);
    return EINVAL; /* argp_error() returns here, since nothing but main() may exit */
  }
  if (key != KEY_JSON) return ARGP_ERR_UNKNOWN;
  given->json = true;
  return 0;
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .doc = "Show libraries, ranks, hosts, bound cores and threads, and warn of what makes a job slow.\v"
           "Run it as you run the training, with the same launcher, ranks, binding and environment:\n"
           "  mpirun -n 2 --map-by slot:PE=4 lockstep doctor\n"
           "  srun --mpi=pmix -n 8 --cpus-per-task=4 lockstep doctor\n"
           "\n"
           "Threads come from OMP_NUM_THREADS, else from the cores that a rank is bound to, divided fairly "
           "among the ranks that share them, or from the CPU quota of a container if that is less. `sharing` "
           "counts the other ranks that may use some of the same "
           "cores. Warnings do not change the exit status."};

static json_t *placements_json(const findings *found)
{
  json_t *list = json_array();
  for (size_t r = 0; r < found->ranks; r++) {
    const ls_placement *placement = &found->placements[r];
    json_array_append_new(
        list, json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "rank", (json_int_t)r, "host",
                        placement->host, "cores", placement->cores, "core_count",
                        (json_int_t)placement->core_count, "host_cores", (json_int_t)placement->host_cores,
                        "host_ranks", (json_int_t)placement->host_ranks, "threads",
                        (json_int_t)placement->threads, "sharing", (json_int_t)(placement->sharing - 1),
                        "cpu_quota", placement->quota > 0.0 ? json_real(placement->quota) : json_null()));
  }
  if (list && json_array_size(list) == found->ranks) return list;
  json_decref(list);
  return NULL;
}

/* How training sums gradients here, unless it is configured otherwise. Between hosts own messages are the
 * default since they are faster than MPI's nonblocking collectives: tests/bench/allreduce.sh measures both.
 */
static const char *sums_of(const findings *found)
{
  if (ls_placement_hosts(found->placements, found->ranks) == 1)
    return "in memory that the ranks share; train.allreduce=mpi: one MPI_Allreduce a step";
  return "in shared memory; between hosts gradients of more than three times train.bucket_mb by messages of "
         "lockstep's own, measured faster than MPI_Iallreduce, smaller ones by MPI_Allreduce; "
         "train.allreduce=mpi: one MPI_Allreduce a step";
}

/* The lines of the warnings, without their ends. */
static json_t *warnings_json(const findings *found)
{
  json_t *list = json_array();
  const char *line = ls_text_get(&found->warnings);
  while (*line) {
    const size_t length = strcspn(line, "\n");
    if (json_array_append_new(list, json_stringn(line, length)) != 0) {
      json_decref(list);
      return NULL;
    }
    line += length + 1;
  }
  return list;
}

static json_t *document_json(const findings *found)
{
  json_t *document = json_object();
  bool is_complete = document != NULL;
  for (size_t i = 0; i < PARTS; i++)
    is_complete &= json_object_set_new(document, parts[i].key, json_string(parts[i].version())) == 0;
  is_complete &= json_object_set_new(document, "launcher", ls_json_text(ls_text_get(&found->launcher))) == 0;
  is_complete &= json_object_set_new(document, "sums", json_string(sums_of(found))) == 0;
  is_complete &= json_object_set_new(document, "ranks", placements_json(found)) == 0;
  is_complete &= json_object_set_new(document, "warnings", warnings_json(found)) == 0;
  if (is_complete) return document;
  json_decref(document);
  return NULL;
}

static ls_status print_json(const findings *found)
{
  return ls_print_document(document_json(found), JSON_INDENT(2));
}

static void print_table(const findings *found)
{
  size_t host_width = strlen("host"), cores_width = strlen("cores");
  for (size_t r = 0; r < found->ranks; r++) {
    host_width = ls_size_max(host_width, ls_shown_columns(found->placements[r].host));
    cores_width = ls_size_max(cores_width, ls_shown_columns(found->placements[r].cores));
  }
  ls_print(stdout, "\n%6s  %-*s  %-*s  %7s  %7s\n", "rank", (int)host_width, "host", (int)cores_width,
           "cores", "threads", "sharing");
  for (size_t r = 0; r < found->ranks; r++) {
    const ls_placement *placement = &found->placements[r];
    ls_print(stdout, "%6zu  %-*s  %-*s  %7zu  %7zu\n", r, (int)host_width, placement->host, (int)cores_width,
             placement->cores, placement->threads, placement->sharing - 1);
  }
}

/* The total resources, and a first choice of ranks and threads: threads that share a cache share the weights
 * in it, and ranks sum their gradients once a step. */
static void print_sum(const findings *found)
{
  const ls_placement *first = &found->placements[0];
  const size_t hosts = ls_placement_hosts(found->placements, found->ranks), caches = ls_topology_caches();
  size_t threads = 0;
  for (size_t r = 0; r < found->ranks; r++) threads += found->placements[r].threads;
  ls_print(stdout, "\n%zu host%s, %zu rank%s, %zu thread%s\n", hosts, ls_plural(hosts), found->ranks,
           ls_plural(found->ranks), threads, ls_plural(threads));
  if (first->is_by_quota)
    ls_print(stdout, "%s: the threads are as many as a CPU quota (cgroup) allows: %g CPU%s\n", first->host,
             first->quota, first->quota == 1.0 ? "" : "s");
  if (caches == 0 || first->is_by_quota) return;
  const size_t share = ls_size_max(1, first->host_cores / caches);
  ls_print(stdout,
           "%s has %zu core%s and %zu last-level cache%s: %zu rank%s x %zu thread%s on it is a good start\n",
           first->host, first->host_cores, ls_plural(first->host_cores), caches, ls_plural(caches), caches,
           ls_plural(caches), share, ls_plural(share));
}

static ls_status print_report(const findings *found)
{
  for (size_t i = 0; i < PARTS; i++) ls_print(stdout, "%-8s  %s\n", parts[i].label, parts[i].version());
  ls_print(stdout, "%-8s  %s\n", "launcher", ls_text_get(&found->launcher));
  ls_print(stdout, "%-8s  %s\n", "sums", sums_of(found));
  print_table(found);
  print_sum(found);
  ls_print(stdout, "\n");
  const char *line = ls_text_get(&found->warnings);
  if (!*line) ls_print(stdout, "no problems found\n");
  while (*line) {
    const size_t length = strcspn(line, "\n");
    ls_print(stdout, "warning: %.*s\n", (int)length, line);
    line += length + 1;
  }
  return LS_OK;
}

/* Rank 0. */
static ls_status show(const ls_launch *launch, const ls_placement *placements, size_t ranks,
                      const arguments *given)
{
  findings found = {.placements = placements, .ranks = ranks};
  ls_launcher_describe(launch->launcher, &found.launcher);
  ls_launcher_warn_apart(launch, ranks, ls_comm_library(), &found.warnings);
  if (found.warnings.length > 0) ls_text_add(&found.warnings, "\n");
  ls_placement_warnings(placements, ranks, &found.warnings);
  const char *reason = ls_gemm_fallback_reason();
  if (reason) ls_text_add(&found.warnings, "matrix products run on slower kernels: %s\n", reason);
  ls_status status;
  if (found.warnings.failed || found.launcher.failed)
    status = ls_fail(LS_E_MEMORY, "no memory for the report");
  else
    status = given->json ? print_json(&found) : print_report(&found);
  ls_text_fini(&found.launcher);
  ls_text_fini(&found.warnings);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  arguments given = {.json = false};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &given, &done));
  if (done) return LS_OK;
  ls_placement mine, *placements;
  LS_PASS(ls_placement_look(comm, &mine));
  LS_PASS(ls_placement_gather(comm, &mine, &placements));
  ls_status status = LS_OK;
  if (ls_comm_rank(comm) == 0)
    status = show(ls_comm_launch(comm), placements, (size_t)ls_comm_size(comm), &given);
  status = ls_comm_agree(comm, status);
  free(placements);
  return status;
}

const ls_command ls_command_doctor = {.word = "doctor",
                                      .reports_launch = true,
                                      .doc =
                                          "show libraries, ranks, cores and threads, and what is wrong there",
                                      .run = run};
