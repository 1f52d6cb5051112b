/* SPDX-License-Identifier: BSD-3-Clause */
/* The IDX reader: any names and sizes, plain and gzip, and every way in which files can be wrong. */
#include "files.h"

enum { TRAIN = 9, TEST = 4, HEIGHT = 3, WIDTH = 5, PIXELS = HEIGHT * WIDTH, CLASSES = 3 };

static const char *const train_images = "d/train-images-idx3-ubyte";
static const char *const train_labels = "d/train-labels-idx1-ubyte";
static const char *const test_images = "d/t10k-images-idx3-ubyte";
static const char *const test_labels = "d/t10k-labels-idx1-ubyte";

static void make_dataset(void)
{
  const bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  const bytes labels = idx_labels(TRAIN, CLASSES);
  const bytes more_images = idx_images(TEST, HEIGHT, WIDTH);
  const bytes more_labels = idx_labels(TEST, CLASSES);
  assert_int_equal(mkdir("d", 0777), 0);
  write_plain(train_images, &images);
  write_plain(train_labels, &labels);
  write_plain(test_images, &more_images);
  write_plain(test_labels, &more_labels);
}

static void check_images(ls_source *source, ls_split split, size_t first, size_t count)
{
  uint8_t images[TRAIN * PIXELS];
  assert_int_equal(ls_source_read_images(source, split, first, count, images), LS_OK);
  for (size_t i = 0; i < count; i++)
    for (size_t p = 0; p < PIXELS; p++) assert_int_equal(images[i * PIXELS + p], pixel_of(first + i, p));
}

static void check_dataset(const char *where)
{
  ls_source *source = open_good(where);
  const ls_dataset_info *info = ls_source_info(source);
  assert_string_equal(info->format, "IDX");
  assert_int_equal(info->channels, 1);
  assert_int_equal(info->height, HEIGHT);
  assert_int_equal(info->width, WIDTH);
  assert_int_equal(info->classes, CLASSES);
  assert_int_equal(info->count[LS_SPLIT_TRAIN], TRAIN);
  assert_int_equal(info->count[LS_SPLIT_TEST], TEST);
  assert_null(info->class_names);
  for (size_t i = 0; i < TRAIN; i++)
    assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[i], i % CLASSES);
  check_images(source, LS_SPLIT_TRAIN, 0, TRAIN);
  check_images(source, LS_SPLIT_TRAIN, 7, 2); /* forward, and back */
  check_images(source, LS_SPLIT_TRAIN, 2, 3);
  check_images(source, LS_SPLIT_TRAIN, 5, 0);
  check_images(source, LS_SPLIT_TEST, 1, 3);
  ls_source_close(source);
}

static void plain_files_are_read(void **state)
{
  (void)state;
  make_dataset();
  check_dataset("d");
  check_dataset("d/");
}

static void odd_names_and_gzip_are_read(void **state)
{
  (void)state;
  make_dataset();
  const bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  const bytes labels = idx_labels(TRAIN, CLASSES);
  write_gzip("d/My.TRAINing.pictures", &images);
  write_gzip("d/a train of labels.gz", &labels);
  write_file("d/README.gz", "\x1f\x8b this is no gzip file", 23);
  write_file("d/notes.txt", "", 0);
  unlink(train_images);
  unlink(train_labels);
  check_dataset("d");
}

static void several_gzip_members_are_one_file(void **state)
{
  (void)state;
  make_dataset();
  bytes all = idx_images(TRAIN, HEIGHT, WIDTH);
  bytes head = {.count = 0};
  bytes tail = {.count = 0};
  put(&head, all.data, 30);
  put(&tail, all.data + 30, all.count - 30);
  write_gzip("head", &head);
  write_gzip("tail", &tail);
  head = read_back("head");
  tail = read_back("tail");
  put(&head, tail.data, tail.count);
  unlink(train_images);
  write_plain("d/train-images-idx3-ubyte.gz", &head);
  check_dataset("d");
}

