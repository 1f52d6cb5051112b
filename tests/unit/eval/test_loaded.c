/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks from checkpoints: what is written is loaded; a configuration that promises more than the file
 * holds is refused before it costs memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "config/config.h"
#include "eval/loaded.h"
#include "eval/loading.h"
#include "train/schemas.h"

#define CONFIG(layers) "data: {source: mnist}\nmodel: {layers: [" layers "]}\n"

static char good[] =
    CONFIG("{type: batchnorm, name: bn}, {type: flatten}, {type: dense, name: fc, units: 3}");
static char greedy[] = CONFIG("{type: flatten}, {type: dense, units: 30000000}, {type: dense, units: 3}");

/* What a checkpoint of the good model says, and a running variance in it. */
typedef struct recipe {
  char *config, *names;
  float variance;
} recipe;

static void write_recipe(const char *path, const recipe *from)
{
  ls_spec *spec;
  ls_model *model;
  ls_network network;
  const ls_normalization normalization = {.channels = 1, .mean = {33.3}, .deviation = {78.5}};
  const ls_checkpoint_info info = {.config = from->config,
                                   .class_names = from->names,
                                   .channels = 1,
                                   .height = 4,
                                   .width = 4,
                                   .classes = 3,
                                   .dataset = "mnist",
                                   .mean = {33.3},
                                   .deviation = {78.5}};
  assert_int_equal(ls_config_parse(&spec, good, "c.yaml", NULL, 0, &ls_all_schemas), LS_OK);
  const ls_model_options options = {.in = {1, 4, 4}, .microbatch = 2, .classes = 3};
  assert_int_equal(ls_model_new(&model, &spec->model.layers, &options), LS_OK);
  assert_int_equal(ls_network_init(&network, model, &normalization), LS_OK);
  network.params[0] = 0.5F;
  network.buffers[1] = from->variance;
  const ls_state state = {.model = model, .params = network.params, .buffers = network.buffers};
  assert_int_equal(ls_checkpoint_write(path, &info, &state), LS_OK);
  ls_network_fini(&network);
  ls_model_free(model);
  ls_spec_free(spec);
}

/* One that says it is of another model. */
static void write_checkpoint(const char *path, char *config)
{
  write_recipe(path, &(recipe){.config = config});
}

static void what_is_written_is_loaded(void **state)
{
  ls_loaded loaded;
  write_checkpoint(*state, good);
  assert_int_equal(ls_loaded_read(&loaded, *state, &ls_all_schemas), LS_OK);
  assert_true(loaded.network.params[0] == 0.5F);
  ls_loaded_close(&loaded);
}

static void a_greedy_configuration_is_refused(void **state)
{
  ls_loaded loaded;
  write_checkpoint(*state, greedy);
  assert_int_equal(ls_loaded_read(&loaded, *state, &ls_all_schemas), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "its configuration asks for 600000003 parameters"));
}

static void a_negative_variance_is_refused_by_name(void **state)
{
  ls_loaded loaded;
  write_recipe(*state, &(recipe){.config = good, .variance = -1.5F});
  assert_int_equal(ls_loaded_read(&loaded, *state, &ls_all_schemas), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "bn.running_var has negative values"));
  write_recipe(*state, &(recipe){.config = good, .variance = NAN});
  assert_int_equal(ls_loaded_read(&loaded, *state, &ls_all_schemas), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "a value of bn.running_var is not finite"));
}

/* What is said of a network trained on mnist with these names, when it meets such data. */
static void expect_said(void **state, char *names, ls_dataset_info data, const char *said)
{
  ls_loaded loaded;
  ls_text text = {0};
  write_recipe(*state, &(recipe){.config = good, .names = names});
  assert_int_equal(ls_loaded_read(&loaded, *state, &ls_all_schemas), LS_OK);
  ls_loaded_compare_classes(&loaded, &data, "n.h5", &text);
  assert_string_equal(ls_text_get(&text), said);
  ls_text_fini(&text);
  ls_loaded_close(&loaded);
}

static void other_classes_are_reported(void **state)
{
  static char letters[] = "a\nb\nc";
  char abc[][LS_CLASS_NAME_BYTES] = {"a", "b", "c"}, acb[][LS_CLASS_NAME_BYTES] = {"a", "c", "b"},
       numbers[][LS_CLASS_NAME_BYTES] = {"0", "1", "2"};
  expect_said(state, NULL, (ls_dataset_info){.name = "usps", .classes = 3}, "");
  expect_said(state, NULL, (ls_dataset_info){.name = "usps", .classes = 3, .class_names = numbers}, "");
  expect_said(state, letters, (ls_dataset_info){.name = "other", .classes = 3, .class_names = abc}, "");
  expect_said(state, letters, (ls_dataset_info){.name = "mnist", .classes = 3}, "");
  expect_said(state, NULL, (ls_dataset_info){.name = "abc", .classes = 3, .class_names = abc},
              "'n.h5' was trained on 'mnist', whose classes are '0', '1', '2'; those of 'abc' are 'a', 'b', "
              "'c': class k "
              "of the one is counted as class k of the other, and is shown as 'abc' calls it\n");
  expect_said(state, letters, (ls_dataset_info){.name = "mnist", .classes = 3, .class_names = acb},
              "'n.h5' was trained on 'mnist', whose classes are 'a', 'b', 'c'; those of 'mnist' are 'a', "
              "'c', 'b': class k "
              "of the one is counted as class k of the other, and is shown as 'mnist' calls it\n");
  expect_said(state, letters, (ls_dataset_info){.name = "pairs", .classes = 3, .stated_classes = 2},
              "'n.h5' was trained on the 3 classes of 'mnist', and 'pairs' has 2: class k of the one is "
              "counted as class "
              "k of the other\n");
}

