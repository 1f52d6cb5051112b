/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints: what is written comes back bit for bit, what does not fit is refused by name, no damage goes
 * unnoticed, and a failing write leaves the old file. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fixture.h"
#include "store/internal.h"

static int setup(void **state)
{
  *state = fixture_new();
  return 0;
}

static int teardown(void **state)
{
  fixture_free(*state);
  return 0;
}

static void write_checkpoint(const fixture *f, const char *name)
{
  assert_int_equal(ls_checkpoint_write(path_in(f, name), &f->info, &f->state), LS_OK);
}

static ls_status read_back(const fixture *f, const char *name)
{
  fixture *read = fixture_empty(f);
  ls_status status = ls_checkpoint_read(path_in(f, name), &read->state);
  fixture_empty_free(read);
  return status;
}

static size_t param_floats(const fixture *f)
{
  const ls_tensor *last = &f->model.params[f->model.param_count - 1];
  return last->offset + last->count;
}

static void comes_back_bit_for_bit(void **state)
{
  fixture *f = *state;
  memcpy(&f->params[3], &(uint32_t){0x7fc12345}, 4); /* a NaN with a payload, a denormal, a negative zero */
  f->params[4] = 1e-41f;
  f->params[5] = -0.0f;
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  size_t bytes = param_floats(f) * sizeof(float);
  assert_memory_equal(f->params, read->params, bytes);
  assert_memory_equal(f->buffers, read->buffers, 12 * sizeof(float));
  assert_memory_equal(f->slots[0], read->slots[0], bytes);
  assert_memory_equal(f->slots[1], read->slots[1], bytes);
  assert_int_equal(read->state.optimizer_step, 701);
  assert_memory_equal(&read->state.progress, &f->state.progress, sizeof f->state.progress);
  assert_int_equal(read->state.train.count, 3);
  assert_int_equal(read->state.validation.count, 2);
  assert_memory_equal(read->state.train.rows, f->state.train.rows, 3 * sizeof *f->state.train.rows);
  assert_memory_equal(read->state.validation.rows, f->state.validation.rows, 2 * sizeof *f->state.train.rows);
  fixture_empty_free(read);
}

/* What a kind remembers: names and numbers that the store has never heard of. */
typedef struct memory {
  double slope;
  uint64_t turns;
} memory;

static const ls_field memory_fields[] = {LS_REAL_FIELD(memory, slope), LS_COUNT_FIELD(memory, turns)};

static const ls_fields whole_memory = {memory_fields, 2};

static void what_a_kind_remembers_comes_back(void **state)
{
  fixture *f = *state;
  memory kept = {.slope = -0.125, .turns = 7}, found = {.slope = 1, .turns = 1};
  fixture *read = fixture_empty(f);
  f->state.schedule = (ls_named_numbers){whole_memory, &kept};
  read->state.schedule = (ls_named_numbers){whole_memory, &found};
  write_checkpoint(f, "a.h5");
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  assert_memory_equal(&found, &kept, sizeof kept);
  fixture_empty_free(read);
}

/* The run had another kind before: its own starts as in a new run. */
static void what_no_kind_remembered_stays_as_it_starts(void **state)
{
  fixture *f = *state;
  memory found = {.slope = 1, .turns = 3};
  fixture *read = fixture_empty(f);
  f->state.schedule = (ls_named_numbers){.values = NULL};
  read->state.schedule = (ls_named_numbers){whole_memory, &found};
  write_checkpoint(f, "a.h5");
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  assert_true(found.slope == 1 && found.turns == 3);
  fixture_empty_free(read);
}

/* Part of it is damage. */
static void half_of_what_a_kind_remembers_is_refused(void **state)
{
  fixture *f = *state;
  memory kept = {.slope = -0.125, .turns = 7}, found = {.slope = 1, .turns = 1};
  fixture *read = fixture_empty(f);
  f->state.schedule = (ls_named_numbers){{memory_fields, 1}, &kept};
  read->state.schedule = (ls_named_numbers){whole_memory, &found};
  write_checkpoint(f, "a.h5");
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_E_INPUT);
  assert_true(error_has("attribute /progress@turns: missing"));
  fixture_empty_free(read);
}

