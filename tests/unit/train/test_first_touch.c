/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory lies near the thread that first writes to it: whose page faults there are while a run is set up and
 * takes its first step. Wrappers that the linker puts around the calls between look at the threads' counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/size.h"
#include "comm/node.h"
#include "comm/team.h"
#include "config/config.h"
#include "data/loader.h"
#include "idx_folder.h"
#include "parallel/mpi_main.h"
#include "train/schemas.h"
#include "train/trainer.h"

enum { THREADS = 3, SIDE = 24, SAMPLES = 9000, MICROBATCH = 100 };

/* A thread has a micro-batch in each step. Workspaces are much larger than the parameters, nearly all of
 * which are those of a dense layer, in as many pieces as there are threads. */
static const char config[] = "data: {source: x, normalize: unit, validation: 0}\n"
                             "model:\n"
                             "  layers:\n"
                             "    - {type: conv, filters: 32, kernel: 3, pad: same}\n"
                             "    - {type: tanh}\n"
                             "    - {type: conv, filters: 8, kernel: 3, pad: same}\n"
                             "    - {type: flatten}\n"
                             "    - {type: dense, units: 192}\n"
                             "    - {type: dense, units: 10}\n"
                             "train:\n"
                             "  epochs: 1\n"
                             "  batch: 300\n"
                             "  microbatch: 100\n"
                             "  ema: 0.9\n"
                             "  optimizer: {type: sgd, momentum: 0.9}\n";

/* Moments of a run, in order. */
typedef enum moment { BEGIN, READY, LOADING, LOADED, STEPPED, MOMENTS } moment;

static long counts[MOMENTS][THREADS];       /* page faults of each thread so far */
static int threads[THREADS];                /* the system's numbers */
static atomic_size_t reserved[THREADS + 1]; /* bytes of shared memory that each has reserved; last: others */

static atomic_int refused = -1; /* the thread that gets no shared memory */

static void count_part(void *user, size_t part)
{
  struct rusage usage;
  const moment *now = user;
  counts[*now][part] = getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_minflt : -1;
  threads[part] = gettid();
}

static void look(moment now)
{
  ls_team_run(THREADS, count_part, &now);
  for (size_t t = 0; t < THREADS; t++) assert_true(counts[now][t] >= 0);
}

