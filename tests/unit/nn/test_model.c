/* SPDX-License-Identifier: BSD-3-Clause */
/* The model as its users see it: names, offsets, errors with their origin, initial weights, summary; and the
 * plan of a graph's memory. */
#include "net.h"

#include "nn/init.h"
#include "nn/kinds.h"
#include "nn/graph/graph.h"

#define BLOCK                                                                                                \
  "{type: residual, name: block1, body: [{type: batchnorm}, {type: relu}, "                                  \
  "{type: conv, name: conv1, filters: 8, kernel: 3, pad: 1}, {type: relu}, {type: conv, filters: 8, "        \
  "kernel: 3, pad: 1, bias: false}], shortcut: [{type: conv, filters: 8, kernel: 1}]}"
#define NET                                                                                                  \
  "[{type: conv, filters: 4, kernel: 3, pad: 1}, {type: relu}, " BLOCK                                       \
  ", {type: relu}, {type: maxpool, size: 2}, {type: residual, body: [{type: residual, body: [{type: "        \
  "tanh}]}]"                                                                                                 \
  "}, {type: flatten}, {type: dense, name: fc, units: 10}]"

static const ls_shape image = {.c = 3, .h = 6, .w = 8};

typedef struct name_list {
  const char *const *expected;
  size_t count;
} name_list;

static void check_name(const ls_layer *layer, size_t depth, void *user)
{
  name_list *names = user;
  size_t dots = 0;
  assert_string_equal(layer->name, names->expected[names->count++]);
  for (const char *c = layer->name; *c; c++) dots += *c == '.';
  assert_int_equal(dots - (strstr(layer->name, ".shortcut.") != NULL), depth);
}

static void names_are_given_or_made(void **state)
{
  (void)state;
  static const char *const expected[] = {"conv1",
                                         "relu1",
                                         "block1",
                                         "block1.batchnorm1",
                                         "block1.relu1",
                                         "block1.conv1",
                                         "block1.relu2",
                                         "block1.conv2",
                                         "block1.shortcut.conv1",
                                         "relu2",
                                         "maxpool1",
                                         "residual2",
                                         "residual2.residual1",
                                         "residual2.residual1.tanh1",
                                         "flatten1",
                                         "fc"};
  test_net n;
  net_init(&n, NET, image, 4);
  name_list names = {.expected = expected};
  ls_model_visit(n.model, check_name, &names);
  assert_int_equal(names.count, sizeof expected / sizeof *expected);
  net_fini(&n);
}

static void check_contiguous(const ls_tensor *tensors, size_t count, size_t total)
{
  size_t offset = 0;
  for (size_t i = 0; i < count; i++) {
    size_t product = 1;
    for (size_t k = 0; k < tensors[i].dim_count; k++) product *= tensors[i].dims[k];
    assert_int_equal(tensors[i].offset, offset);
    assert_int_equal(tensors[i].count, product);
    offset += product;
  }
  assert_int_equal(offset, total);
}

/* PyTorch's tensors one after the other, with no gaps: the digest of a model is that of its vectors. */
static void tensors_are_contiguous(void **state)
{
  (void)state;
  static const struct {
    const char *layer, *name;
    bool decay;
  } expected[] = {{"conv1", "weight", true},
                  {"conv1", "bias", false},
                  {"block1.batchnorm1", "weight", false},
                  {"block1.batchnorm1", "bias", false},
                  {"block1.conv1", "weight", true},
                  {"block1.conv1", "bias", false},
                  {"block1.conv2", "weight", true},
                  {"block1.shortcut.conv1", "weight", true},
                  {"block1.shortcut.conv1", "bias", false},
                  {"fc", "weight", true},
                  {"fc", "bias", false}};
  test_net n;
  size_t count;
  net_init(&n, NET, image, 4);
  const ls_tensor *tensors = ls_model_params(n.model, &count);
  assert_int_equal(count, sizeof expected / sizeof *expected);
  for (size_t i = 0; i < count; i++) {
    assert_string_equal(tensors[i].layer, expected[i].layer);
    assert_string_equal(tensors[i].name, expected[i].name);
    assert_int_equal(tensors[i].decay, expected[i].decay);
  }
  assert_memory_equal(tensors[0].dims, ((size_t[]){4, 3, 3, 3}), 4 * sizeof(size_t));
  assert_memory_equal(tensors[9].dims, ((size_t[]){10, 8 * 3 * 4}), 2 * sizeof(size_t));
  check_contiguous(tensors, count, ls_model_count(n.model)->params);
  tensors = ls_model_buffers(n.model, &count);
  assert_int_equal(count, 2);
  assert_string_equal(tensors[0].layer, "block1.batchnorm1");
  assert_string_equal(tensors[0].name, "running_mean");
  assert_string_equal(tensors[1].name, "running_var");
  check_contiguous(tensors, count, ls_model_count(n.model)->buffers);
  net_fini(&n);
}

