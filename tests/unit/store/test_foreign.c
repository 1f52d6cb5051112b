/* SPDX-License-Identifier: BSD-3-Clause */
/* Weight files of others: one network as PyTorch, safetensors and NumPy write it gives the same weights, and
 * files that were made to harm, or are cut, are refused with a message. */
#include "golden_file.h"

#include <unistd.h>

#include "store/foreign/foreign.h"
#include "store/foreign/reader.h"
#include "store/transfer.h"

#define LAYERS                                                                                               \
  "[{type: conv, name: conv, filters: 2, kernel: 3}, {type: batchnorm, name: bn}, {type: flatten}, "         \
  "{type: dense, name: fc, units: 3}]"

enum { FILE_BYTES = 1 << 16, VALUE_CHARS = 32, NAME_CHARS = 64 };

static const ls_shape image = {.c = 1, .h = 4, .w = 4};

static void golden_path(char path[512], const char *file)
{
  snprintf(path, 512, "%s/tests/golden/weights_%s", LS_SOURCE_DIR, file);
}

/* Into a network that has no values yet. */
static ls_status transfer_again(test_net *net, const char *path, ls_transfer_report *report)
{
  const ls_model_counts *counts = ls_model_count(net->model);
  for (size_t i = 0; i < counts->params; i++) net->params[i] = NAN;
  for (size_t i = 0; i < counts->buffers; i++) net->buffers[i] = NAN;
  return ls_transfer_read(&(ls_transfer_source){.path = path}, net->model, net->params, net->buffers, report);
}

static ls_status transfer(test_net *net, const char *path, ls_transfer_report *report)
{
  net_init(net, LAYERS, image, 1);
  return ls_transfer_read(&(ls_transfer_source){.path = path}, net->model, net->params, net->buffers, report);
}

/* ---- what is read ---- */

static const float *find(const test_net *net, const char *name, size_t *count)
{
  for (int of_buffers = 0; of_buffers < 2; of_buffers++) {
    size_t tensors;
    const ls_tensor *all =
        of_buffers ? ls_model_buffers(net->model, &tensors) : ls_model_params(net->model, &tensors);
    for (size_t i = 0; i < tensors; i++) {
      char own[NAME_CHARS];
      snprintf(own, sizeof own, "%s.%s", all[i].layer, all[i].name);
      *count = all[i].count;
      if (strcmp(own, name) == 0) return (of_buffers ? net->buffers : net->params) + all[i].offset;
    }
  }
  fail_msg("no %s", name);
  return NULL;
}

/* Compare with weights_values.txt, a line for each tensor; `more`: what each value is larger by. */
static void expect_values(const test_net *net, const char *file, float more)
{
  char path[512], name[NAME_CHARS], text[VALUE_CHARS];
  size_t tensors = 0;
  golden_path(path, "values.txt");
  FILE *values = fopen(path, "r");
  assert_non_null(values);
  while (fscanf(values, "%63s", name) == 1) {
    size_t count;
    const float *own = find(net, name, &count);
    for (size_t i = 0; i < count; i++) {
      double value;
      assert_int_equal(fscanf(values, "%31s", text), 1);
      assert_true(ls_parse_real(text, &value));
      if ((double)own[i] != value + (double)more)
        fail_msg("%s: %s[%zu] is %g, not %g", file, name, i, (double)own[i], value + (double)more);
    }
    tensors++;
  }
  assert_int_equal(tensors, 8);
  fclose(values);
}

