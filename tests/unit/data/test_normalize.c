/* SPDX-License-Identifier: BSD-3-Clause */
/* Normalization: statistics by hand and against MNIST's published ones, and the conversion of pixels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/normalize.h"
#include "cmocka_all.h"
#include "idx_folder.h"

static ls_status find(ls_comm *comm, const char *where, int kind, size_t channels, ls_normalization *out)
{
  ls_source *source;
  ls_loader *loader;
  ls_spec_data data = {.fraction = 1, .normalize.word = kind};
  ls_loader_options options = {.data = &data, .seed = 1, .batch = 64, .microbatch = 32};
  assert_int_equal(ls_source_open(&source, where, 0), LS_OK);
  assert_int_equal(ls_loader_new(&loader, comm, source, &options), LS_OK);
  ls_status status = ls_normalization_find(out, comm, loader, &data, channels);
  ls_loader_free(loader);
  ls_source_close(source);
  return status;
}

/* Images of one pixel, which is the sample's number. */
static ls_normalization find_numbers(ls_comm *comm, size_t count, int kind)
{
  idx_folder folder;
  ls_normalization found;
  idx_folder_make(&folder, 1, count, 1);
  assert_int_equal(find(comm, folder.path, kind, 1, &found), LS_OK);
  idx_folder_remove(&folder);
  return found;
}

static void statistics_by_hand(void **state)
{
  ls_normalization found = find_numbers(*state, 5, LS_NORMALIZE_STANDARD); /* pixels 0, 1, 2, 3, 4 */
  assert_int_equal(found.channels, 1);
  assert_true(found.mean[0] == 2.0);
  assert_true(fabs(found.deviation[0] - sqrt(2.0)) < 1e-15); /* the population's: divided by 5, not by 4 */
}

static void a_constant_channel_gets_deviation_one(void **state)
{
  ls_normalization found = find_numbers(*state, 1, LS_NORMALIZE_STANDARD);
  assert_true(found.mean[0] == 0.0);
  assert_true(found.deviation[0] == 1.0);
}

static void unit_and_none_do_not_look_at_the_data(void **state)
{
  ls_normalization unit = find_numbers(*state, 5, LS_NORMALIZE_UNIT);
  ls_normalization none = find_numbers(*state, 5, LS_NORMALIZE_NONE);
  assert_true(unit.mean[0] == 0.0 && unit.deviation[0] == 255.0);
  assert_true(none.mean[0] == 0.0 && none.deviation[0] == 1.0);
}

/* Find a normalization by given values, which needs neither samples nor ranks. */
static ls_normalization find_given(ls_normalize_values *values, size_t channels)
{
  ls_normalization found;
  const ls_spec_data data = {.normalize = {.word = -1, .options = values}};
  assert_false(ls_normalization_needs_samples(&data));
  assert_int_equal(ls_normalization_find(&found, NULL, NULL, &data, channels), LS_OK);
  assert_int_equal(found.channels, channels);
  return found;
}

/* From 0 to 1, as PyTorch's transforms.Normalize takes them. */
static void a_given_mean_and_deviation_are_taken(void **state)
{
  (void)state;
  double means[] = {0.2, 0.4}, deviations[] = {0.6, 1.0};
  ls_normalize_values values = {.mean = {.items = means, .count = 2},
                                .deviation = {.items = deviations, .count = 2}};
  const ls_normalization found = find_given(&values, 2);
  assert_true(fabs(found.mean[0] - 51) < 1e-12 && fabs(found.mean[1] - 102) < 1e-12);
  assert_true(fabs(found.deviation[0] - 153) < 1e-12 && fabs(found.deviation[1] - 255) < 1e-12);
}

/* pixel / 256, and Caffe's: pixels from 0 to 255 less a mean in their unit. */
static void a_given_scale_is_of_the_pixels(void **state)
{
  (void)state;
  double means[] = {104, 117, 123.5};
  ls_normalize_values by_256 = {.scale = {.word = -1, .real = 0.00390625}};
  ls_normalize_values caffes = {.scale = {.word = -1, .real = 1}, .mean = {.items = means, .count = 3}};
  const ls_normalization halves = find_given(&by_256, 1), less = find_given(&caffes, 3);
  assert_true(halves.mean[0] == 0.0 && halves.deviation[0] == 256.0);
  assert_true(less.mean[0] == 104.0 && less.mean[2] == 123.5 && less.deviation[1] == 1.0);
}

/* pixel / 127.5 - 1, as Keras has it in its mode "tf". */
static void one_given_value_is_that_of_all_channels(void **state)
{
  (void)state;
  double half[] = {0.5};
  ls_normalize_values values = {.mean = {.items = half, .count = 1},
                                .deviation = {.items = half, .count = 1}};
  const ls_normalization found = find_given(&values, 3);
  assert_true(found.mean[2] == 127.5 && found.deviation[2] == 127.5);
}

static void as_many_values_as_channels_are_needed(void **state)
{
  (void)state;
  double halves[] = {0.5, 0.5};
  ls_normalize_values values = {.deviation = {.items = halves, .count = 2}};
  const ls_spec_data data = {.normalize = {.word = -1, .options = &values}};
  assert_int_equal(ls_normalization_check(&data, 2), LS_OK);
  assert_int_equal(ls_normalization_check(&data, 3), LS_E_CONFIG);
  assert_non_null(
      strstr(ls_error_last()->text, "data.normalize.deviation: 2 values, but the images have 3 channels"));
}

