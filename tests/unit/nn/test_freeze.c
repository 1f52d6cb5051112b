/* SPDX-License-Identifier: BSD-3-Clause */
/* Frozen layers: nothing about them changes, and nothing about the others' gradients. */
#include "net.h"

static const ls_shape in = {.c = 2, .h = 8, .w = 8};

enum { N = 3, UNITS = 5 };

/* One training pass from the same numbers. */
static void pass(test_net *net, const char *layers, bool wants_dx)
{
  float x[N * 2 * 8 * 8], dy[N * UNITS];
  net_init(net, layers, in, N);
  net_random(11, net->params, ls_model_count(net->model)->params);
  net_random(12, x, N * 2 * 8 * 8);
  net_random(13, dy, N * UNITS);
  net_forward(net, x);
  net_backward(net, dy, wants_dx);
}

/* The same pass, but from features that were computed before, of one sample after the other. */
static void pass_from_features(test_net *net, const char *layers, size_t values)
{
  float x[N * 2 * 8 * 8], dy[N * UNITS];
  float *features = net_floats(N * values);
  net_init(net, layers, in, N);
  net_random(11, net->params, ls_model_count(net->model)->params);
  net_random(12, x, N * 2 * 8 * 8);
  net_random(13, dy, N * UNITS);
  ls_model_pack(net->model, net->params, net->packed, 0, 1);
  for (size_t s = 0; s < N; s++) {
    const ls_pass one = {.n = 1,
                         .params = net->params,
                         .packed = net->packed,
                         .buffers = net->buffers,
                         .samples = &net->samples[s]};
    memcpy(ls_workspace_input(net->workspace), x + s * 2 * 8 * 8, 2 * 8 * 8 * sizeof(float));
    memcpy(features + s * values, ls_model_extract(net->model, &one, net->workspace), values * sizeof(float));
  }
  memset(ls_workspace_input(net->workspace), 0xff, N * 2 * 8 * 8 * sizeof(float));
  memcpy(ls_workspace_features(net->model, net->workspace), features, N * values * sizeof(float));
  net->pass.from_features = true;
  memset(net->stats, 0xff, ls_model_count(net->model)->buffers * sizeof(float));
  ls_model_forward(net->model, &net->pass, net->workspace);
  net_backward(net, dy, false);
  free(features);
}

/* The same gradients for the tensors that are trained. */
static void expect_same(const test_net *part, const test_net *whole)
{
  size_t count, trained = 0;
  const ls_tensor *tensors = ls_model_params(part->model, &count);
  for (size_t i = 0; i < count; i++) {
    if (tensors[i].lr_factor == 0.0) continue;
    trained++;
    assert_memory_equal(part->param_grads + tensors[i].offset, whole->param_grads + tensors[i].offset,
                        tensors[i].count * sizeof(float));
  }
  assert_true(trained > 0 && trained < count);
  assert_true(ls_model_count(part->model)->grads < ls_model_count(whole->model)->grads);
}

#define CONV(name, more) "{type: conv, name: " name ", filters: 4, kernel: 3, pad: 1" more "}"
#define FROZEN ", freeze: true"
#define NET(a, b, c, d)                                                                                      \
  "[" CONV("a", a) ", {type: relu}, {type: maxpool, size: 2}, " CONV(                                        \
      "b", b) ", {type: relu}, "                                                                             \
              "{type: residual, name: block, body: [" CONV("c", c) ", {type: relu}]" d                       \
                                                                   "}, {type: flatten}, "                    \
                                                                   "{type: dense, name: e, units: 5}]"

static void gradients_of_others_are_the_same(void **state)
{
  (void)state;
  static const char *const parts[] = {NET(FROZEN, "", "", ""),         NET("", FROZEN, "", ""),
                                      NET("", "", FROZEN, ""),         NET("", "", "", FROZEN),
                                      NET(FROZEN, FROZEN, "", FROZEN), NET(FROZEN, "", FROZEN, "")};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    for (int wants_dx = 0; wants_dx <= 1; wants_dx++) {
      test_net part, whole;
      pass(&part, parts[i], wants_dx == 1);
      pass(&whole, NET("", "", "", ""), wants_dx == 1);
      expect_same(&part, &whole);
      if (wants_dx) assert_memory_equal(part.dx, whole.dx, N * 2 * 8 * 8 * sizeof(float));
      net_fini(&part);
      net_fini(&whole);
    }
}

/* Normalization by running statistics, which stay; dropout off. */
static void a_frozen_layer_works_as_in_an_evaluation(void **state)
{
  (void)state;
  test_net net;
  const char *layers = "[{type: residual, freeze: true, body: [{type: batchnorm}, {type: dropout}]}, "
                       "{type: flatten}, {type: dense, units: 5}]";
  float x[N * 2 * 8 * 8], y[N * UNITS], buffers[4];
  net_init(&net, layers, in, N);
  net_random(12, x, N * 2 * 8 * 8);
  memcpy(buffers, net.buffers, sizeof buffers);
  memset(net.stats, 0xff, sizeof buffers);
  memcpy(y, net_forward(&net, x), sizeof y);
  for (size_t i = 0; i < 4; i++) assert_true(net.stats[i] == 0.0F); /* they are summed over the ranks */
  ls_model_update_buffers(net.model, net.stats, net.buffers);
  assert_memory_equal(net.buffers, buffers, sizeof buffers);
  net.pass.training = false;
  assert_memory_equal(net_forward(&net, x), y, sizeof y);
  net_fini(&net);
}

