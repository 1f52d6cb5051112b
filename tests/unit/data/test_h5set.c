/* SPDX-License-Identifier: BSD-3-Clause */
/* The HDF5 dataset: what is written is read back; files made by others, and files made to harm. */
#include "files.h"

#include <hdf5.h>

#include "base/files/directory.h"
#include "data/readers/h5set_write.h"
#include "data/survey.h"

enum { COUNT = 700, SIDE = 16, CLASSES = 10 };

/* ---- round trip ---- */

static void make_cifar(void)
{
  static bytes out;
  mkdir("c", 0777);
  out.count = 0;
  for (size_t i = 0; i < 20; i++) {
    put_byte(&out, (unsigned)i % CLASSES);
    for (size_t p = 0; p < 3072; p++) put_byte(&out, pixel_of(i, p));
  }
  write_plain("c/data_batch_1.bin", &out);
  out.count /= 2;
  write_plain("c/test_batch.bin", &out);
  write_file("c/batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nA long name/with signs\n", 41);
}

/* Is there a file, hidden or not, whose name has `name` in it but is another? */
static bool leaves_something(const char *name)
{
  ls_directory here;
  ls_names names;
  bool found = false;
  assert_int_equal(ls_directory_open(&here, "."), LS_OK);
  assert_int_equal(ls_directory_list(&here, &names), LS_OK);
  for (size_t i = 0; i < names.count; i++)
    found |= strstr(names.items[i], name) && strcmp(names.items[i], name) != 0;
  ls_names_fini(&names);
  ls_directory_close(&here);
  return found;
}

static void import(const char *where, const char *path)
{
  ls_source *source = open_good(where);
  if (ls_h5set_write(path, source, NULL) != LS_OK) fail_msg("%s", ls_error_last()->text);
  ls_source_close(source);
}

static void assert_same(const char *one, const char *other)
{
  ls_source *sources[2] = {open_good(one), open_good(other)};
  ls_survey surveys[2];
  for (size_t i = 0; i < 2; i++) assert_int_equal(ls_survey_make(&surveys[i], sources[i], NULL), LS_OK);
  assert_string_equal(surveys[0].digest, surveys[1].digest);
  const ls_dataset_info *a = ls_source_info(sources[0]);
  const ls_dataset_info *b = ls_source_info(sources[1]);
  assert_string_equal(a->name, b->name);
  assert_int_equal(a->classes, b->classes);
  assert_int_equal(!a->class_names, !b->class_names);
  for (size_t k = 0; a->class_names && k < a->classes; k++)
    assert_string_equal(a->class_names[k], b->class_names[k]);
  for (size_t i = 0; i < 2; i++) {
    ls_survey_fini(&surveys[i]);
    ls_source_close(sources[i]);
  }
}

static void an_import_has_the_same_contents(void **state)
{
  (void)state;
  make_cifar();
  import("c", "c.h5");
  assert_same("c", "c.h5");
  assert_false(leaves_something("c.h5"));
  import("c.h5", "c.h5"); /* over itself */
  assert_false(leaves_something("c.h5"));
  assert_same("c", "c.h5");
  write_file(".c.h5.0123abcd.tmp", "another's", 9);
  import("c.h5", "c.h5");
  assert_true(leaves_something("c.h5")); /* it may be in the making */
}

static void ranges_are_read(void **state)
{
  (void)state;
  make_cifar();
  import("c", "c.h5");
  ls_source *source = open_good("c.h5");
  assert_string_equal(ls_source_info(source)->format, "HDF5");
  static uint8_t images[20 * 3072];
  for (size_t first = 0; first < 20; first += 3) {
    assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, first, 20 - first, images), LS_OK);
    for (size_t p = 0; p < 3072; p++) assert_int_equal(images[p], pixel_of(first, p));
  }
  ls_source_close(source);
}

