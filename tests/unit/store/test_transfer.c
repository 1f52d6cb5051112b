/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights from PyTorch's state dicts: the nets give what they give in PyTorch, and what does not fit is
 * adapted, left as it was, or refused by name. */
#include "golden_file.h"

#include <zlib.h>

#include "store/internal.h"
#include "store/transfer.h"

/* float32 throughout, some hundred terms a sum; PyTorch's outputs were worked out in double. */
static const double tolerance = 1e-4;

#define CONVS                                                                                                \
  "[{type: conv, name: conv1, filters: 6, kernel: 5, pad: 2}, {type: relu}, {type: maxpool, size: 2}, "      \
  "{type: conv, name: conv2, filters: 16, kernel: 5}, {type: relu}, {type: maxpool, size: 2}, "              \
  "{type: flatten}, "
#define HIDDEN                                                                                               \
  "{type: dense, name: fc1, units: 120}, {type: relu}, {type: dense, name: fc2, units: 84}, {type: relu}, "

static const ls_shape grey = {.c = 1, .h = 28, .w = 28};

static ls_status transfer(test_net *net, const char *file, ls_transfer_report *report)
{
  char path[512];
  snprintf(path, sizeof path, "%s/tests/golden/%s", LS_SOURCE_DIR, file);
  return ls_transfer_read(&(ls_transfer_source){.path = path}, net->model, net->params, net->buffers, report);
}

static void evaluate_golden(const char *name, const char *file)
{
  size_t dims[GOLDEN_MAX_RANK];
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  const hid_t goldens = golden_open("transfer.h5"), group = H5Gopen2(goldens, name, H5P_DEFAULT);
  assert_true(group >= 0);
  assert_int_equal(golden_dims(group, "x", dims), 4);
  const ls_shape in = {.c = dims[1], .h = dims[2], .w = dims[3]};
  const size_t count = dims[0] * ls_shape_count(in);
  char *layers = golden_text(group, "layers");
  net_init(&net, layers, in, dims[0]);
  net.pass.training = false;
  if (transfer(&net, file, &report) != LS_OK) fail_msg("%s", ls_error_last()->text);
  assert_null(strstr(ls_text_get(&report.lines), "initialized"));
  assert_null(strstr(ls_text_get(&report.lines), "skipped")); /* num_batches_tracked is not reported */
  const size_t outputs = dims[0] * ls_model_classes(net.model);
  float *x = net_floats(count), *nhwc = net_floats(count), *y = net_floats(outputs);
  golden_read(group, "x", H5T_NATIVE_FLOAT, count, x);
  golden_read(group, "y", H5T_NATIVE_FLOAT, outputs, y);
  golden_to_nhwc(x, nhwc, dims[0], in);
  golden_expect(name, "y", net_forward(&net, nhwc), y, outputs, tolerance);
  free(x), free(nhwc), free(y), free(layers);
  ls_transfer_report_fini(&report);
  net_fini(&net);
  H5Gclose(group);
  H5Fclose(goldens);
}

static void a_lenet_gives_what_it_gives_in_pytorch(void **state)
{
  (void)state;
  evaluate_golden("lenet5", "lenet5_state.h5");
}

static void a_resnet_gives_what_it_gives_in_pytorch(void **state)
{
  (void)state;
  evaluate_golden("resnet20", "resnet20_state.h5");
}

static const ls_tensor *find(const test_net *net, const char *layer, const char *name)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(net->model, &count);
  for (size_t i = 0; i < count; i++)
    if (strcmp(tensors[i].layer, layer) == 0 && strcmp(tensors[i].name, name) == 0) return &tensors[i];
  fail_msg("no %s.%s", layer, name);
  return NULL;
}

/* Does the tensor hold what the file's dataset of that name holds? */
static bool is_loaded(const test_net *net, const char *layer, const char *name)
{
  const ls_tensor *tensor = find(net, layer, name);
  char dataset[GOLDEN_NAME_BYTES];
  float *values = net_floats(tensor->count);
  const hid_t file = golden_open("lenet5_state.h5");
  snprintf(dataset, sizeof dataset, "%s.%s", layer, name);
  golden_read(file, dataset, H5T_NATIVE_FLOAT, tensor->count, values);
  const bool same = memcmp(values, net->params + tensor->offset, tensor->count * sizeof *values) == 0;
  free(values);
  H5Fclose(file);
  return same;
}