static void every_format_gives_the_same_weights(void **state)
{
  (void)state;
  static const char *const files[] = {"zip.pt",       "deflated.pt",         "old.pth",   "protocol4.pth",
                                      "half.pt",      "double.pt",           "views.pt",  "views.pth",
                                      "nested.pt",    "plain.safetensors",   "plain.npz", "packed.npz",
                                      "two.pt#model", "bfloat16.safetensors"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[512];
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    golden_path(path, files[i]);
    if (transfer(&net, path, &report) != LS_OK) fail_msg("%s: %s", files[i], ls_error_last()->text);
    expect_values(&net, files[i], 0.0F);
    assert_null(strstr(ls_text_get(&report.lines), "initialized"));
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
}

static void a_key_chooses_one_of_several_networks(void **state)
{
  (void)state;
  char path[512];
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  golden_path(path, "two.pt");
  assert_int_equal(transfer(&net, path, &report), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text,
                         "tensors model/conv.weight and ema/module.conv.weight are both conv.weight of the "
                         "model: give the key"));
  ls_transfer_report_fini(&report);
  net_fini(&net);
  golden_path(path, "two.pt#ema");
  if (transfer(&net, path, &report) != LS_OK) fail_msg("%s", ls_error_last()->text);
  expect_values(&net, "two.pt#ema", 1.0F);
  ls_transfer_report_fini(&report);
  net_fini(&net);
}

static void names_are_changed_by_patterns(void **state)
{
  (void)state;
  static const struct {
    const char *pairs[4], *said; /* said: NULL if it is taken */
  } cases[] = {{{"^(conv|bn|fc)_", "\\1."}, NULL},
               {{"_(weight|bias)", ".\\1", "^f", "f"}, NULL},
               {{"^nothing", "x"}, NULL},
               {{"conv_(.*)", "other.\\1"}, "lacks tensors of 1 layer, which starts as initialized: conv"},
               {{"(", "x"}, "model.rename: '(' is no extended regular expression"},
               {{"a", "\\1"}, "refers to group 1 of a pattern that has 0"},
               {{"a", "b\\"}, "ends in a backslash"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[512], *pairs[4];
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    ls_text_list renames = {.items = pairs};
    while (renames.count < 4 && cases[i].pairs[renames.count]) {
      assert_int_equal(ls_text_copy(&pairs[renames.count], cases[i].pairs[renames.count]), LS_OK);
      renames.count++;
    }
    golden_path(path, "parameters.pt"); /* conv_weight, ... without the running statistics */
    net_init(&net, LAYERS, image, 1);
    const ls_status status = ls_transfer_read(&(ls_transfer_source){.path = path, .renames = &renames},
                                              net.model, net.params, net.buffers, &report);
    const char *said = status == LS_OK ? ls_text_get(&report.warning) : ls_error_last()->text;
    if (cases[i].said && !strstr(said, cases[i].said)) fail_msg("case %zu: %s", i, said);
    if (!cases[i].said && status != LS_OK) fail_msg("case %zu: %s", i, said);
    for (size_t k = 0; k < renames.count; k++) free(pairs[k]);
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
}

/* ---- what is refused ---- */

static void expect_refusal(const char *path, const char *what)
{
  test_net net;
  ls_transfer_report report = {.lines = {0}};
  assert_int_equal(transfer(&net, path, &report), LS_E_INPUT);
  if (!strstr(ls_error_last()->text, what))
    fail_msg("%s: '%s' is not in: %s", path, what, ls_error_last()->text);
  ls_transfer_report_fini(&report);
  net_fini(&net);
}

static void write_bytes(const char *path, const void *bytes, size_t count)
{
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, count, file), count);
  assert_int_equal(fclose(file), 0);
}

/* A file of PyTorch from before 1.6 whose object is this pickle. */
static void write_pickle(const char *path, const char *pickle, size_t count)
{
  static const char head[] = "\x80\x02\x8a\x0al\xfc\x9c"
                             "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
  char file[FILE_BYTES];
  memcpy(file, head, sizeof head - 1);
  memcpy(file + sizeof head - 1, pickle, count);
  write_bytes(path, file, sizeof head - 1 + count);
}

#define PICKLE(text) text, sizeof(text) - 1

/* Each would run something in Python, or break the machine. A file that was made beside it shows that nothing
 * has run. */