static void twins_must_be_the_same(void **state)
{
  (void)state;
  make_dataset();
  bytes images = idx_images(TRAIN, HEIGHT, WIDTH), labels = idx_labels(TRAIN, CLASSES);
  write_gzip("d/train-images-idx3-ubyte.gz", &images);
  write_gzip("d/train-labels-idx1-ubyte.gz", &labels);
  check_dataset("d");
  labels.data[10] ^= 1;
  write_gzip("d/train-labels-idx1-ubyte.gz", &labels);
  assert_refused("d", "'d/train-labels-idx1-ubyte' and 'd/train-labels-idx1-ubyte.gz' lie side by side",
                 "they differ");
  images.count--;
  write_gzip("d/train-images-idx3-ubyte.gz", &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' and 'd/train-images-idx3-ubyte.gz'", "they differ");
  write_file("d/train-images-idx3-ubyte.gz", "\x1f\x8b\x08", 3);
  assert_refused("d", "'d/train-images-idx3-ubyte.gz' is truncated", "lie side by side");
}

/* By a browser, a file manager, an editor. What is no IDX file beside them does not matter. */
static void copies_are_refused(void **state)
{
  (void)state;
  static const char *const copies[] = {
      "train-images-idx3-ubyte (1).gz",  "train-images-idx3-ubyte copy",
      "Copy of train-images-idx3-ubyte", "train-images-idx3-ubyte.gz.part",
      "train-images-idx3-ubyte~",        "train-images-idx3-ubyte.crdownload"};
  const bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  make_dataset();
  write_file("d/train-images-idx3-ubyte.gz.sha256", "0123456789abcdef  train-images-idx3-ubyte.gz\n", 45);
  check_dataset("d");
  for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
    char path[256];
    snprintf(path, sizeof path, "d/%s", copies[i]);
    if (strstr(path, ".gz"))
      write_gzip(path, &images);
    else
      write_plain(path, &images);
    assert_refused("d", copies[i], "hold train images");
    unlink(path);
  }
}

static void images_by_columns_are_turned(void **state)
{
  (void)state;
  make_dataset();
  ls_source *source = open_as("d", (ls_reading){.transpose = LS_TRANSPOSE_TRUE});
  const ls_dataset_info *info = ls_source_info(source);
  uint8_t images[2 * PIXELS];
  assert_true(info->is_transposed);
  assert_int_equal(info->height, WIDTH);
  assert_int_equal(info->width, HEIGHT);
  assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, 3, 2, images), LS_OK);
  for (size_t i = 0; i < 2; i++)
    for (size_t y = 0; y < WIDTH; y++)
      for (size_t x = 0; x < HEIGHT; x++)
        assert_int_equal(images[i * PIXELS + y * HEIGHT + x], pixel_of(3 + i, x * WIDTH + y));
  ls_source_close(source);
}

static void write_labels(size_t first)
{
  bytes labels = idx_labels(TRAIN, CLASSES), more = idx_labels(TEST, CLASSES);
  for (size_t i = 8; i < labels.count; i++) labels.data[i] = (unsigned char)(labels.data[i] + first);
  for (size_t i = 8; i < more.count; i++) more.data[i] = (unsigned char)(more.data[i] + first);
  write_plain(train_labels, &labels);
  write_plain(test_labels, &more);
}

/* Labels 1, 2, 3 are three classes, or four of which the first is empty. */
static void labels_from_1_are_asked_for(void **state)
{
  (void)state;
  make_dataset();
  write_labels(1);
  assert_refused("d", "labels go from 1 to 3, and none is 0",
                 "there are 3 classes (data.first_label=1), or class 0 has no sample and there are 4 "
                 "(data.first_label=0)");
  ls_source *source = open_as("d", first_label(1));
  assert_int_equal(ls_source_info(source)->classes, CLASSES);
  assert_int_equal(ls_source_info(source)->first_label, 1);
  for (size_t i = 0; i < TRAIN; i++)
    assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[i], i % CLASSES);
  ls_source_close(source);
  source = open_as("d", first_label(0));
  assert_int_equal(ls_source_info(source)->classes, CLASSES + 1);
  assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[0], 1);
  ls_text empty = {0};
  assert_int_equal(ls_source_empty_classes(source, LS_SPLIT_TRAIN, &empty), LS_OK);
  assert_string_equal(ls_text_get(&empty), "0");
  ls_text_fini(&empty);
  ls_source_close(source);
  source = open_as("d", (ls_reading){.classes = CLASSES + 1}); /* which says the same */
  ls_source_close(source);
  assert_refused_as("d", (ls_reading){.classes = CLASSES}, "label 3 found, but there are 3 classes",
                    "there is no 0: if they start at 1, set data.first_label=1");
  assert_refused_as("d", first_label(2), "'d/train-labels-idx1-ubyte', label 1 of 9: label 1 found",
                    "start with 2");
}

