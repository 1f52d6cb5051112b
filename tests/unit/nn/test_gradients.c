/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kind of layer, and the loss, against central differences.
 *
 * The objective is sum(dy * y) with a fixed random dy, added up in double. Outputs of single precision limit
 * a difference over an eighth to about 1e-5 of the largest gradient, far below the tolerance of 1e-3,
 * and any wrong term is far above that. Kinks are kept out of the way: inputs of rectifiers stay off zero,
 * those of max pooling off each other, and nets of several layers are smooth.
 */
#include "net.h"

#include "nn/kinds.h"
#include "nn/loss.h"

static const double STEP = 0x1p-4;
static const double TOLERANCE = 1e-3; /* of the largest gradient */

enum { PER_ENTRY_MAX = 700 }; /* vectors up to this size are checked entry by entry too */

typedef enum inputs { ANY, OFF_ZERO, DISTINCT } inputs;

typedef struct test_case {
  const char *layers;
  ls_shape in; /* c, h, w */
  size_t microbatch, n;
  inputs inputs;
  bool evaluation;
} test_case;

#define NESTED                                                                                               \
  "[{type: residual, name: outer, body: [{type: conv, filters: 4, kernel: 3, pad: 1}, {type: tanh}, "        \
  "{type: residual, body: [{type: batchnorm}, {type: gelu}, {type: conv, filters: 4, kernel: 1}]}, "         \
  "{type: sigmoid}], shortcut: [{type: conv, filters: 4, kernel: 1, bias: false}]}, {type: batchnorm}, "     \
  "{type: tanh}, {type: flatten}, {type: dense, units: 3}]"

/* Outputs that several layers take, in place and not, of one value per channel and per pixel. */
#define GRAPH                                                                                                \
  "[{type: conv, name: a, filters: 4, kernel: 3, pad: 1}, {type: tanh, name: t}, {type: conv, name: b, "     \
  "filters: 4, kernel: 1, input: a}, {type: add, name: s, inputs: [b, t, a]}, {type: sigmoid, name: g}, "    \
  "{type: globalavgpool, name: p, input: g}, {type: conv, name: q, filters: 1, kernel: 3, pad: 1, input: "   \
  "g}, {type: tanh, name: h}, {type: multiply, name: m, inputs: [t, p, h]}, {type: residual, name: r, "      \
  "body: [{type: batchnorm, name: n}, {type: conv, name: u, filters: 2, kernel: 1}, {type: concat, inputs: " \
  "[u, input]}], shortcut: [{type: conv, filters: 6, kernel: 1}]}, {type: concat, inputs: [r, m, t]}, "      \
  "{type: gelu}, {type: flatten}, {type: dense, units: 3}]"