/* Programs of others look for them by these names. */
static void progress_has_the_names_of_the_contract(void **state)
{
  static const char *const names[] = {"epoch", "step", "best_epoch", "best_metric", "bad_epochs", "slope"};
  fixture *f = *state;
  memory kept = {.slope = -0.125, .turns = 7};
  double slope = 0;
  uint64_t epoch = 0;
  f->state.schedule = (ls_named_numbers){whole_memory, &kept};
  write_checkpoint(f, "a.h5");
  hid_t file = H5Fopen(path_in(f, "a.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t group = H5Gopen2(file, "/progress", H5P_DEFAULT);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (H5Aexists(group, names[i]) <= 0) fail_msg("/progress has no %s", names[i]);
  hid_t attribute = H5Aopen(group, "slope", H5P_DEFAULT);
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &slope) >= 0 && slope == -0.125);
  H5Aclose(attribute);
  attribute = H5Aopen(group, "epoch", H5P_DEFAULT);
  assert_true(H5Aread(attribute, H5T_NATIVE_UINT64, &epoch) >= 0 && epoch == 3);
  H5Aclose(attribute);
  H5Gclose(group);
  H5Fclose(file);
}

static void info_comes_back(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  ls_checkpoint_info info;
  char digest[LS_DIGEST_CHARS];
  ls_weights_digest(&f->model, f->params, f->buffers, digest);
  assert_int_equal(ls_checkpoint_read_info(path_in(f, "a.h5"), &info), LS_OK);
  assert_string_equal(info.config, f->info.config);
  assert_string_equal(info.class_names, f->info.class_names);
  assert_string_equal(info.dataset, "mnist");
  assert_string_equal(info.lockstep_version, LS_VERSION);
  assert_string_equal(info.weights_digest, digest);
  assert_int_equal(info.channels, 1);
  assert_int_equal(info.height, 28);
  assert_int_equal(info.width, 28);
  assert_int_equal(info.classes, 3);
  assert_memory_equal(info.mean, f->info.mean, sizeof info.mean);
  assert_memory_equal(info.deviation, f->info.deviation, sizeof info.deviation);
  assert_int_equal(info.train_count, 60000);
  assert_string_equal(info.labels_digest, f->info.labels_digest);
  assert_int_equal(info.progress.step, 700);
  ls_checkpoint_info_fini(&info);
}

