/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading the HDF5 files that tests/golden/make_layer_goldens.py makes. A missing or misshapen member fails
 * the test: the files are part of the sources. For tests that are linked with HDF5. */
#ifndef LS_TESTS_GOLDEN_FILE_H
#define LS_TESTS_GOLDEN_FILE_H

#include "net.h"

#include <hdf5.h>

enum { GOLDEN_NAME_BYTES = 128, GOLDEN_MAX_RANK = 8 };

static inline hid_t golden_open(const char *name)
{
  char path[512];
  snprintf(path, sizeof path, "%s/tests/golden/%s", LS_SOURCE_DIR, name);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) fail_msg("cannot open '%s'", path);
  return file;
}

/* Read a whole dataset of `count` elements as `type`. */
static inline void golden_read(hid_t group, const char *name, hid_t type, size_t count, void *out)
{
  const hid_t data = H5Dopen2(group, name, H5P_DEFAULT);
  if (data < 0) fail_msg("no dataset '%s'", name);
  const hid_t space = H5Dget_space(data);
  const hssize_t found = H5Sget_simple_extent_npoints(space);
  if (found < 0 || (size_t)found != count)
    fail_msg("dataset '%s' has %lld elements, not %zu", name, (long long)found, count);
  assert_true(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
  H5Sclose(space);
  H5Dclose(data);
}

/* The dimensions of a dataset; their number. */
static inline size_t golden_dims(hid_t group, const char *name, size_t dims[GOLDEN_MAX_RANK])
{
  hsize_t found[GOLDEN_MAX_RANK];
  const hid_t data = H5Dopen2(group, name, H5P_DEFAULT);
  if (data < 0) fail_msg("no dataset '%s'", name);
  const hid_t space = H5Dget_space(data);
  assert_true(H5Sget_simple_extent_ndims(space) <= GOLDEN_MAX_RANK);
  const int rank = H5Sget_simple_extent_dims(space, found, NULL);
  assert_true(rank >= 0);
  for (int i = 0; i < rank; i++) dims[i] = (size_t)found[i];
  H5Sclose(space);
  H5Dclose(data);
  return (size_t)rank;
}

/* A text attribute; the caller frees it. */
static inline char *golden_text(hid_t group, const char *name)
{
  char *read = NULL;
  const hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
  if (attribute < 0) fail_msg("no attribute '%s'", name);
  const hid_t type = H5Aget_type(attribute);
  assert_true(H5Tis_variable_str(type) > 0);
  assert_true(H5Aread(attribute, type, &read) >= 0);
  char *text = NULL;
  assert_int_equal(ls_text_copy(&text, read), LS_OK);
  H5free_memory(read);
  H5Tclose(type);
  H5Aclose(attribute);
  return text;
}

static inline double golden_number(hid_t group, const char *name)
{
  double value = 0.0;
  const hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
  if (attribute < 0) fail_msg("no attribute '%s'", name);
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0);
  H5Aclose(attribute);
  return value;
}

/* "params.conv1.weight" */
static inline void golden_tensor_name(const char *prefix, const ls_tensor *tensor,
                                      char name[GOLDEN_NAME_BYTES])
{
  const int length = snprintf(name, GOLDEN_NAME_BYTES, "%s.%s.%s", prefix, tensor->layer, tensor->name);
  assert_true(length > 0 && length < GOLDEN_NAME_BYTES);
}

/* Read every tensor of a list into its part of the vector; shapes must be the same too. */
static inline void golden_tensors(hid_t group, const char *prefix, const ls_tensor *tensors, size_t count,
                                  float *vector)
{
  for (size_t i = 0; i < count; i++) {
    char name[GOLDEN_NAME_BYTES];
    size_t dims[GOLDEN_MAX_RANK];
    golden_tensor_name(prefix, &tensors[i], name);
    assert_int_equal(golden_dims(group, name, dims), tensors[i].dim_count);
    assert_memory_equal(dims, tensors[i].dims, tensors[i].dim_count * sizeof *dims);
    golden_read(group, name, H5T_NATIVE_FLOAT, tensors[i].count, vector + tensors[i].offset);
  }
}

/* [n, c, h, w] to [n, h, w, c], or back. */
static inline void golden_to_nhwc(const float *from, float *to, size_t n, ls_shape shape)
{
  const size_t pixels = shape.h * shape.w;
  for (size_t i = 0; i < n * shape.c * pixels; i++)
    to[(i / (shape.c * pixels) * pixels + i % pixels) * shape.c + i / pixels % shape.c] = from[i];
}

static inline void golden_to_nchw(const float *from, float *to, size_t n, ls_shape shape)
{
  const size_t pixels = shape.h * shape.w;
  for (size_t i = 0; i < n * shape.c * pixels; i++)
    to[i] = from[(i / (shape.c * pixels) * pixels + i % pixels) * shape.c + i / pixels % shape.c];
}

typedef struct golden_difference {
  double error; /* relative to the largest expected magnitude; infinite when something is not a number */
  size_t index; /* of the element that is off most */
} golden_difference;

static inline golden_difference golden_compare(const float *actual, const float *expected, size_t count)
{
  golden_difference worst = {.error = 0.0};
  double largest = 0.0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)expected[i]));
  for (size_t i = 0; i < count; i++) {
    const double difference = fabs((double)actual[i] - (double)expected[i]);
    const double error = isnan(difference) ? INFINITY : difference;
    if (error > worst.error) worst = (golden_difference){.error = error, .index = i};
  }
  if (largest > 0.0) worst.error /= largest;
  return worst;
}

/* Relative to the largest magnitude of the array: sums cancel, so a small element carries the rounding of the
 * large terms that it was added up from, and an error relative to itself would say nothing. */
static inline void golden_expect(const char *label, const char *what, const float *actual,
                                 const float *expected, size_t count, double tolerance)
{
  const golden_difference worst = golden_compare(actual, expected, count);
  if (worst.error <= tolerance) return;
  fail_msg("%s: %s is off by %g of its largest value at index %zu of %zu: %.9g, not %.9g", label, what,
           worst.error, worst.index, count, (double)actual[worst.index], (double)expected[worst.index]);
}

#endif
