/* SPDX-License-Identifier: BSD-3-Clause */
/* A drawing comes to the network the same, whatever the picture it was drawn in. */
#include "pictures.h"

#include "eval/pictures/intake.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE };

static const ls_shape grey = {.c = 1, .h = SIDE, .w = SIDE};
static const ls_shape colour = {.c = 3, .h = 8, .w = 8};
static const ls_intake_way digit = {.kind = LS_PICTURE_DIGIT};
static const ls_intake_way plain = {.kind = LS_PICTURE_PLAIN};
static const ls_intake_way raw = {.kind = LS_PICTURE_PLAIN, .whole = true};

static const test_colour white = {255, 255, 255}, black = {0, 0, 0}, paper = {236, 234, 230},
                         pen = {40, 40, 60};

/* Takes the picture, and frees it. Returns the number of warnings. */
static size_t take(ls_rgba picture, ls_shape shape, ls_intake_way way, uint8_t *image)
{
  ls_text warnings = {0};
  assert_int_equal(ls_intake(&picture, shape, way, image, &warnings), LS_OK);
  size_t lines = 0;
  for (const char *c = ls_text_get(&warnings); *c; c++) lines += *c == '\n';
  ls_text_fini(&warnings);
  ls_rgba_fini(&picture);
  return lines;
}

static ls_rgba two_on(size_t width, size_t height, test_colour ground, test_colour ink)
{
  ls_rgba picture = test_paper(width, height, ground);
  test_two(&picture, width / 3, height / 4, width / 25, ink);
  return picture;
}

/* What a 2 in white on black becomes. */
static void expected_two(uint8_t image[PIXELS])
{
  assert_int_equal(take(two_on(250, 250, black, white), grey, digit, image), 0);
}

/* The pixels of two images differ by so many levels on average. */
static double difference(const uint8_t *a, const uint8_t *b)
{
  double sum = 0.0;
  for (size_t i = 0; i < PIXELS; i++) sum += abs(a[i] - b[i]);
  return sum / PIXELS;
}

static void expect_two(ls_rgba picture, double tolerance)
{
  uint8_t expected[PIXELS], image[PIXELS];
  expected_two(expected);
  assert_int_equal(take(picture, grey, digit, image), 0);
  if (difference(image, expected) > tolerance)
    fail_msg("%g levels apart, at most %g expected", difference(image, expected), tolerance);
}

/* ---- plain paper ---- */

static void colours_and_positions_do_not_count(void **state)
{
  (void)state;
  expect_two(two_on(250, 250, white, black), 1.0);
  expect_two(two_on(250, 400, (test_colour){250, 245, 220}, (test_colour){20, 30, 120}), 2.0);
  expect_two(two_on(250, 250, (test_colour){120, 120, 120}, (test_colour){150, 150, 150}), 2.0);
  expect_two(two_on(250, 250, (test_colour){255, 255, 255}, (test_colour){255, 255, 0}), 2.0);
  ls_rgba corner = test_paper(400, 300, paper);
  test_two(&corner, 340, 200, 10, pen);
  expect_two(corner, 2.0);
}

/* 5 x 9 units come to 11 x 20 pixels, their centre of mass to the middle, to half a pixel; of 12 megapixels
 * too. */
static void size_and_position_are_mnists(void **state)
{
  (void)state;
  ls_rgba pictures[] = {two_on(28, 28, black, white), two_on(4000, 3000, paper, pen)};
  for (size_t k = 0; k < 2; k++) {
    uint8_t image[PIXELS];
    take(pictures[k], grey, digit, image);
    size_t left = SIDE, right = 0, top = SIDE, bottom = 0;
    double mass = 0.0, x = 0.0, y = 0.0;
    for (size_t i = 0; i < PIXELS; i++) {
      mass += image[i];
      x += image[i] * ((double)(i % SIDE) + 0.5);
      y += image[i] * ((double)(i / SIDE) + 0.5);
      if (image[i] < 64) continue;
      left = i % SIDE < left ? i % SIDE : left, right = i % SIDE > right ? i % SIDE : right;
      top = i / SIDE < top ? i / SIDE : top, bottom = i / SIDE > bottom ? i / SIDE : bottom;
    }
    assert_in_range(right - left + 1, 11, 12);
    assert_int_equal(bottom - top + 1, 20);
    assert_true(fabs(x / mass - SIDE / 2.0) <= 0.5);
    assert_true(fabs(y / mass - SIDE / 2.0) <= 0.5);
  }
}