static void a_failed_import_leaves_the_old_file(void **state)
{
  (void)state;
  make_cifar();
  write_file("old.h5", "precious", 8);
  ls_source *source = open_good("c");
  assert_int_equal(truncate("c/test_batch.bin", 100), 0); /* behind the reader's back */
  assert_int_equal(ls_h5set_write("old.h5", source, NULL), LS_E_INPUT);
  assert_says("'c/test_batch.bin' is truncated");
  assert_false(leaves_something("old.h5"));
  assert_int_equal(read_back("old.h5").count, 8);
  assert_int_equal(ls_h5set_write("missing/new.h5", source, NULL), LS_E_IO);
  assert_says("cannot create 'missing/new.h5': No such file or directory");
  ls_source_close(source);
}

/* ---- files made by others ---- */

/* How a test's file differs from a good one. */
typedef struct h5_recipe {
  hid_t image_type, label_type; /* 0: uint8 */
  int image_rank;               /* 0: 4 */
  hsize_t labels;               /* 0: COUNT */
  hsize_t declared;             /* samples in the file's shapes; 0: COUNT. Nothing is written then */
  bool is_chunked;
} h5_recipe;

static hid_t make_dataset(hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                          bool is_chunked)
{
  hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[4] = {100, 1, SIDE, SIDE};
  if (is_chunked) {
    H5Pset_chunk(properties, rank, chunk);
    H5Pset_deflate(properties, 1);
    H5Pset_fletcher32(properties);
  }
  hid_t space = H5Screate_simple(rank, shape, NULL);
  hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  assert_true(dataset >= 0);
  H5Sclose(space);
  H5Pclose(properties);
  return dataset;
}

static void make_split(hid_t file, const char *name, const h5_recipe *recipe)
{
  static uint8_t images[COUNT * SIDE * SIDE];
  static uint8_t labels[2 * COUNT];
  for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)i;
  for (size_t i = 0; i < COUNT; i++) labels[i] = (uint8_t)(i % CLASSES);
  const hsize_t count = recipe->declared ? recipe->declared : COUNT;
  const hsize_t shape[4] = {count, 1, SIDE, SIDE};
  const hsize_t label_shape = recipe->labels ? recipe->labels : count;
  hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t dataset = make_dataset(group, "images", recipe->image_type ? recipe->image_type : H5T_STD_U8LE,
                               recipe->image_rank ? recipe->image_rank : 4, shape, recipe->is_chunked);
  if (!recipe->declared && !recipe->image_rank)
    H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, images);
  H5Dclose(dataset);
  dataset = make_dataset(group, "labels", recipe->label_type ? recipe->label_type : H5T_STD_U8LE, 1,
                         &label_shape, recipe->is_chunked);
  if (!recipe->declared) H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels);
  H5Dclose(dataset);
  H5Gclose(group);
}

static hid_t start_file(const char *path)
{
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(file >= 0);
  return file;
}

static void make_file(const char *path, const h5_recipe *recipe)
{
  hid_t file = start_file(path);
  make_split(file, "train", recipe);
  H5Fclose(file);
}

static void put_text(hid_t object, const char *name, hsize_t count, const char *const *texts)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  hid_t space = H5Screate_simple(1, &count, NULL);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, type, texts) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

static void put_integer(hid_t object, const char *name, int64_t value)
{
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(object, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, H5T_NATIVE_INT64, &value) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
}

static void foreign_files_are_read(void **state)
{
  (void)state;
  make_file("plain.h5", &(h5_recipe){.is_chunked = false});
  make_file("odd.data", &(h5_recipe){.is_chunked = true, .label_type = H5T_STD_U16BE});
  static const char *const paths[] = {"plain.h5", "odd.data"};
  for (size_t i = 0; i < 2; i++) {
    ls_source *source = open_good(paths[i]);
    assert_int_equal(ls_source_info(source)->classes, CLASSES); /* from the labels */
    assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TRAIN], COUNT);
    assert_int_equal(ls_source_info(source)->count[LS_SPLIT_TEST], 0);
    assert_int_equal(ls_source_labels(source, LS_SPLIT_TRAIN)[13], 3);
    ls_source_close(source);
  }
}

static void attributes_are_read(void **state)
{
  (void)state;
  static const char *const names[] = {"zero", "one", "two", "3", "4", "5", "6", "7", "8", "nine"};
  static const char *const own_name = "my own";
  hid_t file = start_file("a.h5");
  make_split(file, "train", &(h5_recipe){.is_chunked = true});
  put_integer(file, "classes", CLASSES);
  put_text(file, "class_names", CLASSES, names);
  put_text(file, "name", 1, &own_name);
  H5Fclose(file);
  ls_source *source = open_good("a.h5");
  assert_string_equal(ls_source_info(source)->name, "my own");
  assert_string_equal(ls_source_info(source)->class_names[9], "nine");
  ls_source_close(source);
}

