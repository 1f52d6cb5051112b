/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 files as a program of bytes: what the fuzzer changes are the groups, datasets, attributes and links of
 * a sound file, so that it meets our checks and not those of libhdf5, which is known to over-read on forged
 * bytes.
 *
 * Operations: 0 group NAME (enter it), 1 up, 2 dataset NAME TYPE RANK DIM... LAYOUT (filled from the input as
 * far as it is small), 3 attribute NAME TYPE RANK DIM... VALUE, 4 soft link NAME to NAME, 5 hard link NAME to
 * the root, 6 external link NAME into the file itself. Names are words of our layouts. */
#ifndef LS_TESTS_FUZZ_HDF5_SCRIPT_H
#define LS_TESTS_FUZZ_HDF5_SCRIPT_H

#include <hdf5.h>

#include "fuzz.h"

enum { SCRIPT_DEPTH = 8, SCRIPT_RANK = 5, SCRIPT_FILL = 1 << 14 };

/* The seeds' generator reads the words from here: one a line, each in quotes. */
static const char *const script_words[] = {
    "train",
    "test",
    "images",
    "labels",
    "classes",
    "class_names",
    "format",
    "format_version",
    "lockstep_version",
    "config",
    "weights_digest",
    "model",
    "conv1",
    "fc",
    "weight",
    "bias",
    "running_mean",
    "running_var",
    "optimizer",
    "momentum_buffer",
    "exp_avg",
    "step",
    "progress",
    "epoch",
    "epoch_step",
    "best_metric",
    "epoch_correct",
    "epoch_samples",
    "best_epoch",
    "bad_epochs",
    "schedule_epochs",
    "schedule_bad",
    "epoch_seconds",
    "epoch_loss",
    "schedule_factor",
    "schedule_best",
    "seconds",
    "metrics",
    "validation",
    "data",
    "channels",
    "height",
    "width",
    "dataset",
    "mean",
    "deviation",
    "loss",
    "parameters",
    "buffers",
};
enum { SCRIPT_WORDS = sizeof script_words / sizeof script_words[0] };

static const hsize_t script_dims[] = {
    0, 1, 2, 3, 4, 5, 7, 8, 10, 28, 784, 65535, 65536, 1 << 20, (hsize_t)1 << 40, (hsize_t)1 << 62};

typedef struct script {
  fuzz_input input;
  hid_t file, groups[SCRIPT_DEPTH];
  size_t depth;
} script;

static inline const char *script_name(script *s)
{
  return script_words[fuzz_byte(&s->input) % SCRIPT_WORDS];
}

static inline int script_shape(script *s, hsize_t dims[SCRIPT_RANK], hsize_t *count)
{
  const int rank = fuzz_byte(&s->input) % (SCRIPT_RANK + 1);
  *count = 1;
  for (int i = 0; i < rank; i++) {
    dims[i] = script_dims[fuzz_byte(&s->input) % (sizeof script_dims / sizeof script_dims[0])];
    if (__builtin_mul_overflow(*count, dims[i], count)) *count = HSIZE_UNDEF;
  }
  return rank;
}

/* A type of its own, closed by the caller. Odd texts: variable length, of a few bytes, of the bytes that
 * follow. */
static inline hid_t script_type(script *s)
{
  const hid_t numbers[] = {H5T_NATIVE_UINT8,  H5T_NATIVE_UINT16, H5T_NATIVE_UINT32,
                           H5T_NATIVE_UINT64, H5T_NATIVE_INT32,  H5T_NATIVE_FLOAT,
                           H5T_NATIVE_DOUBLE, H5T_STD_U16BE,     H5T_NATIVE_LDOUBLE};
  const size_t count = sizeof numbers / sizeof numbers[0];
  const unsigned which = fuzz_byte(&s->input) % (count + 3);
  if (which < count) return H5Tcopy(numbers[which]);
  const hid_t text = H5Tcopy(H5T_C_S1);
  const size_t lengths[] = {H5T_VARIABLE, 1 + fuzz_byte(&s->input), 512};
  H5Tset_size(text, lengths[which - count]);
  return text;
}

static inline void script_group(script *s)
{
  if (s->depth + 1 >= SCRIPT_DEPTH) return;
  const char *name = script_name(s);
  hid_t group = H5Gcreate2(s->groups[s->depth], name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) group = H5Gopen2(s->groups[s->depth], name, H5P_DEFAULT);
  if (group >= 0) s->groups[++s->depth] = group;
}

