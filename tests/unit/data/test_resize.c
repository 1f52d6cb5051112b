/* SPDX-License-Identifier: BSD-3-Clause */
/* Images are scaled as Pillow scales them, to the level (tests/golden/make_resize_goldens.py), and a dataset
 * of them is one like any other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/readers/resize.h"
#include "data/source.h"
#include "files.h"

enum { MAX_PIXELS = 96 * 96, MAX_LINE = 2 * MAX_PIXELS + 100 };

static void fill_picture(uint8_t *pixels, size_t height, size_t width)
{
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) pixels[y * width + x] = (uint8_t)(37 * y + 101 * x + x * y % 17 * 13);
}

static void scale(const uint8_t *in, ls_image_shape from, ls_image_shape to, size_t count, uint8_t *out)
{
  ls_resizer *resizer;
  assert_int_equal(ls_resizer_new(&resizer, from, to), LS_OK);
  uint8_t *scratch = malloc(ls_resizer_scratch_bytes(resizer));
  assert_non_null(scratch);
  ls_resizer_run(resizer, in, count, out, scratch);
  free(scratch);
  ls_resizer_free(resizer);
}

static void pixels_are_those_of_pillow(void **state)
{
  (void)state;
  static uint8_t from[MAX_PIXELS], to[MAX_PIXELS];
  static char line[MAX_LINE];
  size_t cases = 0;
  FILE *file = fopen(LS_SOURCE_DIR "/tests/golden/resize.txt", "r");
  assert_non_null(file);
  for (; fgets(line, sizeof line, file); cases++) {
    size_t h, w, to_h, to_w;
    int hex = 0;
    assert_int_equal(sscanf(line, "%zu %zu %zu %zu %n", &h, &w, &to_h, &to_w, &hex), 4);
    assert_true(h * w <= MAX_PIXELS && to_h * to_w <= MAX_PIXELS && strlen(line + hex) >= 2 * to_h * to_w);
    fill_picture(from, h, w);
    scale(from, (ls_image_shape){1, h, w}, (ls_image_shape){1, to_h, to_w}, 1, to);
    for (size_t i = 0; i < to_h * to_w; i++) {
      unsigned expected;
      assert_int_equal(sscanf(line + hex + 2 * i, "%2x", &expected), 1);
      if (to[i] != expected)
        fail_msg("%zux%zu to %zux%zu: pixel %zu is %u, not %u", h, w, to_h, to_w, i, to[i], expected);
    }
  }
  fclose(file);
  assert_int_equal(cases, 10);
}

/* Each image and channel is scaled by itself, and a single channel is repeated. */
static void channels_and_images_lie_behind_each_other(void **state)
{
  (void)state;
  enum { SIDE = 6, TO = 9, IN = SIDE * SIDE, OUT = TO * TO, COUNT = 2, CHANNELS = 3 };
  uint8_t in[COUNT * CHANNELS * IN], out[COUNT * CHANNELS * OUT], one[OUT];
  const ls_image_shape small = {1, SIDE, SIDE}, large = {1, TO, TO};
  for (size_t i = 0; i < COUNT * CHANNELS; i++) {
    fill_picture(in + i * IN, SIDE, SIDE);
    in[i * IN + i] = 255;
  }
  scale(in, (ls_image_shape){CHANNELS, SIDE, SIDE}, (ls_image_shape){CHANNELS, TO, TO}, COUNT, out);
  for (size_t i = 0; i < COUNT * CHANNELS; i++) {
    scale(in + i * IN, small, large, 1, one);
    assert_memory_equal(out + i * OUT, one, OUT);
  }
  scale(in, small, (ls_image_shape){CHANNELS, TO, TO}, COUNT, out);
  for (size_t i = 0; i < COUNT; i++) {
    scale(in + i * IN, small, large, 1, one);
    for (size_t c = 0; c < CHANNELS; c++) assert_memory_equal(out + (i * CHANNELS + c) * OUT, one, OUT);
  }
}