/* As Fortran and HDFView write them, which keep texts in slots of their own length. */
static void blanks_that_pad_a_text_do_not_count(void **state)
{
  (void)state;
  char padded[100];
  memset(padded, ' ', sizeof padded);
  memcpy(padded, "my own", 6);
  const H5T_str_t paddings[] = {H5T_STR_SPACEPAD, H5T_STR_NULLPAD};
  for (size_t i = 0; i < 2; i++) {
    hid_t file = start_file("a.h5"), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, sizeof padded);
    H5Tset_strpad(type, paddings[i]);
    hid_t attribute = H5Acreate2(file, "name", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, padded) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    make_split(file, "train", &(h5_recipe){.is_chunked = true});
    H5Fclose(file);
    ls_source *source = open_good("a.h5");
    assert_string_equal(ls_source_info(source)->name, "my own");
    ls_source_close(source);
  }
}

/* A good file with one attribute that is not. */
static void assert_attribute_refused(void (*add)(hid_t file), const char *part)
{
  hid_t file = start_file("a.h5");
  make_split(file, "train", &(h5_recipe){.is_chunked = true});
  add(file);
  H5Fclose(file);
  assert_refused("a.h5", "'a.h5'", part);
}

static void add_few_classes(hid_t file)
{
  put_integer(file, "classes", 4);
}

static void add_no_classes(hid_t file)
{
  put_integer(file, "classes", -1);
}

static void add_too_many_classes(hid_t file)
{
  put_integer(file, "classes", (int64_t)1 << 60);
}

static void add_text_classes(hid_t file)
{
  static const char *const text = "ten";
  put_text(file, "classes", 1, &text);
}

static void add_other_format(hid_t file)
{
  static const char *const text = "lockstep-checkpoint";
  put_text(file, "format", 1, &text);
}

static void add_few_names(hid_t file)
{
  static const char *const names[] = {"a", "b"};
  put_integer(file, "classes", CLASSES);
  put_text(file, "class_names", 2, names);
}

static void add_long_name(hid_t file)
{
  static const char *const names[CLASSES] = {"a", "this name is by far too long for a class"};
  put_integer(file, "classes", CLASSES);
  put_text(file, "class_names", CLASSES, names);
}

static void add_name_with_newline(hid_t file)
{
  static const char *const text = "two\nlines";
  put_text(file, "name", 1, &text);
}

static void add_number_format(hid_t file)
{
  put_integer(file, "format", 1);
}

static void wrong_attributes_are_refused(void **state)
{
  (void)state;
  assert_attribute_refused(add_few_classes,
                           "/train/labels, element 4: label 4 found, but there are 4 classes");
  assert_attribute_refused(add_no_classes, "'a.h5': attribute /@classes: 1 to 65535 expected, 0 found");
  assert_attribute_refused(add_too_many_classes, "1 to 65535 expected");
  assert_attribute_refused(add_text_classes, "attribute /@classes: an integer expected");
  assert_attribute_refused(add_other_format, "its attribute format says 'lockstep-checkpoint'");
  assert_attribute_refused(add_few_names, "attribute /@class_names: 10 values expected, 2 found");
  assert_attribute_refused(add_long_name,
                           "the class name 'this name is by far too long for a class' is too long");
  assert_attribute_refused(add_name_with_newline, "attribute /@name: a text with a control character");
  assert_attribute_refused(add_number_format, "attribute /@format: a text expected");
}

