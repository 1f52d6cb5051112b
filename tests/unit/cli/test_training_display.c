/* SPDX-License-Identifier: BSD-3-Clause */
/* The progress display: what is rendered at which width, and what reaches the stream when. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/train/training_display.h"

static const ls_display_step middle = {.epoch = 3,
                                       .step = 58,
                                       .steps = 100,
                                       .loss = 0.1234,
                                       .accuracy = 0.9612,
                                       .samples_per_second = 8421,
                                       .seconds_left = 7};

static const ls_display_epoch end = {.epoch = 3,
                                     .loss = 0.1234,
                                     .accuracy = 0.9612,
                                     .validated = true,
                                     .validation_loss = 0.11,
                                     .validation_accuracy = 0.969,
                                     .learning_rate = 0.045,
                                     .samples_per_second = 8421,
                                     .seconds = 7.1};

static void assert_bar(size_t width, const ls_display_step *step, const char *expected)
{
  char line[256];
  size_t length = ls_training_display_render_bar(line, sizeof line, width, 10, step);
  assert_string_equal(line, expected);
  assert_int_equal(length, strlen(expected));
}

static void a_bar_has_all_fields_where_there_is_room(void **state)
{
  (void)state;
  assert_bar(82, &middle,
             "epoch 3/10 [=====>    ] 58 %  loss 0.1234  acc 96.12 %  8421 samples/s  0:07 left");
  assert_bar(
      200, &middle,
      "epoch 3/10 [=================>            ] 58 %  loss 0.1234  acc 96.12 %  8421 samples/s  0:07 "
      "left");
  assert_bar(80, &middle, "epoch 3/10 [====>   ] 58 %  loss 0.1234  acc 96.12 %  8421 samples/s  0:07 left");
}

static void a_narrow_bar_drops_fields(void **state)
{
  (void)state;
  assert_bar(75, &middle, "epoch 3/10 [===========>       ] 58 %  loss 0.1234  acc 96.12 %  0:07 left");
  assert_bar(60, &middle, "epoch 3/10 [========>      ] 58 %  loss 0.1234  acc 96.12 %");
  assert_bar(40, &middle, "epoch 3/10 [====>   ] 58 %  loss 0.1234");
  assert_bar(30, &middle, "epoch 3/10 [======>    ] 58 %");
  assert_bar(18, &middle, "epoch 3/10 58 %");
  assert_bar(6, &middle, "epoch");
  assert_bar(1, &middle, "");
}

static void a_bar_always_fits(void **state)
{
  (void)state;
  ls_display_step step = middle;
  step.loss = 1e30;
  step.samples_per_second = 1e12;
  for (size_t width = 1; width < 300; width++) {
    char line[256];
    size_t length = ls_training_display_render_bar(line, sizeof line, width, 1000000, &step);
    assert_true(length < width);
    assert_int_equal(length, strlen(line));
  }
}

static void the_ends_of_an_epoch(void **state)
{
  (void)state;
  ls_display_step step = middle;
  step.step = 0;
  step.seconds_left = -1;
  step.loss = NAN;
  assert_bar(70, &step, "epoch 3/10 [>           ]  0 %  loss nan  acc 96.12 %  8421 samples/s");
  step = middle;
  step.step = 100;
  assert_bar(40, &step, "epoch 3/10 [=======] 100 %  loss 0.1234");
  step.steps = 0;
  assert_bar(40, &step, "epoch 3/10 [>       ]  0 %  loss 0.1234");
}

static void assert_contains(const char *text, const char *part)
{
  if (!strstr(text, part)) fail_msg("'%s' is not in '%s'", part, text);
}

static void durations(void **state)
{
  (void)state;
  static const struct {
    double seconds;
    const char *text;
  } cases[] = {{0, "  0:00 left"},    {59.4, "  0:59 left"},     {59.6, "  1:00 left"},
               {754, "  12:34 left"}, {11100, "  3:05:00 left"}, {0.2, "  0:00 left"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ls_display_step step = middle;
    step.seconds_left = cases[i].seconds;
    char line[256];
    ls_training_display_render_bar(line, sizeof line, 120, 10, &step);
    assert_contains(line, cases[i].text);
  }
  static const double unknown[] = {-1, INFINITY, 1e30};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    ls_display_step step = middle;
    step.seconds_left = unknown[i];
    char line[256];
    ls_training_display_render_bar(line, sizeof line, 120, 10, &step);
    assert_null(strstr(line, "left"));
  }
}

static void assert_epoch(const ls_display_epoch *epoch, const char *expected)
{
  char line[256];
  ls_training_display_render_epoch(line, sizeof line, 10, epoch);
  assert_string_equal(line, expected);
}

static void the_plain_line(void **state)
{
  (void)state;
  assert_epoch(&end,
               "epoch  3/10  loss 0.1234  acc 96.12 %  val loss 0.1100  val acc 96.90 %  lr 0.0450  8421 "
               "samples/s  7.1 s");
  ls_display_epoch epoch = end;
  epoch.epoch = 10;
  epoch.validated = false;
  epoch.learning_rate = 0.000025;
  assert_epoch(&epoch, "epoch 10/10  loss 0.1234  acc 96.12 %  lr 2.50e-05  8421 samples/s  7.1 s");
}

enum { WRITTEN_BYTES = 4096 };

/* Runs `use` with a display that writes into `text`. */
static void write_by(char text[WRITTEN_BYTES], bool terminal, void (*use)(ls_training_display *display))
{
  FILE *stream = fmemopen(text, WRITTEN_BYTES, "w");
  assert_non_null(stream);
  ls_training_display display = {.stream = stream, .label = "", .epochs = 10, .terminal = terminal};
  use(&display);
  assert_int_equal(fclose(stream), 0);
}

