/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers and whole nets against PyTorch: outputs, gradients of inputs and weights, running statistics, loss.
 * In this folder because it reads HDF5.
 *
 * Goldens are worked out in double precision. Sums in float32 of some hundreds of terms are good to about
 * 1e-6 of the largest value; the tolerance is 1e-5.
 */
#include "golden_file.h"

#include "loss.h"

static const double tolerance = 1e-5;

typedef struct golden {
  const char *name;
  hid_t group;
  test_net net;
  ls_shape in;
  size_t n, in_count, out_count;
  float *x, *y, *dy; /* x [n, h, w, c] */
} golden;

static void expect(const golden *g, const char *what, const float *actual, const float *expected,
                   size_t count)
{
  golden_expect(g->name, what, actual, expected, count, tolerance);
}

static float *read_floats(hid_t group, const char *name, size_t count)
{
  float *values = net_floats(count);
  golden_read(group, name, H5T_NATIVE_FLOAT, count, values);
  return values;
}

static void golden_init(golden *g)
{
  size_t dims[GOLDEN_MAX_RANK], count;
  assert_int_equal(golden_dims(g->group, "x", dims), 4);
  g->n = dims[0];
  g->in = (ls_shape){.c = dims[1], .h = dims[2], .w = dims[3]};
  char *layers = golden_text(g->group, "layers");
  net_init(&g->net, layers, g->in, g->n + 1); /* a micro-batch that is not full */
  free(layers);
  g->net.pass.n = g->n;
  g->net.pass.training = golden_number(g->group, "training") > 0;
  g->in_count = g->n * ls_shape_count(g->in);
  g->out_count = g->n * ls_model_classes(g->net.model);
  const ls_tensor *tensors = ls_model_params(g->net.model, &count);
  golden_tensors(g->group, "params", tensors, count, g->net.params);
  tensors = ls_model_buffers(g->net.model, &count);
  golden_tensors(g->group, "buffers", tensors, count, g->net.buffers);
  float *x = read_floats(g->group, "x", g->in_count);
  g->x = net_floats(g->in_count);
  golden_to_nhwc(x, g->x, g->n, g->in);
  free(x);
  g->y = read_floats(g->group, "y", g->out_count);
  g->dy = read_floats(g->group, "dy", g->out_count);
}

static void golden_fini(golden *g)
{
  free(g->x);
  free(g->y);
  free(g->dy);
  net_fini(&g->net);
}

/* Every tensor by itself: a small one must not hide behind a large one. */
static void expect_tensors(const golden *g, const char *prefix, const ls_tensor *tensors, size_t count,
                           const float *vector)
{
  for (size_t i = 0; i < count; i++) {
    char name[GOLDEN_NAME_BYTES];
    golden_tensor_name(prefix, &tensors[i], name);
    float *expected = read_floats(g->group, name, tensors[i].count);
    expect(g, name, vector + tensors[i].offset, expected, tensors[i].count);
    free(expected);
  }
}

static void check_running_statistics(golden *g)
{
  size_t count;
  const ls_tensor *tensors = ls_model_buffers(g->net.model, &count);
  if (g->net.pass.training) {
    for (size_t i = 0; i < ls_model_count(g->net.model)->buffers; i++) g->net.stats[i] /= (float)g->n;
    ls_model_update_buffers(g->net.model, g->net.stats, g->net.buffers);
  }
  expect_tensors(g, "running", tensors, count, g->net.buffers);
}

static void check_loss(golden *g, const float *logits)
{
  enum { MAX_N = 16 };
  uint16_t labels[MAX_N];
  assert_true(g->n <= MAX_N);
  float *gradient = net_floats(g->out_count);
  golden_read(g->group, "labels", H5T_NATIVE_USHORT, g->n, labels);
  const ls_loss_sums sums = cross_entropy(logits, labels, g->n, ls_model_classes(g->net.model),
                                          golden_number(g->group, "smoothing"), 1.0 / (double)g->n, gradient);
  const double expected = golden_number(g->group, "loss");
  const double error = fabs(sums.loss / (double)g->n / expected - 1.0);
  if (!(error <= tolerance)) fail_msg("%s: the loss is off by %g", g->name, error);
  expect(g, "the gradient of the loss", gradient, g->dy, g->out_count);
  free(gradient);
}