static const test_case cases[] = {
    {"[{type: conv, filters: 3, kernel: 3, pad: 1}, {type: flatten}]", {2, 5, 4}, 3, 3, ANY, false},
    {"[{type: conv, filters: 3, kernel: 4, stride: 2, pad: same}, {type: flatten}]", {2, 6, 7}, 4, 2, ANY, 0},
    {"[{type: conv, filters: 3, kernel: 2, pad: same}, {type: flatten}]", {2, 2, 2}, 3, 2, ANY, false},
    {"[{type: conv, filters: 3, kernel: 2}, {type: flatten}]", {2, 2, 2}, 3, 2, ANY, false},
    {"[{type: conv, filters: 5, kernel: 1, bias: false}, {type: flatten}]", {4, 3, 3}, 3, 3, ANY, false},
    {"[{type: conv, filters: 5, kernel: 3, stride: 2}, {type: flatten}]", {17, 6, 5}, 3, 2, ANY, false},
    {"[{type: conv, filters: 6, kernel: 3, pad: 1, groups: 2}, {type: flatten}]", {4, 5, 4}, 3, 2, ANY, 0},
    {"[{type: conv, filters: 8, kernel: 3, pad: 1, groups: 8}, {type: flatten}]", {8, 5, 4}, 3, 2, ANY, 0},
    {"[{type: conv, filters: 6, kernel: 3, stride: 2, pad: same, groups: 3}, {type: flatten}]",
     {3, 6, 5},
     3,
     3,
     ANY,
     false},
    {"[{type: conv, filters: 3, kernel: 3, stride: 2, dilation: [2, 3], pad: 3}, {type: flatten}]",
     {2, 7, 8},
     3,
     2,
     ANY,
     false},
    {"[{type: conv, filters: 3, kernel: [1, 4], pad: [0, 1, 2, 0]}, {type: flatten}]",
     {5, 4, 5},
     3,
     2,
     ANY,
     false},
    {"[{type: dense, units: 7}]", {20, 1, 1}, 5, 4, ANY, false},
    {"[{type: dense, units: 9, bias: false}]", {6, 1, 1}, 5, 5, ANY, false},
    {"[{type: maxpool, size: 2}, {type: flatten}]", {3, 6, 5}, 3, 2, DISTINCT, false},
    {"[{type: maxpool, size: 3, stride: 2, pad: 1}, {type: flatten}]", {4, 7, 6}, 2, 2, DISTINCT, false},
    {"[{type: avgpool, size: 3, stride: 2, pad: 1}, {type: flatten}]", {4, 7, 6}, 2, 2, ANY, false},
    {"[{type: maxpool, size: [2, 3], stride: 2, ceil_mode: true}, {type: flatten}]",
     {3, 5, 6},
     2,
     2,
     DISTINCT,
     false},
    {"[{type: avgpool, size: [3, 2], stride: [2, 1], pad: same, count_include_pad: false}, {type: flatten}]",
     {3, 6, 4},
     2,
     2,
     ANY,
     false},
    {"[{type: globalavgpool}]", {5, 4, 3}, 3, 2, ANY, false},
    {"[{type: batchnorm}, {type: flatten}]", {3, 4, 3}, 4, 4, ANY, false},
    {"[{type: batchnorm, epsilon: 0.01}, {type: flatten}]", {8, 3, 5}, 4, 3, ANY, false},
    {"[{type: batchnorm}]", {9, 1, 1}, 6, 5, ANY, false},
    {"[{type: batchnorm}, {type: flatten}]", {3, 4, 3}, 4, 4, ANY, true},
    {"[{type: dropout, rate: 0.4}, {type: flatten}]", {3, 4, 3}, 4, 3, ANY, false},
    {"[{type: dropout, rate: 0.4}, {type: flatten}]", {3, 4, 3}, 4, 3, ANY, true},
    {"[{type: relu}]", {40, 1, 1}, 4, 3, OFF_ZERO, false},
    {"[{type: leaky_relu, slope: 0.2}]", {40, 1, 1}, 4, 3, OFF_ZERO, false},
    {"[{type: tanh}]", {40, 1, 1}, 4, 3, ANY, false},
    {"[{type: sigmoid}]", {40, 1, 1}, 4, 3, ANY, false},
    {"[{type: gelu}]", {40, 1, 1}, 4, 3, ANY, false},
    {"[{type: groupnorm, groups: 3}, {type: flatten}]", {6, 4, 3}, 4, 3, ANY, false},
    {"[{type: groupnorm, groups: 1, affine: false, epsilon: 0.01}, {type: flatten}]",
     {5, 9, 8},
     2,
     2,
     ANY,
     false},
    {"[{type: groupnorm, groups: 2}]", {18, 1, 1}, 4, 3, ANY, true},
    {"[{type: layernorm}, {type: flatten}]", {3, 4, 5}, 4, 3, ANY, false},
    {"[{type: layernorm, affine: false}, {type: flatten}]", {3, 4, 5}, 4, 3, ANY, false},
    {"[{type: layernorm}]", {21, 1, 1}, 4, 3, ANY, false},
    {"[{type: layernorm, axes: channels}, {type: flatten}]", {9, 3, 4}, 4, 3, ANY, false},
    {"[{type: instancenorm}, {type: flatten}]", {5, 4, 3}, 4, 3, ANY, false},
    {"[{type: instancenorm, affine: true}, {type: flatten}]", {9, 3, 3}, 4, 3, ANY, true},
    {"[{type: lrn, size: 5, alpha: 2, k: 2}, {type: flatten}]", {9, 3, 2}, 4, 3, ANY, false},
    {"[{type: lrn, size: 4, alpha: 3, beta: 0.5}, {type: flatten}]", {6, 2, 3}, 4, 3, ANY, false},
    {"[{type: relu6}]", {21, 1, 1}, 4, 3, DISTINCT, false},
    {"[{type: silu}]", {40, 1, 1}, 4, 3, ANY, false},
    {"[{type: hardsigmoid}]", {21, 1, 1}, 4, 3, DISTINCT, false},
    {"[{type: hardswish}]", {21, 1, 1}, 4, 3, DISTINCT, false},
    {"[{type: elu, alpha: 0.5}]", {21, 1, 1}, 4, 3, DISTINCT, false},
    {"[{type: prelu}, {type: flatten}]", {4, 3, 3}, 4, 3, OFF_ZERO, false},
    {"[{type: prelu, per_channel: true}, {type: flatten}]", {17, 3, 2}, 4, 3, OFF_ZERO, false},
    {"[{type: softplus}]", {40, 1, 1}, 4, 3, ANY, false},
    {"[{type: softplus, beta: 2, threshold: 9}]", {40, 1, 1}, 4, 3, ANY, false},
    {"[{type: flatten}]", {3, 4, 5}, 4, 3, ANY, false},
    {"[{type: softmax}]", {10, 1, 1}, 4, 3, ANY, false},
    {"[{type: residual, body: [{type: tanh}]}, {type: flatten}]", {3, 3, 3}, 4, 3, ANY, false},
    {"[{type: residual, body: [{type: conv, filters: 3, kernel: 3, pad: 1}]}, {type: flatten}]",
     {3, 3, 3},
     4,
     3,
     ANY,
     false},
    {"[{type: residual, body: [{type: conv, filters: 6, kernel: 3, stride: 2, pad: 1}, {type: tanh}], "
     "shortcut: [{type: avgpool, size: 2}, {type: conv, filters: 6, kernel: 1}]}, {type: flatten}]",
     {3, 4, 4},
     3,
     3,
     ANY,
     false},
    {"[{type: add, inputs: [input, input]}, {type: flatten}]", {3, 3, 3}, 4, 3, ANY, false},
    {"[{type: concat, inputs: [input, input]}, {type: flatten}]", {3, 3, 3}, 4, 3, ANY, false},
    {"[{type: multiply, inputs: [input, input]}, {type: flatten}]", {3, 3, 3}, 4, 3, ANY, false},
    {"[{type: dense, name: x, units: 5}, {type: dense, name: g, units: 1, input: input}, {type: multiply, "
     "inputs: [x, g]}]",
     {4, 1, 1},
     4,
     3,
     ANY,
     false},
    {GRAPH, {2, 5, 5}, 4, 3, ANY, false},
    {GRAPH, {2, 5, 5}, 4, 3, ANY, true},
    {NESTED, {2, 5, 5}, 4, 3, ANY, false},
    {NESTED, {2, 5, 5}, 4, 3, ANY, true},
    {"[{type: tanh}, {type: conv, filters: 4, kernel: 3}, {type: batchnorm}, {type: sigmoid}, {type: "
     "dropout}, "
     "{type: flatten}, {type: dense, units: 8}, {type: gelu}, {type: dropout, rate: 0.1}, {type: tanh}, "
     "{type: dense, units: 4}]",
     {2, 6, 6},
     5,
     5,
     ANY,
     false},
};