/* Values that no training gives are reported with the name of the tensor, wherever it is. */
static void values_of_no_training_are_named(void **state)
{
  fixture *f = *state;
  float params[FIXTURE_FLOATS] = {0}, buffers[FIXTURE_FLOATS] = {0};
  f->state.average = (ls_average){params, buffers};
  const struct {
    float *value, wrong;
    ls_status status;
    const char *said;
  } cases[] = {
      {&f->buffers[5], -1.0F, LS_OK, NULL}, /* a running mean */
      {&f->buffers[6], -1.0F, LS_E_INPUT, "block1.bn1.running_var has negative values"},
      {&f->buffers[6], INFINITY, LS_E_NONFINITE, "a value of block1.bn1.running_var is not finite"},
      {&f->params[0], NAN, LS_E_NONFINITE, "a value of conv1.weight is not finite"},
      {&buffers[11], -1.0F, LS_E_INPUT, "the moving average: block1.bn1.running_var has negative values"},
      {&f->slots[0][0], -1.0F, LS_OK, NULL},
      {&f->slots[0][0], NAN, LS_E_NONFINITE, "a value of exp_avg of conv1.weight is not finite"},
      {&f->slots[1][0], -1.0F, LS_E_INPUT, "exp_avg_sq of conv1.weight has negative values"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const float before = *cases[i].value;
    *cases[i].value = cases[i].wrong;
    assert_int_equal(ls_state_check(&f->state), cases[i].status);
    const char *text = ls_error_last()->text;
    if (cases[i].said && !strstr(text, cases[i].said)) fail_msg("case %zu: %s", i, text);
    *cases[i].value = before;
    assert_int_equal(ls_state_check(&f->state), LS_OK);
  }
  f->state.average = (ls_average){0};
}

static void empty_history_and_no_names_are_fine(void **state)
{
  fixture *f = *state;
  ls_history_fini(&f->state.train);
  ls_history_fini(&f->state.validation);
  f->info.class_names = NULL;
  f->info.train_count = 0; /* as older checkpoints, which do not say it */
  f->state.slot_count = 0;
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  read->state.slot_count = 0;
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  assert_int_equal(read->state.train.count, 0);
  assert_int_equal(read->state.optimizer_step, 701);
  fixture_empty_free(read);
  ls_checkpoint_info info;
  assert_int_equal(ls_checkpoint_read_info(path_in(f, "a.h5"), &info), LS_OK);
  assert_null(info.class_names);
  assert_int_equal(info.train_count, 0);
  assert_string_equal(info.labels_digest, "");
  ls_checkpoint_info_fini(&info);
}

static void optimizer_may_be_left_out_when_reading(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  read->state.slot_count = 0;
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  assert_memory_equal(f->params, read->params, 24);
  assert_true(read->slots[0][0] == 0.0f);
  fixture_empty_free(read);
}

static void configuration_may_be_long(void **state)
{
  fixture *f = *state;
  ls_text text = {0};
  for (int i = 0; i < 20000; i++) ls_text_add(&text, "# line %d of a long configuration\n", i);
  f->info.config = text.chars;
  write_checkpoint(f, "a.h5");
  ls_checkpoint_info info;
  assert_int_equal(ls_checkpoint_read_info(path_in(f, "a.h5"), &info), LS_OK);
  assert_string_equal(info.config, text.chars);
  ls_checkpoint_info_fini(&info);
  ls_text_fini(&text);
}

static void digest_tells_one_bit(void **state)
{
  fixture *f = *state;
  char before[LS_DIGEST_CHARS], after[LS_DIGEST_CHARS];
  ls_weights_digest(&f->model, f->params, f->buffers, before);
  assert_int_equal(strlen(before), 32);
  float *all[2] = {f->params, f->buffers};
  for (int v = 0; v < 2; v++)
    for (size_t i = 0; i < 12; i++) {
      uint32_t bits;
      memcpy(&bits, &all[v][i], 4);
      bits ^= 1;
      memcpy(&all[v][i], &bits, 4);
      ls_weights_digest(&f->model, f->params, f->buffers, after);
      assert_string_not_equal(before, after);
      bits ^= 1;
      memcpy(&all[v][i], &bits, 4);
    }
  f->params[param_floats(f)] += 1; /* beyond the last tensor: not a weight */
  ls_weights_digest(&f->model, f->params, f->buffers, after);
  assert_string_equal(before, after);
}

/* ---- models that do not fit ---- */

static void weights_that_are_not_finite_are_named(void **state)
{
  fixture *f = *state;
  assert_int_equal(ls_weights_check(&f->model, f->params, f->buffers), LS_OK);
  f->params[param_floats(f) - 1] = -INFINITY;
  assert_int_equal(ls_weights_check(&f->model, f->params, f->buffers), LS_E_NONFINITE);
  assert_true(error_has("fc.bias"));
  f->params[param_floats(f) - 1] = 3e38F;
  f->buffers[7] = NAN;
  assert_int_equal(ls_weights_check(&f->model, f->params, f->buffers), LS_E_NONFINITE);
  assert_true(error_has("block1.bn1.running_var"));
}

static void other_shape_is_refused(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  f->model.params[0].dims[0] = 3;
  f->model.params[0].dims[1] = 2;
  assert_int_equal(read_back(f, "a.h5"), LS_E_INPUT);
  assert_true(error_has("a.h5': dataset /model/conv1/weight: shape [3,2,5,5] expected, [6,1,5,5] found"));
}

static void other_rank_is_refused(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  f->model.params[0].dim_count = 1;
  f->model.params[0].dims[0] = 150;
  assert_int_equal(read_back(f, "a.h5"), LS_E_INPUT);
  assert_true(error_has("shape [150] expected, [6,1,5,5] found"));
}

static void missing_tensor_is_named(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  add_param(&f->model, "fc2", "weight", (size_t[4]){3});
  assert_int_equal(read_back(f, "a.h5"), LS_E_INPUT);
  assert_true(error_has("/model/fc2: missing"));
  snprintf(f->model.params[f->model.param_count - 1].layer, LS_LAYER_NAME_BYTES, "conv1");
  snprintf(f->model.params[f->model.param_count - 1].name, LS_TENSOR_NAME_BYTES, "scale");
  assert_int_equal(read_back(f, "a.h5"), LS_E_INPUT);
  assert_true(error_has("/model/conv1/scale: missing"));
}

static void extra_tensor_is_named(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  f->model.param_count--;
  assert_int_equal(read_back(f, "a.h5"), LS_E_INPUT);
  assert_true(error_has("/model/fc/bias: the model has no such tensor"));
}

static void figures_come_back(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  for (size_t split = 0; split < LS_METRICS_COUNT; split++) {
    const ls_metrics *then = f->state.split_metrics.splits[split],
                     *now = read->state.split_metrics.splits[split];
    assert_non_null(now);
    assert_true(now->epoch == then->epoch && now->samples == then->samples && now->correct == then->correct);
    assert_true(now->loss == then->loss && now->nll == then->nll && now->accuracy == then->accuracy);
    assert_true(now->brier == then->brier && now->ece == then->ece);
    assert_memory_equal(&now->macro.precision, &then->macro.precision, 3 * sizeof(double));
    assert_memory_equal(now->per_class, then->per_class, 3 * sizeof now->per_class[0]);
    assert_memory_equal(now->confusion, then->confusion, 9 * sizeof now->confusion[0]);
  }
  assert_true(read->state.validation.rows[0].brier == f->state.validation.rows[0].brier);
  assert_true(read->state.validation.rows[1].macro_f1 == 0.25);
  assert_true(read->state.train.rows[2].brier == 0);
  fixture_empty_free(read);
}

static void weights_alone_leave_the_rest(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  assert_int_equal(ls_checkpoint_read_weights(path_in(f, "a.h5"), &read->state), LS_OK);
  assert_memory_equal(read->params, f->params, param_floats(f) * sizeof(float));
  assert_null(read->state.split_metrics.splits[LS_METRICS_TEST]);
  assert_true(read->state.train.count == 0 && read->state.progress.step == 0);
  fixture_empty_free(read);
}

/* A checkpoint that says nothing of the splits, as those of before a first evaluation do. */
static void no_figures_are_fine(void **state)
{
  fixture *f = *state;
  ls_split_metrics_fini(&f->state.split_metrics);
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_OK);
  assert_null(read->state.split_metrics.splits[LS_METRICS_TEST]);
  fixture_empty_free(read);
}

