/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the inputs that the fuzz targets start from: for each format sound files, and lies of the sorts that
 * are easy to describe and hard to find by chance (absurd sizes, wrong types, what is missing, loops).
 *
 *   fuzz_seeds FOLDER      FOLDER/<target>/<name>
 */
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files/file.h"
#include "config/config.h"
#include "fuzz/gzip.h"
#include "fuzz/h5_edit.h"
#include "fuzz/png.h"
#include "train/schemas.h"

enum { SEED_BYTES = 1 << 16, CONFIG_LIMIT_BYTES = 1 << 20 };

/* An input in the making. */
typedef struct seed {
  uint8_t data[SEED_BYTES];
  size_t count;
} seed;

static void put(seed *out, const void *data, size_t bytes)
{
  FUZZ_REQUIRE(bytes <= SEED_BYTES - out->count, "a seed is too long");
  memcpy(out->data + out->count, data, bytes);
  out->count += bytes;
}

static void put_byte(seed *out, size_t value)
{
  put(out, &(uint8_t){(uint8_t)value}, 1);
}

/* With its length before it, as fuzz_part() takes it. */
static void put_part(seed *out, const seed *part)
{
  put_byte(out, part->count & 255);
  put_byte(out, part->count >> 8);
  put(out, part->data, part->count);
}

static void save(const char *target, const char *name, const void *data, size_t bytes)
{
  char path[256];
  mkdir(target, 0777);
  snprintf(path, sizeof path, "%s/%s", target, name);
  fuzz_write(path, data, bytes);
}

/* ---- gzip ---- */

static void save_gzip(void)
{
  static const char text[] = "lockstep lockstep lockstep: the data of a stream";
  static seed zipped;
  save("gzip", "plain", text, sizeof text);
  zipped.count = fuzz_gzip((const uint8_t *)text, sizeof text, zipped.data, SEED_BYTES);
  save("gzip", "one", zipped.data, zipped.count);
  save("gzip", "truncated", zipped.data, zipped.count - 5);
  const size_t once = zipped.count;
  put(&zipped, zipped.data, once);
  save("gzip", "two", zipped.data, zipped.count);
  put(&zipped, "more", 4);
  save("gzip", "tail", zipped.data, zipped.count);
}

/* ---- IDX ---- */

enum { ZIPPED = 3, WITH_TEST = 4, AS_LETTERS = 8 }; /* flags of fuzz_idx.c */

static void put_big(seed *out, uint32_t value)
{
  for (int shift = 24; shift >= 0; shift -= 8) put_byte(out, value >> shift & 255);
}

/* `count` images of side x side; the header says `declared`. */
static seed idx_images(uint32_t declared, size_t count, uint32_t side)
{
  seed out = {.count = 0};
  put_big(&out, 0x803);
  put_big(&out, declared);
  put_big(&out, side);
  put_big(&out, side);
  for (size_t i = 0; i < count * side * side; i++) put_byte(&out, i);
  return out;
}

static seed idx_labels(uint32_t declared, size_t count)
{
  seed out = {.count = 0};
  put_big(&out, 0x801);
  put_big(&out, declared);
  for (size_t i = 0; i < count; i++) put_byte(&out, i);
  return out;
}

static void save_idx_case(const char *name, uint8_t flags, const seed *images, const seed *labels)
{
  static seed out;
  out.count = 0;
  put_byte(&out, flags);
  if (flags & WITH_TEST) {
    put_part(&out, images);
    put_part(&out, labels);
  }
  put_part(&out, images);
  put(&out, labels->data, labels->count);
  save("idx", name, out.data, out.count);
}

static void save_idx(void)
{
  static seed images, labels, lie;
  images = idx_images(3, 3, 4);
  labels = idx_labels(3, 3);
  save_idx_case("train", 0, &images, &labels);
  save_idx_case("gzip", ZIPPED, &images, &labels);
  save_idx_case("both", WITH_TEST, &images, &labels);
  for (size_t i = 0; i < 3; i++) labels.data[labels.count - 1 - i]++;
  save_idx_case("letters", AS_LETTERS, &images, &labels);
  save_idx_case("from-1", 0, &images, &labels);
  lie = idx_images(UINT32_MAX, 0, 1 << 16);
  save_idx_case("huge-images", 0, &lie, &labels);
  save_idx_case("huge-images-gzip", ZIPPED, &lie, &labels);
  lie = idx_labels(UINT32_MAX, 0);
  save_idx_case("huge-labels", ZIPPED, &images, &lie);
}