static void too_many_channels_are_refused(void **state)
{
  idx_folder folder;
  ls_normalization found;
  idx_folder_make(&folder, 17, 3, 1);
  assert_int_equal(find(*state, folder.path, LS_NORMALIZE_STANDARD, 17, &found), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "17 channels"));
  idx_folder_remove(&folder);
}

/* The statistics of a real dataset in the first folder of LOCKSTEP_DATA_PATH; the test is skipped without it.
 */
static ls_normalization find_real(ls_comm *comm, const char *name, size_t channels)
{
  const char *root = getenv("LOCKSTEP_DATA_PATH");
  char path[512] = "";
  if (root) snprintf(path, sizeof path, "%.*s/%s", (int)strcspn(root, ":"), root, name);
  if (!root || access(path, R_OK) != 0) {
    print_message("skipped: no %s in the first folder of LOCKSTEP_DATA_PATH\n", name);
    skip();
  }
  ls_normalization found;
  assert_int_equal(find(comm, path, LS_NORMALIZE_STANDARD, channels, &found), LS_OK);
  return found;
}

/* 0.1307 and 0.3081 are the constants of PyTorch's MNIST example. */
static void mnist_has_its_published_statistics(void **state)
{
  ls_normalization found = find_real(*state, "mnist", 1);
  assert_true(fabs(found.mean[0] / 255.0 - 0.1307) < 5e-5); /* half a unit of the last published digit */
  assert_true(fabs(found.deviation[0] / 255.0 - 0.3081) < 5e-5);
}

/* The usual constants, of all 50,000 images. Those of 10,000 of them differ by their standard error, about
 * 0.0012 (image means scatter by 0.12); channels in a wrong order would differ by 0.009 and more. */
static void cifar10_channels_come_in_their_order(void **state)
{
  const double means[3] = {0.4914, 0.4822, 0.4465};
  const double deviations[3] = {0.2470, 0.2435, 0.2616};
  ls_normalization found = find_real(*state, "cifar10-small", 3);
  for (size_t c = 0; c < 3; c++) {
    assert_true(fabs(found.mean[c] / 255.0 - means[c]) < 0.004);
    assert_true(fabs(found.deviation[c] / 255.0 - deviations[c]) < 0.004);
  }
}

/* What apply() may differ from exact arithmetic: a few roundings at the size of the largest value. */
static double tolerance(const ls_normalization *normalization, size_t c)
{
  return 1e-6 * 255.0 / normalization->deviation[c];
}

static void check_apply(const ls_normalization *normalization, size_t n, size_t pixels)
{
  const size_t channels = normalization->channels;
  const size_t count = n * channels * pixels;
  uint8_t *images = malloc(count);
  float *x = malloc(count * sizeof *x);
  assert_non_null(images);
  assert_non_null(x);
  for (size_t i = 0; i < count; i++) images[i] = (uint8_t)(i * 37 + i / 256);
  ls_normalization_apply(normalization, images, n, pixels, x);
  for (size_t i = 0; i < count; i++) { /* i walks x: [n, pixels, channels] */
    size_t c = i % channels;
    size_t pixel = i / channels % pixels;
    double from = images[(i / (channels * pixels) * channels + c) * pixels + pixel];
    double expected = (from - normalization->mean[c]) / normalization->deviation[c];
    assert_true(fabs((double)x[i] - expected) <= tolerance(normalization, c));
  }
  free(images);
  free(x);
}

static void pixels_become_normalized_channels_last(void **state)
{
  (void)state;
  const ls_normalization kinds[] = {
      {.channels = 1, .mean = {0.0}, .deviation = {255.0}},
      {.channels = 1, .mean = {33.318}, .deviation = {78.567}},
      {.channels = 3, .mean = {125.3, 123.0, 113.9}, .deviation = {63.0, 62.1, 66.7}},
      {.channels = 4, .mean = {0.0, 10.0, 20.0, 30.0}, .deviation = {1.0, 2.0, 3.0, 0.5}},
  };
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    check_apply(&kinds[k], 1, 1);
    check_apply(&kinds[k], 3, 35);
    check_apply(&kinds[k], 32, 784);
  }
}

static void none_gives_the_pixels_themselves(void **state)
{
  (void)state;
  const ls_normalization none = {.channels = 1, .mean = {0.0}, .deviation = {1.0}};
  uint8_t images[256];
  float x[256];
  for (size_t i = 0; i < 256; i++) images[i] = (uint8_t)i;
  ls_normalization_apply(&none, images, 4, 64, x);
  for (size_t i = 0; i < 256; i++) assert_true(x[i] == (float)i);
}

int main(int argc, char **argv)
{
  ls_comm *comm;
  if (ls_comm_start(&comm, &argc, &argv) != LS_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(statistics_by_hand, comm),
      cmocka_unit_test_prestate(a_constant_channel_gets_deviation_one, comm),
      cmocka_unit_test_prestate(unit_and_none_do_not_look_at_the_data, comm),
      cmocka_unit_test(a_given_mean_and_deviation_are_taken),
      cmocka_unit_test(a_given_scale_is_of_the_pixels),
      cmocka_unit_test(one_given_value_is_that_of_all_channels),
      cmocka_unit_test(as_many_values_as_channels_are_needed),
      cmocka_unit_test_prestate(too_many_channels_are_refused, comm),
      cmocka_unit_test_prestate(mnist_has_its_published_statistics, comm),
      cmocka_unit_test_prestate(cifar10_channels_come_in_their_order, comm),
      cmocka_unit_test(pixels_become_normalized_channels_last),
      cmocka_unit_test(none_gives_the_pixels_themselves),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  ls_comm_finish(comm);
  return failed;
}
