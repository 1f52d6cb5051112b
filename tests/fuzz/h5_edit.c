/* SPDX-License-Identifier: BSD-3-Clause */
/* The edits: one function each, in a table. What libhdf5 refuses is left out; nothing is released twice. The
 * only limits are those that keep the harness itself from asking for much memory or disk. */
#include "fuzz/h5_edit.h"

#include <zlib.h>

enum { MOST_EDITS = 24, MOST_VALUE_BYTES = 1 << 14, MOST_STORED_BYTES = 1 << 16, MOST_DEPTH = 40 };

/* Where links and data outside of the file lead to: nowhere, in the current folder. libhdf5 writes through
 * such names, so they must never be those of anything that matters. */
#define OUTSIDE "outside."

static const char *const paths[] = {
#define PATH_TEXT(name, path) path,
    FUZZ_PATH_LIST(PATH_TEXT)
#undef PATH_TEXT
};

static const char *const attributes[] = {
#define ATTRIBUTE_NAME(name) #name,
    FUZZ_ATTRIBUTE_LIST(ATTRIBUTE_NAME)
#undef ATTRIBUTE_NAME
};

/* Freed with free(). */
static char *take_word(fuzz_bytes *in, const char *const *words, size_t count)
{
  size_t number = fuzz_byte(in);
  if (number >= count) return fuzz_text(fuzz_part(in));
  return fuzz_text((fuzz_bytes){(const uint8_t *)words[number], strlen(words[number])});
}

static char *take_path(fuzz_bytes *in)
{
  return take_word(in, paths, FUZZ_PATH_COUNT);
}

static char *take_attribute(fuzz_bytes *in)
{
  return take_word(in, attributes, FUZZ_ATTRIBUTE_COUNT);
}

/* ---- types ---- */

static hid_t make_text(fuzz_bytes *in)
{
  size_t bytes = fuzz_byte(in);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes > 0 ? bytes : 5000);
  return type;
}

static hid_t make_long_text(fuzz_bytes *in)
{
  (void)in;
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  return type;
}

/* The columns of the metrics, or some of them; the last two bits make them of another type. */
static hid_t make_table(fuzz_bytes *in)
{
  static const char *const columns[] = {"epoch", "step", "loss", "accuracy", "learning_rate", "seconds"};
  enum { COLUMNS = sizeof columns / sizeof *columns };
  unsigned bits = fuzz_byte(in);
  hid_t column = bits & 64 ? H5T_STD_I8LE : bits & 128 ? H5T_STD_REF_OBJ : H5T_IEEE_F64LE;
  hid_t type = H5Tcreate(H5T_COMPOUND, COLUMNS * H5Tget_size(column));
  for (size_t i = 0; i < COLUMNS; i++)
    if (bits & 1U << i) H5Tinsert(type, columns[i], i * H5Tget_size(column), column);
  return type;
}

/* An integer that fills only some of its bits. */
static hid_t make_narrow(fuzz_bytes *in)
{
  hid_t type = H5Tcopy(H5T_STD_U8LE);
  H5Tset_precision(type, 1 + fuzz_byte(in) % 8U);
  return type;
}

static hid_t make_enum(fuzz_bytes *in)
{
  (void)in;
  hid_t type = H5Tenum_create(H5T_STD_U8LE);
  H5Tenum_insert(type, "one", &(uint8_t){1});
  return type;
}