static void other_optimizer_is_refused(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  fixture *read = fixture_empty(f);
  read->state.slots[1].name = "momentum_buffer";
  assert_int_equal(ls_checkpoint_read(path_in(f, "a.h5"), &read->state), LS_E_INPUT);
  assert_true(error_has("/optimizer/momentum_buffer: missing"));
  fixture_empty_free(read);
}

static void other_files_are_refused(void **state)
{
  fixture *f = *state;
  assert_int_equal(read_back(f, "nothing.h5"), LS_E_INPUT);
  assert_true(error_has("nothing.h5': cannot open: No such file"));
  spew(path_in(f, "text.h5"), "hello\n", 6);
  assert_int_equal(read_back(f, "text.h5"), LS_E_INPUT);
  assert_true(error_has("it is no HDF5 file"));
  spew(path_in(f, "empty.h5"), "", 0);
  assert_int_equal(read_back(f, "empty.h5"), LS_E_INPUT);
  assert_int_equal(ls_checkpoint_read(f->folder, &f->state), LS_E_INPUT);
  assert_true(error_has("not a regular file"));
  assert_int_equal(mkfifo(path_in(f, "pipe.h5"), 0600), 0);
  assert_int_equal(read_back(f, "pipe.h5"), LS_E_INPUT);
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  assert_int_equal(read_back(f, "metrics.h5"), LS_E_INPUT);
  assert_true(error_has("it is no lockstep-checkpoint: its format is 'lockstep-metrics'"));
}