static void wrong_types_and_shapes_are_refused(void **state)
{
  (void)state;
  make_file("t.h5", &(h5_recipe){.image_type = H5T_IEEE_F32LE});
  assert_refused("t.h5", "'t.h5': /train/images has the wrong type, float32", "expected uint8");
  make_file("t.h5", &(h5_recipe){.image_type = H5T_STD_I8LE});
  assert_refused("t.h5", "'t.h5': /train/images has the wrong type, int8", "expected uint8");
  make_file("t.h5", &(h5_recipe){.label_type = H5T_STD_I64LE});
  assert_refused("t.h5", "'t.h5': /train/labels has the wrong type, int64", "expected uint8 or uint16");
  make_file("t.h5", &(h5_recipe){.image_rank = 3});
  assert_refused("t.h5", "'t.h5': /train/images has 3 dimensions (700x1x16)",
                 "expected 4: samples, channels, height, width");
  make_file("t.h5", &(h5_recipe){.labels = COUNT - 1});
  assert_refused("t.h5", "'t.h5': /train/labels has 699 labels", "but there are 700 images");
}

/* A file of one split of 16 images, as h5py's users write it. */
static void make_shape(const hsize_t shape[4], bool is_ours)
{
  static const char *const format = "lockstep-dataset";
  static uint8_t zeros[1 << 16];
  const hsize_t count = shape[0];
  hid_t file = start_file("s.h5");
  hid_t group = H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t dataset = make_dataset(group, "images", H5T_STD_U8LE, 4, shape, false);
  assert_true(shape[0] * shape[1] * shape[2] * shape[3] <= sizeof zeros);
  H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros);
  H5Dclose(dataset);
  dataset = make_dataset(group, "labels", H5T_STD_U8LE, 1, &count, false);
  H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros);
  H5Dclose(dataset);
  H5Gclose(group);
  if (is_ours) put_text(file, "format", 1, &format);
  H5Fclose(file);
}

static void channels_that_may_come_last_are_asked_for(void **state)
{
  (void)state;
  static const hsize_t first[][4] = {{2, 1, 28, 28}, {2, 3, 32, 32}, {2, 4, 9, 7},    {2, 1, 1, 1},
                                     {2, 3, 5, 2},   {2, 2, 16, 16}, {2, 10, 28, 28}, {2, 1, 8, 16}};
  static const hsize_t unclear[][4] = {{2, 16, 16, 1}, {2, 28, 28, 1},  {2, 32, 32, 3},  {2, 9, 9, 4},
                                       {2, 3, 32, 3},  {2, 1, 64, 1},   {2, 1, 1, 3},    {2, 1, 28, 4},
                                       {2, 8, 8, 2},   {2, 16, 16, 16}, {2, 28, 28, 10}, {2, 2, 64, 1}};
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    make_shape(first[i], false);
    ls_source *source = open_good("s.h5");
    assert_int_equal(ls_source_info(source)->channels, first[i][1]);
    ls_source_close(source);
  }
  for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
    char part[128];
    const hsize_t *s = unclear[i];
    make_shape(s, false);
    snprintf(part, sizeof part, "/train/images is %dx%dx%dx%d: either %dx%d images of %d channels", (int)s[0],
             (int)s[1], (int)s[2], (int)s[3], (int)s[1], (int)s[2], (int)s[3]);
    assert_refused("s.h5", part, "x.transpose(0, 3, 1, 2)");
    if (s[1] > 16) continue; /* more channels than are supported */
    make_shape(s, true);
    ls_source *source = open_good("s.h5");
    assert_int_equal(ls_source_info(source)->channels, s[1]);
    ls_source_close(source);
  }
}

/* Shapes that no bytes stand behind. Allocating for them would need terabytes. */
static void lying_sizes_allocate_nothing(void **state)
{
  (void)state;
  make_file("l.h5", &(h5_recipe){.declared = (hsize_t)1 << 36});
  assert_refused("l.h5", "'l.h5': dataset /train/images: it declares 17592186044416 bytes",
                 "holds only 0 for it");
  make_file("l.h5", &(h5_recipe){.declared = (hsize_t)1 << 36, .is_chunked = true});
  assert_refused("l.h5", "'l.h5': dataset /train/images: it declares 17592186044416 bytes",
                 "damaged or was never completed");
  make_file("l.h5", &(h5_recipe){.declared = (hsize_t)1 << 55, .is_chunked = true});
  assert_refused("l.h5", "'l.h5': dataset /train/images: its shape", "is impossibly large");
}

/* Chunks as they are stored, behind libhdf5's back: it believes what a file says about them, and reads beyond
 * its buffers, or fills the memory. */