static void nothing_that_a_pickle_asks_for_is_run(void **state)
{
  (void)state;
  static const struct {
    const char *pickle;
    size_t count;
    const char *said;
  } cases[] = {
      {PICKLE("cos\nsystem\n(S'touch was_run'\ntR."), "it asks to run os.system: nothing is run"},
      {PICKLE("cposix\nsystem\nX\x0d\0\0\0touch was_run\x85R."),
       "it asks to run posix.system: nothing is run"},
      {PICKLE("\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0dtouch was_run\x85R."),
       "asks to run posix.system"},
      {PICKLE("(S'touch was_run'\nios\nsystem\n."), "asks to run os.system"},
      {PICKLE("(cos\nsystem\nS'touch was_run'\no."), "asks to run os.system"},
      {PICKLE("c__builtin__\neval\n(S'1'\ntR."), "asks to run __builtin__.eval"},
      {PICKLE("cbuiltins\ngetattr\n."), "asks to run builtins.getattr"},
      {PICKLE("ctorch.storage\n_load_from_bytes\n(C\x01x"
              "tR."),
       "asks to run torch.storage._load_from_bytes"},
      {PICKLE("cargparse\nNamespace\n)\x81."), "asks to run argparse.Namespace"},
      {PICKLE("c__main__\nNet\n)\x81}b."),
       "asks to run __main__.Net: nothing is run, and only files of tensors"},
      {PICKLE("(ccollections\nOrderedDict\no."), "it asks to make an object"},
      {PICKLE("(icollections\nOrderedDict\n."), "it asks to make an object"},
      {PICKLE("\x82\x01."), "registered elsewhere"},
      {PICKLE("S'x'\n)R."), "asks to run what is no function"},
      {PICKLE("\x97."), "an opcode that is not read: 0x97"},
      {PICKLE("Pstorage\n."), "an opcode that is not read: 0x50"},
      {PICKLE("."), "from an empty stack"},
      {PICKLE("0."), "from an empty stack"},
      {PICKLE("(."), "from an empty stack"},
      {PICKLE("R."), "from an empty stack"},
      {PICKLE("K\x01t."), "a mark that it has not set"},
      {PICKLE("(K\x01"
              "d."),
       "a key without a value"},
      {PICKLE("K\x01K\x02"
              "a."),
       "adds members to a value that has none"},
      {PICKLE("h\x05."), "recalls value 5"},
      {PICKLE("}r\xff\xff\xff\xff."), "remembers more than"},
      {PICKLE("X\xff\xff\xff\xffx."), "the file is cut off"},
      {PICKLE("\x8d\xff\xff\xff\xff\xff\xff\xff\xffx."), "the file is cut off"},
      {PICKLE("\x8b\xff\xff\xff\xffx."), "the file is cut off"},
      {PICKLE("]q\0h\0"
              "a.\x80\x02]."),
       "none of its tensors has the name"},
      {PICKLE("}q\0(X\1\0\0\0ah\0u.\x80\x02]."), "none of its tensors has the name"},
  };
  unlink("was_run");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_pickle("bad.pth", cases[i].pickle, cases[i].count);
    expect_refusal("bad.pth", cases[i].said);
    assert_int_equal(access("was_run", F_OK), -1);
  }
  write_bytes("plain.pt", PICKLE("cos\nsystem\n(S'touch was_run'\ntR."));
  expect_refusal("plain.pt", "asks to run os.system");
  assert_int_equal(access("was_run", F_OK), -1);
  char path[512];
  golden_path(path, "module.pt");
  expect_refusal(path, "asks to run torch.nn.modules.container.Sequential");
  unlink("bad.pth"), unlink("plain.pt");
}

#define STORAGE(numel)                                                                                       \
  "((X\x07\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"                                                      \
  "0X\3\0\0\0cpu" numel "NtQ"
