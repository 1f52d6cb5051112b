/* SPDX-License-Identifier: BSD-3-Clause */
/* The survey: exact numbers on a dataset small enough to reckon by hand, and the published ones on MNIST. */
#include "files.h"

#include <math.h>

#include "data/survey.h"

static void make_dataset(unsigned last_pixel, unsigned last_label)
{
  const uint32_t shape[] = {2, 1, 2};
  const uint32_t count = 2;
  bytes images = idx_header(3, shape);
  bytes labels = idx_header(1, &count);
  put(&images, "\x00\x0a\x14", 3);
  put_byte(&images, last_pixel);
  put_byte(&labels, 0);
  put_byte(&labels, last_label);
  mkdir("d", 0777);
  write_plain("d/train-images-idx3-ubyte", &images);
  write_plain("d/train-labels-idx1-ubyte", &labels);
}

static ls_survey survey_of(const char *where)
{
  ls_survey survey;
  ls_source *source = open_good(where);
  assert_int_equal(ls_survey_make(&survey, source, NULL), LS_OK);
  ls_source_close(source);
  return survey;
}

static void numbers_are_exact(void **state)
{
  (void)state;
  make_dataset(30, 1);
  ls_survey survey = survey_of("d"); /* 0 10 20 30 */
  assert_true(survey.splits[LS_SPLIT_TRAIN].mean[0] == 15.0);
  assert_true(survey.splits[LS_SPLIT_TRAIN].deviation[0] == sqrt(125.0));
  assert_int_equal(survey.splits[LS_SPLIT_TRAIN].per_class[0], 1);
  assert_int_equal(survey.splits[LS_SPLIT_TRAIN].per_class[1], 1);
  assert_int_equal(survey.splits[LS_SPLIT_TEST].per_class[0], 0);
  ls_survey_fini(&survey);
}

/* Bright pixels, whose squares are large beside their variance; 254 255 255 have 2/9. */
static void a_small_deviation_is_exact(void **state)
{
  (void)state;
  const uint32_t shape[] = {3, 1, 1};
  bytes images = idx_header(3, shape);
  bytes labels = idx_header(1, shape);
  put(&images, "\xfe\xff\xff", 3);
  put(&labels, "\0\1\0", 3);
  mkdir("d", 0777);
  write_plain("d/train-images-idx3-ubyte", &images);
  write_plain("d/train-labels-idx1-ubyte", &labels);
  ls_survey survey = survey_of("d");
  assert_true(survey.splits[LS_SPLIT_TRAIN].deviation[0] == sqrt(2.0) / 3);
  ls_survey_fini(&survey);
}

/* One bit of a pixel or of a label makes another digest. */
static void the_digest_covers_images_and_labels(void **state)
{
  (void)state;
  char digests[3][LS_DIGEST_CHARS];
  static const unsigned contents[3][2] = {{30, 1}, {31, 1}, {30, 0}};
  for (size_t i = 0; i < 3; i++) {
    make_dataset(contents[i][0], contents[i][1]);
    ls_survey survey = survey_of("d");
    memcpy(digests[i], survey.digest, sizeof digests[i]);
    ls_survey_fini(&survey);
  }
  assert_string_not_equal(digests[0], digests[1]);
  assert_string_not_equal(digests[0], digests[2]);
  assert_string_not_equal(digests[1], digests[2]);
}

static void mnist_has_the_published_mean_and_deviation(void **state)
{
  (void)state;
  ls_survey survey = survey_of(real_data("mnist"));
  assert_true(fabs(survey.splits[LS_SPLIT_TRAIN].mean[0] / 255 - 0.1307) < 0.00005);
  assert_true(fabs(survey.splits[LS_SPLIT_TRAIN].deviation[0] / 255 - 0.3081) < 0.00005);
  ls_survey_fini(&survey);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(numbers_are_exact),
      IN_FOLDER(a_small_deviation_is_exact),
      IN_FOLDER(the_digest_covers_images_and_labels),
      cmocka_unit_test(mnist_has_the_published_mean_and_deviation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