static void expect_report(const ls_transfer_report *report, const char *line)
{
  const char *said = ls_text_get(&report->lines);
  if (!strstr(said, line)) fail_msg("'%s' is not in:\n%s", line, said);
}

static void a_head_for_other_classes_stays_initialized(void **state)
{
  (void)state;
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  net_init(&net, CONVS HIDDEN "{type: dense, name: fc3, units: 7}]", grey, 1);
  const ls_tensor *head = find(&net, "fc3", "weight");
  float *before = net_floats(head->count);
  memcpy(before, net.params + head->offset, head->count * sizeof *before);
  if (transfer(&net, "lenet5_state.h5", &report) != LS_OK) fail_msg("%s", ls_error_last()->text);
  assert_true(is_loaded(&net, "conv1", "weight") && is_loaded(&net, "fc2", "bias"));
  assert_memory_equal(net.params + head->offset, before, head->count * sizeof *before);
  expect_report(&report, "  initialized: fc3.weight, fc3.bias\n");
  free(before);
  ls_transfer_report_fini(&report);
  net_fini(&net);
}

static void layers_that_one_of_them_lacks_are_reported(void **state)
{
  (void)state;
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  net_init(&net,
           CONVS "{type: dense, name: extra, units: 9}, {type: relu}, {type: dense, name: last, units: 10}]",
           grey, 1);
  if (transfer(&net, "lenet5_state.h5", &report) != LS_OK) fail_msg("%s", ls_error_last()->text);
  assert_true(is_loaded(&net, "conv2", "weight"));
  expect_report(&report, "  loaded: conv1.weight, conv1.bias, conv2.weight, conv2.bias\n");
  expect_report(&report, "  initialized: extra.weight, extra.bias, last.weight, last.bias\n");
  expect_report(&report, "  skipped: fc1.bias, fc1.weight, fc2.bias, fc2.weight, fc3.bias, fc3.weight\n");
  ls_transfer_report_fini(&report);
  net_fini(&net);
}

/* Equal channels: the first layer gives what it gave for the one. */
static void a_grey_net_takes_colour_images(void **state)
{
  (void)state;
  test_net net, one;
  ls_transfer_report report = {.lines = {0}};
  const ls_shape colour = {.c = 3, .h = 28, .w = 28};
  const char *layers = CONVS HIDDEN "{type: dense, name: fc3, units: 10}]";
  float x[3 * 28 * 28], x_one[28 * 28];
  net_random(1, x_one, 28 * 28);
  for (size_t i = 0; i < 3 * 28 * 28; i++) x[i] = x_one[i / 3];
  net_init(&net, layers, colour, 1);
  net_init(&one, layers, grey, 1);
  assert_int_equal(transfer(&net, "lenet5_state.h5", &report), LS_OK);
  expect_report(&report, "  adapted to the image's channels: conv1.weight\n");
  assert_int_equal(transfer(&one, "lenet5_state.h5", &report), LS_OK);
  golden_expect("colour", "y", net_forward(&net, x), net_forward(&one, x_one), 10, 1e-5);
  ls_transfer_report_fini(&report);
  net_fini(&net);
  net_fini(&one);
}

static void a_colour_net_takes_grey_images(void **state)
{
  (void)state;
  test_net net, three;
  ls_transfer_report report = {.lines = {0}};
  const char *layers =
      "[{type: conv, name: conv1, filters: 16, kernel: 3, pad: 1, bias: false}, {type: flatten}]";
  const ls_shape small = {.c = 1, .h = 6, .w = 6}, colour = {.c = 3, .h = 6, .w = 6};
  float x[3 * 36], x_one[36];
  net_random(1, x_one, 36);
  for (size_t i = 0; i < 3 * 36; i++) x[i] = x_one[i / 3];
  net_init(&net, layers, small, 1);
  net_init(&three, layers, colour, 1);
  assert_int_equal(transfer(&net, "resnet20_state.h5", &report), LS_OK);
  assert_int_equal(transfer(&three, "resnet20_state.h5", &report), LS_OK);
  golden_expect("grey", "y", net_forward(&net, x_one), net_forward(&three, x), 16 * 36, 1e-5);
  ls_transfer_report_fini(&report);
  net_fini(&net);
  net_fini(&three);
}

