/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of CIFAR-10's binary version: several batches, plain and gzip, in the order of their numbers. */
#include "files.h"

enum { IMAGE = 3072, RECORD = 1 + IMAGE, FIRST = 5, TENTH = 3, TEST = 2 };

/* Records whose label and pixels show their number. */
static bytes records(size_t first, size_t count)
{
  bytes out = {.count = 0};
  for (size_t i = first; i < first + count; i++) {
    put_byte(&out, (unsigned)i % 10);
    for (size_t p = 0; p < IMAGE; p++) put_byte(&out, pixel_of(i, p));
  }
  return out;
}

static void make_dataset(void)
{
  const bytes tenth = records(FIRST, TENTH);
  const bytes first = records(0, FIRST);
  const bytes test = records(100, TEST);
  assert_int_equal(mkdir("d", 0777), 0);
  write_plain("d/data_batch_10.bin", &tenth); /* after data_batch_2, though '1' sorts before '2' */
  write_gzip("d/data_batch_2.bin.gz", &first);
  write_plain("d/test_batch.bin", &test);
}

static void batches_are_read_in_the_order_of_their_numbers(void **state)
{
  (void)state;
  make_dataset();
  ls_source *source = open_good("d");
  const ls_dataset_info *info = ls_source_info(source);
  assert_string_equal(info->format, "CIFAR-10 binary");
  assert_string_equal(info->name, "d");
  assert_int_equal(info->channels, 3);
  assert_int_equal(info->height, 32);
  assert_int_equal(info->width, 32);
  assert_int_equal(info->classes, 10);
  assert_null(info->class_names);
  assert_int_equal(info->count[LS_SPLIT_TRAIN], FIRST + TENTH);
  assert_int_equal(info->count[LS_SPLIT_TEST], TEST);
  for (size_t i = 0; i < FIRST + TENTH; i++)
    assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[i], i % 10);
  static uint8_t images[(FIRST + TENTH) * IMAGE];
  for (size_t first = 0; first < FIRST + TENTH; first++) { /* also across the files */
    const size_t count = FIRST + TENTH - first;
    assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, first, count, images), LS_OK);
    for (size_t i = 0; i < count; i++)
      for (size_t p = 0; p < IMAGE; p++) assert_int_equal(images[i * IMAGE + p], pixel_of(first + i, p));
  }
  ls_source_close(source);
}

/* What a browser, a file manager or an unfinished download leaves is never read, nor passed over. */
static void copies_are_refused(void **state)
{
  (void)state;
  static const char *const copies[] = {
      "data_batch_2 (1).bin",  "data_batch_2 copy.bin",       "Copy of data_batch_2.bin",
      "data_batch_2.bin.part", "data_batch_2.bin~",           "data_batch_02.bin",
      "data_batch_.bin",       "data_batch_2.bin.crdownload", "test_batch (1).bin.gz",
      "Data_Batch_3.bin",      "data_batch_12345.bin"};
  make_dataset();
  const bytes first = records(0, FIRST);
  for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
    char path[256];
    snprintf(path, sizeof path, "d/%s", copies[i]);
    write_plain(path, &first);
    assert_refused("d", path,
                   "looks like a batch of CIFAR-10, or a copy of one: batches are called data_batch_N.bin");
    unlink(path);
  }
  write_file("d/data_batch_2.bin.gz.sha256", "0123  data_batch_2.bin.gz\n", 26);
  ls_source *source = open_good("d");
  assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TRAIN], FIRST + TENTH);
  ls_source_close(source);
  write_plain("d/data_batch.bin", &first);
  assert_refused("d", "both 'data_batch.bin' and 'data_batch_2.bin.gz' hold the train split", "");
}

static void twins_must_be_the_same(void **state)
{
  (void)state;
  make_dataset();
  bytes first = records(0, FIRST);
  write_plain("d/data_batch_2.bin", &first);
  ls_source *source = open_good("d");
  assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TRAIN], FIRST + TENTH);
  ls_source_close(source);
  first.data[RECORD + 7] ^= 1;
  write_plain("d/data_batch_2.bin", &first);
  assert_refused("d", "'d/data_batch_2.bin' and 'd/data_batch_2.bin.gz' lie side by side", "they differ");
}