typedef struct range_ends {
  size_t params, buffers, grads, packed; /* where the next layer starts, at least */
  size_t indices;
} range_ends;

static void check_range(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  range_ends *ranges = user;
  assert_int_equal(layer->index, ranges->indices++);
  assert_int_equal(layer->grad_offset % 16, 0);
  assert_int_equal(layer->packed_offset % 16, 0);
  if (layer->param_count > 0) assert_int_equal(layer->param_offset, ranges->params);
  if (layer->buffer_count > 0) assert_int_equal(layer->buffer_offset, ranges->buffers);
  if (layer->grad_count > 0) assert_true(layer->grad_offset >= ranges->grads);
  if (layer->packed_count > 0) assert_true(layer->packed_offset >= ranges->packed);
  assert_true(layer->grad_count >= layer->param_count);
  ranges->params += layer->param_count;
  ranges->buffers += layer->buffer_count;
  if (layer->grad_count > 0) ranges->grads = layer->grad_offset + layer->grad_count;
  if (layer->packed_count > 0) ranges->packed = layer->packed_offset + layer->packed_count;
}

/* Layers share the vectors without gaps or overlaps. */
static void ranges_follow_each_other(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, NET, image, 4);
  const ls_model_counts *counts = ls_model_count(n.model);
  range_ends ranges = {.indices = 0};
  ls_model_visit(n.model, check_range, &ranges);
  assert_int_equal(ranges.params, counts->params);
  assert_int_equal(ranges.buffers, counts->buffers);
  assert_true(ranges.grads <= counts->grads && ranges.packed <= counts->packed);
  const size_t pixels = 6 * 8, macs = pixels * (27 * 4 + 36 * 8 + 72 * 8 + 4 * 8) + 8 * 12 * 10;
  assert_int_equal(counts->macs, macs);
  assert_int_equal(ls_model_classes(n.model), 10);
  net_fini(&n);
}

/* Layers may be packed by several threads. */
static void parts_make_the_whole(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, NET, image, 4);
  const ls_model_counts *counts = ls_model_count(n.model);
  float *packed = net_floats(counts->packed);
  for (size_t part = 0; part < 3; part++) ls_model_pack(n.model, n.params, packed, part, 3);
  assert_memory_equal(packed, n.packed, counts->packed * sizeof *packed);
  free(packed);
  net_fini(&n);
}

static bool is_in_place(const ls_graph *graph, size_t i)
{
  const size_t before = graph->nodes[i].edges[0].node;
  const ls_region a = graph->nodes[i].y, b = before == LS_GRAPH_INPUT ? a : graph->nodes[before].y;
  return before != LS_GRAPH_INPUT && a.memory == b.memory && a.offset == b.offset;
}

/* A layer works in place if its input is not read again: 'i' in place, '.' not. */
static void check_plan(const char *layers, const char *expected)
{
  ls_spec *spec = net_spec(layers);
  ls_build build = {.microbatch = 2};
  ls_graph graph;
  assert_int_equal(ls_graph_init(&graph, &spec->model.layers, image, true, &build), LS_OK);
  assert_int_equal(graph.count, strlen(expected));
  for (size_t i = 0; i < graph.count; i++)
    if (is_in_place(&graph, i) != (expected[i] == 'i'))
      fail_msg("%s: layer %zu is %sin place", layers, i, is_in_place(&graph, i) ? "" : "not ");
  ls_graph_fini(&graph);
  ls_build_fini(&build);
  ls_spec_free(spec);
}

static void plan_works_in_place(void **state)
{
  (void)state;
  check_plan("[{type: batchnorm}, {type: relu}]", ".i");
  check_plan("[{type: relu}]", ".");                     /* never over the model's input */
  check_plan("[{type: batchnorm}, {type: gelu}]", ".."); /* gelu's backward reads its input */
  check_plan("[{type: maxpool, size: 2}, {type: tanh}, {type: relu}]", ".i."); /* tanh reads its output */
  check_plan("[{type: batchnorm}, {type: dropout}, {type: relu}]", ".ii");
  check_plan("[{type: residual, body: [{type: tanh}]}, {type: relu}, {type: dropout}]", "..i.");
}