/* ---- damage ---- */

static void truncation_is_found(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  size_t count;
  unsigned char *bytes = slurp(path_in(f, "a.h5"), &count);
  for (size_t eighth = 0; eighth < 8; eighth++) {
    spew(path_in(f, "cut.h5"), bytes, count * eighth / 8);
    assert_int_equal(read_back(f, "cut.h5"), LS_E_INPUT);
    assert_true(error_has("cut.h5'"));
    if (eighth > 0) assert_true(error_has("changed by another program that had it open for writing"));
    if (eighth > 0) assert_true(error_has("bytes expected"));
  }
  spew(path_in(f, "cut.h5"), bytes, count - 1);
  assert_int_equal(read_back(f, "cut.h5"), LS_E_INPUT);
  bytes[count] = 0;
  spew(path_in(f, "long.h5"), bytes, count + 1);
  assert_int_equal(read_back(f, "long.h5"), LS_E_INPUT);
  free(bytes);
}

static void flipped_bytes_are_found(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  size_t count;
  unsigned char *bytes = slurp(path_in(f, "a.h5"), &count);
  ls_rng rng = ls_rng_stream(1, LS_RNG_INIT, 0, 0);
  for (uint32_t i = 0; i < 200; i++) {
    uint32_t words[4];
    ls_rng_block(&rng, i, words);
    size_t at = i < 20 ? i : words[0] % count;
    bytes[at] ^= (unsigned char)(1 + words[1] % 255);
    spew(path_in(f, "flipped.h5"), bytes, count);
    ls_status status = read_back(f, "flipped.h5");
    if (status != LS_E_INPUT) print_error("byte %zu changed: not noticed\n", at);
    assert_int_equal(status, LS_E_INPUT);
    bytes[at] ^= (unsigned char)(1 + words[1] % 255);
  }
  free(bytes);
}

/* Copy a checkpoint without its seal. */
static unsigned char *unsealed(const fixture *f, size_t *count)
{
  write_checkpoint(f, "a.h5");
  return slurp_unsealed(path_in(f, "a.h5"), count);
}

static void unsealed_file_is_read(void **state)
{
  fixture *f = *state;
  size_t count;
  unsigned char *bytes = unsealed(f, &count);
  spew(path_in(f, "b.h5"), bytes, count);
  assert_int_equal(read_back(f, "b.h5"), LS_OK);
  free(bytes);
}

static void checksums_hold_without_seal(void **state)
{
  fixture *f = *state;
  size_t count;
  unsigned char *bytes = unsealed(f, &count);
  const void *targets[] = {f->params, f->buffers, f->slots[0], f->slots[1], f->state.train.rows};
  const char *names[] = {"/model/conv1/weight", "/model/block1.bn1/running_mean",
                         "/optimizer/exp_avg/conv1/weight", "/optimizer/exp_avg_sq/conv1/weight",
                         "/metrics/train"};
  for (size_t i = 0; i < 5; i++) {
    unsigned char *at = memmem(bytes, count, targets[i], 24);
    assert_non_null(at);
    at[7] ^= 0x10;
    spew(path_in(f, "b.h5"), bytes, count);
    assert_int_equal(read_back(f, "b.h5"), LS_E_INPUT);
    assert_true(error_has(names[i]));
    assert_true(error_has("Fletcher32") ||
                error_has("filter returned failure")); /* HDF5 before 1.13, and from it on */
    at[7] ^= 0x10;
  }
  free(bytes);
}

