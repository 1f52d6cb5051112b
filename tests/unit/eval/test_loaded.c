/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks from checkpoints: what is written is loaded; a configuration that promises more than the file
 * holds is refused before it costs memory. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "config/config.h"
#include "eval/loaded.h"
#include "train/schemas.h"

#define CONFIG(layers) "data: {source: mnist}\nmodel: {layers: [" layers "]}\n"

static char good[] = CONFIG("{type: flatten}, {type: dense, name: fc, units: 3}");
static char greedy[] = CONFIG("{type: flatten}, {type: dense, units: 30000000}, {type: dense, units: 3}");

/* A checkpoint of the good model that says it is another. */
static void write_checkpoint(const char *path, char *config)
{
  ls_spec *spec;
  ls_model *model;
  ls_network network;
  const ls_normalization normalization = {.channels = 1, .mean = {33.3}, .deviation = {78.5}};
  const ls_checkpoint_info info = {.config = config,
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
  const ls_state state = {.model = model, .params = network.params, .buffers = network.buffers};
  assert_int_equal(ls_checkpoint_write(path, &info, &state), LS_OK);
  ls_network_fini(&network);
  ls_model_free(model);
  ls_spec_free(spec);
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
  };
  return cmocka_run_group_tests(tests, make_name, remove_file);
}
