/* SPDX-License-Identifier: BSD-3-Clause */
/* Files made to mislead: each is refused with a message that names the object, or listed without harm. Each
 * case changes one thing in a good checkpoint whose seal was taken away. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <hdf5.h>

#include "fixture.h"

static int setup(void **state)
{
  *state = fixture_new();
  return 0;
}

static int teardown(void **state)
{
  fixture_free(*state);
  return 0;
}

/* ---- ways to change a file ---- */

static void put_dataset(hid_t file, const char *path, hid_t type, int rank, const hsize_t *dims,
                        hid_t creation)
{
  hid_t space = rank < 0 ? H5Screate(H5S_NULL) : H5Screate_simple(rank, dims, NULL);
  hid_t data = H5Dcreate2(file, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  assert_true(data >= 0);
  H5Dclose(data);
  H5Sclose(space);
}

static void replace_bias(hid_t file, hid_t type, int rank, const hsize_t *dims, hid_t creation)
{
  H5Ldelete(file, "model/fc/bias", H5P_DEFAULT);
  put_dataset(file, "model/fc/bias", type, rank, dims, creation);
}

static void put_number(hid_t object, const char *name, hid_t type, const void *value)
{
  H5Adelete(object, name);
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(attribute >= 0);
  H5Awrite(attribute, type, value);
  H5Aclose(attribute);
  H5Sclose(space);
}

static void put_number_at(hid_t file, const char *path, const char *name, hid_t type, const void *value)
{
  hid_t object = H5Oopen(file, path, H5P_DEFAULT);
  put_number(object, name, type, value);
  H5Oclose(object);
}

static void integers(hid_t file)
{
  replace_bias(file, H5T_STD_I32LE, 1, (hsize_t[]){3}, H5P_DEFAULT);
}

static void doubles(hid_t file)
{
  replace_bias(file, H5T_IEEE_F64LE, 1, (hsize_t[]){3}, H5P_DEFAULT);
}

static void texts(hid_t file)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  replace_bias(file, type, 1, (hsize_t[]){3}, H5P_DEFAULT);
  H5Tclose(type);
}

static void shapeless(hid_t file)
{
  replace_bias(file, H5T_IEEE_F32LE, -1, NULL, H5P_DEFAULT);
}

static void many_dimensions(hid_t file)
{
  hsize_t dims[32];
  for (int i = 0; i < 32; i++) dims[i] = 1;
  replace_bias(file, H5T_IEEE_F32LE, 32, dims, H5P_DEFAULT);
}

static void never_written(hid_t file)
{
  replace_bias(file, H5T_IEEE_F32LE, 1, (hsize_t[]){3}, H5P_DEFAULT);
}

static hid_t chunks(int rank, hsize_t side)
{
  hsize_t chunk[] = {side, side, side};
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, rank, chunk);
  return creation;
}

static void huge(hid_t file)
{
  hid_t creation = chunks(1, 1024);
  H5Pset_deflate(creation, 9);
  put_dataset(file, "model/fc/huge", H5T_IEEE_F32LE, 1, (hsize_t[]){(hsize_t)1 << 50}, creation);
  H5Pclose(creation);
}

static void huge_product(hid_t file)
{
  hid_t creation = chunks(3, 16);
  hsize_t side = (hsize_t)1 << 31;
  put_dataset(file, "model/fc/huge", H5T_IEEE_F32LE, 3, (hsize_t[]){side, side, side}, creation);
  H5Pclose(creation);
}

static void compressed(hid_t file)
{
  hid_t creation = chunks(1, 3);
  H5Pset_deflate(creation, 9);
  replace_bias(file, H5T_IEEE_F32LE, 1, (hsize_t[]){3}, creation);
  H5Pclose(creation);
}

/* One chunk too long and one too short for its own checksum: in sum there are bytes enough. */
static void uneven_chunks(hid_t file)
{
  static const char bytes[40];
  hid_t creation = chunks(1, 2);
  H5Pset_fletcher32(creation);
  replace_bias(file, H5T_IEEE_F32LE, 1, (hsize_t[]){3}, creation);
  H5Pclose(creation);
  hid_t data = H5Dopen2(file, "model/fc/bias", H5P_DEFAULT);
  H5Dwrite_chunk(data, H5P_DEFAULT, 0, (hsize_t[]){0}, 40, bytes);
  H5Dwrite_chunk(data, H5P_DEFAULT, 0, (hsize_t[]){2}, 3, bytes);
  H5Dclose(data);
}