/* Released with H5Tclose(). */
static hid_t make_type(fuzz_bytes *in)
{
  size_t number = fuzz_byte(in) % FUZZ_TYPE_COUNT;
  const hid_t plain[FUZZ_TYPE_COUNT] = {
      [FUZZ_IS_UINT8] = H5T_STD_U8LE,       [FUZZ_IS_UINT16] = H5T_STD_U16LE,
      [FUZZ_IS_UINT32_BIG] = H5T_STD_U32BE, [FUZZ_IS_UINT64] = H5T_STD_U64LE,
      [FUZZ_IS_INT32] = H5T_STD_I32LE,      [FUZZ_IS_INT64] = H5T_STD_I64LE,
      [FUZZ_IS_FLOAT] = H5T_IEEE_F32LE,     [FUZZ_IS_DOUBLE] = H5T_IEEE_F64LE,
      [FUZZ_IS_REFERENCE] = H5T_STD_REF_OBJ};
  static hid_t (*const makers[FUZZ_TYPE_COUNT])(fuzz_bytes * in) = {[FUZZ_IS_NARROW] = make_narrow,
                                                                    [FUZZ_IS_TEXT] = make_text,
                                                                    [FUZZ_IS_LONG_TEXT] = make_long_text,
                                                                    [FUZZ_IS_TABLE] = make_table,
                                                                    [FUZZ_IS_ENUM] = make_enum};
  if (plain[number]) return H5Tcopy(plain[number]);
  if (makers[number]) return makers[number](in);
  if (number == FUZZ_IS_LISTS) return H5Tvlen_create(H5T_STD_I32LE);
  return H5Tarray_create2(H5T_IEEE_F32LE, 1, (hsize_t[]){1 + fuzz_byte(in)});
}

/* ---- spaces and storage ---- */

static hsize_t take_extent(fuzz_bytes *in)
{
  unsigned number = fuzz_byte(in);
  if (number < FUZZ_EXTENT_LARGE) return number;
  return ((hsize_t)1 << (number - FUZZ_EXTENT_LARGE) % 64) - number % 2;
}

static hid_t make_space(fuzz_bytes *in, int *rank)
{
  hsize_t extents[H5S_MAX_RANK];
  *rank = fuzz_byte(in) % (FUZZ_NO_SPACE + 1);
  if (*rank == FUZZ_NO_SPACE) return H5Screate(H5S_NULL);
  for (int i = 0; i < *rank; i++) extents[i] = take_extent(in);
  return H5Screate_simple(*rank, extents, NULL);
}

/* libhdf5 holds an attribute whole. */
static bool fits_attribute(hid_t type, hid_t space)
{
  hssize_t count = H5Sget_simple_extent_npoints(space);
  return count >= 0 && (size_t)count <= MOST_STORED_BYTES / (H5Tget_size(type) + 1);
}

/* What values of a type and a space take; 0: too much to write, or no plain bytes. */
static size_t value_bytes(hid_t type, hid_t space)
{
  hssize_t count = H5Sget_simple_extent_npoints(space);
  size_t each = H5Tget_size(type);
  bool is_plain = H5Tdetect_class(type, H5T_VLEN) <= 0 && H5Tis_variable_str(type) <= 0 &&
                  H5Tdetect_class(type, H5T_REFERENCE) <= 0;
  if (!is_plain || count <= 0 || count > MOST_VALUE_BYTES || each == 0) return 0;
  return (size_t)count <= MOST_VALUE_BYTES / each ? (size_t)count * each : 0;
}

static void set_filters(hid_t creation, unsigned filters, bool is_small)
{
  if (filters & FUZZ_SHUFFLE) H5Pset_shuffle(creation);
  if (filters & FUZZ_DEFLATE) H5Pset_deflate(creation, 1);
  if (filters & FUZZ_DEFLATE_TWICE) H5Pset_deflate(creation, 1);
  if (filters & FUZZ_SCALE_OFFSET) H5Pset_scaleoffset(creation, H5Z_SO_INT, 0);
  if (filters & FUZZ_FLETCHER) H5Pset_fletcher32(creation);
  if (filters & FUZZ_EARLY && is_small) H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
}

static hid_t make_storage(fuzz_bytes *in, hid_t type, hid_t space, int rank)
{
  hsize_t chunk[H5S_MAX_RANK];
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  unsigned layout = fuzz_byte(in) % FUZZ_LAYOUT_COUNT;
  if (layout == FUZZ_COMPACT) H5Pset_layout(creation, H5D_COMPACT);
  if (layout == FUZZ_OUTSIDE) H5Pset_external(creation, OUTSIDE "bin", 0, H5F_UNLIMITED);
  if (layout == FUZZ_VIEW) H5Pset_virtual(creation, space, ".", "/extra", space);
  if (layout == FUZZ_CHUNKED && rank <= H5S_MAX_RANK) {
    for (int i = 0; i < rank; i++) chunk[i] = take_extent(in);
    H5Pset_chunk(creation, rank, chunk);
  }
  /* Early allocation allocates at once: only for what lies in the file and is small. */
  bool is_small = layout <= FUZZ_COMPACT && value_bytes(type, space) > 0;
  set_filters(creation, fuzz_byte(in), is_small);
  return creation;
}