/* What is not kept for the way back is not paid for: two activations take turns. */
static void memory_is_shared(void **state)
{
  (void)state;
  static const char *const layers[] = {
      "[{type: avgpool, size: 1}, {type: avgpool, size: 1}, {type: flatten}]",
      "[{type: avgpool, size: 1}, {type: avgpool, size: 1}, {type: avgpool, size: 1}, {type: avgpool, size: "
      "1}, "
      "{type: avgpool, size: 1}, {type: flatten}]"};
  test_net nets[2];
  for (size_t i = 0; i < 2; i++) net_init(&nets[i], layers[i], image, 8);
  assert_int_equal(ls_model_count(nets[0].model)->workspace_bytes,
                   ls_model_count(nets[1].model)->workspace_bytes);
  for (size_t i = 0; i < 2; i++) net_fini(&nets[i]);
}

/* Where dx is not wanted, no layer before the first weights runs backward: the input's gradient costs most.
 */
static void data_needs_no_gradient(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, "[{type: tanh}, {type: conv, filters: 2, kernel: 3}, {type: flatten}]", image, 2);
  ls_build build = {.microbatch = 2};
  ls_graph graph;
  assert_int_equal(ls_graph_init(&graph, &n.spec->model.layers, image, false, &build), LS_OK);
  assert_true(graph.nodes[0].layer.input_is_data && graph.nodes[1].layer.input_is_data);
  assert_false(graph.nodes[2].layer.input_is_data);
  assert_false(ls_node_trains(&graph.nodes[0]));
  assert_true(ls_node_trains(&graph.nodes[1]));
  ls_graph_fini(&graph);
  ls_build_fini(&build);
  net_fini(&n);
}

static void expect_refusal(const char *layers, size_t microbatch, size_t classes, const char *const words[4])
{
  test_net n;
  assert_int_equal(net_try(&n, layers, image, microbatch, classes), LS_E_CONFIG);
  const char *text = ls_error_last()->text;
  for (size_t i = 0; i < 4 && words[i]; i++)
    if (!strstr(text, words[i])) fail_msg("'%s' is missing in: %s", words[i], text);
  /* The line is named once. */
  const char *line = strstr(text, "net.yaml");
  if (line && strstr(line + 1, "net.yaml")) fail_msg("two lines: %s", text);
  net_fini(&n);
}