/* An image of the network's size that is laid already is the same after. */
static void images_that_are_made_stay(void **state)
{
  (void)state;
  uint8_t made[PIXELS], image[PIXELS];
  expected_two(made);
  for (int is_dark = 0; is_dark < 2; is_dark++) {
    ls_rgba picture = test_paper(SIDE, SIDE, black);
    for (size_t i = 0; i < PIXELS; i++) {
      const uint8_t level = is_dark ? (uint8_t)(255 - made[i]) : made[i];
      test_dot(&picture, i % SIDE, i / SIDE, (test_colour){level, level, level});
    }
    take(picture, grey, digit, image);
    assert_memory_equal(image, made, PIXELS);
  }
}

/* Where strokes are softer than where they cross, they are white all the same, as a third of MNIST's ink. */
static void strokes_are_white(void **state)
{
  (void)state;
  ls_rgba picture = two_on(250, 250, white, (test_colour){150, 150, 150});
  test_box(&picture, 83, 62, 12, 12, black);
  uint8_t image[PIXELS];
  take(picture, grey, digit, image);
  size_t ink = 0, strong = 0;
  for (size_t i = 0; i < PIXELS; i++) ink += image[i] > 0, strong += image[i] >= 250;
  assert_true((double)strong >= 0.25 * (double)ink);
}

/* A thin pen's strokes are not lost in scaling. */
static void thin_strokes_grow(void **state)
{
  (void)state;
  ls_rgba picture = test_paper(600, 600, paper);
  test_box(&picture, 200, 100, 200, 4, pen);
  test_box(&picture, 396, 100, 4, 400, pen);
  uint8_t image[PIXELS];
  take(picture, grey, digit, image);
  double mass = 0.0;
  for (size_t i = 0; i < PIXELS; i++) mass += image[i] / 255.0;
  assert_true(mass >= 36.0); /* 29 pixels of strokes, 1.4 thick */
}

/* ---- paper as it is ---- */

static double ramp(double x, double y)
{
  return 1.0 - 0.6 * (0.7 * x + 0.3 * y);
}

static double half_shadow(double x, double y)
{
  return x + 0.2 * y > 0.55 ? 0.5 : 1.0;
}

static void light_does_not_count(void **state)
{
  (void)state;
  double (*const lights[])(double, double) = {ramp, half_shadow};
  for (size_t i = 0; i < 2; i++) {
    ls_rgba dark = two_on(250, 250, paper, pen), light = two_on(250, 250, pen, paper);
    test_light(&dark, lights[i]);
    test_light(&light, lights[i]);
    expect_two(dark, 6.0);
    if (i == 0)
      expect_two(light, 6.0);
    else
      ls_rgba_fini(&light);
  }
}

static void ruled_lines_and_grids_go(void **state)
{
  (void)state;
  for (int is_grid = 0; is_grid < 2; is_grid++) {
    ls_rgba picture = test_paper(250, 250, paper);
    for (size_t y = 15; y < 250; y += 30) test_box(&picture, 0, y, 250, 2, pen);
    for (size_t x = 15; x < 250 && is_grid; x += 30) test_box(&picture, x, 0, 2, 250, pen);
    test_two(&picture, 83, 62, 10, pen);
    expect_two(picture, 14.0); /* lines beside strokes and on them */
  }
}

static void frames_go(void **state)
{
  (void)state;
  for (size_t reach = 0; reach < 2; reach++) { /* the drawing sticks out of the frame, or not */
    ls_rgba picture = test_paper(250, 250, paper);
    const size_t top = reach ? 75 : 30;
    test_box(&picture, 50, top, 150, 3, pen);
    test_box(&picture, 50, 220, 150, 3, pen);
    test_box(&picture, 50, top, 3, 190 - (top - 30), pen);
    test_box(&picture, 197, top, 3, 190 - (top - 30), pen);
    test_two(&picture, 90, 62, 10, pen);
    expect_two(picture, 8.0);
  }
}