/* A net, its input and the objective's weights. */
typedef struct probe {
  test_net net;
  float *x, *dy;
  size_t in, out; /* floats of the pass */
} probe;

/* Values at distances of 0.25, more than twice the step, in a scrambled order; of an odd count, none of them
 * is nearer to an integer than 0.125. */
static void make_distinct(float *x, size_t count)
{
  const ls_permutation order = ls_permutation_of(3, LS_RNG_SHUFFLE, 0, 0, count);
  for (size_t i = 0; i < count; i++)
    x[i] = 0.25F * ((float)ls_permutation_at(&order, i) - 0.5F * (float)count);
}

static void probe_init(probe *p, const test_case *t)
{
  net_init(&p->net, t->layers, t->in, t->microbatch);
  const ls_model_counts *counts = ls_model_count(p->net.model);
  p->net.pass.n = t->n;
  p->net.pass.training = !t->evaluation;
  p->in = t->n * ls_shape_count(t->in);
  p->out = t->n * ls_model_classes(p->net.model);
  p->x = net_floats(p->in);
  p->dy = net_floats(p->out);
  net_random(1, p->x, p->in);
  net_random(2, p->dy, p->out);
  net_random(3, p->net.params, counts->params);
  for (size_t i = 0; i < counts->buffers; i++) p->net.buffers[i] = 0.5F + 0.1F * (float)(i % 7);
  if (t->inputs == OFF_ZERO)
    for (size_t i = 0; i < p->in; i++) p->x[i] += p->x[i] < 0 ? -0.1F : 0.1F;
  if (t->inputs == DISTINCT) make_distinct(p->x, p->in);
  /* Samples beyond n must not be read. */
  float *input = ls_workspace_input(p->net.workspace);
  for (size_t i = p->in; i < t->microbatch * ls_shape_count(t->in); i++) input[i] = NAN;
}

