/* SPDX-License-Identifier: BSD-3-Clause */
/* Labels of HDF5 datasets: by their type and shape they are classes, several labels, or numbers; they are
 * read, counted, written back, and refused where they are none of these, or not what a loss takes. */
#include "files.h"

#include <hdf5.h>
#include <math.h>

#include "data/readers/h5set_write.h"
#include "data/survey.h"

enum { TRAIN = 6, TEST = 2 };

/* Labels as they lie in a file. */
typedef struct labels {
  hid_t type; /* in the file */
  int rank;
  hsize_t columns;
  const float *values; /* [TRAIN + TEST, columns] */
} labels;

static void put_array(hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                      hid_t memory_type, const void *data)
{
  hid_t space = H5Screate_simple(rank, shape, NULL);
  hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
}

static void put_split(hid_t file, const char *name, hsize_t first, hsize_t count, const labels *its)
{
  static const uint8_t images[TRAIN * 4] = {1, 2, 3};
  hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  put_array(group, "images", H5T_STD_U8LE, 4, (const hsize_t[]){count, 1, 2, 2}, H5T_NATIVE_UINT8, images);
  put_array(group, "labels", its->type, its->rank, (const hsize_t[]){count, its->columns, 1},
            H5T_NATIVE_FLOAT, its->values + first * its->columns);
  H5Gclose(group);
}

static void make(const char *path, const labels *train, const labels *test)
{
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put_split(file, "train", 0, TRAIN, train);
  put_split(file, "test", TRAIN, TEST, test);
  H5Fclose(file);
}

/* The same in both splits. */
static void make_alike(const char *path, hid_t type, int rank, hsize_t columns, const float *values)
{
  const labels both = {type, rank, columns, values};
  make(path, &both, &both);
}

static const float flags[] = {1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0};
static const float numbers[] = {0.5F, -1, 2.25F, 1e6F, 0, 7, 3, 1, -8, 0.125F, 6, 5, 2, 1, 4, -3};