/* Each of the four counts by itself. */
static void data_of_another_shape_are_refused(void **state)
{
  ls_loaded loaded;
  const ls_dataset_info fits = {.name = "usps", .channels = 1, .height = 4, .width = 4, .classes = 3};
  write_checkpoint(*state, good);
  assert_int_equal(ls_loaded_read(&loaded, *state, &ls_all_schemas), LS_OK);
  assert_int_equal(ls_loaded_check_fit(&loaded, &fits, "n.h5"), LS_OK);
  for (size_t i = 0; i < 4; i++) {
    ls_dataset_info data = fits;
    size_t *const counts[] = {&data.channels, &data.height, &data.width, &data.classes};
    ++*counts[i];
    assert_int_equal(ls_loaded_check_fit(&loaded, &data, "n.h5"), LS_E_INPUT);
    assert_non_null(strstr(ls_error_last()->text, i < 3 ? "'n.h5' takes images of 1x4x4, but 'usps' has "
                                                        : "'n.h5' tells 3 classes apart, but 'usps' has 4"));
  }
  ls_loaded_close(&loaded);
}

/* A network trained with more lines of configuration than the good one, on a dataset of this name. */
static void open_trained(ls_loaded *loaded, const char *lines, const char *dataset)
{
  char config[1024];
  *loaded = (ls_loaded){.spec = NULL};
  snprintf(config, sizeof config, "%s%s", lines, strchr(good, '\n') + 1);
  snprintf(loaded->info.dataset, sizeof loaded->info.dataset, "%s", dataset);
  if (ls_config_parse(&loaded->spec, config, "c.yaml", NULL, 0, &ls_all_schemas) != LS_OK)
    fail_msg("%s", ls_error_last()->text);
}

/* What is held out follows from dataset, seed and data.validation, and from nothing else: networks of the
 * same number, and no others, held out the same. */
static void who_held_out_the_same_is_known(void **state)
{
  (void)state;
  static const struct {
    int same;
    const char *lines, *dataset;
  } cases[] = {
      {0, "data: {source: mnist, validation: 0.1}\nseed: 1\n", "mnist"},
      {0, "data: {source: there/mnist, validation: 0.1}\nseed: 1\ntrain: {batch: 7}\n", "mnist"},
      {0, "data: {source: mnist, validation: 0.1, split_seed: 1}\nseed: 9\n", "mnist"},
      {1, "data: {source: mnist, validation: 0.1}\nseed: 2\n", "mnist"},
      {1, "data: {source: mnist, validation: 0.1, split_seed: 2}\nseed: 1\n", "mnist"},
      {2, "data: {source: mnist, validation: 0.2}\nseed: 1\n", "mnist"},
      {3, "data: {source: mnist, validation: 100}\nseed: 1\n", "mnist"},
      {4, "data: {source: mnist, validation: 101}\nseed: 1\n", "mnist"},
      {5, "data: {source: mnist}\nseed: 1\n", "mnist"},
      {6, "data: {source: mnist, validation: 0.1}\nseed: 1\n", "usps"},
  };
  enum { COUNT = sizeof cases / sizeof *cases };
  ls_loaded loaded[COUNT];
  for (size_t i = 0; i < COUNT; i++) open_trained(&loaded[i], cases[i].lines, cases[i].dataset);
  for (size_t i = 0; i < COUNT * COUNT; i++) {
    const size_t a = i / COUNT, b = i % COUNT;
    const bool is_same = cases[a].same == cases[b].same;
    if (ls_loaded_holds_out_the_same(&loaded[a], &loaded[b]) != is_same) fail_msg("cases %zu and %zu", a, b);
    assert_int_equal(ls_loaded_check_held_out(&loaded[a], "a.h5", &loaded[b], "b.h5"),
                     is_same ? LS_OK : LS_E_INPUT);
    if (!is_same) assert_non_null(strstr(ls_error_last()->text, "'a.h5' and 'b.h5' were trained with other"));
  }
  for (size_t i = 0; i < COUNT; i++) ls_loaded_close(&loaded[i]);
}

static int make_name(void **state)
{
  static char path[] = "/tmp/lockstep-loaded-XXXXXX";
  int descriptor = mkstemp(path);
  *state = path;
  return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
  return unlink(*state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_loaded),
      cmocka_unit_test(a_greedy_configuration_is_refused),
      cmocka_unit_test(a_negative_variance_is_refused_by_name),
      cmocka_unit_test(other_classes_are_reported),
      cmocka_unit_test(data_of_another_shape_are_refused),
      cmocka_unit_test(who_held_out_the_same_is_known),
  };
  return cmocka_run_group_tests(tests, make_name, remove_file);
}
