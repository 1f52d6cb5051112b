/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a step goes wrong: the first layer forward, the first one on the way back, and the one in which
 * values grow most. */
#include "train/nonfinite.h"

#include "net.h"

enum { MICROBATCH = 2, PIXELS = 4 };

static const char layers[] = "[{type: batchnorm, name: bn}, {type: batchnorm, name: bn2}, {type: flatten}, "
                             "{type: dense, name: a, units: 3}, {type: relu}, "
                             "{type: dense, name: b, units: 3}]";

static const ls_sums_limits wide = {.grad = 1e3, .stat = 1e3, .loss = 1e3};

typedef struct search {
  const char *name;
  const ls_layer *found;
} search;

static void find(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  search *self = user;
  if (strcmp(layer->name, self->name) == 0) self->found = layer;
}

static const ls_layer *layer_of(const test_net *net, const char *name)
{
  search self = {.name = name};
  ls_model_visit(net->model, find, &self);
  assert_non_null(self.found);
  return self.found;
}

static void fill(test_net *net, const char *name, float value)
{
  const ls_layer *layer = layer_of(net, name);
  for (size_t i = 0; i < layer->param_count; i++) net->params[layer->param_offset + i] = value;
}

/* A network in which all is well: weights of 0.25 and statistics of a batch that is neither large nor flat.
 */
static void make(test_net *net)
{
  net_init(net, layers, (ls_shape){.c = 1, .h = 2, .w = 2}, MICROBATCH);
  fill(net, "a", 0.25F);
  fill(net, "b", 0.25F);
  memset(net->grads, 0, ls_model_count(net->model)->grads * sizeof(float));
}

static void set(test_net *net, const char *name, float value)
{
  net->params[layer_of(net, name)->param_offset] = value;
}

/* Run forward with these limits and look; the words of the error, or NULL. */
static void expect(test_net *net, ls_sums_limits limits, double loss, const char *words)
{
  static const float x[MICROBATCH * PIXELS] = {1, 2, 3, 4, 5, 6, 7, 8};
  ls_nonfinite nonfinite = {.model = net->model, .pass = &net->pass, .limits = limits, .grads = net->grads};
  memset(net->stats, 0, ls_model_count(net->model)->buffers * sizeof(float));
  net->pass.observe = ls_nonfinite_observe;
  net->pass.observer = &nonfinite;
  net_forward(net, x);
  const ls_status status = ls_nonfinite_check(&nonfinite, loss);
  assert_int_equal(status, words ? LS_E_NONFINITE : LS_OK);
  if (words && !strstr(ls_error_last()->text, words))
    fail_msg("'%s' not in: %s", words, ls_error_last()->text);
}

static void nothing_is_wrong(void **state)
{
  (void)state;
  test_net net;
  make(&net);
  expect(&net, wide, 1, NULL);
  expect(&net, wide, -999, NULL);
  net_fini(&net);
}

/* All layers behind it are not finite either. */
static void the_first_layer_forward_is_named(void **state)
{
  (void)state;
  test_net net;
  make(&net);
  set(&net, "b", INFINITY);
  expect(&net, wide, NAN, "the output of layer b is not finite");
  set(&net, "a", NAN);
  expect(&net, wide, NAN, "the output of layer a is not finite");
  set(&net, "bn", INFINITY);
  expect(&net, wide, NAN, "the output of layer bn is not finite");
  net_fini(&net);
}

/* The mean is 4.5, and the variance 5.25: both count for each of the two samples. */
static void statistics_beyond_their_limit_are_told(void **state)
{
  (void)state;
  test_net net;
  make(&net);
  expect(&net, (ls_sums_limits){.grad = 1e3, .stat = 13, .loss = 1e3}, 1, NULL);
  expect(&net, (ls_sums_limits){.grad = 1e3, .stat = 10, .loss = 1e3}, 1,
         "a batch statistic of layer bn is not finite or beyond +-5");
  set(&net, "bn", 10); /* a variance of 100 for the next one */
  expect(&net, (ls_sums_limits){.grad = 1e3, .stat = 150, .loss = 1e3}, 1,
         "a batch statistic of layer bn2 is not finite or beyond +-75");
  net_fini(&net);
}

static void a_loss_beyond_its_limit_names_the_steepest_layer(void **state)
{
  (void)state;
  test_net net;
  make(&net);
  fill(&net, "a", 100);
  expect(&net, wide, 1000,
         "the loss of a micro-batch, 1000, is not finite or beyond 1000; the outputs grow "
         "most in layer a, to ");
  assert_null(strstr(ls_error_last()->text, "to 0")); /* but to what it has come to */
  fill(&net, "a", 0.25F);
  fill(&net, "b", 100);
  expect(&net, wide, NAN, "most in layer b, to ");
  fill(&net, "a", 100);
  fill(&net, "b", 0.5F); /* larger outputs than those of a, by a smaller factor */
  expect(&net, wide, NAN, "most in layer a, to ");
  fill(&net, "a", 0.25F);
  fill(&net, "b", 100);
  expect(&net, wide, -INFINITY, "most in layer b, to ");
  net_fini(&net);
}

/* A gradient at the limit is beyond it, on either side; of several layers the last comes first. */
static void the_first_layer_on_the_way_back_is_named(void **state)
{
  (void)state;
  test_net net;
  make(&net);
  const ls_layer *a = layer_of(&net, "a"), *b = layer_of(&net, "b");
  net.grads[a->grad_offset + a->grad_count - 1] = -999.0F;
  expect(&net, wide, 1, NULL);
  net.grads[a->grad_offset + a->grad_count - 1] = -1000.0F;
  expect(&net, wide, 1, "the gradient of layer a is not finite or beyond +-1000");
  net.grads[b->grad_offset] = NAN;
  expect(&net, wide, 1, "the gradient of layer b is not finite or beyond +-1000");
  net_fini(&net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_wrong),
      cmocka_unit_test(the_first_layer_forward_is_named),
      cmocka_unit_test(statistics_beyond_their_limit_are_told),
      cmocka_unit_test(a_loss_beyond_its_limit_names_the_steepest_layer),
      cmocka_unit_test(the_first_layer_on_the_way_back_is_named),
  };
  return cmocka_run_group_tests_name("nonfinite", tests, NULL, NULL);
}