/* From 2 on they are no numbering that anybody uses, with a 0 in the test split none from 1. */
static void other_gaps_are_no_question(void **state)
{
  (void)state;
  make_dataset();
  write_labels(2);
  ls_source *source = open_good("d");
  ls_text empty = {0};
  assert_int_equal(ls_source_info(source)->classes, CLASSES + 2);
  assert_int_equal(ls_source_empty_classes(source, LS_SPLIT_TEST, &empty), LS_OK);
  assert_string_equal(ls_text_get(&empty), "0, 1");
  ls_text_fini(&empty);
  ls_source_close(source);
  const bytes labels = idx_labels(TEST, CLASSES);
  write_labels(1);
  write_plain(test_labels, &labels);
  source = open_good("d");
  assert_int_equal(ls_source_info(source)->classes, CLASSES + 1);
  ls_source_close(source);
}

/* Two datasets in a folder, one of which is meant. */
static void a_beginning_chooses_a_dataset(void **state)
{
  (void)state;
  const bytes images = idx_images(2, 4, 4), labels = idx_labels(2, 2);
  make_dataset();
  write_plain("d/usps-train-images", &images);
  write_plain("d/usps-train-labels", &labels);
  assert_refused("d", "hold train images", "chosen by the beginning of its files' names: d/BEGINNING");
  ls_source *source = open_good("d/usps");
  assert_string_equal(ls_source_info(source)->name, "usps");
  assert_int_equal(ls_source_info(source)->height, 4);
  assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TRAIN], 2);
  ls_source_close(source);
  source = open_good("d/usps-");
  ls_source_close(source);
  assert_refused("d/us", "dataset 'd/us': there is no such file or folder",
                 "names begin with 'us'; found: no files");
}

static void a_split_may_be_absent(void **state)
{
  (void)state;
  make_dataset();
  unlink(test_images);
  unlink(test_labels);
  ls_source *source = open_good("d");
  assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TEST], 0);
  ls_source_close(source);
}

static void asked_for_classes_are_checked(void **state)
{
  (void)state;
  make_dataset();
  ls_source *source = NULL;
  assert_int_equal(ls_source_open(&source, "d", 7), LS_OK);
  assert_int_equal(ls_source_info(source)->classes, 7);
  ls_source_close(source);
  assert_int_equal(ls_source_open(&source, "d", 2), LS_E_INPUT);
  assert_says("'d/train-labels-idx1-ubyte', label 3 of 9: label 2 found, but there are 2 classes");
}