static void errors_name_the_line(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    size_t microbatch, classes;
    const char *words[4];
  } cases[] = {
      {"[{type: flatten}, {type: dense, units: 9}]",
       4,
       10,
       {"net.yaml:4:", "model.layers[1]", "gives 9 values", "10 classes"}},
      {"[{type: conv, filters: 10, kernel: 3}]", 4, 10, {"model.layers[0]", "10x4x6", "flatten"}},
      {"[{type: dense, units: 10}]", 4, 10, {"model.layers[0]", "3x6x8", "flatten"}},
      {"[{type: relu}, {type: maxpool, size: 7}]", 4, 0, {"model.layers[1]", "6 rows"}},
      {"[{type: relu, name: a}, {type: tanh, name: a}, {type: flatten}]",
       4,
       0,
       {"model.layers[1]", "'a'", "taken"}},
      {"[{type: relu, name: relu2}, {type: relu}, {type: flatten}]", 4, 0, {"model.layers[1]", "'relu2'"}},
      {"[{type: residual, body: [{type: relu}, {type: maxpool, size: 7}]}]",
       4,
       0,
       {"model.layers[0].body[1]", "6 rows"}},
      {"[{type: residual, body: [{type: relu, name: b}, {type: relu, name: b}]}]",
       4,
       0,
       {"body[1]", "residual1.b", "taken"}},
      {"[{type: residual, body: [{type: relu, name: shortcut}]}]", 4, 0, {"body[0]", "'shortcut'"}},
      {"[{type: relu}, {type: residual, body: [{type: conv, filters: 5, kernel: 3}]}]",
       4,
       0,
       {"model.layers[1]", "5x4x6", "3x6x8", "shortcut"}},
      {"[{type: residual, body: [{type: relu}], shortcut: [{type: maxpool, size: 2}]}]",
       4,
       0,
       {"model.layers[0]", "3x6x8", "3x3x4"}},
      {"[{type: residual, name: a123456789012345678901234567890, body: [{type: residual, name: "
       "b123456789012345678901234567890, body: [{type: relu}]}]}]",
       4,
       0,
       {"body[0].body[0]", "longer than 63"}},
      {"[{type: flatten}, {type: softmax}, {type: dense, units: 10}]",
       4,
       10,
       {"model.layers[1]", "softmax can only be the last layer", "relu, tanh"}},
      {"[{type: residual, body: [{type: softmax}]}]", 4, 0, {"model.layers[0].body[0]", "only be the last"}},
      {"[{type: flatten}, {type: dense, units: 9}, {type: softmax}]",
       4,
       10,
       {"gives 9 values", "10 classes"}},
      {"[{type: relu}]", (size_t)1 << 40, 0, {"1099511627776", "train.microbatch"}},
      {"[{type: conv, filters: 100000000, kernel: 1}]", 1 << 30, 0, {"too large"}},
      {"[{type: flatten}, {type: dense, units: 10000000, bias: false}]",
       1 << 30,
       0,
       {"model.layers[1]", "10000000x1x1", "train.microbatch"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_refusal(cases[i].layers, cases[i].microbatch, cases[i].classes, cases[i].words);
}

/* Mean and deviation of a tensor's values. */
static void moments(const test_net *n, const char *layer, double *mean, double *deviation, double *most)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(n->model, &count);
  size_t i = 0;
  while (i < count && (strcmp(tensors[i].layer, layer) != 0 || strcmp(tensors[i].name, "weight") != 0)) i++;
  assert_true(i < count);
  const float *w = n->params + tensors[i].offset;
  double sum = 0.0, squares = 0.0;
  *most = 0.0;
  for (size_t k = 0; k < tensors[i].count; k++) {
    sum += (double)w[k];
    squares += (double)w[k] * (double)w[k];
    *most = fmax(*most, fabs((double)w[k]));
  }
  *mean = sum / (double)tensors[i].count;
  *deviation = sqrt(squares / (double)tensors[i].count - *mean * *mean);
}

static void expect_spread(const test_net *n, const char *layer, double variance, bool uniform)
{
  double mean, deviation, most;
  moments(n, layer, &mean, &deviation, &most);
  const double expected = sqrt(variance);
  /* Tensors have at least 2000 values: a deviation is good to a few percent. */
  if (fabs(deviation / expected - 1) > 0.06 || fabs(mean) > 0.1 * expected)
    fail_msg("%s: deviation %g, not %g; mean %g", layer, deviation, expected, mean);
  if (uniform != (most <= sqrt(3.0) * expected))
    fail_msg("%s: largest value %g does not fit a %s distribution of deviation %g", layer, most,
             uniform ? "uniform" : "normal", expected);
}

/* He before rectifiers, Glorot before the rest: found behind batchnorm, pooling, dropout and residual blocks.
 */
static void initial_weights_fit_the_activation(void **state)
{
  (void)state;
  test_net n;
  net_init(&n,
           "[{type: conv, name: direct, filters: 80, kernel: 3}, {type: relu}, "
           "{type: conv, name: behind, filters: 40, kernel: 1}, {type: batchnorm}, {type: maxpool, size: 2}, "
           "{type: dropout}, {type: gelu}, {type: conv, name: past, filters: 60, kernel: 1}, "
           "{type: residual, name: block, body: [{type: batchnorm}, {type: tanh}, "
           "{type: conv, name: last, filters: 60, kernel: 1}]}, {type: leaky_relu}, {type: flatten}, "
           "{type: dense, name: squashed, units: 40}, {type: tanh}, "
           "{type: dense, name: linear, units: 50}, {type: dense, name: before, units: 60}, "
           "{type: sigmoid}, {type: dense, name: out, units: 40}]",
           image, 2);
  expect_spread(&n, "direct", 2.0 / 27, false);
  expect_spread(&n, "behind", 2.0 / 80, false);
  expect_spread(&n, "past", 2.0 / 40, false);
  expect_spread(&n, "block.last", 2.0 / 60, false);
  expect_spread(&n, "squashed", 2.0 / (360 + 40), true);
  expect_spread(&n, "linear", 2.0 / (40 + 50), true);
  expect_spread(&n, "before", 2.0 / (50 + 60), true);
  expect_spread(&n, "out", 2.0 / (60 + 40), true);
  net_fini(&n);
}

/* Every activation but those that are about linear near 0 wants He's deviation before it. */
static void initial_weights_fit_every_activation(void **state)
{
  (void)state;
  static const struct {
    const char *word;
    bool rectifies;
  } cases[] = {{"relu", true},     {"leaky_relu", true}, {"gelu", true},     {"relu6", true},
               {"silu", true},     {"hardswish", true},  {"elu", true},      {"prelu", true},
               {"softplus", true}, {"tanh", false},      {"sigmoid", false}, {"hardsigmoid", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char layers[320];
    test_net n;
    snprintf(layers, sizeof layers,
             "[{type: flatten}, {type: dense, name: before, units: 80}, {type: groupnorm, groups: 4}, {type: "
             "layernorm}, {type: %s}, {type: dense, units: 4}]",
             cases[i].word);
    net_init(&n, layers, image, 2);
    expect_spread(&n, "before", cases[i].rectifies ? 2.0 / 144 : 2.0 / (144 + 80), !cases[i].rectifies);
    net_fini(&n);
  }
}

static void initial_weights_fit_the_word(void **state)
{
  (void)state;
  static const struct {
    const char *word;
    double variance;
    bool uniform;
  } cases[] = {
      {"he_normal", 2.0 / 144, false},     {"he_uniform", 2.0 / 144, true},
      {"glorot_normal", 2.0 / 184, false}, {"glorot_uniform", 2.0 / 184, true},
      {"lecun_normal", 1.0 / 144, false},  {"lecun_uniform", 1.0 / 144, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char layers[128];
    test_net n;
    snprintf(layers, sizeof layers, "[{type: flatten}, {type: dense, units: 40, init: %s}]", cases[i].word);
    net_init(&n, layers, image, 2);
    expect_spread(&n, "dense1", cases[i].variance, cases[i].uniform);
    for (size_t k = 0; k < 40; k++) assert_true(n.params[144 * 40 + k] == 0.0F); /* bias */
    net_fini(&n);
  }
}

static void initial_weights_follow_the_seed(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, "[{type: flatten}, {type: dense, units: 144}, {type: dense, units: 144}]", image, 2);
  const size_t count = ls_model_count(n.model)->params, bytes = count * sizeof(float);
  float *again = net_floats(count);
  ls_model_init(n.model, 1, again, n.buffers);
  assert_memory_equal(again, n.params, bytes);
  assert_memory_not_equal(again, again + count / 2, 144 * 144 * sizeof(float)); /* layers differ */
  ls_model_init(n.model, 2, again, n.buffers);
  assert_memory_not_equal(again, n.params, bytes);
  free(again);
  net_fini(&n);
}

static void batchnorm_starts_as_the_identity(void **state)
{
  (void)state;
  test_net n;
  float x[2 * 144];
  net_init(&n, "[{type: batchnorm}]", (ls_shape){144, 1, 1}, 2);
  n.pass.training = false;
  net_random(1, x, 2 * 144);
  const float *y = net_forward(&n, x);
  for (size_t i = 0; i < 2 * 144; i++) assert_true(fabsf(y[i] - x[i]) < 2e-5F);
  net_fini(&n);
}

/* A thread's workspace holds nothing that another pass needs: the same bits again, and in a second one. */
static void passes_repeat(void **state)
{
  (void)state;
  enum { IN = 4 * 144, OUT = 4 * 10 };
  float x[IN], dy[OUT], y[OUT];
  test_net n;
  net_init(&n, NET, image, 4);
  const size_t bytes = ls_model_count(n.model)->params * sizeof(float);
  net_random(1, x, IN);
  net_random(2, dy, OUT);
  memcpy(y, net_forward(&n, x), sizeof y);
  net_backward(&n, dy, true);
  float *kept = net_floats(ls_model_count(n.model)->params);
  memcpy(kept, n.param_grads, bytes);
  ls_workspace *other;
  assert_int_equal(ls_workspace_new(&other, n.model), LS_OK);
  for (int i = 0; i < 2; i++) {
    assert_memory_equal(net_forward(&n, x), y, sizeof y);
    net_backward(&n, dy, false);
    assert_memory_equal(n.param_grads, kept, bytes);
    ls_workspace *swapped = n.workspace;
    n.workspace = other;
    other = swapped;
  }
  ls_workspace_free(other);
  free(kept);
  net_fini(&n);
}

/* A relu that a pooling does by itself gives the bits of one that stands alone, as the first layer does. */
static void absorbed_relus_change_nothing(void **state)
{
  (void)state;
  enum { N = 3, IN = N * 3 * 9 * 10, OUT = N * 3 * 4 * 5 };
  static const char alone[] = "[{type: relu}, {type: maxpool, size: 2}, {type: flatten}]";
  static const char *const absorbed[] = {
      "[{type: leaky_relu, slope: 1}, {type: relu}, {type: maxpool, size: 2}, {type: flatten}]",
      "[{type: leaky_relu, slope: 1}, {type: maxpool, size: 2}, {type: relu}, {type: flatten}]",
      "[{type: maxpool, size: 2}, {type: relu}, {type: flatten}]"};
  const ls_shape in = {.c = 3, .h = 9, .w = 10};
  float x[IN], dy[OUT], y[OUT], dx[IN];
  net_random(1, x, IN);
  net_random(2, dy, OUT);
  for (size_t i = 0; i < IN; i += 7) x[i] -= 1.0F; /* windows without a positive value */
  test_net n;
  net_init(&n, alone, in, N);
  memcpy(y, net_forward(&n, x), sizeof y);
  net_backward(&n, dy, true);
  memcpy(dx, n.dx, sizeof dx);
  net_fini(&n);
  for (size_t i = 0; i < sizeof absorbed / sizeof *absorbed; i++) {
    net_init(&n, absorbed[i], in, N);
    assert_memory_equal(net_forward(&n, x), y, sizeof y);
    net_backward(&n, dy, true);
    for (size_t j = 0; j < IN; j++) assert_true(n.dx[j] == dx[j]); /* zeros may differ in sign */
    net_fini(&n);
  }
}

/* The gradients that a pass has reported as complete, with their values at that time. */
typedef struct followed {
  const test_net *net;
  float *then; /* [grads] */
  size_t first, calls;
} followed;

static void follow(void *user, size_t first)
{
  followed *f = user;
  assert_true(first < f->first);
  memcpy(f->then + first, f->net->grads + first, (f->first - first) * sizeof *f->then);
  f->first = first;
  f->calls++;
}

static void completed_gradients_stay(void **state)
{
  (void)state;
  enum { IN = 3 * 144, OUT = 3 * 10 };
  static const char layers[] =
      "[{type: conv, filters: 4, kernel: 3, pad: 1}, {type: residual, body: [{type: conv, filters: 4, "
      "kernel: "
      "1}], shortcut: [{type: conv, filters: 4, kernel: 1}]}, {type: batchnorm}, {type: flatten}, {type: "
      "dense, units: 400}, {type: relu}, {type: dense, units: 10}]";
  float x[IN], dy[OUT];
  test_net n;
  net_init(&n, layers, image, 3);
  const size_t count = ls_model_count(n.model)->grads;
  net_random(1, x, IN);
  net_random(2, dy, OUT);
  followed f = {.net = &n, .then = net_floats(count), .first = count};
  n.pass.done = follow;
  n.pass.waiting = &f;
  net_forward(&n, x);
  net_backward(&n, dy, false);
  assert_int_equal(f.first, 0);
  assert_int_equal(f.calls, 7); /* each of the six layers with weights, and one of them in two pieces */
  assert_memory_equal(f.then, n.grads, count * sizeof *f.then);
  free(f.then);
  net_fini(&n);
}

enum { ALONE_N = 5, ALONE_IN = 144, ALONE_OUT = 10 };

/* Kernels for other numbers of columns may add up in another order: some 1e-7 of the largest output. */
static void expect_outputs(const char *what, const float *actual, const float *expected, size_t count)
{
  double most = 0.0;
  for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)expected[i]));
  assert_true(most > 0.0);
  for (size_t i = 0; i < count; i++)
    if (!(fabs((double)actual[i] - (double)expected[i]) <= 1e-6 * most))
      fail_msg("%s: output %zu is %.9g, not %.9g", what, i, (double)actual[i], (double)expected[i]);
}

