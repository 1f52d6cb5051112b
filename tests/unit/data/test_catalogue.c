/* SPDX-License-Identifier: BSD-3-Clause */
/* Datasets asked for by name: where they are looked for, and what the catalogue knows of them. */
#include "files.h"

#include "data/catalogue.h"
#include "data/readers/h5set_write.h"

static int enter_path(void **state)
{
  return enter_folder(state) == 0 ? setenv("LOCKSTEP_DATA_PATH", "first::second", 1) : -1;
}

static int leave_path(void **state)
{
  unsetenv("LOCKSTEP_DATA_PATH");
  return leave_folder(state);
}

/* Four IDX files with names that begin with `prefix`. */
static void make_idx(const char *folder, const char *prefix, unsigned first_label)
{
  static const char *const splits[] = {"train", "test"};
  mkdir(folder, 0777);
  for (size_t i = 0; i < 2; i++) {
    char path[256];
    const bytes images = idx_images(4, 2, 3);
    bytes labels = idx_labels(4, 2);
    for (size_t k = 8; k < labels.count; k++) labels.data[k] = (unsigned char)(labels.data[k] + first_label);
    snprintf(path, sizeof path, "%s/%s%s-images", folder, prefix, splits[i]);
    write_plain(path, &images);
    snprintf(path, sizeof path, "%s/%s%s-labels", folder, prefix, splits[i]);
    write_plain(path, &labels);
  }
}

static void rows_make_sense(void **state)
{
  (void)state;
  for (const ls_catalogue_entry *entry = ls_catalogue; entry->name; entry++) {
    assert_ptr_equal(ls_catalogue_find(entry->name), entry);
    assert_non_null(entry->doc);
    assert_non_null(entry->prefix);
    assert_non_null(entry->folders[0]);
    assert_true(entry->classes >= 10);
    for (size_t k = 0; entry->class_names && k < entry->classes; k++) {
      assert_true(strlen(entry->class_names[k]) > 0);
      assert_true(strlen(entry->class_names[k]) < LS_CLASS_NAME_BYTES);
    }
  }
  assert_int_equal(ls_catalogue_find("emnist-balanced")->classes, 47);
  assert_int_equal(ls_catalogue_find("emnist-bymerge")->classes, 47);
  assert_int_equal(ls_catalogue_find("emnist-byclass")->classes, 62);
  assert_int_equal(ls_catalogue_find("emnist-letters")->classes, 26);
  assert_string_equal(ls_catalogue_find("fashion-mnist")->class_names[9], "Ankle boot");
  assert_null(ls_catalogue_find("imagenet"));
}

static void the_path_is_searched_in_order(void **state)
{
  (void)state;
  mkdir("second", 0777);
  make_idx("second/mnist", "", 0);
  ls_source *source = open_good("mnist");
  assert_string_equal(ls_source_info(source)->name, "mnist");
  assert_int_equal(ls_source_info(source)->classes, 10); /* as the catalogue says, not the labels */
  assert_int_equal(ls_source_info(source)->width, 3);
  ls_source_close(source);
  mkdir("first", 0777);
  mkdir("first/mnist", 0777);
  assert_refused("mnist", "folder 'first/mnist' holds neither", "no files");
}

static void an_import_is_found_beside(void **state)
{
  (void)state;
  mkdir("first", 0777);
  make_idx("mine", "", 0);
  ls_source *source = open_good("mine");
  assert_int_equal(ls_h5set_write("first/kmnist.h5", source, NULL), LS_OK);
  ls_source_close(source);
  source = open_good("kmnist");
  assert_string_equal(ls_source_info(source)->format, "HDF5");
  ls_source_close(source);
}

static void any_name_is_searched_for(void **state)
{
  (void)state;
  mkdir("second", 0777);
  make_idx("second/mine", "", 0);
  ls_source *source = open_good("mine");
  assert_string_equal(ls_source_info(source)->name, "mine");
  assert_int_equal(ls_source_info(source)->classes, 2);
  ls_source_close(source);
}

static void both_splits_must_be_there(void **state)
{
  (void)state;
  mkdir("first", 0777);
  make_idx("first/mnist", "", 0);
  unlink("first/mnist/test-images");
  unlink("first/mnist/test-labels");
  assert_refused("mnist", "the test images and labels are missing", "found: 'train-images', 'train-labels'");
}

static void absent_datasets_tell_where_they_were_looked_for(void **state)
{
  (void)state;
  assert_refused(
      "kmnist",
      "cannot find dataset 'kmnist': looked for 'first/kmnist', 'first/kmnist.h5', 'second/kmnist', "
      "'second/kmnist.h5', 'data/kmnist', 'data/kmnist.h5', '/usr/share/datasets/kmnist'",
      "get it by `data/fetch.sh kmnist`, or set LOCKSTEP_DATA_PATH");
  assert_refused("minst", "cannot find dataset 'minst'",
                 "known by name: mnist, fashion-mnist, kmnist, emnist-balanced");
}

/* The folder holds all splits; a name picks its files. */
static void emnist_is_transposed_and_renumbered(void **state)
{
  (void)state;
  mkdir("first", 0777);
  make_idx("first/emnist", "emnist-letters-", 1);
  make_idx("first/emnist", "emnist-digits-", 0);
  ls_source *source = open_good("emnist-letters");
  const ls_dataset_info *info = ls_source_info(source);
  assert_int_equal(info->classes, 26);
  assert_string_equal(info->class_names[0], "A");
  assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[0], 0);
  assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[1], 1);
  assert_int_equal(info->height, 3);
  assert_int_equal(info->width, 2);
  uint8_t images[2 * 6];
  assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, 1, 2, images), LS_OK);
  for (size_t i = 0; i < 2; i++)
    for (size_t y = 0; y < 3; y++)
      for (size_t x = 0; x < 2; x++) assert_int_equal(images[i * 6 + y * 2 + x], pixel_of(1 + i, x * 3 + y));
  ls_source_close(source);
  source = open_good("emnist-digits");
  assert_int_equal(ls_source_info(source)->classes, 10);
  ls_source_close(source);
  make_idx("first/emnist", "emnist-letters-", 0);
  assert_refused("emnist-letters", "'first/emnist/emnist-letters-train-labels', label 1 of 4: label 0 found",
                 "start with 1");
}