/* ---- CIFAR-10 ---- */

static void save_cifar(void)
{
  enum { RECORD_BYTES = 3073 };
  static seed batch, out;
  batch.count = 2 * (size_t)RECORD_BYTES;
  batch.data[RECORD_BYTES] = 1;
  put_part(&out, &batch);
  save("cifar", "train", out.data, out.count);
  batch.count = RECORD_BYTES;
  put_part(&out, &batch);
  save("cifar", "both", out.data, out.count);
  put(&out, "plane\ncar\nbird", 14);
  save("cifar", "names", out.data, out.count);
}

/* ---- PNG ---- */

enum { PNG_SIDE = 5, PNG_ROWS_BYTES = 256 };

/* The parts of which fuzz_png.c makes a file. */
static void save_png_parts(uint8_t depth, uint8_t type, uint8_t interlaced)
{
  const uint8_t header[FUZZ_PNG_HEADER_BYTES] = {0,        0,     0,    PNG_SIDE, 0, 0,         0,
                                                 PNG_SIDE, depth, type, 0,        0, interlaced};
  static const seed colours = {{0, 64, 128, 255, 255, 255}, 6}, opacity = {{0, 200}, 2},
                    nothing = {.count = 0};
  const bool has_palette = type == 3;
  char name[32];
  seed out = {.count = 0};
  put_byte(&out, FUZZ_PNG_BUILT);
  put(&out, header, sizeof header);
  put_part(&out, has_palette ? &colours : &nothing);
  put_part(&out, has_palette || type == 0 ? &opacity : &nothing);
  for (size_t i = 0; i < PNG_ROWS_BYTES; i++) put_byte(&out, 0);
  snprintf(name, sizeof name, "parts-%u-%u-%u", depth, type, interlaced);
  save("png", name, out.data, out.count);
}

static void put_chunk(seed *out, const char *type, const void *data, size_t bytes)
{
  FUZZ_REQUIRE(bytes + FUZZ_PNG_CHUNK_BYTES <= SEED_BYTES - out->count, "a seed is too long");
  out->count += fuzz_png_chunk(out->data + out->count, type, data, bytes);
}

/* A grey picture of side x side, with a chunk before its data, which are the zeros of so many bytes. */
static void save_png_file(const char *name, uint32_t side, const char *chunk, size_t data_bytes)
{
  static uint8_t zeros[1 << 20], packed[1 << 14];
  static const uint8_t text[] = "Comment\0\0x\x9c\x03\0\0\0\0\x01";
  uint8_t header[FUZZ_PNG_HEADER_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0, 8};
  uLongf count = sizeof packed;
  seed out = {.count = 0};
  fuzz_png_put_number(header, side);
  fuzz_png_put_number(header + 4, side);
  FUZZ_REQUIRE(compress(packed, &count, zeros, data_bytes) == Z_OK, "zlib");
  put_byte(&out, FUZZ_PNG_CHECKED);
  put(&out, fuzz_png_magic, sizeof fuzz_png_magic);
  put_chunk(&out, "IHDR", header, sizeof header);
  put_chunk(&out, chunk, text, sizeof text - 1);
  put_chunk(&out, "IDAT", packed, count);
  put_chunk(&out, "IEND", NULL, 0);
  save("png", name, out.data, out.count);
}

/* A page of lines with a frame and a cross in it, for each kind and shape. */
static void save_intake(void)
{
  static const uint8_t rectangles[][8] = {
      {0, 40, 255, 2, 90, 90, 90, 255},  {0, 90, 255, 2, 90, 90, 90, 255},  {30, 30, 120, 3, 0, 0, 0, 255},
      {30, 150, 120, 3, 0, 0, 0, 255},   {30, 30, 3, 120, 0, 0, 0, 255},    {147, 30, 3, 123, 0, 0, 0, 255},
      {60, 80, 60, 10, 20, 20, 60, 255}, {85, 50, 10, 80, 20, 20, 60, 255}, {0, 0, 9, 200, 40, 30, 20, 255}};
  for (unsigned flags = 0; flags < 32; flags++) {
    char name[32];
    seed out = {.count = 0};
    put_byte(&out, 199);
    put_byte(&out, 179);
    put_byte(&out, flags);
    put_byte(&out, 235);
    put(&out, rectangles, sizeof rectangles);
    snprintf(name, sizeof name, "page-%u", flags);
    save("intake", name, out.data, out.count);
  }
}