static void changed_weights_are_found_by_their_digest(void **state)
{
  fixture *f = *state;
  size_t count;
  unsigned char *bytes = unsealed(f, &count);
  spew(path_in(f, "b.h5"), bytes, count);
  free(bytes);
  hid_t file = H5Fopen(path_in(f, "b.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t data = H5Dopen2(file, "model/fc/bias", H5P_DEFAULT);
  float values[3] = {1, 2, 3};
  assert_true(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(data);
  H5Fclose(file);
  assert_int_equal(read_back(f, "b.h5"), LS_E_INPUT);
  assert_true(error_has("weights_digest"));
}

/* Whichever way it is read. */
static void expect_newer_refused(const fixture *f, uint64_t number)
{
  ls_checkpoint_info info;
  ls_text text = {0};
  hid_t file = H5Fopen(path_in(f, "b.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t version = H5Aopen(file, "format_version", H5P_DEFAULT);
  assert_true(H5Awrite(version, H5T_NATIVE_UINT64, &number) >= 0);
  H5Aclose(version);
  H5Fclose(file);
  assert_int_equal(read_back(f, "b.h5"), LS_E_INPUT);
  assert_true(error_has("a newer lockstep is needed"));
  assert_int_equal(ls_checkpoint_read_info(path_in(f, "b.h5"), &info), LS_E_INPUT);
  assert_true(error_has("a newer lockstep is needed"));
  assert_int_equal(ls_inspect(path_in(f, "b.h5"), &text), LS_E_INPUT);
  assert_true(error_has("a newer lockstep is needed"));
  ls_text_fini(&text);
}

static void newer_format_asks_for_newer_program(void **state)
{
  fixture *f = *state;
  size_t count;
  unsigned char *bytes = unsealed(f, &count);
  spew(path_in(f, "b.h5"), bytes, count);
  free(bytes);
  expect_newer_refused(f, LS_STORE_FORMAT_VERSION + 1);
  expect_newer_refused(f, UINT32_MAX);
}

/* ---- writes that fail ---- */

static void unwritable_path_is_reported(void **state)
{
  fixture *f = *state;
  spew(path_in(f, "file"), "x", 1);
  assert_int_equal(ls_checkpoint_write(path_in(f, "file/a.h5"), &f->info, &f->state), LS_E_IO);
  assert_true(error_has("cannot write checkpoint"));
  assert_true(error_has("Not a directory"));
  assert_int_equal(ls_checkpoint_write(path_in(f, "no/a.h5"), &f->info, &f->state), LS_E_IO);
}

/* How many files there are, hidden ones too. */
static size_t files_in(const char *folder)
{
  ls_directory directory;
  ls_names names;
  assert_int_equal(ls_directory_open(&directory, folder), LS_OK);
  assert_int_equal(ls_directory_list(&directory, &names), LS_OK);
  const size_t count = names.count;
  ls_names_fini(&names);
  ls_directory_close(&directory);
  return count;
}

static void full_disk_keeps_the_old_file(void **state)
{
  fixture *f = *state;
  char disk[256];
  snprintf(disk, sizeof disk, "%s", path_in(f, "disk"));
  assert_int_equal(mkdir(disk, 0700), 0);
  if (mount("tmpfs", disk, "tmpfs", 0, "size=256k") != 0) {
    print_message("skipped: no tmpfs can be mounted here (%s)\n", strerror(errno));
    skip();
  }
  ls_status first = ls_checkpoint_write(path_in(f, "disk/a.h5"), &f->info, &f->state);
  size_t count = 0;
  unsigned char *before = slurp(path_in(f, "disk/a.h5"), &count);
  unsigned char *filler = calloc(1, 256 * 1024 - (count + 4095) / 4096 * 4096 - 8192);
  FILE *file = fopen(path_in(f, "disk/filler"), "wb");
  fwrite(filler, 1, 256 * 1024 - (count + 4095) / 4096 * 4096 - 8192, file);
  fclose(file);
  f->params[0] += 1;
  ls_status second = ls_checkpoint_write(path_in(f, "disk/a.h5"), &f->info, &f->state);
  bool is_reported = error_has("No space left on device");
  size_t again = 0;
  unsigned char *after = slurp(path_in(f, "disk/a.h5"), &again);
  int same = again == count && memcmp(before, after, count) == 0;
  int clean = files_in(disk) == 2;
  free(before), free(after), free(filler);
  umount(disk);
  assert_int_equal(first, LS_OK);
  assert_int_equal(second, LS_E_IO);
  assert_true(is_reported);
  assert_true(same);
  assert_true(clean);
}

static void hdf5_prints_nothing(void **state)
{
  fixture *f = *state;
  int saved = dup(STDERR_FILENO);
  int log = open(path_in(f, "stderr"), O_RDWR | O_CREAT, 0600);
  dup2(log, STDERR_FILENO);
  write_checkpoint(f, "a.h5");
  f->model.params[0].dims[0] = 3;
  ls_status status = read_back(f, "a.h5");
  f->model.params[0].dims[0] = 6;
  size_t count;
  unsigned char *bytes = slurp(path_in(f, "a.h5"), &count), *weights = memmem(bytes, count, f->params, 24);
  memset(bytes, 0, 512);
  if (weights) weights[5] ^= 1;
  spew(path_in(f, "b.h5"), bytes, count);
  free(bytes);
  ls_status damaged = read_back(f, "b.h5");
  ls_status missing = read_back(f, "none.h5");
  dup2(saved, STDERR_FILENO);
  close(saved);
  off_t printed = lseek(log, 0, SEEK_END);
  close(log);
  assert_int_equal(status, LS_E_INPUT);
  assert_int_equal(damaged, LS_E_INPUT);
  assert_int_equal(missing, LS_E_INPUT);
  assert_int_equal(printed, 0);
}

/* ---- inspect ---- */

static void inspect_shows_what_is_there(void **state)
{
  fixture *f = *state;
  write_checkpoint(f, "a.h5");
  ls_text text = {0};
  assert_int_equal(ls_inspect(path_in(f, "a.h5"), &text), LS_OK);
  const char *wanted[] = {("lockstep checkpoint, written by lockstep " LS_VERSION),
                          "lenet5",
                          "mnist: images of 1x28x28",
                          "zero, one, two",
                          "3 epochs, 700 steps",
                          "epoch 2: 0.0312",
                          "conv1/weight",
                          "[6,1,5,5]",
                          "150",
                          "block1.bn1/running_var",
                          "243 parameters and 12 running statistics",
                          "701 steps, exp_avg, exp_avg_sq"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!strstr(text.chars, wanted[i])) fail_msg("'%s' is missing in:\n%s", wanted[i], text.chars);
  ls_text_fini(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(comes_back_bit_for_bit),
      TEST(what_a_kind_remembers_comes_back),
      TEST(what_no_kind_remembered_stays_as_it_starts),
      TEST(half_of_what_a_kind_remembers_is_refused),
      TEST(progress_has_the_names_of_the_contract),
      TEST(info_comes_back),
      TEST(values_of_no_training_are_named),
      TEST(empty_history_and_no_names_are_fine),
      TEST(optimizer_may_be_left_out_when_reading),
      TEST(configuration_may_be_long),
      TEST(digest_tells_one_bit),
      TEST(weights_that_are_not_finite_are_named),
      TEST(other_shape_is_refused),
      TEST(other_rank_is_refused),
      TEST(missing_tensor_is_named),
      TEST(extra_tensor_is_named),
      TEST(figures_come_back),
      TEST(weights_alone_leave_the_rest),
      TEST(no_figures_are_fine),
      TEST(other_optimizer_is_refused),
      TEST(other_files_are_refused),
      TEST(truncation_is_found),
      TEST(flipped_bytes_are_found),
      TEST(unsealed_file_is_read),
      TEST(checksums_hold_without_seal),
      TEST(changed_weights_are_found_by_their_digest),
      TEST(newer_format_asks_for_newer_program),
      TEST(unwritable_path_is_reported),
      TEST(full_disk_keeps_the_old_file),
      TEST(hdf5_prints_nothing),
      TEST(inspect_shows_what_is_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
