/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights that PyTorch wrote, with a configuration beside them, are a trained network; what is missing is
 * said, and a checkpoint is a checkpoint whatever lies beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files/file.h"
#include "base/files/temporary.h"
#include "cmocka_all.h"
#include "eval/loaded.h"
#include "eval/loading.h"
#include "train/schemas.h"

#define DATA "data: {source: toys/cats, shape: [1, 4, 4], normalize: {mean: [0.5], deviation: [0.25]}"
#define LAYERS                                                                                               \
  "[{type: conv, name: conv, filters: 2, kernel: 3}, {type: batchnorm, name: bn}, {type: flatten}, "         \
  "{type: dense, name: fc, units: 3}"
#define CONFIG DATA "}\nmodel: {layers: " LAYERS "]}\n"

static void put(const char *name, const char *text)
{
  assert_int_equal(ls_file_write(name, text, strlen(text)), LS_OK);
}

/* A file of tests/golden under another name. */
static void put_golden(const char *golden, const char *name)
{
  char path[512], *bytes;
  size_t count;
  snprintf(path, sizeof path, "%s/tests/golden/%s", LS_SOURCE_DIR, golden);
  assert_int_equal(ls_file_read(path, 1 << 20, &bytes, &count), LS_OK);
  assert_int_equal(ls_file_write(name, bytes, count), LS_OK);
  free(bytes);
}

static void expect_refused(const char *path, ls_status status, const char *words)
{
  ls_loaded loaded;
  assert_int_equal(ls_loaded_read(&loaded, path, &ls_all_schemas), status);
  if (!strstr(ls_error_last()->text, words)) fail_msg("'%s' does not say: %s", ls_error_last()->text, words);
}

/* The network of weights_values.txt. */
static void expect_loaded(const char *path)
{
  ls_loaded loaded;
  if (ls_loaded_read(&loaded, path, &ls_all_schemas) != LS_OK) fail_msg("%s", ls_error_last()->text);
  assert_true(loaded.network.params[0] == 0.21875F);
  assert_true(loaded.network.buffers[0] == -0.09375F);
  assert_int_equal(loaded.info.channels, 1);
  assert_int_equal(loaded.info.height, 4);
  assert_int_equal(loaded.info.classes, 3);
  assert_string_equal(loaded.info.dataset, "cats");
  assert_true(loaded.info.mean[0] == 127.5 && loaded.info.deviation[0] == 63.75);
  assert_int_equal(strlen(loaded.info.init_digest), LS_DIGEST_CHARS - 1);
  assert_non_null(strstr(loaded.info.config, path));
  ls_loaded_close(&loaded);
}

static void weights_beside_their_configuration_are_a_network(void **state)
{
  (void)state;
  static const char *const files[][2] = {{"weights_zip.pt", "a.pt"},
                                         {"weights_old.pth", "b.c.pth"},
                                         {"weights_plain.safetensors", "d.safetensors"},
                                         {"weights_plain.npz", "e.npz"}};
  static const char *const configs[] = {"a.yaml", "b.c.yml", "d.yaml", "e.yaml"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    put_golden(files[i][0], files[i][1]);
    put(configs[i], CONFIG);
    expect_loaded(files[i][1]);
  }
  put_golden("weights_two.pt", "two.pt");
  put("two.yaml", CONFIG);
  expect_loaded("two.pt#model");
  expect_refused("two.pt", LS_E_INPUT, "FILE#KEY");
}

/* HDF5 is a format of checkpoints, too. */
static void a_state_dict_in_hdf5_is_no_checkpoint(void **state)
{
  (void)state;
  ls_loaded loaded;
  put_golden("lenet5_state.h5", "lenet.h5");
  put("lenet.yaml",
      "data: {source: mnist, shape: [1, 28, 28], normalize: {scale: 0.00390625}}\n"
      "model: {layers: [{type: conv, name: conv1, filters: 6, kernel: 5, pad: 2}, {type: relu}, "
      "{type: maxpool, size: 2}, {type: conv, name: conv2, filters: 16, kernel: 5}, {type: relu}, "
      "{type: maxpool, size: 2}, {type: flatten}, {type: dense, name: fc1, units: 120}, {type: relu}, "
      "{type: dense, name: fc2, units: 84}, {type: relu}, {type: dense, name: fc3, units: 10}]}\n");
  if (ls_loaded_read(&loaded, "lenet.h5", &ls_all_schemas) != LS_OK) fail_msg("%s", ls_error_last()->text);
  assert_int_equal(loaded.info.classes, 10);
  assert_true(loaded.info.mean[0] == 0.0 && loaded.info.deviation[0] == 256.0);
  ls_loaded_close(&loaded);
}