/* Each sample gives the same in a full micro-batch, in a shorter one, and at another index there. What lies
 * behind the samples of a pass is not read: it is not a number. */
static void check_short_passes(test_net *n, const float *x, const float *y)
{
  float *input = ls_workspace_input(n->workspace);
  for (size_t first = 0; first < ALONE_N; first++)
    for (size_t count = 1; first + count <= ALONE_N; count++) {
      for (size_t i = 0; i < ALONE_N * ALONE_IN; i++) input[i] = NAN;
      n->pass.n = count;
      n->pass.samples = n->samples + first;
      expect_outputs("short", net_forward(n, x + first * ALONE_IN), y + first * ALONE_OUT, count * ALONE_OUT);
    }
  n->pass.n = ALONE_N;
  n->pass.samples = n->samples;
}

/* Each sample gives the same when all others of its micro-batch are not numbers. */
static void check_partners(test_net *n, const float *x, const float *y)
{
  float changed[ALONE_N * ALONE_IN];
  for (size_t s = 0; s < ALONE_N; s++) {
    for (size_t i = 0; i < ALONE_N * ALONE_IN; i++) changed[i] = i / ALONE_IN == s ? x[i] : NAN;
    const float *logits = net_forward(n, changed);
    expect_outputs("partners", logits + s * ALONE_OUT, y + s * ALONE_OUT, ALONE_OUT);
    assert_true(isnan(logits[(s + 1) % ALONE_N * ALONE_OUT]));
  }
}

