/* SPDX-License-Identifier: BSD-3-Clause */
/* Test-time augmentation against the mean over images that were shifted by hand. */
#include "eval/forward.h"

#include "net.h"
#include "nn/probability.h"

enum { N = 3, CHANNELS = 2, HEIGHT = 5, WIDTH = 6, CLASSES = 4, PIXELS = HEIGHT * WIDTH };

static const ls_shape shape = {.c = CHANNELS, .h = HEIGHT, .w = WIDTH};

static size_t clamp(long at, size_t size)
{
  return at < 0 ? 0 : (size_t)at >= size ? size - 1 : (size_t)at;
}

/* Pixels [n, c, h, w] of a view: each looked up where it comes from. */
static void look(const uint8_t *images, int down, int right, bool flip, uint8_t *seen)
{
  for (size_t p = 0; p < N * CHANNELS; p++)
    for (size_t i = 0; i < HEIGHT; i++)
      for (size_t j = 0; j < WIDTH; j++) {
        const size_t column = flip ? WIDTH - 1 - j : j;
        const size_t y = clamp((long)i - down, HEIGHT), x = clamp((long)column - right, WIDTH);
        seen[p * PIXELS + i * WIDTH + j] = images[p * PIXELS + y * WIDTH + x];
      }
}

static void fill_images(uint8_t *images)
{
  for (size_t i = 0; i < N * CHANNELS * PIXELS; i++) images[i] = (uint8_t)(i * 37 % 251);
}

static const ls_normalization plain = {.channels = CHANNELS, .mean = {0, 0}, .deviation = {100, 100}};

static void views_are_images_that_were_moved(void **state)
{
  (void)state;
  ls_tta *tta;
  size_t count;
  static uint8_t images[N * CHANNELS * PIXELS], seen[N * CHANNELS * PIXELS];
  static float actual[N * CHANNELS * PIXELS], expected[N * CHANNELS * PIXELS];
  fill_images(images);
  assert_int_equal(ls_tta_new(&tta, 1, 1, true), LS_OK);
  const ls_view *views = ls_tta_views(tta, &count);
  assert_int_equal(count, 18);
  for (size_t v = 0; v < count; v++) {
    look(images, views[v].down, views[v].right, views[v].flip, seen);
    ls_normalization_apply(&plain, seen, N, PIXELS, expected);
    ls_normalization_apply(&plain, images, N, PIXELS, actual);
    ls_view_apply(&views[v], shape, N, actual);
    assert_memory_equal(actual, expected, sizeof expected);
  }
  ls_tta_free(tta);
}

/* A row or a column alone has nothing to move into. */
static void a_single_pixel_stays(void **state)
{
  (void)state;
  const ls_view view = {.down = 1, .right = -1, .flip = true};
  float x[] = {1, 2, 3, 4};
  ls_view_apply(&view, (ls_shape){.c = 2, .h = 1, .w = 1}, 2, x);
  for (size_t i = 0; i < 4; i++) assert_true(x[i] == (float)(i + 1));
}

/* The mean of the probabilities over all views, each by a forward pass of its own. */
static void mean_of_views(const ls_members *members, const uint8_t *images, bool flips,
                          double mean[N * CLASSES])
{
  static uint8_t seen[N * CHANNELS * PIXELS];
  uint64_t samples[N] = {0, 1, 2};
  float p[N * CLASSES];
  memset(mean, 0, N * CLASSES * sizeof *mean);
  for (int flip = 0; flip <= (flips ? 1 : 0); flip++)
    for (int down = -1; down <= 1; down++)
      for (int right = -1; right <= 1; right++) {
        look(images, down, right, flip == 1, seen);
        const ls_microbatch microbatch = {.images = seen, .samples = samples, .n = N};
        ls_softmax(ls_members_logits(members, 0, &microbatch), N, CLASSES, p);
        for (size_t i = 0; i < N * CLASSES; i++) mean[i] += (double)p[i] / (flips ? 18 : 9);
      }
}

static void probabilities_are_the_mean_over_the_views(void **state)
{
  (void)state;
  test_net net;
  ls_network network;
  ls_workspace **workspaces;
  static uint8_t images[N * CHANNELS * PIXELS];
  uint64_t samples[N] = {0, 1, 2};
  fill_images(images);
  const char *layers = "[{type: conv, filters: 3, kernel: 3, pad: 1}, {type: relu}, {type: flatten},"
                       " {type: dense, units: 4}]";
  assert_int_equal(net_try(&net, layers, shape, N, CLASSES), LS_OK);
  assert_int_equal(ls_network_init(&network, net.model, &plain), LS_OK);
  assert_int_equal(ls_workspaces_new(&workspaces, net.model, 1), LS_OK);
  ls_model_init(net.model, 3, network.params, network.buffers);
  ls_network_pack(&network, 0, 1);
  for (int flips = 0; flips <= 1; flips++) {
    ls_tta *tta;
    double expected[N * CLASSES];
    float p[N * CLASSES];
    assert_int_equal(ls_tta_new(&tta, 1, N * CLASSES, flips == 1), LS_OK);
    ls_member member = {.network = &network, .workspaces = workspaces};
    const ls_members members = {.items = &member, .count = 1, .threads = 1, .microbatch = N};
    mean_of_views(&members, images, flips == 1, expected);
    member.tta = tta;
    const ls_microbatch microbatch = {.images = images, .samples = samples, .n = N};
    ls_softmax(ls_members_logits(&members, 0, &microbatch), N, CLASSES, p);
    for (size_t i = 0; i < N * CLASSES; i++) assert_true(fabs((double)p[i] - expected[i]) < 1e-6);
    ls_tta_free(tta);
  }
  ls_workspaces_free(workspaces, 1);
  ls_network_fini(&network);
  net_fini(&net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(views_are_images_that_were_moved),
      cmocka_unit_test(a_single_pixel_stays),
      cmocka_unit_test(probabilities_are_the_mean_over_the_views),
  };
  return cmocka_run_group_tests_name("tta", tests, NULL, NULL);
}