static void labels_have_a_form(void **state)
{
  (void)state;
  const struct {
    hid_t type;
    int rank;
    hsize_t columns;
    const float *values;
    ls_label_form form;
    size_t classes;
  } cases[] = {
      {H5T_STD_U8LE, 1, 1, flags, LS_LABELS_CLASS, 2},
      {H5T_STD_U16BE, 1, 1, flags, LS_LABELS_CLASS, 2},
      {H5T_STD_U8LE, 2, 3, flags, LS_LABELS_SEVERAL, 3},
      {H5T_STD_U8LE, 2, 1, flags, LS_LABELS_SEVERAL, 1},
      {H5T_IEEE_F32LE, 2, 2, numbers, LS_LABELS_VALUES, 2},
      {H5T_IEEE_F64BE, 1, 1, numbers, LS_LABELS_VALUES, 1},
      {H5T_IEEE_F32LE, 2, 3, flags, LS_LABELS_VALUES, 3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_alike("f.h5", cases[i].type, cases[i].rank, cases[i].columns, cases[i].values);
    ls_source *source = open_good("f.h5");
    assert_int_equal(ls_source_info(source)->labels, cases[i].form);
    assert_int_equal(ls_source_info(source)->classes, cases[i].classes);
    const float *train = ls_source_values(source, LS_SPLIT_TRAIN);
    const float *test = ls_source_values(source, LS_SPLIT_TEST);
    const size_t columns = cases[i].columns;
    assert_int_equal(train == NULL, cases[i].form == LS_LABELS_CLASS);
    if (train) {
      assert_memory_equal(train, cases[i].values, TRAIN * columns * sizeof(float));
      assert_memory_equal(test, cases[i].values + TRAIN * columns, TEST * columns * sizeof(float));
    }
    ls_source_close(source);
  }
}

static void they_are_counted_and_written_back(void **state)
{
  (void)state;
  ls_survey surveys[2];
  make_alike("s.h5", H5T_STD_U8LE, 2, 3, flags);
  ls_source *source = open_good("s.h5");
  ls_text missing = {0};
  assert_int_equal(ls_source_empty_classes(source, LS_SPLIT_TRAIN, &missing), LS_OK);
  assert_string_equal(ls_text_get(&missing), ""); /* the third is in the last training sample alone */
  assert_int_equal(ls_source_empty_classes(source, LS_SPLIT_TEST, &missing), LS_OK);
  assert_string_equal(ls_text_get(&missing), "1, 2");
  ls_text_fini(&missing);
  assert_int_equal(ls_h5set_write("back.h5", source, NULL), LS_OK);
  assert_int_equal(ls_survey_make(&surveys[0], source, NULL), LS_OK);
  assert_memory_equal(surveys[0].splits[LS_SPLIT_TRAIN].per_class, ((const size_t[]){4, 2, 1}),
                      3 * sizeof(size_t));
  assert_null(surveys[0].splits[LS_SPLIT_TRAIN].values);
  ls_source_close(source);
  source = open_good("back.h5");
  assert_int_equal(ls_source_info(source)->labels, LS_LABELS_SEVERAL);
  assert_int_equal(ls_survey_make(&surveys[1], source, NULL), LS_OK);
  assert_string_equal(surveys[0].digest, surveys[1].digest);
  ls_source_close(source);
  for (size_t i = 0; i < 2; i++) ls_survey_fini(&surveys[i]);
}

static void numbers_are_surveyed(void **state)
{
  (void)state;
  ls_survey survey;
  char digests[2][LS_DIGEST_CHARS];
  make_alike("n.h5", H5T_IEEE_F32LE, 2, 2, numbers);
  ls_source *source = open_good("n.h5");
  assert_int_equal(ls_survey_make(&survey, source, NULL), LS_OK);
  const ls_value_survey *first = &survey.splits[LS_SPLIT_TEST].values[0];
  assert_true(first->least == 2 && first->most == 4 && first->mean == 3 && first->deviation == 1);
  ls_source_labels_digest(source, LS_SPLIT_TRAIN, digests[0]);
  ls_survey_fini(&survey);
  ls_source_close(source);
  float others[sizeof numbers / sizeof *numbers];
  memcpy(others, numbers, sizeof others);
  others[3] = -others[3];
  make_alike("n.h5", H5T_IEEE_F32LE, 2, 2, others);
  source = open_good("n.h5");
  ls_source_labels_digest(source, LS_SPLIT_TRAIN, digests[1]);
  assert_string_not_equal(digests[0], digests[1]);
  ls_source_close(source);
}

static void what_is_no_label_is_refused(void **state)
{
  (void)state;
  float bad[sizeof flags / sizeof *flags];
  memcpy(bad, flags, sizeof bad);
  bad[7] = 2;
  make_alike("b.h5", H5T_STD_U8LE, 2, 3, bad);
  assert_refused("b.h5", "'b.h5': /train/labels, sample 2, column 1: 2 found, expected 0 or 1",
                 "labels.ravel()");
  bad[7] = NAN;
  make_alike("b.h5", H5T_IEEE_F32LE, 2, 3, bad);
  assert_refused("b.h5", "/train/labels, sample 2, column 1: nan found", "finite numbers");
  make_alike("b.h5", H5T_STD_I64LE, 2, 3, flags);
  assert_refused("b.h5", "/train/labels has the wrong type, int64", "expected uint8, 0 or 1 for each label");
  make_alike("b.h5", H5T_IEEE_F32LE, 3, 3, flags);
  assert_refused("b.h5", "/train/labels has 3 dimensions (6x3x1)", "expected 1 or 2: samples, values");
  make_alike("b.h5", H5T_STD_U8LE, 3, 3, flags);
  assert_refused("b.h5", "/train/labels has 3 dimensions (6x3x1)", "[samples, labels]");
  const labels train = {H5T_STD_U8LE, 2, 3, flags}, narrow = {H5T_STD_U8LE, 2, 2, flags};
  const labels test = {H5T_IEEE_F32LE, 2, 3, flags};
  make("b.h5", &train, &test);
  assert_refused("b.h5", "/test/labels is of another type or shape", "training split");
  make("b.h5", &train, &narrow);
  assert_refused("b.h5", "/test/labels has 2 columns", "the training split says 3");
  make_alike("b.h5", H5T_STD_U8LE, 2, 3, flags);
  assert_refused_as("b.h5", (ls_reading){.classes = 4}, "has 3 labels or values for each image, not 4",
                    "data.classes");
  assert_refused_as("b.h5", first_label(1), "data.first_label", "no classes");
}

/* Numbers that are all 0 or 1 may stand for several labels; nothing else for anything else. */
static void losses_take_labels_of_their_form(void **state)
{
  (void)state;
  const struct {
    hid_t type;
    int rank;
    hsize_t columns;
    const float *values;
    bool fits[3]; /* by ls_label_form */
  } cases[] = {
      {H5T_STD_U8LE, 1, 1, flags, {true, false, false}},
      {H5T_STD_U8LE, 2, 3, flags, {false, true, false}},
      {H5T_IEEE_F32LE, 2, 3, flags, {false, true, true}},
      {H5T_IEEE_F32LE, 2, 2, numbers, {false, false, true}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_alike("l.h5", cases[i].type, cases[i].rank, cases[i].columns, cases[i].values);
    ls_source *source = open_good("l.h5");
    for (size_t form = 0; form < 3; form++)
      assert_int_equal(ls_source_check_labels(source, (ls_label_form)form),
                       cases[i].fits[form] ? LS_OK : LS_E_INPUT);
    ls_source_close(source);
  }
  assert_says("it is for images that have several labels, 0 or 1 each, but those of 'l' have numbers");
  assert_says("uint8 [N, labels]");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_have_a_form),
      cmocka_unit_test(they_are_counted_and_written_back),
      cmocka_unit_test(numbers_are_surveyed),
      cmocka_unit_test(what_is_no_label_is_refused),
      cmocka_unit_test(losses_take_labels_of_their_form),
  };
  return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