static void check_gradients(golden *g)
{
  size_t count;
  net_backward(&g->net, g->dy, true);
  float *dx = net_floats(g->in_count), *expected = read_floats(g->group, "dx", g->in_count);
  golden_to_nchw(g->net.dx, dx, g->n, g->in);
  expect(g, "dx", dx, expected, g->in_count);
  const ls_tensor *tensors = ls_model_params(g->net.model, &count);
  expect_tensors(g, "grads", tensors, count, g->net.param_grads);
  free(dx);
  free(expected);
}

static void check_case(golden *g)
{
  golden_init(g);
  const float *logits = net_forward(&g->net, g->x);
  expect(g, "y", logits, g->y, g->out_count);
  if (H5Lexists(g->group, "labels", H5P_DEFAULT) > 0) check_loss(g, logits);
  check_gradients(g);
  check_running_statistics(g);
  golden_fini(g);
}

/* All groups of a file; how many. */
static size_t check_file(const char *file_name)
{
  const hid_t file = golden_open(file_name);
  H5G_info_t info;
  assert_true(H5Gget_info(file, &info) >= 0);
  for (hsize_t i = 0; i < info.nlinks; i++) {
    char name[GOLDEN_NAME_BYTES];
    assert_true(H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) >
                0);
    golden g = {.name = name, .group = H5Gopen2(file, name, H5P_DEFAULT)};
    assert_true(g.group >= 0);
    check_case(&g);
    H5Gclose(g.group);
  }
  H5Fclose(file);
  return (size_t)info.nlinks;
}

static const char *const files[] = {"layers.h5", "graphs.h5", "convs.h5", "norms.h5", "activations.h5", NULL};

static void as_pytorch(void **state)
{
  (void)state;
  size_t count = 0;
  for (const char *const *file = files; *file; file++) count += check_file(*file);
  assert_true(count >= 95);
}

/* Is a kind in the layers of one of the goldens? */
static bool is_in_goldens(hid_t file, const char *kind)
{
  H5G_info_t info;
  char word[64];
  bool found = false;
  assert_true(H5Gget_info(file, &info) >= 0);
  snprintf(word, sizeof word, "{type: %s", kind);
  for (hsize_t i = 0; i < info.nlinks && !found; i++) {
    const hid_t group = H5Oopen_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT);
    assert_true(group >= 0);
    char *layers = golden_text(group, "layers");
    for (const char *at = layers; (at = strstr(at, word)) && !found; at++)
      found = strchr(",}", at[strlen(word)]) != NULL;
    free(layers);
    H5Oclose(group);
  }
  return found;
}

/* Every kind needs a golden: one without would go unchecked. */
static void every_kind_has_a_golden(void **state)
{
  (void)state;
  static const char contained_in_loss[] =
      "softmax"; /* PyTorch's loss has it too: there is nothing to compare */
  for (const ls_layer_kind *const *kind = ls_layer_kinds; *kind; kind++) {
    bool found = strcmp((*kind)->schema.name, contained_in_loss) == 0;
    for (const char *const *name = files; *name && !found; name++) {
      const hid_t file = golden_open(*name);
      found = is_in_goldens(file, (*kind)->schema.name);
      H5Fclose(file);
    }
    if (!found)
      fail_msg(
          "%s is in no golden: add cases to tests/golden/make_layer_goldens.py and run that with PyTorch",
          (*kind)->schema.name);
  }
}

/* A tolerance that nothing can fail would say nothing: errors of 2e-5 are seen. */
static void a_wrong_value_is_seen(void **state)
{
  (void)state;
  const float expected[] = {0.5F, -2.0F, 0.001F};
  const float wrong[] = {0.5F, -2.0F, 0.001F + 4e-5F}, broken[] = {0.5F, NAN, 0.001F};
  assert_true(golden_compare(expected, expected, 3).error <= 0.0);
  assert_true(golden_compare(wrong, expected, 3).error > tolerance);
  assert_int_equal(golden_compare(wrong, expected, 3).index, 2);
  assert_true(golden_compare(broken, expected, 3).error > tolerance);
  assert_int_equal(golden_compare(broken, expected, 3).index, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_pytorch),
      cmocka_unit_test(every_kind_has_a_golden),
      cmocka_unit_test(a_wrong_value_is_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