static void what_cannot_be_meant_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *layers, *file;
    ls_shape in;
    const char *said;
  } cases[] = {
      {CONVS "{type: dense, name: fc1, units: 99}, {type: dense, name: out, units: 10}]",
       "lenet5_state.h5",
       {1, 28, 28},
       "layer fc1 of the model is another one"},
      {CONVS HIDDEN "{type: dense, name: fc3, units: 10}]", "lenet5_state.h5", {1, 32, 32}, "fc1.weight"},
      {CONVS HIDDEN "{type: dense, name: fc3, units: 10}]", "resnet20_state.h5", {1, 28, 28}, "conv1.weight"},
      {"[{type: conv, name: conv1, filters: 16, kernel: 3, pad: 1, groups: 16, bias: false}, {type: "
       "flatten}]",
       "resnet20_state.h5",
       {16, 6, 6},
       "layer conv1 of the model is another one"},
      {"[{type: flatten}, {type: dense, name: none, units: 10}]",
       "lenet5_state.h5",
       {1, 28, 28},
       "none of its tensors has the name of one of the model's, such as none.weight; it has: conv1.bias, "},
      {CONVS HIDDEN "{type: dense, name: fc3, units: 7, freeze: true}]",
       "lenet5_state.h5",
       {1, 28, 28},
       "layer fc3 is frozen, but its weight does not come from the file"},
      {"[{type: flatten}, {type: dense, name: fc3, units: 10}]",
       "make_layer_goldens.py",
       {1, 28, 28},
       "HDF5"},
      {"[{type: flatten}, {type: dense, name: fc3, units: 10}]", "nothing.h5", {1, 28, 28}, "nothing.h5"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    net_init(&net, cases[i].layers, cases[i].in, 1);
    assert_int_equal(transfer(&net, cases[i].file, &report), LS_E_INPUT);
    const char *said = ls_error_last()->text;
    if (!strstr(said, cases[i].said)) fail_msg("case %zu: '%s' is not in: %s", i, cases[i].said, said);
    assert_non_null(strstr(said, "model.init_from"));
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
}

/* A state dict of one layer, its weight of `type` and all `value`. */
static void write_state(const char *path, hid_t type, double value)
{
  double values[784 * 10];
  const hsize_t dims[] = {10, 784};
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(2, dims, NULL);
  const hid_t data = H5Dcreate2(file, "fc.weight", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) values[i] = value;
  assert_true(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(data);
  H5Sclose(space);
  assert_true(H5Fclose(file) >= 0);
}

static void values_that_are_no_weights_are_refused(void **state)
{
  (void)state;
  const struct {
    hid_t type;
    double value;
    const char *said;
  } cases[] = {
      {H5T_STD_I32LE, 1.0, "/fc.weight: weights are floating-point numbers (in PyTorch: tensor.float())"},
      {H5T_IEEE_F32LE, NAN, "/fc.weight: a value is not finite in float32"},
      {H5T_IEEE_F32LE, INFINITY, "/fc.weight: a value is not finite in float32"},
      {H5T_IEEE_F64LE, 1e300, "/fc.weight: a value is not finite in float32"}};
  static const char path[] = "odd_state.h5";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    net_init(&net, "[{type: flatten}, {type: dense, name: fc, units: 10}]", grey, 1);
    write_state(path, cases[i].type, cases[i].value);
    assert_int_equal(
        ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report),
        LS_E_INPUT);
    const char *said = ls_error_last()->text;
    if (!strstr(said, cases[i].said)) fail_msg("case %zu: '%s' is not in: %s", i, cases[i].said, said);
    ls_transfer_report_fini(&report);
    net_fini(&net);
    remove(path);
  }
}