/* May values be written? Not to another file or dataset, nor to chunks that libhdf5 would have to hold whole.
 */
static bool is_writable(hid_t dataset, hid_t type)
{
  hsize_t chunk[H5S_MAX_RANK];
  hid_t creation = H5Dget_create_plist(dataset);
  const H5D_layout_t layout = H5Pget_layout(creation);
  const bool is_inside = layout != H5D_VIRTUAL && H5Pget_external_count(creation) == 0;
  int rank = layout == H5D_CHUNKED ? H5Pget_chunk(creation, H5S_MAX_RANK, chunk) : 0;
  hsize_t bytes = H5Tget_size(type);
  for (int i = 0; i < rank && bytes <= MOST_STORED_BYTES; i++)
    bytes = chunk[i] <= MOST_STORED_BYTES ? bytes * chunk[i] : MOST_STORED_BYTES + 1;
  H5Pclose(creation);
  return is_inside && bytes <= MOST_STORED_BYTES;
}

/* The part over and over, as many bytes as are wanted; freed with free(). */
static void *make_values(fuzz_bytes part, size_t bytes)
{
  uint8_t *values = calloc(bytes + 1, 1);
  FUZZ_REQUIRE(values, "no memory");
  for (size_t i = 0; i < bytes && part.left > 0; i++) values[i] = part.at[i % part.left];
  return values;
}

/* ---- the edits ---- */

static void unlink_path(hid_t file, fuzz_bytes *in)
{
  char *path = take_path(in);
  H5Ldelete(file, path, H5P_DEFAULT);
  free(path);
}

static void forget(hid_t file, fuzz_bytes *in)
{
  char *path = take_path(in), *name = take_attribute(in);
  H5Adelete_by_name(file, path, name, H5P_DEFAULT);
  free(path);
  free(name);
}

static void write_attribute(hid_t attribute, hid_t type, hid_t space, fuzz_bytes part)
{
  size_t bytes = value_bytes(type, space);
  char *text = fuzz_text(part);
  void *values = make_values(part, bytes);
  if (bytes > 0) H5Awrite(attribute, type, values);
  if (H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1)
    H5Awrite(attribute, type, &text);
  free(values);
  free(text);
}

static void put_attribute(hid_t file, fuzz_bytes *in)
{
  int rank;
  char *path = take_path(in), *name = take_attribute(in);
  hid_t type = make_type(in), space = make_space(in, &rank);
  H5Adelete_by_name(file, path, name, H5P_DEFAULT);
  hid_t attribute = H5I_INVALID_HID;
  if (fits_attribute(type, space))
    attribute = H5Acreate_by_name(file, path, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) {
    write_attribute(attribute, type, space, fuzz_part(in));
    H5Aclose(attribute);
  }
  H5Sclose(space);
  H5Tclose(type);
  free(path);
  free(name);
}

static void put_dataset(hid_t file, fuzz_bytes *in)
{
  int rank;
  char *path = take_path(in);
  hid_t type = make_type(in), space = make_space(in, &rank), storage = make_storage(in, type, space, rank);
  H5Ldelete(file, path, H5P_DEFAULT);
  hid_t dataset = H5Dcreate2(file, path, type, space, H5P_DEFAULT, storage, H5P_DEFAULT);
  if (dataset >= 0) {
    size_t bytes = is_writable(dataset, type) ? value_bytes(type, space) : 0;
    void *values = make_values(fuzz_part(in), bytes);
    if (bytes > 0) H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    free(values);
    H5Dclose(dataset);
  }
  H5Pclose(storage);
  H5Sclose(space);
  H5Tclose(type);
  free(path);
}