static void probe_fini(probe *p)
{
  free(p->x);
  free(p->dy);
  net_fini(&p->net);
}

static double objective(probe *p)
{
  const float *y = net_forward(&p->net, p->x);
  double sum = 0.0;
  for (size_t i = 0; i < p->out; i++) sum += (double)y[i] * (double)p->dy[i];
  return sum;
}

/* (L(v + step * direction) - L(v - step * direction)) / (2 step) */
static double central(probe *p, float *v, const float *direction, size_t count, double step)
{
  float *kept = net_floats(count);
  double value[2];
  for (size_t i = 0; i < count; i++) kept[i] = v[i];
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < count; i++)
      v[i] = kept[i] + (side == 0 ? 1.0F : -1.0F) * (float)step * direction[i];
    value[side] = objective(p);
  }
  for (size_t i = 0; i < count; i++) v[i] = kept[i];
  free(kept);
  return (value[0] - value[1]) / (2 * step);
}

/* Derivative of the objective as v[count] moves along `direction`; Richardson's extrapolation takes the third
 * derivative out. */
static double difference(probe *p, float *v, const float *direction, size_t count)
{
  return (4 * central(p, v, direction, count, STEP / 2) - central(p, v, direction, count, STEP)) / 3;
}

static double largest(const float *v, size_t count)
{
  double most = 0.0;
  for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)v[i]));
  return most;
}

/* Largest error of single entries, relative to the largest gradient. */
static double entry_error(probe *p, float *v, const float *gradient, size_t count)
{
  float *direction = net_floats(count);
  double worst = 0.0;
  for (size_t i = 0; i < count; i++) {
    direction[i] = 1.0F;
    const double error = fabs(difference(p, v, direction, count) - (double)gradient[i]);
    worst = error <= worst ? worst : isnan(error) ? INFINITY : error;
    direction[i] = 0.0F;
  }
  free(direction);
  const double scale = largest(gradient, count);
  return scale > 0.0 ? worst / scale : worst;
}

/* Error of the derivative along random directions of length 1, relative to the gradient's length. */
static double direction_error(probe *p, float *v, const float *gradient, size_t count)
{
  float *direction = net_floats(count);
  double worst = 0.0;
  for (uint64_t trial = 0; trial < 3; trial++) {
    double length = 0.0, expected = 0.0, gradient_length = 0.0;
    net_random(10 + trial, direction, count);
    for (size_t i = 0; i < count; i++) length += (double)direction[i] * (double)direction[i];
    for (size_t i = 0; i < count; i++) {
      direction[i] /= (float)sqrt(length);
      expected += (double)direction[i] * (double)gradient[i];
      gradient_length += (double)gradient[i] * (double)gradient[i];
    }
    const double error = fabs(difference(p, v, direction, count) - expected) / sqrt(gradient_length);
    worst = error <= worst ? worst : isnan(error) ? INFINITY : error;
  }
  free(direction);
  return worst;
}