/* Bytes of memory that came into being through this thread between two moments. */
static size_t bytes_of(size_t thread, moment from, moment to)
{
  return (size_t)(counts[to][thread] - counts[from][thread]) * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- the calls between ---- */

ls_status __real_ls_network_init(ls_network *network, const ls_model *model,
                                 const ls_normalization *normalization);
ls_status __wrap_ls_network_init(ls_network *network, const ls_model *model,
                                 const ls_normalization *normalization);
void __real_ls_model_init(const ls_model *model, uint64_t seed, float *params, float *buffers);
void __wrap_ls_model_init(const ls_model *model, uint64_t seed, float *params, float *buffers);
ls_status __real_ls_loader_new(ls_loader **out, ls_comm *comm, ls_source *source,
                               const ls_loader_options *options);
ls_status __wrap_ls_loader_new(ls_loader **out, ls_comm *comm, ls_source *source,
                               const ls_loader_options *options);
int __real_fallocate(int descriptor, int mode, off_t first, off_t bytes);
int __wrap_fallocate(int descriptor, int mode, off_t first, off_t bytes);

ls_status __wrap_ls_network_init(ls_network *network, const ls_model *model,
                                 const ls_normalization *normalization)
{
  static bool is_first = true;
  if (is_first) look(BEGIN);
  is_first = false;
  return __real_ls_network_init(network, model, normalization);
}

void __wrap_ls_model_init(const ls_model *model, uint64_t seed, float *params, float *buffers)
{
  look(READY);
  __real_ls_model_init(model, seed, params, buffers);
}

ls_status __wrap_ls_loader_new(ls_loader **out, ls_comm *comm, ls_source *source,
                               const ls_loader_options *options)
{
  look(LOADING);
  const ls_status status = __real_ls_loader_new(out, comm, source, options);
  look(LOADED);
  return status;
}

int __wrap_fallocate(int descriptor, int mode, off_t first, off_t bytes)
{
  size_t thread = 0;
  while (thread < THREADS && threads[thread] != gettid()) thread++;
  atomic_fetch_add(&reserved[thread], (size_t)bytes);
  if ((int)thread == refused) {
    errno = ENOMEM;
    return -1;
  }
  return __real_fallocate(descriptor, mode, first, bytes);
}

static void after_step(void *user, const ls_step_event *event)
{
  (void)user;
  if (event->epoch == 1 && event->step == 1) look(STEPPED);
}

/* ---- a run ---- */

static ls_model_counts sizes; /* of its model */

static void train(ls_comm *comm, const idx_folder *data, ls_directory *run_dir)
{
  static const volatile sig_atomic_t never = 0;
  ls_spec *spec;
  ls_source *source;
  ls_model *model;
  ls_train_result result;
  assert_ok(ls_config_parse(&spec, config, "config", NULL, 0, &ls_all_schemas));
  assert_ok(ls_source_open(&source, data->path, 0));
  const ls_model_options shape = {
      .in = {.c = 1, .h = SIDE, .w = SIDE}, .microbatch = MICROBATCH, .classes = IDX_CLASSES};
  assert_ok(ls_model_new(&model, &spec->model.layers, &shape));
  const ls_trainer_options options = {.comm = comm,
                                      .spec = spec,
                                      .schemas = &ls_all_schemas,
                                      .config = config,
                                      .source = source,
                                      .model = model,
                                      .threads = THREADS,
                                      .run_dir = run_dir,
                                      .stop = &never,
                                      .events = {.step = after_step}};
  look(BEGIN); /* the threads start */
  assert_ok(ls_train(&options, &result));
  sizes = *ls_model_count(model);
  ls_train_result_fini(&result);
  ls_model_free(model);
  ls_source_close(source);
  ls_spec_free(spec);
}

/* Huge pages would make faults few. */
static void observe(ls_comm *comm)
{
  idx_folder data;
  char path[] = "/tmp/lockstep-run-XXXXXX", command[96];
  ls_directory run_dir;
  assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
  idx_folder_make(&data, SIDE, SAMPLES, 0);
  assert_non_null(mkdtemp(path));
  assert_ok(ls_directory_open(&run_dir, path));
  train(comm, &data, &run_dir);
  ls_directory_close(&run_dir);
  idx_folder_remove(&data);
  snprintf(command, sizeof command, "rm -rf '%s'", path);
  assert_int_equal(system(command), 0);
}

/* Is it about a thread's share of `bytes`, or more? */
static void assert_share(size_t actual, size_t bytes)
{
  if (actual < bytes / THREADS * 9 / 10) fail_msg("%zu of %zu bytes on this thread", actual, bytes);
}

/* Parameters, their moving average, and the optimizer's state. The thread that sets things up does not do it
 * for others: not the workspaces either. */
static void vectors_are_shared_out(void **state)
{
  observe(*state);
  const size_t vectors = 3 * sizes.params * sizeof(float);
  for (size_t t = 1; t < THREADS; t++) assert_share(bytes_of(t, BEGIN, READY), vectors);
  assert_in_range(bytes_of(0, BEGIN, READY), 0, sizes.workspace_bytes);
}

/* Pieces share many of their pages, which go to any of the threads that pack them. */
static void packed_parameters_are_shared_out(void **state)
{
  (void)state;
  const size_t least = sizes.packed / 4 * sizeof(float);
  for (size_t t = 1; t < THREADS; t++) assert_share(bytes_of(t, READY, LOADING), least);
}

static void workspaces_are_those_of_their_threads(void **state)
{
  (void)state;
  for (size_t t = 0; t < THREADS; t++)
    assert_in_range(bytes_of(t, LOADED, STEPPED), sizes.workspace_bytes * 3 / 4, SIZE_MAX);
}

/* Gradients of each thread, and what all threads sum. */
static void shared_memory_is_reserved_by_those_who_use_it(void **state)
{
  (void)state;
  const size_t gradients = THREADS * sizes.params * sizeof(float);
  for (size_t t = 0; t < THREADS; t++) assert_share(reserved[t], gradients);
  assert_int_equal(reserved[THREADS], 0);
}

/* Whichever of the threads does not get its share. */
static void a_lack_of_shared_memory_is_an_error(void **state)
{
  const ls_node_options options = {.threads = THREADS, .bytes = 1000000, .common_bytes = 1000000};
  ls_node *node;
  for (int t = 0; t < THREADS; t++) {
    refused = t;
    assert_int_equal(ls_node_new(&node, *state, &options), LS_E_MEMORY);
    assert_non_null(strstr(ls_error_last()->text, "no memory for a shared segment of 1000000 bytes"));
  }
  refused = -1;
  assert_ok(ls_node_new(&node, *state, &options));
  ls_node_free(node);
}

static void images_are_near_the_threads_that_train_on_them(void **state)
{
  (void)state;
  for (size_t t = 1; t < THREADS; t++) assert_share(bytes_of(t, LOADING, LOADED), SAMPLES * SIDE * SIDE);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(vectors_are_shared_out, comm),
      cmocka_unit_test(packed_parameters_are_shared_out),
      cmocka_unit_test(workspaces_are_those_of_their_threads),
      cmocka_unit_test(shared_memory_is_reserved_by_those_who_use_it),
      cmocka_unit_test_prestate(a_lack_of_shared_memory_is_an_error, comm),
      cmocka_unit_test(images_are_near_the_threads_that_train_on_them),
  };
  return cmocka_run_group_tests_name("first touch", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