static void check_alone(const char *layers, bool training)
{
  float x[ALONE_N * ALONE_IN], y[ALONE_N * ALONE_OUT];
  test_net n;
  net_init(&n, layers, image, ALONE_N);
  for (size_t i = 0; i < ls_model_count(n.model)->buffers; i++) n.buffers[i] = 0.5F + 0.1F * (float)(i % 7);
  n.pass.training = training;
  net_random(1, x, ALONE_N * ALONE_IN);
  memcpy(y, net_forward(&n, x), sizeof y);
  check_short_passes(&n, x, y);
  check_partners(&n, x, y);
  net_fini(&n);
}

/* In evaluation always; in training where there is no batchnorm: dropout goes by the sample, not its index.
 */
static void samples_do_not_mix(void **state)
{
  (void)state;
  check_alone(NET, false);
  check_alone("[{type: conv, filters: 9, kernel: 3, stride: 2, pad: same}, {type: gelu}, {type: dropout}, "
              "{type: avgpool, size: 2}, {type: flatten}, {type: dropout, rate: 0.2}, "
              "{type: dense, units: 33}, {type: leaky_relu}, {type: dense, units: 10}]",
              true);
}

/* With batchnorm in training they do: the statistics are those of the micro-batch. */
static void batchnorm_mixes_in_training(void **state)
{
  (void)state;
  float x[ALONE_N * ALONE_IN], y[ALONE_OUT];
  test_net n;
  net_init(&n, NET, image, ALONE_N);
  net_random(1, x, ALONE_N * ALONE_IN);
  memcpy(y, net_forward(&n, x), sizeof y);
  net_random(2, x + ALONE_IN, ALONE_IN);
  assert_memory_not_equal(net_forward(&n, x), y, sizeof y);
  net_fini(&n);
}