enum { TRAIN = 150, TEST = 3, HEIGHT = 4, WIDTH = 5, CLASSES = 3, IMAGE = 3 * 8 * 6 };

static void write_dataset(void)
{
  const char *const names[][2] = {{"d/train-images-idx3-ubyte", "d/train-labels-idx1-ubyte"},
                                  {"d/t10k-images-idx3-ubyte", "d/t10k-labels-idx1-ubyte"}};
  const size_t counts[] = {TRAIN, TEST};
  assert_int_equal(mkdir("d", 0777), 0);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    const bytes images = idx_images(counts[split], HEIGHT, WIDTH),
                labels = idx_labels(counts[split], CLASSES);
    write_plain(names[split][0], &images);
    write_plain(names[split][1], &labels);
  }
}

/* The shape is the new one for everybody, labels stay, and any range of images is that of the whole. */
static void a_dataset_is_read_resized(void **state)
{
  (void)state;
  write_dataset();
  const ls_reading wanted = {.height = 8, .width = 6, .channels = 3};
  ls_source *plain = open_good("d"), *source = open_as("d", wanted);
  const ls_dataset_info *info = ls_source_info(source);
  static uint8_t original[TRAIN * HEIGHT * WIDTH], expected[TRAIN * IMAGE], images[TRAIN * IMAGE];
  assert_true(info->channels == 3 && info->height == 8 && info->width == 6 && info->classes == CLASSES);
  assert_int_equal(ls_source_image_bytes(source), IMAGE);
  assert_true(info->count[LS_SPLIT_TRAIN] == TRAIN && info->count[LS_SPLIT_TEST] == TEST);
  assert_memory_equal(ls_source_labels(source, LS_SPLIT_TRAIN), ls_source_labels(plain, LS_SPLIT_TRAIN),
                      TRAIN * sizeof(uint16_t));
  assert_memory_equal(ls_source_labels(source, LS_SPLIT_TEST), ls_source_labels(plain, LS_SPLIT_TEST),
                      TEST * sizeof(uint16_t));
  assert_int_equal(ls_source_read_images(plain, LS_SPLIT_TRAIN, 0, TRAIN, original), LS_OK);
  scale(original, (ls_image_shape){1, HEIGHT, WIDTH}, (ls_image_shape){3, 8, 6}, TRAIN, expected);
  assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, 0, TRAIN, images), LS_OK);
  assert_memory_equal(images, expected, sizeof images);
  assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, 71, 2, images), LS_OK);
  assert_memory_equal(images, expected + 71 * IMAGE, 2 * IMAGE);
  ls_source_close(source);
  ls_source_close(plain);
}

static void what_is_as_wanted_stays_what_it_is(void **state)
{
  (void)state;
  write_dataset();
  ls_source *source = open_as("d", (ls_reading){.height = HEIGHT, .width = WIDTH, .channels = 1});
  assert_ptr_equal(ls_source_original(source), source);
  assert_null(ls_source_resizer(source));
  ls_source_close(source);
}

static void channels_that_cannot_be_made_are_refused(void **state)
{
  (void)state;
  write_dataset();
  assert_refused_as("d", (ls_reading){.channels = 17}, "data.channels: 17", "at most 16");
  uint8_t record[1 + 3072] = {0};
  assert_int_equal(mkdir("c", 0777), 0);
  write_file("c/data_batch_1.bin", record, sizeof record);
  write_file("c/test_batch.bin", record, sizeof record);
  assert_refused_as("c", (ls_reading){.channels = 1}, "data.channels: 1 ", "have 3: only a single channel");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pixels_are_those_of_pillow),
      cmocka_unit_test(channels_and_images_lie_behind_each_other),
      cmocka_unit_test_setup_teardown(a_dataset_is_read_resized, enter_folder, leave_folder),
      cmocka_unit_test_setup_teardown(what_is_as_wanted_stays_what_it_is, enter_folder, leave_folder),
      cmocka_unit_test_setup_teardown(channels_that_cannot_be_made_are_refused, enter_folder, leave_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
