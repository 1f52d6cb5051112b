/* SPDX-License-Identifier: BSD-3-Clause */
/* The norm of a gradient is that of its values, however large the layer and whichever thread measures it. */
#include "train/gradient.h"

#include "net.h"
#include "unit/optim/cases.h"

/* Of a gradient of equal values, by `parts` threads' worth of calls. */
static double norm_of(const ls_model *model, float value, size_t parts)
{
  ls_gradient *gradient;
  const size_t count = ls_model_count(model)->grads;
  float *reduced = net_floats(count);
  for (size_t i = 0; i < count; i++) reduced[i] = value;
  assert_int_equal(ls_gradient_new(&gradient, model), LS_OK);
  for (size_t part = 0; part < parts; part++) ls_gradient_measure(gradient, reduced, part, parts);
  const double norm = ls_gradient_norm(gradient);
  ls_gradient_free(gradient);
  free(reduced);
  return norm;
}

/* Equal values round all the same way, again and again: the worst case of a long sum in float32. */
static void large_layers_are_summed_without_loss(void **state)
{
  (void)state;
  test_net net;
  const ls_shape in = {.c = 512, .h = 2, .w = 2};
  const char *layers = "[{type: conv, filters: 512, kernel: 3, pad: 1}, {type: flatten}]";
  assert_int_equal(net_try(&net, layers, in, 1, 0), LS_OK);
  const double exact = (double)0.1F * sqrt((512.0 * 9.0 + 1.0) * 512.0);
  const double norm = norm_of(net.model, 0.1F, 1);
  if (!(fabs(norm / exact - 1.0) < 1e-5)) fail_msg("%.9g, not %.9g", norm, exact);
  assert_true(norm_of(net.model, 0.1F, 3) == norm);
  net_fini(&net);
}

static double plain_norm(const float *x, size_t count)
{
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sqrt(sum);
}

/* The norms by the optimizer of a text, measured by two numbers of threads, which are the same bits. */
static void expect_norms(const test_net *net, const char *text, const float *reduced, double direction)
{
  const ls_model *model = net->model;
  const ls_kind_spec spec = case_spec(ls_optimizer_schemas, text);
  float *slots[LS_OPTIMIZER_MAX_SLOTS];
  for (size_t i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++) {
    slots[i] = net_floats(ls_model_count(model)->params);
    memset(slots[i], 0, ls_model_count(model)->params * sizeof(float));
  }
  const ls_optimizer optimizer = {&spec, model, net->params, slots};
  const ls_update update = {.lr = 0.1, .grad_scale = 1, .step = 1};
  ls_gradient *gradients[2];
  const ls_tensor_norms *norms[2];
  for (size_t g = 0; g < 2; g++) {
    const size_t parts = g == 0 ? 1 : 3;
    assert_int_equal(ls_gradient_new(&gradients[g], model), LS_OK);
    for (size_t part = 0; part < parts; part++)
      ls_gradient_measure_tensors(gradients[g], reduced, &optimizer, &update, part, parts);
    norms[g] = ls_gradient_norms(gradients[g]);
  }
  size_t count;
  const ls_tensor *tensors = ls_model_params(model, &count);
  assert_int_equal(count, 8);
  for (size_t i = 0; i < count; i++) {
    const double trained = i < 2 ? 0.0 : 1.0; /* the first layer is frozen */
    const double in_params = plain_norm(net->params + tensors[i].offset, tensors[i].count);
    const double in_direction = direction * sqrt((double)tensors[i].count);
    assert_true(fabs(norms[0][i].params - trained * in_params) <= 1e-5 * in_params);
    assert_true(fabs(norms[0][i].direction - trained * in_direction) <= 1e-5 * in_direction);
    assert_true(norms[1][i].params == norms[0][i].params && norms[1][i].direction == norms[0][i].direction);
  }
  for (size_t g = 0; g < 2; g++) ls_gradient_free(gradients[g]);
  for (size_t i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++) free(slots[i]);
  free(spec.options);
}

/* Layers of one piece and of several, biases that share a piece with their weights, a frozen layer. */
static void tensors_have_the_norms_of_their_values_for_any_threads(void **state)
{
  (void)state;
  test_net net;
  const ls_shape in = {.c = 1, .h = 12, .w = 12};
  const char *layers =
      "[{type: conv, filters: 3, kernel: 3, freeze: true}, {type: batchnorm}, {type: flatten},"
      " {type: dense, units: 400}, {type: dense, units: 7}]";
  net_init(&net, layers, in, 1);
  const ls_model_counts *counts = ls_model_count(net.model);
  float *reduced = net_floats(counts->grads);
  for (size_t i = 0; i < counts->params; i++) net.params[i] = (float)(i % 17) - 3.0F;
  for (size_t i = 0; i < counts->grads; i++) reduced[i] = 0.5F; /* in the kernels' layout and in PyTorch's */
  expect_norms(&net, "{type: lars}", reduced, 0.5);
  /* Adam's first direction is the gradient's sign, whatever its length. */
  expect_norms(&net, "{type: lamb, weight_decay: 0}", reduced, 1.0);
  free(reduced);
  net_fini(&net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(large_layers_are_summed_without_loss),
      cmocka_unit_test(tensors_have_the_norms_of_their_values_for_any_threads),
  };
  return cmocka_run_group_tests_name("gradient", tests, NULL, NULL);
}