static void summary_shows_the_model(void **state)
{
  (void)state;
  static const char *const rows[] = {"layer ",
                                     "multiply-adds\n",
                                     "3x6x8 ",
                                     "\nconv1 ",
                                     "conv 4 filters 3x3, pad 1 ",
                                     " 4x6x8 ",
                                     " 5,184\n",
                                     "\nblock1 ",
                                     "\n  block1.batchnorm1 ",
                                     "\n  block1.shortcut.conv1 ",
                                     "\n    residual2.residual1.tanh1 ",
                                     "dense 10 units ",
                                     " 970 ",
                                     "\ntotal ",
                                     " 2,002 ",
                                     " 49,152\n",
                                     "MiB"};
  test_net n;
  ls_text text = {0};
  net_init(&n, NET, image, 4);
  ls_model_summary(n.model, &text);
  const char *at = ls_text_get(&text);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    at = strstr(at, rows[i]);
    if (!at) fail_msg("'%s' is missing, or out of order, in:\n%s", rows[i], ls_text_get(&text));
  }
  /* Every row of the table is as wide as the others. */
  const char *line = ls_text_get(&text);
  const size_t width = strcspn(line, "\n");
  for (; strncmp(line, "total", 5) != 0; line += width + 1) assert_int_equal(strcspn(line, "\n"), width);
  ls_text_fini(&text);
  net_fini(&n);
}

/* The registry's two lists side by side, and no word for two kinds. */
static void kinds_are_registered(void **state)
{
  (void)state;
  size_t count = 0;
  for (; ls_layer_kinds[count]; count++) {
    assert_ptr_equal(ls_layer_schemas[count], &ls_layer_kinds[count]->schema);
    for (size_t before = 0; before < count; before++)
      assert_string_not_equal(ls_layer_kinds[before]->schema.name, ls_layer_kinds[count]->schema.name);
  }
  assert_true(count > 0);
  assert_null(ls_layer_schemas[count]);
}

/* ---- the ways of the convolution, and what they pack ---- */