/* {"fc.bias": a tensor of so many elements of a storage of three, from `first` on}, and the storage. */
#define TENSOR(first, shape, strides)                                                                        \
  PICKLE("}X\7\0\0\0fc.biasctorch._utils\n_rebuild_tensor_v2\n" STORAGE("K\3") first shape strides           \
         "\x89}tRs.\x80\x02]X\1\0\0\0"                                                                       \
         "0a.\3\0\0\0\0\0\0\0\0\0\x80?\0\0\0@\0\0@@")

static void tensors_beyond_their_storage_are_refused(void **state)
{
  (void)state;
  static const struct {
    const char *pickle;
    size_t count;
    const char *said; /* NULL: it is fine */
  } cases[] = {
      {TENSOR("K\0", "K\3\x85", "K\1\x85"), NULL},
      {TENSOR("K\2", "K\3\x85", "J\xff\xff\xff\xff\x85"), "tensor fc.bias: its strides is -1, below 0"},
      {TENSOR("K\1", "K\3\x85", "K\1\x85"), "tensor fc.bias: it takes 4 elements of a storage that has 3"},
      {TENSOR("K\0", "K\3\x85", "K\2\x85"), "tensor fc.bias: it takes 5 elements of a storage that has 3"},
      {TENSOR("K\0", "K\5\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"), "more elements than can be"},
      {TENSOR("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\3\x85", "K\1\x85"), "elements of a storage"},
      {TENSOR("K\0", "J\xff\xff\xff\xff\x85", "K\1\x85"), "its shape is -1, below 0"},
      {TENSOR("K\0", "K\3\x85", ")"), "it has 1 dimensions and 0 strides"},
      {TENSOR("K\0", "K\3K\1\x86", "K\1K\1\x86"), "shape [3] expected, [3,1] found"},
      {TENSOR("K\0", "N\x85", "K\1\x85"), "its shape is no whole number"},
      {TENSOR("N", "K\3\x85", "K\1\x85"), "its first element is no whole number"},
      {TENSOR("K\0", "K\3", "K\1\x85"), "its shape is no list of up to 32 numbers"},
      {TENSOR("K\0", "K\3\x85", "K\0\x85"), NULL}, /* expanded: one element thrice */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net net;
    ls_transfer_report report = {.lines = {0}};
    write_pickle("views.pth", cases[i].pickle, cases[i].count);
    if (cases[i].said) {
      expect_refusal("views.pth", cases[i].said);
      continue;
    }
    if (transfer(&net, "views.pth", &report) != LS_OK) fail_msg("case %zu: %s", i, ls_error_last()->text);
    size_t count;
    const float *bias = find(&net, "fc.bias", &count);
    assert_true(bias[0] == 1.0F && bias[2] == (i == 0 ? 3.0F : 1.0F));
    ls_transfer_report_fini(&report);
    net_fini(&net);
  }
  unlink("views.pth");
}

static void write_safetensors(const char *path, const char *header, size_t data)
{
  char file[FILE_BYTES] = {0};
  const size_t length = strlen(header);
  file[0] = (char)(length & 0xFF);
  file[1] = (char)(length >> 8);
  memcpy(file + 8, header, length);
  write_bytes(path, file, 8 + length + data);
}