static double error_of(probe *p, float *v, const float *gradient, size_t count)
{
  const double error = direction_error(p, v, gradient, count);
  return count > PER_ENTRY_MAX ? error : fmax(error, entry_error(p, v, gradient, count));
}

/* The gradient holds; with one of its larger entries off by a tenth it does not. */
static void check_vector(probe *p, const test_case *t, const char *what, float *v, float *gradient,
                         size_t count)
{
  if (count == 0) return;
  const double error = error_of(p, v, gradient, count);
  if (!(error <= TOLERANCE)) fail_msg("%s: %s is off by %g", t->layers, what, error);
  size_t i = 0;
  while (fabs((double)gradient[i]) < 0.5 * largest(gradient, count)) i++;
  gradient[i] *= 1.1F;
  if (!(error_of(p, v, gradient, count) > TOLERANCE) && count <= PER_ENTRY_MAX)
    fail_msg("%s: a wrong %s is not seen", t->layers, what);
}

static void check_case(const test_case *t)
{
  probe p;
  probe_init(&p, t);
  const size_t params = ls_model_count(p.net.model)->params;
  objective(&p);
  net_backward(&p.net, p.dy, true);
  float *dx = net_floats(p.in), *dw = net_floats(params);
  memcpy(dx, p.net.dx, p.in * sizeof *dx);
  memcpy(dw, p.net.param_grads, params * sizeof *dw);

  /* Where only one of the two is wanted, it is the same. */
  objective(&p);
  net_backward(&p.net, p.dy, false);
  assert_memory_equal(p.net.param_grads, dw, params * sizeof *dw);
  objective(&p);
  p.net.pass.grads = NULL;
  net_backward(&p.net, p.dy, true);
  assert_memory_equal(p.net.dx, dx, p.in * sizeof *dx);

  check_vector(&p, t, "dx", p.x, dx, p.in);
  check_vector(&p, t, "the parameters' gradient", p.net.params, dw, params);
  free(dx);
  free(dw);
  probe_fini(&p);
}