static void missing_batches_are_reported(void **state)
{
  (void)state;
  make_dataset();
  ls_source *source = open_good("d");
  const char *notes = ls_text_get(ls_source_notes(source));
  if (!strstr(notes, "data_batch_1, data_batch_3, data_batch_4") ||
      !strstr(notes, "data_batch_9 are missing: it has 2 of 10"))
    fail_msg("%s", notes);
  ls_source_close(source);
  rename("d/data_batch_10.bin", "d/data_batch_1.bin");
  source = open_good("d");
  assert_string_equal(ls_text_get(ls_source_notes(source)), "");
  ls_source_close(source);
}

static void class_names_are_read_when_present(void **state)
{
  (void)state;
  make_dataset();
  static const char names[] = "airplane\nautomobile\r\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  write_file("d/batches.meta.txt", names, sizeof names - 1);
  ls_source *source = open_good("d");
  assert_int_equal(ls_source_info(source)->classes, 10);
  assert_string_equal(ls_source_info(source)->class_names[1], "automobile");
  assert_string_equal(ls_source_info(source)->class_names[9], "truck");
  ls_source_close(source);
  write_file("d/batches.meta.txt", "a\nb\n", 4);
  assert_refused("d", "label 2 found, but there are 2 classes", "'d/data_batch_2.bin.gz', record 3 of 5");
  write_file("d/batches.meta.txt", "\n", 1);
  assert_refused("d", "'d/batches.meta.txt' holds no class names", "");
  write_file("d/batches.meta.txt", "this name is by far too long for a class\n", 41);
  assert_refused("d", "the name 'this name is by far too long for a class' is too long", "at most 31 bytes");
}

static void truncated_batches_are_refused(void **state)
{
  (void)state;
  make_dataset();
  bytes first = records(0, FIRST);
  first.count -= 10;
  write_gzip("d/data_batch_2.bin.gz", &first);
  assert_refused("d", "'d/data_batch_2.bin.gz' is truncated, or no CIFAR-10 file",
                 "ends with 3063 bytes that are not a whole record of 3073");
  write_file("d/data_batch_2.bin.gz", "", 0);
  assert_refused("d", "'d/data_batch_2.bin.gz' is empty", "");
  first.count = 0;
  write_gzip("d/data_batch_2.bin.gz", &first);
  assert_refused("d", "'d/data_batch_2.bin.gz' holds no records", "");
}

static void damaged_gzip_is_refused(void **state)
{
  (void)state;
  make_dataset();
  bytes packed = read_back("d/data_batch_2.bin.gz");
  packed.data[packed.count - 6] ^= 4;
  write_plain("d/data_batch_2.bin.gz", &packed);
  assert_refused("d", "'d/data_batch_2.bin.gz'", "the checksum (CRC-32) does not match");
  packed.count /= 2;
  write_plain("d/data_batch_2.bin.gz", &packed);
  assert_refused("d", "'d/data_batch_2.bin.gz' is truncated", "the gzip data end in the middle");
}

static void large_labels_are_refused(void **state)
{
  (void)state;
  make_dataset();
  bytes tenth = records(FIRST, TENTH);
  tenth.data[2 * RECORD] = 10;
  write_plain("d/data_batch_10.bin", &tenth);
  assert_refused("d", "'d/data_batch_10.bin', record 3 of 3",
                 "label 10 found, but there are 10 classes: labels go from 0 to 9");
}

static void mixed_folders_are_refused(void **state)
{
  (void)state;
  make_dataset();
  const bytes images = idx_images(2, 3, 3);
  write_plain("d/train-images-idx3-ubyte", &images);
  assert_refused("d", "folder 'd' holds both IDX and CIFAR-10 binary files", "a folder of its own");
}

static void real_cifar_is_read(void **state)
{
  (void)state;
  static const size_t train[10] = {1019, 992, 1019, 1014, 994, 984, 977, 990, 1011, 1000};
  ls_source *source = open_good(real_data("cifar10-small"));
  assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TRAIN], 10000);
  assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TEST], 2000);
  assert_class_counts(source, LS_SPLIT_TRAIN, train);
  ls_source_close(source);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(batches_are_read_in_the_order_of_their_numbers),
      IN_FOLDER(copies_are_refused),
      IN_FOLDER(twins_must_be_the_same),
      IN_FOLDER(missing_batches_are_reported),
      IN_FOLDER(class_names_are_read_when_present),
      IN_FOLDER(truncated_batches_are_refused),
      IN_FOLDER(damaged_gzip_is_refused),
      IN_FOLDER(large_labels_are_refused),
      IN_FOLDER(mixed_folders_are_refused),
      cmocka_unit_test(real_cifar_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