/* What the layers before give, computed for one sample at a time, stands for the images to the bit. */
static void features_stand_for_the_images(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    size_t features; /* values a sample */
  } cases[] = {
      {NET("", "", "", ""), 0},
      {NET("", FROZEN, "", ""), 0},
      {NET(FROZEN, "", "", ""), 4 * 4 * 4},
      {NET(FROZEN, "", FROZEN, ""), 4 * 4 * 4},
      {NET(FROZEN, FROZEN, FROZEN, ""), 4 * 4 * 4},
      {"[" CONV("a", FROZEN) ", {type: relu, name: r}, {type: dropout}, {type: flatten}, "
                             "{type: dense, units: 5}]",
       4 * 8 * 8},
      {"[{type: batchnorm, freeze: true}, {type: dropout, freeze: true}, {type: avgpool, size: 4}, "
       "{type: batchnorm}, {type: flatten}, {type: dense, units: 5}]",
       2 * 2 * 2},
      {"[{type: batchnorm}, " CONV("a", FROZEN) ", {type: flatten}, {type: dense, units: 5}]", 0},
      {"[" CONV("a", FROZEN) ", " CONV("b", "") ", {type: concat, inputs: [b, input]}, {type: flatten}, "
                                                "{type: dense, units: 5}]",
       0},
      {"[" CONV("a", FROZEN) ", {type: concat, inputs: [a, input]}, " CONV(
           "b", "") ", "
                    "{type: flatten}, {type: dense, units: 5}]",
       6 * 8 * 8},
      {"[" CONV("a", FROZEN) ", {type: relu, name: r}, " CONV(
           "b", ", input: r") ", "
                              "{type: add, inputs: [b, r]}, {type: flatten}, {type: dense, units: 5}]",
       4 * 8 * 8},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net whole, part;
    pass(&whole, cases[i].layers, false);
    const ls_model_counts *counts = ls_model_count(whole.model);
    const size_t values = ls_model_features(whole.model);
    assert_int_equal(values, cases[i].features);
    if (values > 0) {
      pass_from_features(&part, cases[i].layers, values);
      assert_memory_equal(part.param_grads, whole.param_grads, counts->params * sizeof(float));
      assert_memory_equal(part.stats, whole.stats, counts->buffers * sizeof(float));
      net_fini(&part);
    }
    net_fini(&whole);
  }
}

static void names_and_globs_choose_layers(void **state)
{
  (void)state;
  static const struct {
    const char *glob;
    size_t trained; /* tensors */
  } cases[] = {{"a", 6}, {"block", 6}, {"block.*", 6}, {"[ab]", 4}, {"*", 0}, {"e", 6}, {"?lock*", 6}};
  ls_spec *spec = net_spec(NET("", "", "", ""));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *items[] = {(char *)(uintptr_t)cases[i].glob};
    const ls_text_list freeze = {.items = items, .count = 1};
    const ls_model_options options = {.in = in, .microbatch = N, .freeze = &freeze};
    ls_model *model;
    size_t count, trained = 0;
    assert_int_equal(ls_model_new(&model, &spec->model.layers, &options), LS_OK);
    const ls_tensor *tensors = ls_model_params(model, &count);
    for (size_t t = 0; t < count; t++) trained += tensors[t].lr_factor > 0.0;
    assert_int_equal(trained, cases[i].trained);
    ls_model_free(model);
  }
  char wrong[] = "c";
  char *items[] = {wrong}; /* within the block it is called block.c */
  const ls_text_list freeze = {.items = items, .count = 1};
  const ls_model_options options = {.in = in, .microbatch = N, .freeze = &freeze};
  ls_model *model;
  assert_int_equal(ls_model_new(&model, &spec->model.layers, &options), LS_E_CONFIG);
  assert_non_null(strstr(ls_error_last()->text, "model.freeze: no layer is called 'c'"));
  ls_spec_free(spec);
}

static void factors_multiply_inwards(void **state)
{
  (void)state;
  test_net net;
  size_t count;
  net_init(&net,
           "[{type: residual, lr_factor: 0.5, body: [{type: conv, filters: 2, kernel: 1, lr_factor: 0.1}]}, "
           "{type: flatten}, {type: dense, units: 5}]",
           in, N);
  const ls_tensor *tensors = ls_model_params(net.model, &count);
  assert_true(tensors[0].lr_factor == 0.05 && tensors[count - 1].lr_factor == 1.0);
  net_fini(&net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_of_others_are_the_same),
      cmocka_unit_test(a_frozen_layer_works_as_in_an_evaluation),
      cmocka_unit_test(features_stand_for_the_images),
      cmocka_unit_test(names_and_globs_choose_layers),
      cmocka_unit_test(factors_multiply_inwards),
  };
  return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