static void safetensors_that_lie_are_refused(void **state)
{
  (void)state;
  static const struct {
    const char *header, *said;
  } cases[] = {
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 16]}}",
       "another number of bytes"},
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [8, 20]}}",
       "not within the 12 bytes"},
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [12, 0]}}",
       "not within the 12 bytes"},
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [-12, 0]}}",
       "whole numbers from 0 on"},
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 12]}, "
       "\"x\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [8, 12]}}",
       "two of its tensors share the bytes from 8 to 12"},
      {"{\"fc.bias\": {\"dtype\": \"F31\", \"shape\": [3], \"data_offsets\": [0, 12]}}", "of type F31"},
      {"{\"fc.bias\": {\"dtype\": \"I32\", \"shape\": [3], \"data_offsets\": [0, 12]}}",
       "tensor fc.bias: weights are floating-point numbers"},
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296, 3], \"data_offsets\": [0, "
       "12]}}",
       "more elements than can be counted"},
      {"{\"fc.bias\": {\"dtype\": \"F32\", \"data_offsets\": [0, 12]}}", "its shape is no list"},
      {"{\"fc.bias\": 3}", "of type none"},
      {"{\"a\": 1, \"a\": 2}", "its header is no JSON"},
      {"{\"fc.bias\": ", "its header is no JSON"},
      {"{}", "none of its tensors has the name"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_safetensors("bad.safetensors", cases[i].header, i == 0 ? 16 : 12);
    expect_refusal("bad.safetensors", cases[i].said);
  }
  unlink("bad.safetensors");
}

/* The bytes of a golden file. */
static size_t read_golden(const char *file, unsigned char bytes[FILE_BYTES])
{
  char path[512];
  golden_path(path, file);
  FILE *golden = fopen(path, "rb");
  assert_non_null(golden);
  const size_t count = fread(bytes, 1, FILE_BYTES, golden);
  fclose(golden);
  assert_true(count > 0 && count < FILE_BYTES);
  return count;
}

/* Of every length a file is refused, with a message; the whole one is not. */
static void files_that_are_cut_are_refused(void **state)
{
  (void)state;
  static const char *const files[] = {"zip.pt", "deflated.pt", "old.pth", "plain.safetensors", "packed.npz"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    unsigned char bytes[FILE_BYTES];
    char cut[64];
    test_net net;
    const size_t count = read_golden(files[i], bytes);
    net_init(&net, LAYERS, image, 1);
    snprintf(cut, sizeof cut, "cut_%s", files[i]);
    for (size_t length = 0; length < count; length++) {
      ls_transfer_report report = {.lines = {0}};
      write_bytes(cut, bytes, length);
      const ls_status status = transfer_again(&net, cut, &report);
      if (status != LS_E_INPUT || ls_error_last()->text[0] == '\0')
        fail_msg("%zu bytes of %s: %s", length, files[i], ls_status_word(status));
      ls_transfer_report_fini(&report);
    }
    net_fini(&net);
    unlink(cut);
  }
}

/* With any byte changed an archive of PyTorch is refused, or the byte means nothing: members have sums. */
static void damaged_archives_give_no_other_weights(void **state)
{
  (void)state;
  static const char *const files[] = {"zip.pt", "deflated.pt"};
  size_t refused = 0;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    unsigned char bytes[FILE_BYTES];
    test_net net;
    const size_t count = read_golden(files[i], bytes);
    net_init(&net, LAYERS, image, 1);
    for (size_t at = 0; at < count; at++) {
      ls_transfer_report report = {.lines = {0}};
      bytes[at] ^= 0x41;
      write_bytes("damaged.pt", bytes, count);
      bytes[at] ^= 0x41;
      const ls_status status = transfer_again(&net, "damaged.pt", &report);
      if (status == LS_OK) expect_values(&net, files[i], 0.0F);
      if (status != LS_OK) assert_int_equal(status, LS_E_INPUT);
      refused += status != LS_OK;
      ls_transfer_report_fini(&report);
    }
    net_fini(&net);
  }
  assert_true(refused > 1000);
  unlink("damaged.pt");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_format_gives_the_same_weights),
                                     cmocka_unit_test(a_key_chooses_one_of_several_networks),
                                     cmocka_unit_test(names_are_changed_by_patterns),
                                     cmocka_unit_test(nothing_that_a_pickle_asks_for_is_run),
                                     cmocka_unit_test(tensors_beyond_their_storage_are_refused),
                                     cmocka_unit_test(safetensors_that_lie_are_refused),
                                     cmocka_unit_test(files_that_are_cut_are_refused),
                                     cmocka_unit_test(damaged_archives_give_no_other_weights)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
