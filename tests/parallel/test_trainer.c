/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole run on several ranks, one of which loses a bit of its weights: the run stops, and nothing that it
 * leaves holds such weights. Where the weights lie is seen by a wrapper that the linker puts around
 * ls_network_init(). */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "eval/evaluate.h"
#include "idx_folder.h"
#include "parallel/mpi_main.h"
#include "train/schemas.h"
#include "train/trainer.h"

static const char config[] = "data: {source: x, normalize: unit, validation: 20}\n"
                             "model:\n"
                             "  layers: [{type: flatten}, {type: dense, units: 10}]\n"
                             "train: {epochs: 2, batch: 20, microbatch: 4}\n";

static float *weights; /* of the last network that was made */

ls_status __real_ls_network_init(ls_network *network, const ls_model *model,
                                 const ls_normalization *normalization);
ls_status __wrap_ls_network_init(ls_network *network, const ls_model *model,
                                 const ls_normalization *normalization);

ls_status __wrap_ls_network_init(ls_network *network, const ls_model *model,
                                 const ls_normalization *normalization)
{
  const ls_status status = __real_ls_network_init(network, model, normalization);
  weights = network->params;
  return status;
}

/* On rank 0, which alone hears of steps. */
static void lose_a_bit(void *user, const ls_step_event *event)
{
  const size_t *step = user;
  unsigned char byte;
  if (event->epoch != 1 || event->step != *step) return;
  memcpy(&byte, weights, 1);
  byte ^= 1U;
  memcpy(weights, &byte, 1);
}

/* Files of the run directory that hold weights. */
static size_t count_saved(const char *folder)
{
  size_t count = 0;
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
    count += strcmp(entry->d_name, "best.h5") == 0 || strncmp(entry->d_name, "checkpoint-", 11) == 0;
  closedir(dir);
  return count;
}

/* Train with a comparison after so many steps; after step `loss` of the first epoch (0: never) rank 0 loses a
 * bit. Collective. */
static ls_status train(ls_comm *comm, const char *check_replicas, size_t loss, size_t *saved)
{
  static const volatile sig_atomic_t never = 0;
  idx_folder data;
  ls_spec *spec;
  ls_source *source;
  ls_model *model;
  char run_dir[64] = "/tmp/lockstep-run-XXXXXX", command[96];
  idx_folder_make(&data, 12, 100, 0);
  assert_ok(ls_config_parse(&spec, config, "config", &check_replicas, 1, &ls_all_schemas));
  assert_ok(ls_source_open(&source, data.path, 0));
  const ls_model_options shape = {
      .in = {.c = 1, .h = 12, .w = 12}, .microbatch = spec->train.microbatch, .classes = IDX_CLASSES};
  assert_ok(ls_model_new(&model, &spec->model.layers, &shape));
  assert_true(ls_comm_rank(comm) > 0 || mkdtemp(run_dir));
  assert_ok(ls_comm_broadcast(comm, run_dir, sizeof run_dir));
  ls_directory directory;
  assert_ok(ls_directory_open(&directory, run_dir));
  const ls_trainer_options options = {.comm = comm,
                                      .spec = spec,
                                      .schemas = &ls_all_schemas,
                                      .config = config,
                                      .source = source,
                                      .model = model,
                                      .threads = 1,
                                      .run_dir = &directory,
                                      .stop = &never,
                                      .evaluate = ls_evaluate_network,
                                      .events = {.user = &loss, .step = lose_a_bit}};
  ls_train_result result;
  const ls_status status = ls_train(&options, &result);
  if (status == LS_OK) ls_train_result_fini(&result);
  assert_ok(ls_comm_barrier(comm));
  *saved = count_saved(run_dir);
  ls_directory_close(&directory);
  assert_ok(ls_comm_barrier(comm));
  snprintf(command, sizeof command, "rm -rf '%s'", run_dir);
  assert_true(ls_comm_rank(comm) > 0 || system(command) == 0);
  ls_model_free(model);
  ls_source_close(source);
  ls_spec_free(spec);
  idx_folder_remove(&data);
  return status;
}

static void sound_replicas_train_to_the_end(void **state)
{
  size_t saved;
  assert_ok(train(*state, "train.check_replicas=3", 0, &saved));
  assert_int_equal(saved, 3); /* two epochs' checkpoints and best.h5 */
}

static void a_lost_bit_ends_the_run_before_anything_is_saved(void **state)
{
  static const struct {
    const char *check_replicas;
    size_t loss; /* after which step; an epoch has 4 */
    const char *expected;
  } cases[] = {
      {"train.check_replicas=0", 2, "after step 4: "},
      {"train.check_replicas=1", 2, "after step 2: "},
      {"train.check_replicas=3", 1, "after step 3: "},
      {"train.check_replicas=3", 4, "after step 4: "}, /* best.h5 must not wait for the next multiple of 3 */
      {"train.check_replicas=100", 3, "after step 4: "},
  };
  ls_comm *comm = *state;
  if (ls_comm_size(comm) == 1) return;
  const char *who =
      ls_comm_size(comm) > 2 ? "the weights on rank 0 are no longer those of the other" : "no majority";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t saved;
    assert_int_equal(train(comm, cases[i].check_replicas, cases[i].loss, &saved), LS_E_NONFINITE);
    const char *text = ls_error_last()->text;
    if (!strstr(text, cases[i].expected) || !strstr(text, who)) fail_msg("case %zu: %s", i, text);
    assert_int_equal(ls_error_last()->rank, -1);
    assert_int_equal(saved, 0);
  }
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(sound_replicas_train_to_the_end, comm),
      cmocka_unit_test_prestate(a_lost_bit_ends_the_run_before_anything_is_saved, comm),
  };
  return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
