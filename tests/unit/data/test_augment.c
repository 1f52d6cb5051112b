/* SPDX-License-Identifier: BSD-3-Clause */
/* Augmented images against SciPy's (tests/golden/make_augment_goldens.py), and what they must never do. */
#include "data/augment/augment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "config/config.h"
#include "data/augment/kind.h"

typedef struct image_shape {
  size_t c, h, w;
} image_shape;

enum { MAX_LINE = 1 << 16, MAX_PIXELS = 4096 };

/* A configuration with this augmentation; the layer, the optimizer and the schedule are stand-ins. */
static ls_spec *spec_of(const char *yaml)
{
  static const ls_schema any = {.name = "any", .doc = ""},
                         cross_entropy = {.name = "cross_entropy", .doc = ""};
  const char text[] = "data: {source: x}\nmodel: {layers: [{type: any}]}\ntrain: {optimizer: {type: any}, "
                      "schedule: {type: any}}\n";
  const ls_schema *const kinds[] = {&any, NULL}, *const losses[] = {&cross_entropy, NULL};
  const ls_schemas schemas = {.kinds = {[LS_FAMILY_LAYER] = kinds,
                                        [LS_FAMILY_OPTIMIZER] = kinds,
                                        [LS_FAMILY_SCHEDULE] = kinds,
                                        [LS_FAMILY_LOSS] = losses,
                                        [LS_FAMILY_AUGMENTATION] = ls_augment_schemas}};
  char override[512];
  snprintf(override, sizeof override, "data.augment=%s", yaml);
  const char *overrides[] = {override};
  ls_spec *spec;
  if (ls_config_parse(&spec, text, "c.yaml", overrides, 1, &schemas) != LS_OK)
    fail_msg("%s", ls_error_last()->text);
  return spec;
}

/* One image through a plan of its own. */
static void augment(const char *yaml, image_shape in, const uint64_t key[3], const uint8_t *from, uint8_t *to)
{
  ls_spec *spec = spec_of(yaml);
  ls_augment *plan;
  const ls_augment_options options = {.spec = &spec->data.augment,
                                      .channels = in.c,
                                      .height = in.h,
                                      .width = in.w,
                                      .microbatch = 1,
                                      .threads = 2,
                                      .seed = key[0]};
  assert_int_equal(ls_augment_new(&plan, &options), LS_OK);
  const ls_microbatch one = {.images = from, .samples = &key[2], .n = 1};
  const ls_microbatch made = ls_augment_apply(plan, 1, &one, key[1]);
  memcpy(to, made.images, in.c * in.h * in.w);
  ls_augment_free(plan);
  ls_spec_free(spec);
}

static void fill_picture(image_shape in, uint8_t *pixels)
{
  for (size_t c = 0; c < in.c; c++)
    for (size_t i = 0; i < in.h; i++)
      for (size_t j = 0; j < in.w; j++)
        *pixels++ = (uint8_t)((i * 37 + j * 101 + c * 59 + i * j % 17 * 13) % 256);
}

/* Bytes that differ by 1, which rounding explains; fails at any that differs by more. */
static size_t compare(const char *yaml, const uint8_t *pixels, const char *hex, size_t count)
{
  size_t rounded = 0;
  for (size_t k = 0; k < count; k++) {
    unsigned expected;
    assert_int_equal(sscanf(hex + 2 * k, "%2x", &expected), 1);
    const int difference = abs((int)pixels[k] - (int)expected);
    if (difference > 1) fail_msg("%s: byte %zu is %d, not %u", yaml, k, pixels[k], expected);
    rounded += (size_t)difference;
  }
  return rounded;
}

static void images_are_those_of_scipy(void **state)
{
  (void)state;
  FILE *file = fopen(LS_SOURCE_DIR "/tests/golden/augment.txt", "r");
  char *line = malloc(MAX_LINE), yaml[256];
  uint8_t from[MAX_PIXELS], to[MAX_PIXELS];
  size_t cases = 0;
  assert_true(file && line);
  for (; fgets(line, MAX_LINE, file); cases++) {
    uint64_t key[3];
    image_shape in;
    int hex = 0;
    assert_int_equal(sscanf(line, "%255[^;]; %lu %lu %lu; %zu %zu %zu; %n", yaml, &key[0], &key[1], &key[2],
                            &in.c, &in.h, &in.w, &hex),
                     7);
    const size_t count = in.c * in.h * in.w;
    assert_true(count <= MAX_PIXELS && strlen(line + hex) >= 2 * count);
    fill_picture(in, from);
    augment(yaml, in, key, from, to);
    assert_true(compare(yaml, to, line + hex, count) <= count / 50);
  }
  assert_true(cases > 0);
  fclose(file);
  free(line);
}

