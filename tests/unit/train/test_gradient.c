/* SPDX-License-Identifier: BSD-3-Clause */
/* The norm of a gradient is that of its values, however large the layer and whichever thread measures it. */
#include "train/gradient.h"

#include "net.h"

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

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(large_layers_are_summed_without_loss),
  };
  return cmocka_run_group_tests_name("gradient", tests, NULL, NULL);
}