typedef struct chunk_lie {
  const char *says;
  bool has_sum;        /* Fletcher-32 */
  int deflated;        /* times, as the file says */
  uint32_t skipped;    /* mask of filters */
  size_t zeros, bytes; /* so many zeros deflated; or so many bytes as they are */
} chunk_lie;

/* A dataset of `rank` dimensions whose one chunk is a lie. */
static void put_lie(hid_t group, const char *name, int rank, const hsize_t *shape, const chunk_lie *lie)
{
  static uint8_t zeros[1 << 20], stored[1 << 16];
  const hsize_t corner[4] = {0};
  uLongf count = sizeof stored;
  if (lie->zeros > 0) assert_int_equal(compress(stored, &count, zeros, lie->zeros), Z_OK);
  hid_t properties = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, shape, NULL);
  H5Pset_chunk(properties, rank, shape);
  for (int i = 0; i < lie->deflated; i++) H5Pset_deflate(properties, 1);
  if (lie->has_sum) H5Pset_fletcher32(properties);
  H5Ldelete(group, name, H5P_DEFAULT);
  hid_t data = H5Dcreate2(group, name, H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  assert_true(
      H5Dwrite_chunk(data, H5P_DEFAULT, lie->skipped, corner, lie->zeros ? count : lie->bytes, stored) >= 0);
  H5Dclose(data);
  H5Sclose(space);
  H5Pclose(properties);
}

static void make_lie(const char *name, int rank, const hsize_t *shape, const chunk_lie *lie)
{
  hid_t file = start_file("c.h5");
  make_split(file, "train", &(h5_recipe){.is_chunked = true});
  put_lie(file, name, rank, shape, lie);
  H5Fclose(file);
}

static void lying_chunks_are_refused(void **state)
{
  (void)state;
  static const chunk_lie lies[] = {
      {.says = "the index of its chunks is damaged", .has_sum = true, .bytes = 3},
      {.says = "the index of its chunks is damaged", .deflated = 1, .skipped = 1, .bytes = 700},
      {.says = "the index of its chunks is damaged", .deflated = 1, .has_sum = true, .bytes = 4},
      {.says = "it does not expand to its 700 bytes", .deflated = 1, .zeros = 10},
      {.says = "it does not expand to its 700 bytes", .deflated = 1, .zeros = 1 << 20},
      {.says = "it does not expand to its 700 bytes", .deflated = 1, .bytes = 100},
      {.says = "Fletcher-32 are supported; try: h5repack", .deflated = 2, .zeros = 700},
  };
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    make_lie("train/labels", 1, (hsize_t[]){COUNT}, &lies[i]);
    assert_refused("c.h5", "'c.h5': dataset /train/labels: ", lies[i].says);
  }
}

/* Images are looked at when they are read, not at the opening. */
static void lying_chunks_of_images_are_refused(void **state)
{
  (void)state;
  static uint8_t images[COUNT * SIDE * SIDE];
  make_lie("train/images", 4, (hsize_t[]){COUNT, 1, SIDE, SIDE},
           &(chunk_lie){.deflated = 1, .zeros = 1 << 20});
  ls_source *source = open_good("c.h5");
  assert_int_equal(ls_source_read_images(source, LS_SPLIT_TRAIN, 5, 1, images), LS_E_INPUT);
  assert_says("'c.h5': dataset /train/images: a chunk is damaged: it does not expand to its 179200 bytes");
  ls_source_close(source);
}