static void an_angular_digit_is_no_frame(void **state)
{
  (void)state;
  ls_rgba picture = test_paper(250, 250, paper);
  test_box(&picture, 80, 50, 80, 3, pen);
  test_box(&picture, 80, 196, 80, 3, pen);
  test_box(&picture, 80, 120, 80, 3, pen);
  test_box(&picture, 80, 50, 3, 149, pen);
  test_box(&picture, 157, 50, 3, 149, pen);
  uint8_t image[PIXELS];
  take(picture, grey, digit, image);
  size_t rows = 0;
  for (size_t y = 0; y < SIDE; y++) {
    bool has_ink = false;
    for (size_t x = 0; x < SIDE; x++) has_ink |= image[y * SIDE + x] > 128;
    rows += has_ink;
  }
  assert_int_equal(rows, 20); /* not its middle bar alone */
}

static void specks_and_edges_of_the_table_go(void **state)
{
  (void)state;
  ls_rgba picture = two_on(250, 250, paper, pen);
  test_box(&picture, 10, 20, 4, 4, black);
  test_box(&picture, 200, 235, 5, 3, black);
  test_box(&picture, 0, 0, 18, 250, (test_colour){60, 40, 30});
  expect_two(picture, 4.0);
  for (size_t thick = 5; thick <= 35; thick += 10)
    for (int is_upright = 0; is_upright < 2; is_upright++) { /* from border to border, with paper beyond */
      picture = two_on(250, 250, paper, pen);
      test_box(&picture, is_upright ? 10 : 0, is_upright ? 0 : 10, is_upright ? thick : 250,
               is_upright ? 250 : thick, (test_colour){60, 40, 30});
      expect_two(picture, 4.0);
    }
}

/* A 1 from border to border stays, beside a blot. */
static void a_one_may_fill_its_picture(void **state)
{
  (void)state;
  ls_rgba picture = test_paper(200, 200, paper);
  test_box(&picture, 80, 0, 16, 200, pen);
  test_box(&picture, 175, 150, 20, 20, pen);
  uint8_t image[PIXELS];
  take(picture, grey, digit, image);
  size_t strong = 0;
  for (size_t i = 0; i < PIXELS; i++) strong += image[i] > 128;
  assert_in_range(strong, 20, 2 * 20); /* the blot would fill 20 x 20 pixels */
}

/* A bold 0: its hole is narrower than its strokes, and is no ink. */
static void holes_are_paper(void **state)
{
  (void)state;
  const test_colour inks[] = {pen, {240, 235, 225}}, papers[] = {paper, {30, 60, 45}};
  for (size_t i = 0; i < 2; i++)
    for (size_t size = 180; size <= 260; size += 40) {
      ls_rgba picture = test_paper(size, size, papers[i]);
      test_box(&picture, size / 2 - 50, size / 2 - 70, 100, 140, inks[i]);
      test_box(&picture, size / 2 - 10, size / 2 - 25, 20, 50, papers[i]);
      uint8_t image[PIXELS];
      take(picture, grey, digit, image);
      assert_in_range(image[14 * 28 + 14], 0, 64);
      assert_in_range(image[14 * 28 + 9], 192, 255);
      assert_in_range(image[6 * 28 + 14], 192, 255);
      assert_in_range(image[14 * 28 + 2], 0, 32);
    }
}

/* Several strokes make one digit: a bar that is apart. */
static void parts_belong_together(void **state)
{
  (void)state;
  ls_rgba picture = two_on(250, 250, paper, pen);
  test_box(&picture, 83, 72, 60, 5, paper); /* cuts the upper stroke off */
  expect_two(picture, 8.0);
}

static void several_drawings_are_reported(void **state)
{
  (void)state;
  uint8_t image[PIXELS];
  ls_rgba picture = test_paper(300, 200, paper);
  test_two(&picture, 60, 50, 10, pen);
  test_two(&picture, 180, 50, 9, pen);
  assert_int_equal(take(picture, grey, digit, image), 1);
}

/* What is read is no drawing: an area, or a part of the sheet in the dark. Much ink alone is no reason. */
static void areas_are_reported(void **state)
{
  (void)state;
  uint8_t image[PIXELS];
  ls_rgba area = test_paper(200, 200, paper), dark = test_paper(200, 200, paper),
          close = test_paper(100, 180, paper);
  test_box(&area, 40, 40, 120, 110, pen);
  test_box(&dark, 0, 0, 50, 200, pen);
  test_two(&close, 10, 20, 16, pen);
  assert_int_equal(take(area, grey, digit, image), 1);
  assert_int_equal(take(dark, grey, digit, image), 1);
  assert_int_equal(take(close, grey, digit, image), 0);
}