static void elsewhere(hid_t file)
{
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, "/etc/passwd", 0, 12);
  replace_bias(file, H5T_IEEE_F32LE, 1, (hsize_t[]){3}, creation);
  H5Pclose(creation);
}

static void virtual_view(hid_t file)
{
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, (hsize_t[]){3}, NULL);
  H5Pset_virtual(creation, space, "/tmp/other.h5", "x", space);
  replace_bias(file, H5T_IEEE_F32LE, 1, (hsize_t[]){3}, creation);
  H5Sclose(space);
  H5Pclose(creation);
}

static void group_for_dataset(hid_t file)
{
  H5Ldelete(file, "model/fc/bias", H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "model/fc/bias", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

static void dataset_for_group(hid_t file)
{
  H5Ldelete(file, "model", H5P_DEFAULT);
  put_dataset(file, "model", H5T_IEEE_F32LE, 1, (hsize_t[]){3}, H5P_DEFAULT);
}

static void link_to_itself(hid_t file)
{
  H5Ldelete(file, "model/fc/bias", H5P_DEFAULT);
  H5Lcreate_soft("/model/fc/bias", file, "model/fc/bias", H5P_DEFAULT, H5P_DEFAULT);
}

static void link_outside(hid_t file)
{
  H5Ldelete(file, "model", H5P_DEFAULT);
  H5Lcreate_external("/etc/passwd", "/model", file, "model", H5P_DEFAULT, H5P_DEFAULT);
}

static void loop(hid_t file)
{
  H5Lcreate_hard(file, "/", file, "model/fc/loop", H5P_DEFAULT, H5P_DEFAULT);
}

static void deep(hid_t file)
{
  hid_t group = H5Gcreate2(file, "model/fc/deep", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (int i = 0; i < 2000; i++) {
    hid_t inner = H5Gcreate2(group, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    group = inner;
  }
  H5Gclose(group);
}

static void text_for_count(hid_t file)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 8);
  put_number_at(file, "progress", "step", type, "seven\0\0");
  H5Tclose(type);
}

static void count_for_text(hid_t file)
{
  put_number_at(file, "/", "config", H5T_NATIVE_INT, &(int){1});
}

static void huge_text(hid_t file)
{
  size_t bytes = (size_t)20 << 20;
  char *text = calloc(1, bytes);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes);
  put_number_at(file, "/", "config", type, text);
  H5Tclose(type);
  free(text);
}

static void long_name(hid_t file)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 100);
  char text[100];
  memset(text, 'x', sizeof text);
  put_number_at(file, "data", "dataset", type, text);
  H5Tclose(type);
}

static void many_channels(hid_t file)
{
  put_number_at(file, "data", "channels", H5T_NATIVE_UINT64, &(uint64_t){UINT64_MAX});
}

static void no_classes(hid_t file)
{
  put_number_at(file, "data", "classes", H5T_NATIVE_INT, &(int){0});
}

static void other_class_count(hid_t file)
{
  put_number_at(file, "data", "classes", H5T_NATIVE_INT, &(int){4});
}

/* A matrix of so many classes would take 32 GiB. */
static void many_classes(hid_t file)
{
  H5Adelete_by_name(file, "data", "class_names", H5P_DEFAULT);
  put_number_at(file, "data", "classes", H5T_NATIVE_INT, &(int){65535});
}

static void zero_deviation(hid_t file)
{
  put_number_at(file, "data", "deviation", H5T_NATIVE_DOUBLE, &(double){0});
}

static void tiny_deviation(hid_t file)
{
  put_number_at(file, "data", "deviation", H5T_NATIVE_DOUBLE, &(double){1e-310});
}

static void huge_deviation(hid_t file)
{
  put_number_at(file, "data", "deviation", H5T_NATIVE_DOUBLE, &(double){1e300});
}

static void huge_mean(hid_t file)
{
  put_number_at(file, "data", "mean", H5T_NATIVE_DOUBLE, &(double){1e300});
}