static const struct {
  const char *way, *layers;
  ls_shape in;
} ways[] = {
    {"affine", "[{type: conv, filters: 70, kernel: 1}, {type: flatten}]", {.c = 24, .h = 5, .w = 5}},
    {"planar", "[{type: conv, filters: 70, kernel: 3}, {type: flatten}]", {.c = 3, .h = 9, .w = 9}},
    {"winograd",
     "[{type: conv, filters: 72, kernel: 3, pad: 1}, {type: flatten}]",
     {.c = 16, .h = 8, .w = 8}},
    {"direct",
     "[{type: conv, filters: 70, kernel: 3, stride: 2}, {type: flatten}]",
     {.c = 24, .h = 9, .w = 9}},
    {"depthwise",
     "[{type: conv, filters: 72, kernel: 3, pad: 1, groups: 72}, {type: flatten}]",
     {.c = 72, .h = 6, .w = 6}},
    {"grouped",
     "[{type: conv, filters: 192, kernel: 3, pad: 1, groups: 12}, {type: flatten}]",
     {.c = 96, .h = 6, .w = 6}},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Threads that pack their parts in any order make what one makes, and each does some of it. */
static void convolutions_are_packed_by_all_threads(void **state)
{
  (void)state;
  enum { PARTS = 3 };
  for (size_t i = 0; i < WAYS; i++) {
    test_net net;
    net_init(&net, ways[i].layers, ways[i].in, 2);
    const size_t count = ls_model_count(net.model)->packed;
    float *packed = net_floats(count), *before = net_floats(count);
    for (size_t part = PARTS; part-- > 0;) {
      memcpy(before, packed, count * sizeof *packed);
      ls_model_pack(net.model, net.params, packed, part, PARTS);
      if (memcmp(before, packed, count * sizeof *packed) == 0)
        fail_msg("%s: nothing to do for thread %zu of %d", ways[i].way, part, PARTS);
    }
    if (memcmp(packed, net.packed, count * sizeof *packed) != 0) fail_msg("%s: other bits", ways[i].way);
    free(packed);
    free(before);
    net_fini(&net);
  }
}

/* A layer that is fed by data packs what its forward pass reads, and its weights' gradient is the same. */
static void nothing_is_packed_for_a_gradient_that_nobody_wants(void **state)
{
  (void)state;
  for (size_t i = 0; i < WAYS; i++) {
    const ls_model_options fed = {.in = ways[i].in, .microbatch = 2};
    test_net net, first;
    net_init(&net, ways[i].layers, ways[i].in, 2);
    net_init_model(&first, ways[i].layers, &fed);
    const size_t all = ls_model_count(net.model)->packed, forward = ls_model_count(first.model)->packed;
    if (5 * forward > 3 * all) fail_msg("%s: %zu floats packed of %zu", ways[i].way, forward, all);
    const size_t in = 2 * ls_shape_count(ways[i].in), out = 2 * ls_model_classes(net.model);
    float *x = net_floats(in), *dy = net_floats(out);
    for (size_t j = 0; j < in; j++) x[j] = (float)(j % 23) - 11.0F;
    for (size_t j = 0; j < out; j++) dy[j] = (float)(j % 19) - 9.0F;
    assert_memory_equal(net_forward(&net, x), net_forward(&first, x), out * sizeof *x);
    net_backward(&net, dy, true);
    net_backward(&first, dy, false);
    assert_memory_equal(net.param_grads, first.param_grads, ls_model_count(net.model)->params * sizeof *x);
    free(x);
    free(dy);
    net_fini(&net);
    net_fini(&first);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_given_or_made),
      cmocka_unit_test(tensors_are_contiguous),
      cmocka_unit_test(ranges_follow_each_other),
      cmocka_unit_test(parts_make_the_whole),
      cmocka_unit_test(plan_works_in_place),
      cmocka_unit_test(memory_is_shared),
      cmocka_unit_test(data_needs_no_gradient),
      cmocka_unit_test(errors_name_the_line),
      cmocka_unit_test(initial_weights_fit_the_activation),
      cmocka_unit_test(initial_weights_fit_every_activation),
      cmocka_unit_test(initial_weights_fit_the_word),
      cmocka_unit_test(initial_weights_follow_the_seed),
      cmocka_unit_test(batchnorm_starts_as_the_identity),
      cmocka_unit_test(passes_repeat),
      cmocka_unit_test(absorbed_relus_change_nothing),
      cmocka_unit_test(completed_gradients_stay),
      cmocka_unit_test(samples_do_not_mix),
      cmocka_unit_test(batchnorm_mixes_in_training),
      cmocka_unit_test(summary_shows_the_model),
      cmocka_unit_test(kinds_are_registered),
      cmocka_unit_test(convolutions_are_packed_by_all_threads),
      cmocka_unit_test(nothing_is_packed_for_a_gradient_that_nobody_wants),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