/* Every kind needs a golden: one without would go unchecked. */
static void every_kind_has_a_golden(void **state)
{
  (void)state;
  static const char section[] = "data.augment.";
  char *line = malloc(MAX_LINE), word[64];
  assert_non_null(line);
  for (size_t i = 0; i < LS_AUGMENT_COUNT; i++) {
    const ls_schema *kind = &ls_augment_kinds[i]->schema;
    bool found = false;
    FILE *file = fopen(LS_SOURCE_DIR "/tests/golden/augment.txt", "r");
    assert_non_null(file);
    while (fgets(line, MAX_LINE, file))
      for (size_t k = 0; k < kind->key_count; k++) {
        const char *key = kind->keys[k].path + strlen(section);
        snprintf(word, sizeof word, "%.*s: ", (int)strcspn(key, "."), key);
        found = found || strstr(line, word);
      }
    fclose(file);
    if (!found)
      fail_msg("no line of tests/golden/augment.txt has the augmentation %s: add cases to "
               "tests/golden/make_augment_goldens.py and run that",
               kind->name);
  }
  free(line);
}

/* Draws are numbers in every reproducible run: no two kinds have the same. */
static void no_draw_is_that_of_two_kinds(void **state)
{
  (void)state;
  const char *owners[LS_AUGMENT_MOST_DRAWS] = {NULL};
  for (size_t i = 0; i < LS_AUGMENT_COUNT; i++) {
    const ls_augment_kind *kind = ls_augment_kinds[i];
    if (kind->first_draw + kind->draws > LS_AUGMENT_MOST_DRAWS)
      fail_msg("%s: first_draw + draws is above %d", kind->schema.name, LS_AUGMENT_MOST_DRAWS);
    for (size_t d = kind->first_draw; d < kind->first_draw + kind->draws; d++) {
      if (owners[d])
        fail_msg("%s and %s both have the random word %zu of an image: let first_draw of the new one be the "
                 "first that none has",
                 owners[d], kind->schema.name, d);
      owners[d] = kind->schema.name;
    }
  }
}

static const image_shape image = {.c = 1, .h = 28, .w = 28};

static void nothing_asked_is_nothing_done(void **state)
{
  (void)state;
  ls_augment *plan;
  ls_spec *spec = spec_of("{}");
  const ls_augment_options options = {
      .spec = &spec->data.augment, .channels = 1, .height = 28, .width = 28, .microbatch = 4, .threads = 1};
  assert_int_equal(ls_augment_new(&plan, &options), LS_OK);
  assert_null(plan);
  const uint8_t bytes[1] = {7};
  const ls_microbatch batch = {.images = bytes, .n = 1};
  assert_ptr_equal(ls_augment_apply(plan, 0, &batch, 0).images, bytes);
  ls_spec_free(spec);
}

/* A range so small that no pixel changes by half a level leaves the image as it is. */
static void the_smallest_ranges_change_nothing(void **state)
{
  (void)state;
  uint8_t from[28 * 28], to[28 * 28];
  fill_picture(image, from);
  augment("{rotate: 1e-6, shift: 1e-9, zoom: 1e-9, shear: 1e-6, elastic: {alpha: 1e-6}}", image,
          (const uint64_t[]){3, 4, 5}, from, to);
  assert_memory_equal(from, to, sizeof from);
}

/* The centre of a dot, with a shift of at most 0.1 of 28 pixels: never further than 2.8 away. */
static void shifts_stay_within_their_range(void **state)
{
  (void)state;
  uint8_t from[28 * 28] = {0}, to[28 * 28];
  double most = 0;
  from[14 * 28 + 14] = 255;
  for (uint64_t sample = 0; sample < 500; sample++) {
    double mass = 0, row = 0, column = 0;
    augment("{shift: 0.1}", image, (const uint64_t[]){1, 2, sample}, from, to);
    for (size_t k = 0; k < 28 * 28; k++)
      mass += to[k], row += (double)(k / 28) * to[k], column += (double)(k % 28) * to[k];
    assert_true(fabs(mass - 255) < 3);
    most = fmax(most, fmax(fabs(row / mass - 14), fabs(column / mass - 14)));
  }
  assert_true(most < 2.82 && most > 2.6);
}

/* Epochs differ, samples differ, and the same key gives the same bytes. */
static void versions_are_keyed(void **state)
{
  (void)state;
  uint8_t from[28 * 28], made[4][28 * 28];
  const uint64_t keys[4][3] = {{1, 1, 1}, {1, 2, 1}, {1, 1, 2}, {1, 1, 1}};
  fill_picture(image, from);
  for (size_t i = 0; i < 4; i++) augment("{elastic: {alpha: 34, sigma: 4}}", image, keys[i], from, made[i]);
  assert_memory_equal(made[0], made[3], sizeof made[0]);
  assert_memory_not_equal(made[0], made[1], sizeof made[0]);
  assert_memory_not_equal(made[0], made[2], sizeof made[0]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(images_are_those_of_scipy),
      cmocka_unit_test(every_kind_has_a_golden),
      cmocka_unit_test(no_draw_is_that_of_two_kinds),
      cmocka_unit_test(nothing_asked_is_nothing_done),
      cmocka_unit_test(the_smallest_ranges_change_nothing),
      cmocka_unit_test(shifts_stay_within_their_range),
      cmocka_unit_test(versions_are_keyed),
  };
  return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