/* libhdf5 itself fails on a chunk outside of the dataset, which no file can hold. */
static void write_chunk(hid_t file, const char *path, uint32_t mask, hsize_t first, fuzz_bytes part)
{
  hsize_t dims[H5S_MAX_RANK], corner[H5S_MAX_RANK] = {first};
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) return;
  hid_t space = H5Dget_space(dataset);
  int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  bool is_inside = rank > 0 && first < dims[0];
  for (int i = 1; i < rank; i++) is_inside = is_inside && dims[i] > 0;
  if (is_inside && part.left > 0) H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, corner, part.left, part.at);
  H5Sclose(space);
  H5Dclose(dataset);
}

static void put_chunk(hid_t file, fuzz_bytes *in)
{
  char *path = take_path(in);
  uint32_t mask = fuzz_byte(in);
  hsize_t first = fuzz_byte(in);
  write_chunk(file, path, mask, first, fuzz_part(in));
  free(path);
}

/* Zeros, deflated again and again: each time adds a factor of a thousand to what they expand to. */
static void put_bomb(hid_t file, fuzz_bytes *in)
{
  enum { BYTES = 1 << 20 };
  static uint8_t data[2][BYTES];
  uLongf count = BYTES;
  char *path = take_path(in);
  unsigned times = 1 + fuzz_byte(in) % 2U;
  memset(data[0], 0, BYTES);
  for (unsigned i = 0; i < times; i++) {
    uLongf from = count;
    count = BYTES;
    compress(data[(i + 1) % 2], &count, data[i % 2], from);
  }
  write_chunk(file, path, 0, 0, (fuzz_bytes){data[times % 2], count});
  free(path);
}

static void put_group(hid_t file, fuzz_bytes *in)
{
  char *path = take_path(in);
  hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (unsigned depth = fuzz_byte(in) % MOST_DEPTH; group >= 0 && depth > 0; depth--) {
    hid_t inner = H5Gcreate2(group, "in", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    group = inner;
  }
  if (group >= 0) H5Gclose(group);
  free(path);
}

static void hard_link(hid_t file, fuzz_bytes *in)
{
  char *from = take_path(in), *path = take_path(in);
  H5Ldelete(file, path, H5P_DEFAULT);
  H5Lcreate_hard(file, from, file, path, H5P_DEFAULT, H5P_DEFAULT);
  free(from);
  free(path);
}

static void soft_link(hid_t file, fuzz_bytes *in)
{
  char *from = take_path(in), *path = take_path(in);
  H5Ldelete(file, path, H5P_DEFAULT);
  H5Lcreate_soft(from, file, path, H5P_DEFAULT, H5P_DEFAULT);
  free(from);
  free(path);
}

static void outer_link(hid_t file, fuzz_bytes *in)
{
  char *path = take_path(in);
  H5Ldelete(file, path, H5P_DEFAULT);
  H5Lcreate_external(OUTSIDE "h5", "/", file, path, H5P_DEFAULT, H5P_DEFAULT);
  free(path);
}

static void named_type(hid_t file, fuzz_bytes *in)
{
  char *path = take_path(in);
  hid_t type = make_type(in);
  H5Ldelete(file, path, H5P_DEFAULT);
  H5Tcommit2(file, path, type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Tclose(type);
  free(path);
}

static void make_edits(hid_t file, fuzz_bytes in)
{
  static void (*const edits[FUZZ_EDIT_COUNT])(hid_t file, fuzz_bytes * in) = {
      [FUZZ_UNLINK] = unlink_path,    [FUZZ_FORGET] = forget,         [FUZZ_ATTRIBUTE] = put_attribute,
      [FUZZ_DATASET] = put_dataset,   [FUZZ_CHUNK] = put_chunk,       [FUZZ_BOMB] = put_bomb,
      [FUZZ_GROUP] = put_group,       [FUZZ_HARD_LINK] = hard_link,   [FUZZ_SOFT_LINK] = soft_link,
      [FUZZ_OUTER_LINK] = outer_link, [FUZZ_NAMED_TYPE] = named_type,
  };
  for (size_t i = 0; i < MOST_EDITS && in.left > 0; i++) edits[fuzz_byte(&in) % FUZZ_EDIT_COUNT](file, &in);
}

void fuzz_h5_edit_file(const char *path, fuzz_bytes in)
{
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, access);
  FUZZ_REQUIRE(file >= 0, "libhdf5 cannot open '%s'", path);
  make_edits(file, in);
  H5Fclose(file);
  H5Pclose(access);
}