/* Running statistics of the resnet's first batch norm, put to a value in a copy of the file. */
static void write_variance(const char *path, float value)
{
  char command[1024];
  float values[16];
  snprintf(command, sizeof command, "cp '%s/tests/golden/resnet20_state.h5' '%s'", LS_SOURCE_DIR, path);
  assert_int_equal(system(command), 0);
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t data = H5Dopen2(file, "bn1.running_var", H5P_DEFAULT);
  assert_true(H5Dread(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  values[5] = value;
  assert_true(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(data);
  assert_true(H5Fclose(file) >= 0);
}

static void negative_variances_are_refused_by_name(void **state)
{
  (void)state;
  static const char path[] = "odd_variance.h5";
  static const struct {
    float value;
    ls_status status;
    const char *said; /* NULL: it is fine */
  } cases[] = {{0.0F, LS_OK, NULL},
               {1e-30F, LS_OK, NULL},
               {-0.25F, LS_E_INPUT, "bn1.running_var has negative values: it is a mean of squares"},
               {NAN, LS_E_INPUT, "/bn1.running_var: a value is not finite in float32"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    net_init(&net,
             "[{type: conv, name: conv1, filters: 16, kernel: 3, pad: 1, bias: false}, {type: batchnorm, "
             "name: bn1}, "
             "{type: flatten}]",
             grey, 1);
    write_variance(path, cases[i].value);
    assert_int_equal(
        ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report),
        cases[i].status);
    const char *said = ls_error_last()->text;
    if (cases[i].said && (!strstr(said, cases[i].said) || (i == 2 && strstr(said, "diverged"))))
      fail_msg("case %zu: %s", i, said);
    ls_transfer_report_fini(&report);
    net_fini(&net);
    remove(path);
  }
}

/* ---- state dicts as others write them ---- */

#define BLOCK(shortcut)                                                                                      \
  "[{type: conv, name: conv1, filters: 2, kernel: 1}, {type: residual, name: layer2_0, body: [{type: conv, " \
  "name: conv1, filters: 3, kernel: 1, bias: false}, {type: batchnorm, name: bn1}], shortcut: [" shortcut    \
  "]}, {type: flatten}, {type: dense, name: fc, units: 4}]"
#define CONV(name) "{type: conv, " name "filters: 3, kernel: 1, bias: false}"

/* How a file differs from the model, and from a plain float32 one. */
typedef struct dialect {
  const char *prefix;      /* before every name */
  const char *words[2][2]; /* of the model's names, and the file's instead */
  const char *without;     /* names with it are left out */
  hid_t type;              /* 0: float32 */
  bool is_deflated;
} dialect;

static const ls_shape dot = {.c = 1, .h = 2, .w = 2};

/* The file's name of a tensor; false: it is left out. */
static bool translate(const dialect *how, const ls_tensor *tensor, char name[GOLDEN_NAME_BYTES])
{
  char own[GOLDEN_NAME_BYTES];
  snprintf(own, sizeof own, "%s.%s", tensor->layer, tensor->name);
  if (how->without && strstr(own, how->without)) return false;
  for (size_t i = 0; i < 2; i++) {
    const char *word = how->words[i][0], *at = word ? strstr(own, word) : NULL;
    char changed[GOLDEN_NAME_BYTES];
    if (!at) continue;
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - own), own, how->words[i][1], at + strlen(word));
    memcpy(own, changed, sizeof own);
  }
  return snprintf(name, GOLDEN_NAME_BYTES, "%s%s", how->prefix ? how->prefix : "", own) < GOLDEN_NAME_BYTES;
}

/* The value of an element: small enough for float16 to hold it. */
static float value_of(const ls_tensor *tensor, size_t i)
{
  return (float)(strlen(tensor->layer) + strlen(tensor->name)) / 16.0F + (float)i / 64.0F;
}

static void write_tensor(hid_t file, const dialect *how, const ls_tensor *tensor)
{
  char name[GOLDEN_NAME_BYTES];
  float values[64];
  hsize_t dims[LS_TENSOR_MAX_DIMS];
  if (!translate(how, tensor, name)) return;
  assert_true(tensor->count <= sizeof values / sizeof *values);
  for (size_t i = 0; i < tensor->count; i++) values[i] = value_of(tensor, i);
  for (size_t i = 0; i < tensor->dim_count; i++) dims[i] = tensor->dims[i];
  const hid_t space = H5Screate_simple((int)tensor->dim_count, dims, NULL);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), linking = H5Pcreate(H5P_LINK_CREATE);
  assert_true(H5Pset_create_intermediate_group(linking, 1) >= 0);
  if (how->is_deflated) {
    assert_true(H5Pset_chunk(creation, (int)tensor->dim_count, dims) >= 0);
    assert_true(H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, 4) >= 0);
  }
  const hid_t type = how->type ? how->type : H5T_IEEE_F32LE;
  const hid_t data = H5Dcreate2(file, name, type, space, linking, creation, H5P_DEFAULT);
  assert_true(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(data);
  H5Pclose(creation), H5Pclose(linking);
  H5Sclose(space);
}