static void missing_members_are_refused(void **state)
{
  (void)state;
  hid_t file = start_file("m.h5");
  H5Fclose(file);
  assert_refused("m.h5", "'m.h5': it has neither /train nor /test", "it is no dataset");
  file = start_file("m.h5");
  make_split(file, "train", &(h5_recipe){.is_chunked = true});
  H5Ldelete(file, "/train/labels", H5P_DEFAULT);
  H5Fclose(file);
  assert_refused("m.h5", "'m.h5': it has no /train/labels", "");
  file = start_file("m.h5");
  make_split(file, "other", &(h5_recipe){.is_chunked = true});
  H5Lcreate_hard(file, "/other/images", file, "/train", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  assert_refused("m.h5", "'m.h5': /train: it is not a group", "");
}

static void links_are_not_followed(void **state)
{
  (void)state;
  make_file("good.h5", &(h5_recipe){.is_chunked = true});
  hid_t file = start_file("s.h5");
  H5Lcreate_soft("/train", file, "/train", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  assert_refused("s.h5", "'s.h5': group /train: it is a link to another place", "not followed");
  file = start_file("s.h5");
  H5Lcreate_external("good.h5", "/train", file, "/train", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  assert_refused("s.h5", "'s.h5': group /train: it is a link to another place", "");
  file = start_file("s.h5");
  make_split(file, "train", &(h5_recipe){.is_chunked = true});
  H5Ldelete(file, "/train/images", H5P_DEFAULT);
  H5Lcreate_soft("/train/images", file, "/train/images", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  assert_refused("s.h5", "'s.h5': dataset /train/images: it is a link to another place", "");
}

static void damaged_files_are_refused(void **state)
{
  (void)state;
  static bytes good;
  make_cifar();
  import("c", "c.h5");
  good = read_back("c.h5");
  assert_true(good.count < sizeof good.data);
  write_file("d.h5", good.data, good.count / 2);
  assert_refused("d.h5", "'d.h5': it cannot be opened as an HDF5 file (if a program is still writing it",
                 "truncated");
  write_file("d.h5", "not at all", 10);
  assert_refused("d.h5", "'d.h5': it cannot be opened as an HDF5 file: ", "signature");
  write_file("d.h5", "", 0);
  assert_refused("d.h5", "'d.h5': it cannot be opened as an HDF5 file", "");
}

/* Identifiers of a kind that are open. */
static hsize_t open_count(H5I_type_t kind)
{
  hsize_t count = 0;
  if (H5Inmembers(kind, &count) < 0) count = 0; /* none was ever made */
  return count;
}

/* Any single damaged byte is refused, found by a checksum when images are read, or harmless; it never
 * crashes. */
static void any_damaged_byte_is_survived(void **state)
{
  (void)state;
  static bytes file;
  static uint8_t images[20 * 3072];
  hsize_t kinds_open[H5I_NTYPES] = {0};
  make_cifar();
  import("c", "c.h5");
  file = read_back("c.h5");
  for (H5I_type_t kind = H5I_FILE; kind <= H5I_ATTR; kind++) kinds_open[kind] = open_count(kind);
  for (size_t i = 0; i < file.count; i += i < 1024 ? 1 : 29) {
    ls_source *source = NULL;
    file.data[i] ^= 0xff;
    write_plain("d.h5", &file);
    file.data[i] ^= 0xff;
    if (ls_source_open(&source, "d.h5", 0) != LS_OK) continue;
    const ls_dataset_info *info = ls_source_info(source);
    if (info->count[LS_SPLIT_TRAIN] == 20 && info->channels * info->height * info->width == 3072)
      (void)(ls_source_read_images(source, LS_SPLIT_TRAIN, 0, 20, images) == LS_OK);
    ls_source_close(source);
  }
  for (H5I_type_t kind = H5I_FILE; kind <= H5I_ATTR; kind++)
    assert_int_equal(open_count(kind), kinds_open[kind]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(an_import_has_the_same_contents),
      IN_FOLDER(ranges_are_read),
      IN_FOLDER(a_failed_import_leaves_the_old_file),
      IN_FOLDER(foreign_files_are_read),
      IN_FOLDER(attributes_are_read),
      IN_FOLDER(blanks_that_pad_a_text_do_not_count),
      IN_FOLDER(wrong_attributes_are_refused),
      IN_FOLDER(wrong_types_and_shapes_are_refused),
      IN_FOLDER(channels_that_may_come_last_are_asked_for),
      IN_FOLDER(lying_sizes_allocate_nothing),
      IN_FOLDER(lying_chunks_are_refused),
      IN_FOLDER(lying_chunks_of_images_are_refused),
      IN_FOLDER(missing_members_are_refused),
      IN_FOLDER(links_are_not_followed),
      IN_FOLDER(damaged_files_are_refused),
      IN_FOLDER(any_damaged_byte_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