static void layers(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

/* A kind without a case here would go unchecked. */
static void every_kind_has_a_case(void **state)
{
  (void)state;
  for (const ls_layer_kind *const *kind = ls_layer_kinds; *kind; kind++) {
    char words[64];
    snprintf(words, sizeof words, "[{type: %s", (*kind)->schema.name);
    bool found = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
      found = found || (strncmp(cases[i].layers, words, strlen(words)) == 0 &&
                        strchr(",}", cases[i].layers[strlen(words)]));
    if (!found)
      fail_msg("no case begins with a %s layer: add one to `cases` in tests/unit/nn/test_gradients.c",
               (*kind)->schema.name);
  }
}

/* Several passes add up in one gradient vector where that is wanted. */
static void gradients_add_up(void **state)
{
  (void)state;
  const test_case t = {NESTED, {2, 5, 5}, 4, 3, ANY, false};
  probe p;
  probe_init(&p, &t);
  const size_t params = ls_model_count(p.net.model)->params;
  objective(&p);
  net_backward(&p.net, p.dy, false);
  float *once = net_floats(params);
  memcpy(once, p.net.param_grads, params * sizeof *once);
  objective(&p);
  memcpy(ls_workspace_loss_gradient(p.net.workspace), p.dy, p.out * sizeof *p.dy);
  p.net.pass.accumulate = true;
  ls_model_backward(p.net.model, &p.net.pass, p.net.workspace, NULL);
  ls_model_visit(p.net.model, net_unpack, &p.net);
  const double scale = largest(once, params);
  for (size_t i = 0; i < params; i++)
    assert_true(fabs((double)p.net.param_grads[i] - 2.0 * (double)once[i]) <= 1e-6 * scale);
  free(once);
  probe_fini(&p);
}

/* Labels alone, smoothed, and mixed, as far as the loss takes them. */
static void check_loss(const ls_loss *loss, size_t classes, double smoothing, bool is_mixed)
{
  enum { N = 3, MAX_CLASSES = 300 };
  float logits[N * MAX_CLASSES], gradient[N * MAX_CLASSES];
  const uint16_t labels[N] = {0, (uint16_t)(classes - 1), (uint16_t)(classes / 2)};
  const uint16_t others[N] = {1, 0, (uint16_t)(classes / 2)};
  const float shares[N] = {0.75F, 0.5F, 1.0F};
  const ls_loss_mix mix = {others, shares};
  float values[N * MAX_CLASSES];
  const ls_targets targets = {.n = N,
                              .classes = classes,
                              .labels = labels,
                              .values = values,
                              .mix = is_mixed ? &mix : NULL,
                              .smoothing = smoothing};
  const double scale = 0.25, step = 0x1p-6;
  net_random(4, logits, N * classes);
  for (size_t i = 0; i < N * classes; i++) logits[i] *= 3.0F;
  for (size_t i = 0; i < N * classes; i++) values[i] = (float)(i % 3 == 0);
  ls_loss_run(loss, logits, &targets, scale, gradient);
  const double most = largest(gradient, N * classes);
  for (size_t i = 0; i < N * classes; i++) {
    const float kept = logits[i];
    logits[i] = kept + (float)step;
    const double above = ls_loss_run(loss, logits, &targets, scale, NULL).loss;
    logits[i] = kept - (float)step;
    const double below = ls_loss_run(loss, logits, &targets, scale, NULL).loss;
    logits[i] = kept;
    const double expected = scale * (above - below) / (2 * step);
    if (!(fabs(expected - (double)gradient[i]) <= TOLERANCE * most))
      fail_msg("%s, %zu classes, smoothing %g: gradient %zu is %g, not %g", loss->kind->schema.name, classes,
               smoothing, i, (double)gradient[i], expected);
  }
}

/* The direction is the gradient but for a positive factor of each sample's. */
static void check_direction(const ls_loss *loss)
{
  enum { CLASSES = 10 };
  float logits[CLASSES], gradient[CLASSES], direction[CLASSES];
  const uint16_t label = 3;
  const ls_targets targets = {.n = 1, .classes = CLASSES, .labels = &label};
  net_random(5, logits, CLASSES);
  ls_loss_run(loss, logits, &targets, 1.0, gradient);
  ls_loss_direction(loss, logits, &targets, 0.25, direction);
  const double factor = largest(direction, CLASSES) / largest(gradient, CLASSES);
  for (size_t k = 0; k < CLASSES; k++)
    if (!(fabs((double)direction[k] - factor * (double)gradient[k]) <= TOLERANCE * factor))
      fail_msg("%s: the direction at class %zu is not the gradient's", loss->kind->schema.name, k);
}

static void every_loss(void **state)
{
  (void)state;
  for (const ls_loss_kind *const *kind = ls_loss_kinds; *kind; kind++) {
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", (*kind)->schema.name);
    const ls_loss loss = ls_loss_of(&spec->train.loss);
    assert_ptr_equal(loss.kind, *kind);
    check_loss(&loss, 10, 0.0, false);
    check_loss(&loss, 2, 0.0, false);
    if ((*kind)->labels == LS_LABELS_CLASS) check_direction(&loss);
    if ((*kind)->target == LS_TARGET_PROBABILITIES) {
      check_loss(&loss, 10, 0.1, false);
      check_loss(&loss, 2, 0.3, true);
      check_loss(&loss, 10, 0.0, true);
      check_loss(&loss, 300, 0.1, false);
    }
    ls_spec_free(spec);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers),
      cmocka_unit_test(every_kind_has_a_case),
      cmocka_unit_test(gradients_add_up),
      cmocka_unit_test(every_loss),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