static void two_means(hid_t file)
{
  hid_t object = H5Oopen(file, "data", H5P_DEFAULT), space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
  H5Adelete(object, "mean");
  H5Aclose(H5Acreate2(object, "mean", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Oclose(object);
}

static void no_progress(hid_t file)
{
  H5Ldelete(file, "progress", H5P_DEFAULT);
}

static void numbers_for_table(hid_t file)
{
  H5Ldelete(file, "metrics/train", H5P_DEFAULT);
  put_dataset(file, "metrics/train", H5T_IEEE_F32LE, 1, (hsize_t[]){3}, H5P_DEFAULT);
}

static void table_without_column(hid_t file)
{
  H5Ldelete(file, "metrics/train", H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, 8);
  H5Tinsert(type, "epoch", 0, H5T_STD_U64LE);
  put_dataset(file, "metrics/train", type, 1, (hsize_t[]){3}, H5P_DEFAULT);
  H5Tclose(type);
}

static void huge_table(hid_t file)
{
  hid_t old = H5Dopen2(file, "metrics/train", H5P_DEFAULT), type = H5Dget_type(old), creation = chunks(1, 16);
  H5Dclose(old);
  H5Ldelete(file, "metrics/train", H5P_DEFAULT);
  put_dataset(file, "metrics/train", type, 1, (hsize_t[]){(hsize_t)1 << 40}, creation);
  H5Pclose(creation);
  H5Tclose(type);
}

static const struct {
  const char *name;
  void (*change)(hid_t file);
  const char *words;
} cases[] = {
    {"integers", integers, "dataset /model/fc/bias: type float32 expected"},
    {"doubles", doubles, "dataset /model/fc/bias: type float32 expected"},
    {"texts", texts, "dataset /model/fc/bias: type float32 expected"},
    {"shapeless", shapeless, "dataset /model/fc/bias: it has no shape"},
    {"many_dimensions", many_dimensions, "shape [3] expected, [1,1,"},
    {"never_written", never_written,
     "dataset /model/fc/bias: it declares 12 bytes, but only 0 are in the file"},
    {"huge", huge, "/model/fc/huge"},
    {"huge_product", huge_product, "/model/fc/huge"},
    {"compressed", compressed, "dataset /model/fc/bias: it is compressed"},
    {"uneven_chunks", uneven_chunks, "dataset /model/fc/bias: damaged: its chunks are not as large"},
    {"elsewhere", elsewhere, "dataset /model/fc/bias: its contents lie in other files"},
    {"virtual_view", virtual_view, "dataset /model/fc/bias: it is a view of other datasets"},
    {"group_for_dataset", group_for_dataset, "/model/fc/bias: it is not a dataset"},
    {"dataset_for_group", dataset_for_group, "/model: it is not a group"},
    {"link_to_itself", link_to_itself, "dataset /model/fc/bias: it is a link to another place"},
    {"link_outside", link_outside, "group /model: it is a link to another place"},
    {"loop", loop, "/model/fc/loop"},
    {"deep", deep, "/model/fc/deep"},
    {"text_for_count", text_for_count, "attribute /progress@step: an integer expected"},
    {"count_for_text", count_for_text, "attribute /@config: a text expected"},
    {"huge_text", huge_text, "attribute /@config: longer than"},
    {"long_name", long_name, "attribute /data@dataset: longer than 63 bytes"},
    {"many_channels", many_channels,
     "attribute /data@channels: 1 to 16 expected, 18446744073709551615 found"},
    {"no_classes", no_classes, "attribute /data@classes: 1 to 65535 expected, 0 found"},
    {"other_class_count", other_class_count, "attribute /data@class_names: 4 names expected, 3 found"},
    {"many_classes", many_classes,
     "dataset /metrics/splits/validation/precision: shape [65535] expected, [3] found"},
    {"zero_deviation", zero_deviation, "group /data: mean 33.3 and deviation 0 of channel 0"},
    {"tiny_deviation", tiny_deviation, "group /data: mean 33.3 and deviation 1e-310 of channel 0"},
    {"huge_deviation", huge_deviation, "group /data: mean 33.3 and deviation 1e+300 of channel 0"},
    {"huge_mean", huge_mean, "group /data: mean 1e+300 and deviation 78.5 of channel 0"},
    {"two_means", two_means, "attribute /data@mean: 1 values expected, 2 found"},
    {"no_progress", no_progress, "group /progress: missing"},
    {"numbers_for_table", numbers_for_table, "dataset /metrics/train: a table"},
    {"table_without_column", table_without_column, "dataset /metrics/train: column 'step' is missing"},
    {"huge_table", huge_table, "dataset /metrics/train: it declares 52776558133248 bytes"},
};

/* A checkpoint without seal, changed. */
static void make_file(const fixture *f, const char *name, void (*change)(hid_t file))
{
  assert_int_equal(ls_checkpoint_write(path_in(f, name), &f->info, &f->state), LS_OK);
  size_t count;
  unsigned char *bytes = slurp_unsealed(path_in(f, name), &count);
  spew(path_in(f, name), bytes, count);
  free(bytes);
  hid_t file = H5Fopen(path_in(f, name), H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(file >= 0);
  change(file);
  assert_true(H5Fclose(file) >= 0);
}

static void every_lie_is_refused(void **state)
{
  fixture *f = *state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_file(f, "checkpoint-1.h5", cases[i].change);
    fixture *read = fixture_empty(f);
    ls_status status = ls_checkpoint_read(path_in(f, "checkpoint-1.h5"), &read->state);
    fixture_empty_free(read);
    if (status != LS_E_INPUT) fail_msg("%s: status %d", cases[i].name, status);
    if (!error_has(cases[i].words)) fail_msg("%s", cases[i].name);
  }
}

static void no_lie_is_resumed_from(void **state)
{
  fixture *f = *state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (cases[i].change == deep || cases[i].change == many_dimensions) continue; /* wrong for a model only */
    make_file(f, "checkpoint-1.h5", cases[i].change);
    char *path;
    ls_text damaged = {0};
    assert_int_equal(ls_checkpoint_newest(&f->run_dir, &path, &damaged), LS_OK);
    if (path) fail_msg("%s was taken for intact", cases[i].name);
    assert_non_null(strstr(damaged.chars, "skipping checkpoint"));
    ls_text_fini(&damaged);
  }
}

/* Whatever is in a file, inspect ends with a status and a text of reasonable length. */
static void inspect_survives_every_lie(void **state)
{
  fixture *f = *state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_file(f, "a.h5", cases[i].change);
    ls_text text = {0};
    ls_status status = ls_inspect(path_in(f, "a.h5"), &text);
    if (status != LS_OK) assert_int_equal(status, LS_E_INPUT);
    assert_true(text.length < 10000);
    ls_text_fini(&text);
  }
}