static void truncated_files_are_refused(void **state)
{
  (void)state;
  make_dataset();
  bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  images.count -= 1;
  write_plain(train_images, &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' is truncated",
                 "the header promises 9 images of 3x5, 135 bytes, but only 134 follow");
  unlink(train_images);
  write_gzip("d/train-images-idx3-ubyte.gz", &images);
  assert_refused("d", "is truncated", "135 bytes, but only 134 follow (decompressed)");
  unlink("d/train-images-idx3-ubyte.gz");
  images.count = 10;
  write_plain(train_images, &images);
  assert_refused("d", "reading the IDX header", "is truncated: the data end after 10 bytes");
  images.count = 3;
  write_plain(train_images, &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' is no IDX file", "00 00 08");
}

static void empty_files_are_refused(void **state)
{
  (void)state;
  make_dataset();
  write_file(train_images, "", 0);
  assert_refused("d", "'d/train-images-idx3-ubyte' is empty", "");
  const bytes none = idx_images(0, HEIGHT, WIDTH);
  write_plain(train_images, &none);
  assert_refused("d", "'d/train-images-idx3-ubyte' is empty", "dimension 1 of its header is 0");
  const bytes flat = idx_images(TRAIN, HEIGHT, 0);
  write_plain(train_images, &flat);
  assert_refused("d", "is empty", "dimension 3 of its header is 0");
}

static void trailing_bytes_are_refused(void **state)
{
  (void)state;
  make_dataset();
  bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  put(&images, "++", 2);
  write_plain(train_images, &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' is longer than its header says", "but 2 more follow");
  unlink(train_images);
  write_gzip("d/train-images-idx3-ubyte.gz", &images);
  assert_refused("d", "longer than its header says", "at least 1 more follow (decompressed)");
  images.count -= 2;
  write_gzip("d/train-images-idx3-ubyte.gz", &images);
  bytes packed = read_back("d/train-images-idx3-ubyte.gz");
  put(&packed, "tail", 4);
  write_plain("d/train-images-idx3-ubyte.gz", &packed);
  assert_refused("d", "'d/train-images-idx3-ubyte.gz'", "4 bytes follow the end of the gzip data");
}

static void damaged_gzip_is_refused(void **state)
{
  (void)state;
  make_dataset();
  const bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  unlink(train_images);
  write_gzip("good", &images);
  const bytes good = read_back("good");
  bytes bad = good;
  bad.data[good.count - 8] ^= 1;
  write_plain("d/train-images-idx3-ubyte.gz", &bad);
  assert_refused("d", "the gzip data are damaged", "the checksum (CRC-32) does not match");
  bad = good;
  bad.data[good.count - 1] ^= 1;
  write_plain("d/train-images-idx3-ubyte.gz", &bad);
  assert_refused("d", "the gzip data are damaged", "the length at its end does not match");
  bad = good;
  bad.data[3] = 0xff; /* reserved flags */
  write_plain("d/train-images-idx3-ubyte.gz", &bad);
  assert_refused("d", "'d/train-images-idx3-ubyte.gz'", "damaged");
  for (size_t cut = 2; cut < good.count; cut++) { /* wherever it is cut */
    write_file("d/train-images-idx3-ubyte.gz", good.data, cut);
    assert_refused("d", "train-images-idx3-ubyte.gz' is truncated", "the gzip data end in the middle");
  }
}

static void wrong_magic_is_refused(void **state)
{
  (void)state;
  make_dataset();
  bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  images.data[0] = 0x12;
  write_plain(train_images, &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' is no IDX file", "12 00 08 03");
  images.data[0] = 0;
  images.data[2] = 0x0d;
  write_plain(train_images, &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' holds 32-bit floats (type byte 0x0d)",
                 "only unsigned bytes");
  images.data[2] = 0x08;
  images.data[3] = 2;
  write_plain(train_images, &images);
  assert_refused("d", "'d/train-images-idx3-ubyte' is an IDX file of 2 dimensions",
                 "images have 3, labels 1");
}

static void counts_that_differ_are_refused(void **state)
{
  (void)state;
  make_dataset();
  const bytes labels = idx_labels(TRAIN - 1, CLASSES);
  write_plain(train_labels, &labels);
  assert_refused("d",
                 "'d/train-labels-idx1-ubyte' has 8 labels, but 'd/train-images-idx3-ubyte' has 9 images",
                 "do not belong together");
}

static void shapes_that_differ_are_refused(void **state)
{
  (void)state;
  make_dataset();
  const bytes images = idx_images(TEST, HEIGHT, WIDTH + 1);
  write_plain(test_images, &images);
  assert_refused("d", "'d/t10k-images-idx3-ubyte': images of 3x6", "training split are 3x5");
}

/* Sizes that would need a petabyte, or overflow, must be found out from the length of the file: no memory is
 * asked for on the word of a header (it would be refused with another message). */
static void lying_sizes_allocate_nothing(void **state)
{
  (void)state;
  static const uint32_t shapes[][3] = {{UINT32_MAX, 1000, 1000},
                                       {UINT32_MAX, UINT32_MAX, UINT32_MAX},
                                       {1U << 31, 1U << 31, 4},
                                       {UINT32_MAX, 1, 1}};
  make_dataset();
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    bytes images = idx_header(3, shapes[i]);
    put(&images, "abc", 3);
    write_plain(train_images, &images);
    assert_refused("d", "'d/train-images-idx3-ubyte'", "the header promises");
    write_gzip("d/train-images-idx3-ubyte.gz", &images);
    unlink(train_images);
    assert_refused("d", "'d/train-images-idx3-ubyte.gz'", "the header promises");
    unlink("d/train-images-idx3-ubyte.gz");
  }
  const bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  const uint32_t many = UINT32_MAX;
  const bytes labels = idx_header(1, &many);
  write_plain(train_images, &images);
  unlink(train_labels);
  write_gzip("d/train-labels-idx1-ubyte.gz", &labels);
  assert_refused("d", "'d/train-labels-idx1-ubyte.gz'", "the header promises 4294967295 labels");
}

static void unclear_folders_are_refused(void **state)
{
  (void)state;
  make_dataset();
  const bytes images = idx_images(TRAIN, HEIGHT, WIDTH);
  write_plain("d/train-images-again", &images);
  assert_refused("d", "both 'train-images-again' and 'train-images-idx3-ubyte' hold train images",
                 "found: 't10k-images-idx3-ubyte'");
  unlink("d/train-images-again");
  write_plain("d/images", &images);
  assert_refused("d", "cannot tell from the name of 'images'", "with 'train' in their names");
  unlink("d/images");
  write_plain("d/train-test-images", &images);
  assert_refused("d", "cannot tell from the name of 'train-test-images'", "'test' or 't10k'");
}

static void missing_files_are_refused(void **state)
{
  (void)state;
  make_dataset();
  unlink(test_labels);
  assert_refused("d", "the test labels are missing", "'t10k-images-idx3-ubyte', 'train-images-idx3-ubyte'");
  unlink(test_images);
  unlink(train_images);
  assert_refused("d", "the train images are missing", "found: 'train-labels-idx1-ubyte'");
  unlink(train_labels);
  assert_refused("d", "folder 'd' holds neither IDX nor CIFAR-10 binary", "no files");
}

static void paths_that_are_no_folders_are_refused(void **state)
{
  (void)state;
  assert_refused("./missing", "dataset './missing': there is no such file or folder", "");
  write_file("d", "a file", 6);
  assert_refused("d", "'d' is no HDF5", "a folder of IDX or CIFAR-10 binary");
  assert_refused("d/train", "dataset 'd/train': there is no such file or folder", "");
  assert_refused("", "the name of the dataset is empty", "");
}

static void real_mnist_is_read(void **state)
{
  (void)state;
  static const size_t train[10] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
  static const size_t test[10] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
  ls_source *source = open_good(real_data("mnist"));
  assert_int_equal(ls_source_info(source)->classes, 10);
  assert_int_equal(ls_source_info(source)->height, 28);
  assert_class_counts(source, LS_SPLIT_TRAIN, train);
  assert_class_counts(source, LS_SPLIT_TEST, test);
  ls_source_close(source);
}

static void real_usps_is_read(void **state)
{
  (void)state;
  ls_source *source = open_good(real_data("usps"));
  const ls_dataset_info *info = ls_source_info(source);
  assert_int_equal(info->classes, 10);
  assert_int_equal(info->height, 16);
  assert_int_equal(info->width, 16);
  assert_int_equal(info->count[LS_SPLIT_TRAIN], 7291);
  assert_int_equal(info->count[LS_SPLIT_TEST], 2007);
  ls_source_close(source);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(plain_files_are_read),
      IN_FOLDER(odd_names_and_gzip_are_read),
      IN_FOLDER(several_gzip_members_are_one_file),
      IN_FOLDER(twins_must_be_the_same),
      IN_FOLDER(copies_are_refused),
      IN_FOLDER(images_by_columns_are_turned),
      IN_FOLDER(labels_from_1_are_asked_for),
      IN_FOLDER(other_gaps_are_no_question),
      IN_FOLDER(a_beginning_chooses_a_dataset),
      IN_FOLDER(a_split_may_be_absent),
      IN_FOLDER(asked_for_classes_are_checked),
      IN_FOLDER(truncated_files_are_refused),
      IN_FOLDER(empty_files_are_refused),
      IN_FOLDER(trailing_bytes_are_refused),
      IN_FOLDER(damaged_gzip_is_refused),
      IN_FOLDER(wrong_magic_is_refused),
      IN_FOLDER(counts_that_differ_are_refused),
      IN_FOLDER(shapes_that_differ_are_refused),
      IN_FOLDER(lying_sizes_allocate_nothing),
      IN_FOLDER(unclear_folders_are_refused),
      IN_FOLDER(missing_files_are_refused),
      IN_FOLDER(paths_that_are_no_folders_are_refused),
      cmocka_unit_test(real_mnist_is_read),
      cmocka_unit_test(real_usps_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