/* The least difference where one of the images may be moved by a pixel: the centre of mass is rounded. */
static double moved_difference(const uint8_t *a, const uint8_t *b)
{
  double least = INFINITY;
  for (size_t move = 0; move < 9; move++) {
    uint8_t moved[PIXELS] = {0};
    for (size_t y = 1; y + 1 < SIDE; y++)
      memcpy(moved + y * SIDE + 1, b + (y + move / 3 - 1) * SIDE + move % 3, SIDE - 2);
    least = fmin(least, difference(a, moved));
  }
  return least;
}

/* What README promises of paper: a digit becomes what it does on clean paper. */

static void gradient(ls_rgba *picture)
{
  test_light(picture, ramp);
}

static void rule_lines(ls_rgba *picture)
{
  for (size_t y = 12; y < 200; y += 30) test_box(picture, 0, y, 200, 2, (test_colour){110, 130, 190});
}

static void frame(ls_rgba *picture)
{
  for (size_t side = 0; side < 2; side++) {
    test_box(picture, 25, side ? 177 : 20, 150, 3, pen);
    test_box(picture, side ? 172 : 25, 20, 3, 160, pen);
  }
}

static void spot(ls_rgba *picture)
{
  test_box(picture, 12, 170, 7, 6, black);
}

static void roughen(ls_rgba *picture)
{
  test_grain(picture, 60);
}

static void digits_are_the_same_on_any_paper(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    void (*spoil)(ls_rgba *picture);
    double tolerance; /* levels on average */
  } papers[] = {{"light", gradient, 1.0},
                {"ruled", rule_lines, 5.0},
                {"framed", frame, 1.0},
                {"speck", spot, 1.0},
                {"grain", roughen, 3.0}};
  for (size_t d = 0; d < TEST_DIGITS; d++) {
    uint8_t clean[PIXELS], image[PIXELS];
    ls_rgba picture = test_paper(200, 200, black);
    test_digit(&picture, test_digits[d], 70, 55, 15, 5, white);
    assert_int_equal(take(picture, grey, digit, clean), 0);
    for (size_t k = 0; k < sizeof papers / sizeof *papers; k++) {
      picture = test_paper(200, 200, paper);
      test_digit(&picture, test_digits[d], 70, 55, 15, 5, pen);
      papers[k].spoil(&picture);
      assert_int_equal(take(picture, grey, digit, image), 0);
      const double found = moved_difference(image, clean);
      if (found > papers[k].tolerance)
        fail_msg("%s, digit %zu: %g levels apart, at most %g expected", papers[k].name, d, found,
                 papers[k].tolerance);
    }
  }
}

/* ---- other kinds ---- */

static void layouts_are_those_of_the_data(void **state)
{
  (void)state;
  static const struct {
    ls_picture_kind kind;
    size_t height;
  } kinds[] = {{LS_PICTURE_DIGIT, 20}, {LS_PICTURE_LETTER, 24}, {LS_PICTURE_GLYPH, 28}};
  for (size_t k = 0; k < 3; k++) {
    uint8_t image[PIXELS];
    take(two_on(250, 250, paper, pen), grey, (ls_intake_way){.kind = kinds[k].kind}, image);
    size_t rows = 0;
    for (size_t y = 0; y < SIDE; y++) {
      bool has_ink = false;
      for (size_t x = 0; x < SIDE; x++) has_ink |= image[y * SIDE + x] > 64;
      rows += has_ink;
    }
    assert_int_equal(rows, kinds[k].height);
  }
}

/* Clothes are light on dark, and stay so; a dark one on light paper is no reason to turn it. */
static void plain_pictures_stay(void **state)
{
  (void)state;
  uint8_t image[PIXELS];
  ls_rgba picture = two_on(SIDE, SIDE, white, (test_colour){30, 30, 30});
  uint8_t expected[PIXELS];
  for (size_t i = 0; i < PIXELS; i++) expected[i] = picture.pixels[i * LS_RGBA];
  take(picture, grey, plain, image);
  assert_memory_equal(image, expected, PIXELS);
}

/* plain takes the middle in the image's proportions, raw all of it. */
static void raw_takes_all(void **state)
{
  (void)state;
  uint8_t image[PIXELS];
  ls_rgba wide = test_paper(2 * SIDE, SIDE, black);
  test_box(&wide, 0, 0, SIDE / 2, SIDE, white);
  take(wide, grey, raw, image);
  assert_int_equal(image[0], 255);
  wide = test_paper(2 * SIDE, SIDE, black);
  test_box(&wide, 0, 0, SIDE / 2, SIDE, white);
  take(wide, grey, plain, image);
  assert_int_equal(image[0], 0);
}