static void a_configuration_may_name_its_weights(void **state)
{
  (void)state;
  ls_loaded loaded;
  put_golden("weights_zip.pt", "far.pt");
  put("net.yaml", DATA "}\nmodel: {init_from: far.pt, layers: " LAYERS "]}\n");
  assert_int_equal(ls_loaded_read(&loaded, "net.yaml", &ls_all_schemas), LS_OK);
  assert_true(loaded.network.params[0] == 0.21875F);
  ls_loaded_close(&loaded);
  put("bare.yaml", CONFIG);
  expect_refused("bare.yaml", LS_E_INPUT, "'bare.yaml' is a configuration without weights");
}

static void what_is_missing_is_said(void **state)
{
  (void)state;
  put_golden("weights_zip.pt", "alone.pt");
  expect_refused(
      "alone.pt", LS_E_INPUT,
      "'alone.pt' holds weights, and not what network they are of: put its configuration beside it, "
      "'alone.yaml'");
  put_golden("weights_zip.pt", "more.pt");
  put("more.yaml", DATA "}\nmodel: {layers: " LAYERS ", {type: dense, name: last, units: 3}]}\n");
  expect_refused("more.pt", LS_E_INPUT,
                 "'more.pt' lacks weights of the configured network: last.weight, last.bias");
  put_golden("weights_zip.pt", "shapeless.pt");
  put("shapeless.yaml", "data: {source: cats, normalize: unit}\nmodel: {layers: " LAYERS "]}\n");
  expect_refused("shapeless.pt", LS_E_CONFIG, "gives no data.shape");
  put("shapeless.yaml", "data: {source: cats, shape: [1, 4, 4]}\nmodel: {layers: " LAYERS "]}\n");
  expect_refused("shapeless.pt", LS_E_CONFIG, "no data.normalize");
  put("shapeless.yaml", DATA ", classes: 4}\nmodel: {layers: " LAYERS "]}\n");
  expect_refused("shapeless.pt", LS_E_CONFIG, "4 classes");
  put("shapeless.yaml", "data: {source: [}\n");
  expect_refused("shapeless.pt", LS_E_CONFIG, "shapeless.yaml:");
}

static void classes_have_the_names_that_are_given(void **state)
{
  (void)state;
  ls_loaded loaded;
  put_golden("weights_zip.pt", "named.pt");
  put("named.yaml", DATA ", class_names: names.txt}\nmodel: {layers: " LAYERS "]}\n");
  put("names.txt", "tabby cat\r\ndog\r\nhorse\r\n\r\n");
  assert_int_equal(ls_loaded_read(&loaded, "named.pt", &ls_all_schemas), LS_OK);
  assert_string_equal(loaded.info.class_names, "tabby cat\ndog\nhorse");
  ls_loaded_close(&loaded);
  put("names.txt", "cat\ndog\n");
  expect_refused("named.pt", LS_E_INPUT,
                 "data.class_names: 'names.txt': 2 lines, a name each, but there are 3");
  put("names.txt", "cat\n \nhorse\n");
  expect_refused("named.pt", LS_E_INPUT, "'names.txt': line 2 is empty");
  unlink("names.txt");
  expect_refused("named.pt", LS_E_INPUT, "names.txt");
}

static void a_checkpoint_is_one_beside_a_configuration_too(void **state)
{
  (void)state;
  ls_loaded loaded;
  put_golden("weights_zip.pt", "first.pt");
  put("first.yaml", CONFIG);
  assert_int_equal(ls_loaded_read(&loaded, "first.pt", &ls_all_schemas), LS_OK);
  const ls_state all = {
      .model = loaded.model, .params = loaded.network.params, .buffers = loaded.network.buffers};
  loaded.network.params[0] = 7.0F;
  assert_int_equal(ls_checkpoint_write("first.h5", &loaded.info, &all), LS_OK);
  ls_loaded_close(&loaded);
  put("first.yaml", "no configuration\n");
  assert_int_equal(ls_loaded_read(&loaded, "first.h5", &ls_all_schemas), LS_OK);
  assert_true(loaded.network.params[0] == 7.0F);
  ls_loaded_close(&loaded);
}

static int enter_folder(void **state)
{
  static char folder[] = "/tmp/lockstep-foreign-XXXXXX";
  *state = folder;
  return mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state)
{
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
  return chdir("/") || system(command);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_beside_their_configuration_are_a_network),
      cmocka_unit_test(a_state_dict_in_hdf5_is_no_checkpoint),
      cmocka_unit_test(a_configuration_may_name_its_weights),
      cmocka_unit_test(what_is_missing_is_said),
      cmocka_unit_test(classes_have_the_names_that_are_given),
      cmocka_unit_test(a_checkpoint_is_one_beside_a_configuration_too),
  };
  return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