/* The same wherever they lie, and once imported. */
static void emnist_is_known_by_its_files(void **state)
{
  (void)state;
  mkdir("first", 0777);
  make_idx("first/emnist", "emnist-letters-", 1);
  make_idx("anywhere", "emnist-letters-", 1);
  ls_source *by_name = open_good("emnist-letters"), *by_path = open_good("anywhere");
  assert_int_equal(ls_h5set_write("mine.h5", by_path, NULL), LS_OK);
  ls_source *imported = open_good("mine.h5");
  ls_source *const others[] = {by_path, imported};
  for (size_t k = 0; k < 2; k++) {
    const ls_dataset_info *info = ls_source_info(others[k]);
    uint8_t images[2][4 * 6];
    assert_string_equal(info->name, "emnist-letters");
    assert_int_equal(info->classes, 26);
    assert_string_equal(info->class_names[25], "Z");
    assert_int_equal(info->first_label, others[k] == by_path);
    assert_int_equal(info->is_transposed, others[k] == by_path);
    assert_memory_equal(ls_source_labels(others[k], LS_SPLIT_TEST), ls_source_labels(by_name, LS_SPLIT_TEST),
                        4 * sizeof(uint16_t));
    assert_int_equal(ls_source_read_images(by_name, LS_SPLIT_TEST, 0, 4, images[0]), LS_OK);
    assert_int_equal(ls_source_read_images(others[k], LS_SPLIT_TEST, 0, 4, images[1]), LS_OK);
    assert_memory_equal(images[0], images[1], sizeof images[0]);
    ls_source_close(others[k]);
  }
  ls_source_close(by_name);
}

/* What is known better holds. */
static void keys_come_before_names(void **state)
{
  (void)state;
  make_idx("d", "emnist-letters-", 0);
  ls_reading reading = first_label(0);
  reading.transpose = LS_TRANSPOSE_FALSE;
  ls_source *source = open_as("d", reading);
  assert_false(ls_source_info(source)->is_transposed);
  assert_int_equal(ls_source_info(source)->height, 2);
  assert_int_equal(ls_source_info(source)->first_label, 0);
  assert_int_equal(ls_source_info(source)->classes, 26);
  assert_int_equal(ls_h5set_write("d.h5", source, NULL), LS_OK);
  ls_source_close(source);
  assert_refused_as("d.h5", (ls_reading){.transpose = LS_TRANSPOSE_TRUE}, "data.transpose: 'd' is HDF5",
                    "the key is for IDX files");
  assert_refused_as("d.h5", first_label(1), "data.first_label:", "(HDF5) says itself that it has 26 classes");
  reading = first_label(0); /* as it says itself */
  reading.transpose = LS_TRANSPOSE_FALSE;
  ls_source_close(open_as("d.h5", reading));
}

static void two_datasets_in_a_folder_are_named(void **state)
{
  (void)state;
  make_idx("d", "emnist-letters-", 1);
  make_idx("d", "emnist-digits-", 0);
  assert_refused("d", "IDX folder 'd' holds files of emnist-digits, emnist-letters, such as",
                 "as in data.source=d/emnist-digits");
  ls_source *source = open_good("d/emnist-letters");
  assert_int_equal(ls_source_info(source)->classes, 26);
  assert_true(ls_source_info(source)->is_transposed);
  ls_source_close(source);
  assert_refused("d/emnist-letters-train-images", "is one of the files of a dataset: name their folder, 'd/'",
                 "in common, d/emnist-letters");
  make_idx("e", "emnist-mnist-", 0);
  make_idx("e", "", 0);
  assert_refused("e", "holds files of emnist-mnist and others", "data.source=e/emnist-mnist");
  mkdir("first", 0777);
  make_idx("first/mnist", "emnist-mnist-", 0);
  assert_refused("mnist",
                 "mnist was asked for, but 'first/mnist/emnist-mnist-test-images' is of emnist-mnist", "");
}

static void debian_fashion_mnist_is_found(void **state)
{
  (void)state;
  if (access("/usr/share/datasets/fashion-mnist", R_OK) != 0) {
    print_message("dataset-fashion-mnist is not installed\n");
    skip();
  }
  static const size_t train[10] = {6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000};
  ls_source *source = open_good("fashion-mnist");
  assert_string_equal(ls_source_info(source)->class_names[0], "T-shirt/top");
  assert_class_counts(source, LS_SPLIT_TRAIN, train);
  ls_source_close(source);
}

#define IN_PATH(test) cmocka_unit_test_setup_teardown(test, enter_path, leave_path)

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_make_sense),
      IN_PATH(the_path_is_searched_in_order),
      IN_PATH(an_import_is_found_beside),
      IN_PATH(any_name_is_searched_for),
      IN_PATH(both_splits_must_be_there),
      IN_PATH(absent_datasets_tell_where_they_were_looked_for),
      IN_PATH(emnist_is_transposed_and_renumbered),
      IN_PATH(emnist_is_known_by_its_files),
      IN_PATH(keys_come_before_names),
      IN_PATH(two_datasets_in_a_folder_are_named),
      IN_PATH(debian_fashion_mnist_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