static void colour_networks_get_colour(void **state)
{
  (void)state;
  uint8_t image[3 * 64];
  for (int is_raw = 0; is_raw < 2; is_raw++) {
    take(test_paper(64, 32, (test_colour){200, 10, 30}), colour, is_raw ? raw : plain, image);
    for (size_t i = 0; i < 64; i++)
      assert_true(image[i] == 200 && image[64 + i] == 10 && image[128 + i] == 30);
  }
}

/* Black on nothing, and white on nothing. */
static void transparent_paper_is_paper(void **state)
{
  (void)state;
  for (int is_light = 0; is_light < 2; is_light++) {
    const test_colour ink = is_light ? white : black;
    ls_rgba picture = two_on(250, 250, (test_colour){9, 8, 7}, ink);
    for (size_t i = 0; i < 250 * 250; i++)
      if (picture.pixels[i * LS_RGBA] == 9) picture.pixels[i * LS_RGBA + 3] = 0;
    expect_two(picture, 1.0);
  }
}

static void what_shows_nothing_is_reported(void **state)
{
  (void)state;
  uint8_t image[PIXELS];
  ls_text warnings = {0};
  ls_rgba picture = test_paper(30, 30, paper);
  assert_int_equal(ls_intake(&picture, grey, digit, image, &warnings), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "no ink"));
  assert_int_equal(ls_intake(&picture, (ls_shape){.c = 2, .h = 5, .w = 5}, raw, image, &warnings),
                   LS_E_INPUT);
  ls_rgba_fini(&picture);
}

/* A checkpoint's own word counts; an older one without it goes by its dataset's name. */
static void the_kind_is_the_datas(void **state)
{
  (void)state;
  static const struct {
    const char *dataset, *picture;
    ls_picture_kind kind;
  } cases[] = {{"mnist", "", LS_PICTURE_DIGIT},           {"fashion-mnist", "", LS_PICTURE_PLAIN},
               {"emnist-letters", "", LS_PICTURE_LETTER}, {"kmnist", "", LS_PICTURE_GLYPH},
               {"cifar10", "", LS_PICTURE_PLAIN},         {"my-own", "", LS_PICTURE_PLAIN},
               {"my-own", "digit", LS_PICTURE_DIGIT},     {"mnist", "plain", LS_PICTURE_PLAIN}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ls_checkpoint_info info = {.channels = 1};
    strcpy(info.dataset, cases[i].dataset);
    strcpy(info.picture, cases[i].picture);
    ls_picture_kind kind;
    assert_int_equal(ls_intake_kind(&info, &kind), LS_OK);
    assert_int_equal(kind, cases[i].kind);
  }
  ls_picture_kind kind;
  assert_int_equal(ls_intake_kind(&(ls_checkpoint_info){.picture = "sketch"}, &kind), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "sketch"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(colours_and_positions_do_not_count),
      cmocka_unit_test(size_and_position_are_mnists),
      cmocka_unit_test(images_that_are_made_stay),
      cmocka_unit_test(strokes_are_white),
      cmocka_unit_test(thin_strokes_grow),
      cmocka_unit_test(light_does_not_count),
      cmocka_unit_test(ruled_lines_and_grids_go),
      cmocka_unit_test(frames_go),
      cmocka_unit_test(an_angular_digit_is_no_frame),
      cmocka_unit_test(specks_and_edges_of_the_table_go),
      cmocka_unit_test(a_one_may_fill_its_picture),
      cmocka_unit_test(holes_are_paper),
      cmocka_unit_test(parts_belong_together),
      cmocka_unit_test(several_drawings_are_reported),
      cmocka_unit_test(areas_are_reported),
      cmocka_unit_test(digits_are_the_same_on_any_paper),
      cmocka_unit_test(layouts_are_those_of_the_data),
      cmocka_unit_test(plain_pictures_stay),
      cmocka_unit_test(raw_takes_all),
      cmocka_unit_test(colour_networks_get_colour),
      cmocka_unit_test(transparent_paper_is_paper),
      cmocka_unit_test(what_shows_nothing_is_reported),
      cmocka_unit_test(the_kind_is_the_datas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