static inline void script_up(script *s)
{
  if (s->depth > 0) H5Gclose(s->groups[s->depth--]);
}

/* Bytes of the input, as many as the value has; a text of variable length is what follows. */
static inline void script_fill(script *s, hid_t object, hid_t type, hsize_t count, bool is_attribute)
{
  static unsigned char value[SCRIPT_FILL + 1];
  const size_t bytes = H5Tget_size(type);
  if (count > SCRIPT_FILL / bytes) return;
  const fuzz_input part =
      H5Tis_variable_str(type) > 0 ? fuzz_counted(&s->input) : fuzz_part(&s->input, count * bytes);
  memset(value, 0, sizeof value);
  memcpy(value, part.data, part.size);
  const char *text = (const char *)value;
  if (H5Tis_variable_str(type) > 0 && count != 1) return;
  const void *from = H5Tis_variable_str(type) > 0 ? (const void *)&text : value;
  if (is_attribute)
    H5Awrite(object, type, from);
  else
    H5Dwrite(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, from);
}

/* The place of a tensor among the others, which weights carry. */
static inline void script_order(script *s, hid_t dataset)
{
  const uint64_t order = fuzz_byte(&s->input);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(dataset, "order", H5T_NATIVE_UINT64, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_UINT64, &order);
  H5Aclose(attribute);
  H5Sclose(space);
}

static inline void script_dataset(script *s)
{
  hsize_t dims[SCRIPT_RANK], count, chunk[SCRIPT_RANK] = {1, 1, 1, 1, 1};
  const char *name = script_name(s);
  const hid_t type = script_type(s);
  const int rank = script_shape(s, dims, &count);
  const unsigned layout = fuzz_byte(&s->input);
  const hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  for (int i = 0; i < rank; i++) chunk[i] = layout & 2 && dims[i] > 0 && dims[i] < 1000 ? dims[i] : 1;
  if (layout & 1 && rank > 0) H5Pset_chunk(properties, rank, chunk);
  if (layout & 4 && layout & 1 && rank > 0) H5Pset_deflate(properties, 1);
  const hid_t dataset =
      H5Dcreate2(s->groups[s->depth], name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  if (dataset >= 0) {
    script_fill(s, dataset, type, count, false);
    if (layout & 8) script_order(s, dataset);
    H5Dclose(dataset);
  }
  H5Pclose(properties);
  if (space >= 0) H5Sclose(space);
  H5Tclose(type);
}

static inline void script_attribute(script *s)
{
  hsize_t dims[SCRIPT_RANK], count;
  const char *name = script_name(s);
  const hid_t type = script_type(s);
  const int rank = script_shape(s, dims, &count);
  const hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
  if (count <= SCRIPT_FILL) {
    const hid_t attribute = H5Acreate2(s->groups[s->depth], name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) {
      script_fill(s, attribute, type, count, true);
      H5Aclose(attribute);
    }
  }
  if (space >= 0) H5Sclose(space);
  H5Tclose(type);
}

static inline void script_soft_link(script *s)
{
  const char *name = script_name(s);
  H5Lcreate_soft(script_name(s), s->groups[s->depth], name, H5P_DEFAULT, H5P_DEFAULT);
}

static inline void script_loop(script *s)
{
  H5Lcreate_hard(s->file, "/", s->groups[s->depth], script_name(s), H5P_DEFAULT, H5P_DEFAULT);
}

static inline void script_external_link(script *s)
{
  H5Lcreate_external("fuzz.h5", "/train", s->groups[s->depth], script_name(s), H5P_DEFAULT, H5P_DEFAULT);
}

/* Make the file fuzz.h5 by the script, and return its path. */
static inline void script_run(const uint8_t *data, size_t size, char path[128])
{
  static void (*const operations[])(script *) = {script_group,        script_up,        script_dataset,
                                                 script_attribute,    script_soft_link, script_loop,
                                                 script_external_link};
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  fuzz_path("fuzz.h5", path);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 16, true);
  H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  script s = {.input = {data, size}, .file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access)};
  H5Pclose(access);
  if (s.file < 0) abort();
  s.groups[0] = s.file;
  while (s.input.size > 0) operations[fuzz_byte(&s.input) % (sizeof operations / sizeof operations[0])](&s);
  while (s.depth > 0) script_up(&s);
  H5Fclose(s.file);
}

#endif