/* ---- files of others ---- */

static void other_files_are_listed(void **state)
{
  fixture *f = *state;
  hid_t file = H5Fcreate(path_in(f, "other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Gclose(H5Gcreate2(file, "model", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Gclose(H5Gcreate2(file, "model/fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  put_dataset(file, "a/numbers", H5T_STD_U16LE, 2, (hsize_t[]){4, 5}, H5P_DEFAULT);
  put_dataset(file, "a/esc\x1b[31m", H5T_IEEE_F64LE, 1, (hsize_t[]){1}, H5P_DEFAULT);
  H5Lcreate_external("/etc/passwd", "/", file, "a/out", H5P_DEFAULT, H5P_DEFAULT);
  loop(file);
  deep(file);
  H5Fclose(file);
  ls_text text = {0};
  assert_int_equal(ls_inspect(path_in(f, "other.h5"), &text), LS_OK);
  const char *wanted[] = {"not one of lockstep's",
                          "/a/numbers",
                          "[4,5]",
                          "uint16",
                          "/a/esc\\x1b[31m",
                          "float64",
                          "link, not followed",
                          "the same object as one above",
                          "group, too deep to look into"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!strstr(text.chars, wanted[i])) fail_msg("'%s' is missing in:\n%s", wanted[i], text.chars);
  assert_null(strchr(text.chars, '\x1b'));
  ls_text_fini(&text);
}

static void datasets_are_listed_with_attributes(void **state)
{
  fixture *f = *state;
  hid_t file = H5Fcreate(path_in(f, "data.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  put_dataset(file, "train/images", H5T_STD_U8LE, 4, (hsize_t[]){70, 1, 28, 28}, H5P_DEFAULT);
  put_dataset(file, "train/labels", H5T_STD_U8LE, 1, (hsize_t[]){70}, H5P_DEFAULT);
  put_number(file, "classes", H5T_STD_U16LE, &(uint16_t){10});
  H5Fclose(file);
  ls_text text = {0};
  assert_int_equal(ls_inspect(path_in(f, "data.h5"), &text), LS_OK);
  assert_non_null(strstr(text.chars, "image dataset"));
  assert_non_null(strstr(text.chars, "classes       10\n"));
  assert_non_null(strstr(text.chars, "[70,1,28,28]         uint8"));
  ls_text_fini(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(every_lie_is_refused),
      TEST(no_lie_is_resumed_from),
      TEST(inspect_survives_every_lie),
      TEST(other_files_are_listed),
      TEST(datasets_are_listed_with_attributes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