static void two_steps_and_the_end(ls_training_display *display)
{
  const double begin_s = ls_clock_s();
  ls_training_display_step(display, &middle);
  assert_true(!display->terminal || display->due_s > begin_s + 0.05); /* about a tenth of a second later */
  display->due_s += 3600;                                             /* however slow this machine is */
  ls_display_step later = middle;
  later.step = 59;
  ls_training_display_step(display, &later); /* too soon to be drawn */
  ls_training_display_epoch(display, &end);
}

#define END_LINE                                                                                             \
  "epoch  3/10  loss 0.1234  acc 96.12 %  val loss 0.1100  val acc 96.90 %  lr 0.0450  8421 samples/s  7.1 " \
  "s\n"

static void elsewhere_there_is_one_line_an_epoch(void **state)
{
  (void)state;
  char text[WRITTEN_BYTES];
  write_by(text, false, two_steps_and_the_end);
  assert_string_equal(text, END_LINE);
}

static void on_a_terminal_the_line_replaces_the_bar(void **state)
{
  (void)state;
  char bar[256];
  size_t length =
      ls_training_display_render_bar(bar, sizeof bar, 80, 10, &middle); /* no terminal: 80 columns */
  char expected[1024];
  snprintf(expected, sizeof expected, "\r%s\r%*s\r%s", bar, (int)length, "", END_LINE);
  char text[WRITTEN_BYTES];
  write_by(text, true, two_steps_and_the_end);
  assert_string_equal(text, expected);
}

static void a_shorter_bar(ls_training_display *display)
{
  ls_training_display_step(display, &middle);
  display->due_s = 0;
  ls_display_step wide = middle;
  wide.epoch = 9;
  wide.seconds_left = -1;
  wide.samples_per_second = 1;
  wide.steps = 58;
  ls_training_display_step(display, &wide);
}

static void a_shorter_bar_leaves_nothing_of_the_longer(void **state)
{
  (void)state;
  char text[WRITTEN_BYTES];
  write_by(text, true, a_shorter_bar);
  const char *second = strrchr(text, '\r') + 1;
  const char *first = strchr(text, '\r') + 1;
  assert_true(strlen(second) >= (size_t)(second - 1 - first));
}

static void clearing(ls_training_display *display)
{
  ls_training_display_clear(display); /* nothing stands there */
  ls_training_display_step(display, &middle);
  ls_training_display_clear(display);
  ls_training_display_step(display, &middle); /* drawn at once */
}

static void a_cleared_bar_comes_back(void **state)
{
  (void)state;
  char text[WRITTEN_BYTES];
  write_by(text, true, clearing);
  size_t bars = 0;
  for (const char *at = text; (at = strstr(at, "epoch 3/10")) != NULL; at++) bars++;
  assert_int_equal(bars, 2);
  assert_int_equal(strncmp(text, "\repoch", 6), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bar_has_all_fields_where_there_is_room),
      cmocka_unit_test(a_narrow_bar_drops_fields),
      cmocka_unit_test(a_bar_always_fits),
      cmocka_unit_test(the_ends_of_an_epoch),
      cmocka_unit_test(durations),
      cmocka_unit_test(the_plain_line),
      cmocka_unit_test(elsewhere_there_is_one_line_an_epoch),
      cmocka_unit_test(on_a_terminal_the_line_replaces_the_bar),
      cmocka_unit_test(a_shorter_bar_leaves_nothing_of_the_longer),
      cmocka_unit_test(a_cleared_bar_comes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