static void save_png(void)
{
  static const uint8_t kinds[][2] = {{1, 0},  {4, 0}, {8, 0}, {16, 0}, {8, 2},
                                     {16, 2}, {2, 3}, {8, 3}, {8, 4},  {16, 6}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    for (uint8_t interlaced = 0; interlaced < 2; interlaced++)
      save_png_parts(kinds[i][0], kinds[i][1], interlaced);
  save_png_file("text", PNG_SIDE, "zTXt", PNG_SIDE * (PNG_SIDE + 1));
  save_png_file("profile", PNG_SIDE, "iCCP", PNG_SIDE * (PNG_SIDE + 1));
  save_png_file("unknown", PNG_SIDE, "abCd", PNG_SIDE * (PNG_SIDE + 1));
  save_png_file("long", PNG_SIDE, "tEXt", 1 << 20);
  save_png_file("short", PNG_SIDE, "tIME", PNG_SIDE);
  save_png_file("huge", 100000, "gAMA", 100);
  save_png_file("large", 8000, "gAMA", 100);
}

/* ---- configurations ---- */

static void save_resolved(const char *name, const char *text)
{
  ls_spec *spec;
  ls_text yaml = {0};
  fuzz_must(ls_config_parse(&spec, text, name, NULL, 0, &ls_all_schemas));
  ls_config_emit(spec, &yaml);
  save("config", name, yaml.chars, yaml.length);
  ls_text_fini(&yaml);
  ls_spec_free(spec);
}

/* The configurations that lockstep comes with, as they are and with every key. */
static void save_configs(void)
{
  glob_t found;
  FUZZ_REQUIRE(glob(LS_SOURCE_DIR "/configs/*.yaml", 0, NULL, &found) == 0, "no configurations");
  for (size_t i = 0; i < found.gl_pathc; i++) {
    char *text, name[64];
    size_t length;
    fuzz_must(ls_file_read(found.gl_pathv[i], CONFIG_LIMIT_BYTES, &text, &length));
    snprintf(name, sizeof name, "%zu.yaml", i);
    save("config", name, text, length);
    snprintf(name, sizeof name, "%zu-resolved.yaml", i);
    save_resolved(name, text);
    free(text);
  }
  globfree(&found);
}

static void save_overrides(void)
{
  static const char *const cases[] = {
      "train.epochs=3\nseed=7",
      "train.optimizer={type: sgd, lr: 0.1, momentum: 0.9}\ntrain.optimizer.nesterov=true",
      "model.layers[0].pad=same\nmodel.layers.conv1.filters=8",
      "model.layers.block.body[1].body.deep={type: conv, filters: 82}",
      "model.layers=[{type: flatten}, {type: dense, units: 10}]",
      "train.schedule={type: onecycle, max_lr: 0.3}\ndata.validation=0.1",
      "checkpoint.every_steps=18446744073709551616",
      "model.layers[18446744073709551615].pad=1\n=\n[=",
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[16];
    snprintf(name, sizeof name, "%zu", i);
    save("override", name, cases[i], strlen(cases[i]));
  }
}

/* ---- edits to HDF5 files ---- */

#define POWER(n) (FUZZ_EXTENT_LARGE + (n)) /* the extent 2^n, or one less if n is odd */
#define PART(bytes) (bytes), 0             /* before the bytes of a part */
#define VECTOR(n) 1, (n)
#define IMAGES(n) 4, (n), 3, 32, 32
#define DIMENSIONS_8 8, 1, 1, 1, 1, 1, 1, 1, 1
#define CASE(name, ...)                                                                                      \
  {                                                                                                          \
    name, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                             \
  }

typedef struct edit_case {
  const char *name;
  const uint8_t *bytes;
  size_t count;
} edit_case;

static const edit_case dataset_cases[] = {
    CASE("sound", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_order),
    CASE("no-format", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_format),
    CASE("no-classes", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_classes),
    CASE("many-classes", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_classes, FUZZ_IS_UINT64, 0, PART(8), 255, 255),
    CASE("few-classes", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_classes, FUZZ_IS_UINT8, 0, PART(1), 2),
    CASE("text-classes", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_classes, FUZZ_IS_TEXT, 4, 0, PART(4), '1',
         '2'),
    CASE("long-name", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_name, FUZZ_IS_TEXT, 0, 0, PART(1), 'x'),
    CASE("other-name", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_name, FUZZ_IS_LONG_TEXT, 0, PART(1), 'x'),
    CASE("no-names", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_class_names, FUZZ_IS_LONG_TEXT, VECTOR(4),
         PART(0)),
    CASE("null-names", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_class_names, FUZZ_IS_TEXT, 8, FUZZ_NO_SPACE),
    CASE("no-test", FUZZ_UNLINK, FUZZ_AT_TEST),
    CASE("no-labels", FUZZ_UNLINK, FUZZ_AT_TRAIN_LABELS),
    CASE("loop", FUZZ_HARD_LINK, FUZZ_AT_ROOT, FUZZ_AT_TEST, FUZZ_HARD_LINK, FUZZ_AT_TRAIN, FUZZ_AT_EXTRA),
    CASE("soft", FUZZ_SOFT_LINK, FUZZ_AT_TRAIN, FUZZ_AT_TRAIN, FUZZ_SOFT_LINK, FUZZ_AT_ROOT, FUZZ_AT_EXTRA),
    CASE("outer", FUZZ_OUTER_LINK, FUZZ_AT_TEST_IMAGES),
    CASE("type", FUZZ_NAMED_TYPE, FUZZ_AT_TEST_LABELS, FUZZ_IS_TABLE, 63),
    CASE("deep", FUZZ_GROUP, FUZZ_AT_EXTRA, 30),
    CASE("plain", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, IMAGES(4), FUZZ_PLAIN, 0, PART(1), 7),
    CASE("deflated", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, IMAGES(4), FUZZ_CHUNKED, 2, 3, 32, 32,
         FUZZ_SHUFFLE | FUZZ_DEFLATE | FUZZ_FLETCHER, PART(1), 7),
    CASE("compact", FUZZ_DATASET, FUZZ_AT_TEST_LABELS, FUZZ_IS_UINT16, VECTOR(4), FUZZ_COMPACT, 0, PART(2),
         1),
    CASE("scaled", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, IMAGES(4), FUZZ_CHUNKED, 4, 3, 32, 32,
         FUZZ_SCALE_OFFSET, PART(1), 7),
    CASE("huge", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, 4, POWER(40), 3, 32, 32, FUZZ_PLAIN, 0),
    CASE("huge-product", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, 4, POWER(32), POWER(32), 2, 2,
         FUZZ_CHUNKED, 1, 1, 1, 1, 0),
    CASE("huge-chunks", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, 4, POWER(30), 1, 1, 1, FUZZ_CHUNKED,
         POWER(30), 1, 1, 1, FUZZ_DEFLATE),
    CASE("empty", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, IMAGES(0), FUZZ_PLAIN, 0),
    CASE("dimensions", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, DIMENSIONS_8, FUZZ_PLAIN, 0),
    CASE("floats", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_FLOAT, IMAGES(4), FUZZ_PLAIN, 0, PART(1), 1),
    CASE("outside", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, IMAGES(4), FUZZ_OUTSIDE, 0),
    CASE("view", FUZZ_DATASET, FUZZ_AT_TEST_IMAGES, FUZZ_IS_UINT8, IMAGES(4), FUZZ_VIEW, 0),
    CASE("bad-chunk", FUZZ_CHUNK, FUZZ_AT_TRAIN_IMAGES, 0, 0, PART(3), 1, 2, 3),
    CASE("skipped", FUZZ_CHUNK, FUZZ_AT_TRAIN_LABELS, 255, 0, PART(4), 1, 2, 3, 0),
    CASE("bomb", FUZZ_DATASET, FUZZ_AT_TEST_LABELS, FUZZ_IS_UINT8, VECTOR(4), FUZZ_CHUNKED, 4, FUZZ_DEFLATE,
         PART(0), FUZZ_BOMB, FUZZ_AT_TEST_LABELS, 0),
    CASE("bomb-twice", FUZZ_DATASET, FUZZ_AT_TEST_LABELS, FUZZ_IS_UINT8, VECTOR(4), FUZZ_CHUNKED, 4,
         FUZZ_DEFLATE | FUZZ_DEFLATE_TWICE, PART(0), FUZZ_BOMB, FUZZ_AT_TEST_LABELS, 1),
};

static const edit_case checkpoint_cases[] = {
    CASE("sound", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_order),
    CASE("no-config", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_config),
    CASE("no-format", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_format),
    CASE("version", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_format_version, FUZZ_IS_INT64, 0, PART(1), 255),
    CASE("config", FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_config, FUZZ_IS_LONG_TEXT, 0, PART(8), 'n', 'a', 'm',
         'e', ':', ' ', 'x', '\n'),
    CASE("fixed-text", FUZZ_ATTRIBUTE, FUZZ_AT_DATA, FUZZ_OF_dataset, FUZZ_IS_TEXT, 40, 0, PART(3), 'x', 'y'),
    CASE("width", FUZZ_ATTRIBUTE, FUZZ_AT_DATA, FUZZ_OF_width, FUZZ_IS_UINT16, 0, PART(2), 255, 255),
    CASE("sides", FUZZ_ATTRIBUTE, FUZZ_AT_DATA, FUZZ_OF_width, FUZZ_IS_UINT16, 0, PART(2), 255, 255,
         FUZZ_ATTRIBUTE, FUZZ_AT_DATA, FUZZ_OF_height, FUZZ_IS_UINT16, 0, PART(2), 255, 255),
    CASE("channels", FUZZ_ATTRIBUTE, FUZZ_AT_DATA, FUZZ_OF_channels, FUZZ_IS_UINT8, 0, PART(1), 16),
    CASE("mean", FUZZ_ATTRIBUTE, FUZZ_AT_DATA, FUZZ_OF_mean, FUZZ_IS_FLOAT, VECTOR(16), PART(2), 1, 1),
    CASE("no-digest", FUZZ_FORGET, FUZZ_AT_ROOT, FUZZ_OF_weights_digest),
    CASE("no-order", FUZZ_FORGET, FUZZ_AT_MODEL_BIAS, FUZZ_OF_order),
    CASE("no-progress", FUZZ_UNLINK, FUZZ_AT_PROGRESS),
    CASE("no-optimizer", FUZZ_UNLINK, FUZZ_AT_OPTIMIZER),
    CASE("no-slot", FUZZ_UNLINK, FUZZ_AT_SLOT),
    CASE("loop", FUZZ_HARD_LINK, FUZZ_AT_ROOT, FUZZ_AT_MODEL_EXTRA),
    CASE("slot-loop", FUZZ_HARD_LINK, FUZZ_AT_OPTIMIZER, FUZZ_AT_SLOT_EXTRA),
    CASE("soft", FUZZ_SOFT_LINK, FUZZ_AT_MODEL_BIAS, FUZZ_AT_MODEL_BIAS),
    CASE("outer", FUZZ_OUTER_LINK, FUZZ_AT_MODEL_EXTRA),
    CASE("deep", FUZZ_GROUP, FUZZ_AT_MODEL_EXTRA, 30),
    CASE("type", FUZZ_NAMED_TYPE, FUZZ_AT_MODEL_EXTRA, FUZZ_IS_LISTS),
    CASE("doubles", FUZZ_DATASET, FUZZ_AT_MODEL_BIAS, FUZZ_IS_DOUBLE, VECTOR(3), FUZZ_PLAIN, 0, PART(1), 1),
    CASE("huge", FUZZ_DATASET, FUZZ_AT_MODEL_EXTRA, FUZZ_IS_FLOAT, VECTOR(POWER(50)), FUZZ_CHUNKED, POWER(10),
         0),
    CASE("huge-slot", FUZZ_DATASET, FUZZ_AT_SLOT_BIAS, FUZZ_IS_FLOAT, VECTOR(3), FUZZ_CHUNKED, POWER(28), 0,
         PART(1), 1),
    CASE("deflated", FUZZ_DATASET, FUZZ_AT_MODEL_EXTRA, FUZZ_IS_FLOAT, VECTOR(9), FUZZ_CHUNKED, 9,
         FUZZ_DEFLATE),
    CASE("plain", FUZZ_DATASET, FUZZ_AT_SLOT_BIAS, FUZZ_IS_FLOAT, VECTOR(3), FUZZ_PLAIN, 0, PART(1), 1),
    CASE("shapeless", FUZZ_DATASET, FUZZ_AT_MODEL_EXTRA, FUZZ_IS_FLOAT, FUZZ_NO_SPACE, FUZZ_PLAIN, 0),
    CASE("table", FUZZ_DATASET, FUZZ_AT_METRICS_TRAIN, FUZZ_IS_TABLE, 63, VECTOR(5), FUZZ_PLAIN, 0, PART(1),
         0),
    CASE("columns", FUZZ_DATASET, FUZZ_AT_METRICS_TRAIN, FUZZ_IS_TABLE, 61, VECTOR(5), FUZZ_PLAIN, 0, PART(1),
         0),
    CASE("bytes", FUZZ_DATASET, FUZZ_AT_METRICS_TRAIN, FUZZ_IS_TABLE, 127, VECTOR(5), FUZZ_PLAIN, 0, PART(1),
         0),
    CASE("references", FUZZ_DATASET, FUZZ_AT_METRICS_TRAIN, FUZZ_IS_TABLE, 191, VECTOR(5), FUZZ_PLAIN, 0),
    CASE("no-rows", FUZZ_DATASET, FUZZ_AT_METRICS_TRAIN, FUZZ_IS_TABLE, 63, VECTOR(0), FUZZ_PLAIN, 0),
    CASE("bad-chunk", FUZZ_CHUNK, FUZZ_AT_METRICS_TRAIN, 0, 0, PART(3), 1, 2, 3),
    CASE("skipped", FUZZ_CHUNK, FUZZ_AT_SLOT_BIAS, 255, 0, PART(12), 1, 2, 3),
};

/* Every case after the bytes that the target takes before the edits. */
static void save_edits(const char *target, const edit_case *cases, size_t count, size_t before)
{
  for (size_t i = 0; i < count; i++) {
    seed out = {.count = before};
    put(&out, cases[i].bytes, cases[i].count);
    save(target, cases[i].name, out.data, out.count);
  }
}

/* A checkpoint whose configuration asks for gigabytes of weights. */
static void save_greedy(void)
{
  static const uint8_t edit[] = {0, FUZZ_ATTRIBUTE, FUZZ_AT_ROOT, FUZZ_OF_config, FUZZ_IS_LONG_TEXT, 0};
  static const char config[] = "data: {source: mnist}\n"
                               "model: {layers: [{type: flatten}, {type: dense, units: 30000000},"
                               " {type: dense, units: 3}]}\n";
  seed out = {.count = 0}, text = {.count = 0};
  put(&text, config, sizeof config - 1);
  put(&out, edit, sizeof edit);
  put_part(&out, &text);
  save("checkpoint", "greedy", out.data, out.count);
}

/* ---- weight files of others ---- */

/* `which`: of the readers of fuzz_foreign.c. */
static void save_foreign(size_t which, const char *name)
{
  static seed out;
  char path[512];
  size_t bytes;
  snprintf(path, sizeof path, "%s/tests/golden/weights_%s", LS_SOURCE_DIR, name);
  unsigned char *data = fuzz_read(path, &bytes);
  out.count = 0;
  put_byte(&out, which);
  put(&out, data, bytes);
  save("foreign", name, out.data, out.count);
  free(data);
}

int main(int count, char **arguments)
{
  FUZZ_REQUIRE(count == 2 && chdir(arguments[1]) == 0, "usage: fuzz_seeds FOLDER");
  save_gzip();
  save_idx();
  save_cifar();
  save_png();
  save_intake();
  save_configs();
  save_overrides();
  save_edits("dataset", dataset_cases, sizeof dataset_cases / sizeof *dataset_cases, 0);
  save_edits("checkpoint", checkpoint_cases, sizeof checkpoint_cases / sizeof *checkpoint_cases, 1);
  save_greedy();
  save_foreign(0, "old.pth");
  save_foreign(0, "protocol4.pth");
  save_foreign(0, "views.pth");
  save_foreign(1, "zip.pt");
  save_foreign(1, "deflated.pt");
  save_foreign(5, "two.pt");
  save_foreign(2, "plain.safetensors");
  save_foreign(3, "plain.npz");
  save_foreign(3, "packed.npz");
  return 0;
}