/* Add the tensors of a net to a file, and a count as PyTorch's. */
static void write_dialect(const char *path, const test_net *net, const dialect *how, bool is_first)
{
  char counter[GOLDEN_NAME_BYTES];
  size_t count;
  const hid_t file = is_first ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)
                              : H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  const ls_tensor *tensors = ls_model_params(net->model, &count);
  for (size_t i = 0; i < count; i++) write_tensor(file, how, &tensors[i]);
  tensors = ls_model_buffers(net->model, &count);
  for (size_t i = 0; i < count; i++) write_tensor(file, how, &tensors[i]);
  const hid_t space = H5Screate(H5S_SCALAR);
  snprintf(counter, sizeof counter, "%snum_batches_tracked", how->prefix ? how->prefix : "");
  H5Dclose(H5Dcreate2(file, counter, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  assert_true(H5Fclose(file) >= 0);
}

static void expect_values(const ls_tensor *tensors, size_t count, const float *vector, size_t number)
{
  for (size_t t = 0; t < count; t++)
    for (size_t i = 0; i < tensors[t].count; i++)
      if (vector[tensors[t].offset + i] != value_of(&tensors[t], i))
        fail_msg("case %zu: %s.%s is not the file's", number, tensors[t].layer, tensors[t].name);
}

static void tensors_go_by_the_names_of_others(void **state)
{
  (void)state;
  static const char path[] = "dialect.h5";
#define NAMED CONV("name: \"0\", ") ", {type: batchnorm, name: \"1\"}"
#define OURS CONV("") ", {type: batchnorm}"
#define ALONE CONV("name: c, ")
#define NESTED                                                                                               \
  "{type: residual, name: r, body: [{type: conv, name: x, filters: 2, kernel: 1}]}, " CONV(                  \
      "name: p, ") ", " CONV("name: qq, ")
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  assert_true(H5Tset_fields(half, 15, 10, 5, 0, 10) >= 0 && H5Tset_precision(half, 16) >= 0 &&
              H5Tset_ebias(half, 15) >= 0 && H5Tset_size(half, 2) >= 0);
  const struct {
    const char *layers;
    dialect how;
  } cases[] = {
      {BLOCK(NAMED), {.words = {{"layer2_0", "layer2.0"}, {"shortcut", "downsample"}}}},
      {BLOCK(NAMED), {.words = {{"layer2_0", "layer2/0"}, {"shortcut", "skip"}}}},
      {BLOCK(OURS), {.words = {{"shortcut.conv1", "downsample.0"}, {"shortcut.batchnorm1", "downsample.1"}}}},
      {BLOCK(OURS), {.words = {{"shortcut.conv1", "shortcut.0"}, {"shortcut.batchnorm1", "shortcut.1"}}}},
      {BLOCK(ALONE), {.words = {{"shortcut.c", "downsample"}}}},
      {BLOCK(ALONE), {.words = {{"shortcut.c", "shortcut.0"}}}},
      {BLOCK(NESTED), {.words = {{"shortcut.p", "downsample.1"}, {"shortcut.qq", "downsample.2"}}}},
      {BLOCK(OURS), {.prefix = "module."}},
      {BLOCK(OURS), {.prefix = "_orig_mod.module."}},
      {BLOCK(OURS), {.prefix = "model."}},
      {BLOCK(OURS), {.prefix = "state_dict/"}},
      {BLOCK(OURS), {.prefix = "model_state_dict/_orig_mod.", .words = {{"layer2_0", "layer2.0"}}}},
      {BLOCK(OURS), {.prefix = "ema/module."}},
      {BLOCK(OURS), {.type = H5T_IEEE_F64LE}},
      {BLOCK(OURS), {.type = H5T_IEEE_F64BE, .is_deflated = true}},
      {BLOCK(OURS), {.type = half}},
      {BLOCK(OURS), {.type = half, .is_deflated = true}},
      {BLOCK(OURS), {.is_deflated = true}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    size_t count;
    ls_transfer_report report = {.lines = {0}};
    net_init(&net, cases[i].layers, dot, 1);
    write_dialect(path, &net, &cases[i].how, true);
    if (ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report) !=
        LS_OK)
      fail_msg("case %zu: %s", i, ls_error_last()->text);
    if (strstr(ls_text_get(&report.lines), "skipped") || report.warning.length > 0)
      fail_msg("case %zu: %s%s", i, ls_text_get(&report.lines), ls_text_get(&report.warning));
    const ls_tensor *tensors = ls_model_params(net.model, &count);
    expect_values(tensors, count, net.params, i);
    tensors = ls_model_buffers(net.model, &count);
    expect_values(tensors, count, net.buffers, i);
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
  remove(path);
}

/* Words for a shortcut mean one only within a block. */
static void a_layer_that_is_called_skip_is_no_shortcut(void **state)
{
  (void)state;
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  net_init(
      &net,
      "[{type: conv, name: skip, filters: 2, kernel: 1}, {type: flatten}, {type: dense, name: fc, units: 4}]",
      dot, 1);
  write_dialect("skip.h5", &net, &(dialect){.words = {{"skip", "proj"}}}, true);
  assert_int_equal(
      ls_transfer_read(&(ls_transfer_source){.path = "skip.h5"}, net.model, net.params, net.buffers, &report),
      LS_OK);
  assert_non_null(strstr(ls_text_get(&report.lines), "skipped"));
  assert_non_null(
      strstr(ls_text_get(&report.warning), "lacks tensors of 1 layer, which starts as initialized: skip"));
  ls_transfer_report_fini(&report);
  net_fini(&net);
  remove("skip.h5");
}

static void layers_that_stay_random_are_warned_of(void **state)
{
  (void)state;
  static const char path[] = "lacking.h5";
  static const struct {
    const char *without, *warning;
  } cases[] = {
      {"fc.", ""}, /* a new last layer is what one wants */
      {"shortcut", "model.init_from: 'lacking.h5' lacks tensors of 2 layers, which start as initialized: "
                   "layer2_0.shortcut.conv1, layer2_0.shortcut.batchnorm1\n"},
      {"running_var", "model.init_from: 'lacking.h5' lacks tensors of 2 layers, which start as initialized: "
                      "layer2_0.bn1, layer2_0.shortcut.batchnorm1\n"},
      {"layer2", "model.init_from: 'lacking.h5' lacks tensors of 4 layers, which start as initialized: "
                 "layer2_0.conv1, layer2_0.bn1, layer2_0.shortcut.conv1, layer2_0.shortcut.batchnorm1\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    net_init(&net, BLOCK(OURS), dot, 1);
    write_dialect(path, &net, &(dialect){.without = cases[i].without}, true);
    assert_int_equal(
        ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report),
        LS_OK);
    assert_string_equal(ls_text_get(&report.warning), cases[i].warning);
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
  remove(path);
}

/* A chunk that expands to less than the tensor, or to more, is no reason to read beyond a buffer. */
static void deflated_chunks_that_lie_are_refused(void **state)
{
  (void)state;
  static const char path[] = "lying.h5";
  static const size_t counts[] = {3, 5, 4000};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    static float values[4000];
    unsigned char stream[8000];
    uLongf bytes = sizeof stream;
    const hsize_t start[1] = {0};
    net_init(&net, BLOCK(OURS), dot, 1);
    write_dialect(path, &net, &(dialect){.is_deflated = true}, true);
    assert_int_equal(compress(stream, &bytes, (const unsigned char *)values, counts[i] * sizeof *values),
                     Z_OK);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t data = H5Dopen2(file, "fc.bias", H5P_DEFAULT); /* of 4 */
    assert_true(H5Dwrite_chunk(data, H5P_DEFAULT, 0, start, bytes, stream) >= 0);
    H5Dclose(data);
    H5Fclose(file);
    assert_int_equal(
        ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report),
        LS_E_INPUT);
    assert_non_null(strstr(ls_error_last()->text, "dataset /fc.bias: a chunk is damaged"));
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
  remove(path);
}

/* Weights and their average, say. */
static void two_networks_in_a_file_are_refused(void **state)
{
  (void)state;
  static const char path[] = "two.h5";
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  net_init(&net, BLOCK(OURS), dot, 1);
  write_dialect(path, &net, &(dialect){.prefix = "state_dict/"}, true);
  write_dialect(path, &net, &(dialect){.prefix = "ema/module."}, false);
  assert_int_equal(
      ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report),
      LS_E_INPUT);
  assert_non_null(
      strstr(ls_error_last()->text, "/ema/module.conv1.bias and /state_dict/conv1.bias are both"));
  ls_transfer_report_fini(&report);
  net_fini(&net);
  remove(path);
}

/* The weights of a checkpoint of this format version. */
static void write_versioned(const char *path, const char *format, uint64_t version)
{
  const hid_t text = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR);
  H5Tset_size(text, strlen(format));
  write_state(path, H5T_IEEE_F32LE, 0.25);
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t model = H5Gcreate2(file, "model", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t layer = H5Gcreate2(model, "fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Lmove(file, "fc.weight", layer, "weight", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  hid_t attribute = H5Acreate2(file, "format", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, text, format) >= 0);
  H5Aclose(attribute);
  attribute = H5Acreate2(file, "format_version", H5T_STD_U64LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, &version) >= 0);
  H5Aclose(attribute), H5Gclose(layer), H5Gclose(model), H5Sclose(scalar), H5Tclose(text);
  assert_true(H5Fclose(file) >= 0);
}

/* What a later version means by its names this one cannot know; nothing is taken from it. */
static void weights_of_a_newer_format_are_refused(void **state)
{
  (void)state;
  static const struct {
    const char *format;
    uint64_t version;
    const char *said; /* NULL: it is read */
  } cases[] = {
      {"lockstep-checkpoint", LS_STORE_FORMAT_VERSION, NULL},
      {"lockstep-checkpoint", LS_STORE_FORMAT_VERSION + 1, "a newer lockstep is needed"},
      {"lockstep-checkpoint", UINT32_MAX, "a newer lockstep is needed"},
      {"lockstep-checkpoint", 0, "format_version"},
      {"lockstep-metrics", LS_STORE_FORMAT_VERSION, "its format is 'lockstep-metrics'"},
      {"lockstep-checkpoint-2", LS_STORE_FORMAT_VERSION, "its format is 'lockstep-checkpoint-2'"},
  };
  static const char path[] = "versioned.h5";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    net_init(&net, "[{type: flatten}, {type: dense, name: fc, units: 10}]", grey, 1);
    write_versioned(path, cases[i].format, cases[i].version);
    const float before = find(&net, "fc", "weight")->offset == 0 ? net.params[0] : 0;
    const ls_status status =
        ls_transfer_read(&(ls_transfer_source){.path = path}, net.model, net.params, net.buffers, &report);
    assert_int_equal(status, cases[i].said ? LS_E_INPUT : LS_OK);
    assert_true(net.params[0] == (cases[i].said ? before : 0.25F));
    if (cases[i].said && !strstr(ls_error_last()->text, cases[i].said))
      fail_msg("case %zu: '%s' is not in: %s", i, cases[i].said, ls_error_last()->text);
    ls_transfer_report_fini(&report);
    net_fini(&net);
    remove(path);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(negative_variances_are_refused_by_name),
      cmocka_unit_test(a_lenet_gives_what_it_gives_in_pytorch),
      cmocka_unit_test(a_resnet_gives_what_it_gives_in_pytorch),
      cmocka_unit_test(a_head_for_other_classes_stays_initialized),
      cmocka_unit_test(layers_that_one_of_them_lacks_are_reported),
      cmocka_unit_test(a_grey_net_takes_colour_images),
      cmocka_unit_test(a_colour_net_takes_grey_images),
      cmocka_unit_test(what_cannot_be_meant_is_refused),
      cmocka_unit_test(values_that_are_no_weights_are_refused),
      cmocka_unit_test(tensors_go_by_the_names_of_others),
      cmocka_unit_test(a_layer_that_is_called_skip_is_no_shortcut),
      cmocka_unit_test(layers_that_stay_random_are_warned_of),
      cmocka_unit_test(deflated_chunks_that_lie_are_refused),
      cmocka_unit_test(two_networks_in_a_file_are_refused),
      cmocka_unit_test(weights_of_a_newer_format_are_refused),
  };
  return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
