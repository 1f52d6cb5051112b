/* SPDX-License-Identifier: BSD-3-Clause */
/* The contact sheet shows the samples of each class. */
#include "unit/data/files.h"

#include "cli/data/preview_sheet.h"

static bool shows_colour(const ls_picture *picture, uint8_t grey)
{
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    const uint8_t *rgb = picture->rgb + 3 * i;
    if (rgb[0] == grey && rgb[1] == grey && rgb[2] == grey) return true;
  }
  return false;
}

/* Each image of one grey: the sheet must have the first two of each class, and no others. */
static void the_sheet_shows_the_first_samples_of_each_class(void **state)
{
  (void)state;
  const uint32_t shape[] = {6, 4, 4};
  bytes images = idx_header(3, shape);
  for (size_t i = 0; i < 6; i++)
    for (size_t p = 0; p < 16; p++) put_byte(&images, 60 + 10 * (unsigned)i);
  const bytes labels = idx_labels(6, 2); /* 0 1 0 1 0 1 */
  assert_int_equal(mkdir("d", 0777), 0);
  write_plain("d/train-images-idx3-ubyte", &images);
  write_plain("d/train-labels-idx1-ubyte", &labels);
  ls_source *source = open_good("d");
  ls_picture sheet;
  assert_int_equal(ls_preview_draw(&sheet, source, LS_SPLIT_TRAIN, 2, NULL), LS_OK);
  for (size_t i = 0; i < 6; i++) assert_int_equal(shows_colour(&sheet, (uint8_t)(60 + 10 * i)), i < 4);
  assert_true(sheet.width > 2 * 72 && sheet.height > 2 * 72);
  ls_picture_fini(&sheet);
  assert_int_equal(ls_preview_draw(&sheet, source, LS_SPLIT_TEST, 2, NULL), LS_E_INPUT);
  assert_says("dataset 'd' has no test split");
  ls_source_close(source);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_sheet_shows_the_first_samples_of_each_class, enter_folder,
                                      leave_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
