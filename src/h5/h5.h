/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 without its types: all that other modules see of it. Every call is checked.
 *
 * Files are written in memory and leave it as one block of bytes (base/files/file.h makes that atomic and
 * durable), so HDF5 never meets a full disk while it closes a file; datasets, which may be larger than the
 * memory, go through file.h. Files that are read may be damaged or hostile: only hard links are followed, and
 * a dataset's declared size is compared with the file's length before anything is allocated. */
#ifndef LS_H5_H5_H
#define LS_H5_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"
#include "base/status.h"

/** An open file, group or dataset; negative: none. */
typedef int64_t ls_h5_id;

#define LS_H5_NONE ((ls_h5_id)-1)

enum { LS_H5_MAX_RANK = 32, LS_H5_PATH_BYTES = 512, LS_H5_SHAPE_BYTES = 256, LS_H5_ELEMENT_BYTES = 48 };

/* ---- the library ---- */

/** Make libhdf5 ready in this thread, without its handler at the program's exit and without its own printing.
 * Cheap but for the first call, in which a child process tries the start: best made before MPI and threads
 * are started. Functions that open files call it themselves, but for those of file.h and guard.h. Local.
 * Errors: LS_E_MEMORY: then nothing else of HDF5 may be called. */
ls_status ls_h5_start(void) LS_CHECKED;

/** Version of the HDF5 library that was loaded ("1.10.8"), borrowed, valid until this thread's next call;
 * "unknown" if the library does not report one. Local. */
const char *ls_h5_version(void);

/* ---- files ---- */

/** A file that is made in memory. */
typedef struct ls_h5_image {
  ls_h5_id file;        /* open until ls_h5_image_finish() */
  unsigned char *bytes; /* the file; owned */
  size_t count;
} ls_h5_image;

/** Start a file whose first `user_block` bytes (0, or a power of two from 512) are the caller's.
 * Errors: LS_E_MEMORY. */
ls_status ls_h5_image_start(ls_h5_image *image, size_t user_block) LS_CHECKED;

/** Complete the file: afterwards bytes and count are valid. Errors: LS_E_MEMORY. */
ls_status ls_h5_image_finish(ls_h5_image *image) LS_CHECKED;

/** Release everything; fine at any stage after ls_h5_image_start(). */
void ls_h5_image_fini(ls_h5_image *image);

/** The work on an open file. It may run twice, the first time in a process of its own (h5/guard.h). */
typedef ls_status (*ls_h5_reading)(ls_h5_id file, void *user);

/** Read a regular file; if it bears a seal (seal.h), only when that holds; if not, only after a child process
 * has read it without a crash. Errors, without the file's name: those of `read`; LS_E_INPUT if it is missing,
 * no HDF5 file or damaged; LS_E_IO; LS_E_MEMORY. */
ls_status ls_h5_read(const char *path, ls_h5_reading read, void *user) LS_CHECKED;

/** The same where the work is for more than the file's length: the child's limits on time and memory are
 * those of `bytes` (h5/guard.h). */
ls_status ls_h5_read_work(const char *path, uint64_t bytes, ls_h5_reading read, void *user) LS_CHECKED;

/** Length of the file that an object lies in. Errors: LS_E_INPUT. */
ls_status ls_h5_file_length(ls_h5_id object, uint64_t *bytes) LS_CHECKED;

/* ---- groups ---- */

/** Make a group that keeps its members in the order in which they are made. Errors: LS_E_MEMORY. */
ls_status ls_h5_group_make(ls_h5_id *group, ls_h5_id parent, const char *name) LS_CHECKED;

/** Open a group. Errors: LS_E_INPUT if it is missing, something else, or a link to elsewhere. */
ls_status ls_h5_group_open(ls_h5_id *group, ls_h5_id parent, const char *name) LS_CHECKED;

/** Is there a member of that name, of whatever kind? Errors: LS_E_INPUT if the group is damaged. */
ls_status ls_h5_has(ls_h5_id parent, const char *name, bool *has) LS_CHECKED;

/** Release a group or dataset that was only read; a negative one is fine. */
void ls_h5_release(ls_h5_id id);

/** Release a group or dataset that was written through: a failure to close is an error, unless `status` is
 * one already. */
ls_status ls_h5_close(ls_h5_id id, ls_status status) LS_CHECKED;

/* ---- elements ---- */

/** Numbers that are written and read: little-endian in the file, the machine's in memory. */
typedef enum ls_h5_number {
  LS_H5_UINT8,
  LS_H5_UINT16,
  LS_H5_UINT64,
  LS_H5_FLOAT32,
  LS_H5_FLOAT64,
  LS_H5_NUMBER_COUNT
} ls_h5_number;

typedef enum ls_h5_class {
  LS_H5_OTHER,
  LS_H5_INTEGER,
  LS_H5_REAL,
  LS_H5_TEXT,
  LS_H5_TABLE,
  LS_H5_ENUM,
  LS_H5_ARRAY,
  LS_H5_LISTS,
  LS_H5_CLASS_COUNT
} ls_h5_class;

/** What a file declares an element of a dataset or attribute to be. */
typedef struct ls_h5_element {
  ls_h5_class class;
  size_t bytes;     /* of one */
  size_t columns;   /* of a table */
  bool is_unsigned; /* an integer without a sign */
  bool is_whole;    /* a number that fills all of its bytes */
} ls_h5_element;

/** "uint8", "float32", "text", "table of 6 columns". Returns `name`. */
const char *ls_h5_element_name(const ls_h5_element *element, char name[LS_H5_ELEMENT_BYTES]);

/* ---- attributes ---- */

ls_status ls_h5_put_text(ls_h5_id object, const char *name, const char *text) LS_CHECKED;
ls_status ls_h5_put_count(ls_h5_id object, const char *name, uint64_t value) LS_CHECKED;
ls_status ls_h5_put_real(ls_h5_id object, const char *name, double value) LS_CHECKED;
ls_status ls_h5_put_reals(ls_h5_id object, const char *name, const double *values, size_t count) LS_CHECKED;

/** Texts of a fixed length: `count` (0: a single one) slots of `bytes` bytes, padded with zeros. */
ls_status ls_h5_put_slots(ls_h5_id object, const char *name, const char *slots, size_t bytes,
                          size_t count) LS_CHECKED;

/** An attribute for each field of a struct. */
ls_status ls_h5_put_fields(ls_h5_id object, ls_fields fields, const void *values) LS_CHECKED;

/** Errors: LS_E_INPUT if the object is damaged. */
ls_status ls_h5_has_attribute(ls_h5_id object, const char *name, bool *has) LS_CHECKED;

/** Read a text of at most `limit` bytes, freed with free(). Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_get_text(ls_h5_id object, const char *name, size_t limit, char **text) LS_CHECKED;

/** Read a text into `text`, of `bytes` bytes. Errors: LS_E_INPUT if it does not fit; LS_E_MEMORY. */
ls_status ls_h5_get_short_text(ls_h5_id object, const char *name, char *text, size_t bytes) LS_CHECKED;

/** Read `count` texts, each into a slot of `bytes` bytes; blanks at their ends are left out. Errors:
 * LS_E_INPUT if one does not fit, or there are not so many; LS_E_MEMORY. */
ls_status ls_h5_get_slots(ls_h5_id object, const char *name, char *slots, size_t bytes,
                          size_t count) LS_CHECKED;

/** Read an integer in [low, high]. Errors: LS_E_INPUT. */
ls_status ls_h5_get_count(ls_h5_id object, const char *name, uint64_t low, uint64_t high,
                          uint64_t *value) LS_CHECKED;

ls_status ls_h5_get_real(ls_h5_id object, const char *name, double *value) LS_CHECKED;
ls_status ls_h5_get_reals(ls_h5_id object, const char *name, double *values, size_t count) LS_CHECKED;
ls_status ls_h5_get_fields(ls_h5_id object, ls_fields fields, void *values) LS_CHECKED;

typedef struct ls_h5_attribute {
  const char *name;
  ls_h5_element element;
  int64_t count; /* elements; negative: that cannot be read */
} ls_h5_attribute;

typedef ls_status (*ls_h5_attribute_visit)(void *user, ls_h5_id object, const ls_h5_attribute *attribute);

/** Call `visit` on the attributes of an object, by their names, on a hundred at most. A failing call ends it
 * with its status. Errors: LS_E_INPUT. */
ls_status ls_h5_attributes_visit(ls_h5_id object, ls_h5_attribute_visit visit, void *user) LS_CHECKED;

/* ---- datasets ---- */

typedef struct ls_h5_chunks ls_h5_chunks;

/** An open dataset, and what it declares to be. */
typedef struct ls_h5_data {
  ls_h5_id id, type;           /* type: as the file has it */
  char path[LS_H5_PATH_BYTES]; /* for messages */
  size_t dims[LS_H5_MAX_RANK];
  size_t dim_count;
  size_t count, bytes; /* elements; size in memory: neither overflows */
  ls_h5_element element;
  ls_h5_chunks *chunks; /* those that reading has to check; NULL: none; owned */
} ls_h5_data;

/** A dataset that is not open: closing it is fine. */
#define LS_H5_DATA_CLOSED ((ls_h5_data){.id = LS_H5_NONE, .type = LS_H5_NONE})

/** Open a dataset. Errors: LS_E_INPUT if it is missing, something else, a link to elsewhere, or has no simple
 * shape. */
ls_status ls_h5_data_open(ls_h5_data *data, ls_h5_id parent, const char *name) LS_CHECKED;

/** Release what was only read. Closing twice is fine. */
void ls_h5_data_close(ls_h5_data *data);

/** Refuse a dataset whose bytes are not all in this file, one for one: a compressed or virtual one, one in
 * other files, or one that declares more than there is. Errors: LS_E_INPUT. */
ls_status ls_h5_data_check_plain(ls_h5_data *data) LS_CHECKED;

/** The same of a file of others, whose chunks may be deflated: they must expand to just what the dataset
 * declares, which the caller has found to be what is wanted. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_data_check_foreign(ls_h5_data *data) LS_CHECKED;

/** The same where nothing but the file says how large the dataset is: it may not declare more than what its
 * bytes in the file can expand to. It is not empty. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_data_check_storage(ls_h5_data *data) LS_CHECKED;

/** After ls_h5_data_check_storage(): look all chunks up in their index, without reading them. Errors:
 * LS_E_INPUT. */
ls_status ls_h5_data_find_chunks(const ls_h5_data *data) LS_CHECKED;

/** Refuse a dataset that is not of 32-bit floats. Errors: LS_E_INPUT. */
ls_status ls_h5_data_check_floats(const ls_h5_data *data) LS_CHECKED;

/** Refuse a dataset that has not this shape. Errors: LS_E_INPUT. */
ls_status ls_h5_data_check_shape(const ls_h5_data *data, const size_t *dims, size_t dim_count) LS_CHECKED;

/** Read all elements, or rows first .. first+count-1, as `number`. Chunks of others' files are checked
 * before. Errors: LS_E_INPUT, if a checksum does not hold; LS_E_MEMORY. */
ls_status ls_h5_data_read(const ls_h5_data *data, ls_h5_number number, void *out) LS_CHECKED;
ls_status ls_h5_data_read_rows(const ls_h5_data *data, ls_h5_number number, size_t first, size_t count,
                               void *out) LS_CHECKED;

/** How a dataset is to be made: with Fletcher-32 checksums. It may have no rows. */
typedef struct ls_h5_plan {
  ls_h5_number number;
  const size_t *dims; /* [dim_count] */
  size_t dim_count;   /* 1 or more */
  size_t packed_rows; /* 0: stored plainly; otherwise deflated, in chunks of so many rows */
} ls_h5_plan;

/** Make a dataset. *out is closed with ls_h5_close(out->id). Errors: LS_E_MEMORY. */
ls_status ls_h5_data_make(ls_h5_data *out, ls_h5_id parent, const char *name,
                          const ls_h5_plan *plan) LS_CHECKED;

/** Write all elements, or rows first .. first+count-1, given as `number`. Errors: LS_E_MEMORY. */
ls_status ls_h5_data_write(const ls_h5_data *data, ls_h5_number number, const void *values) LS_CHECKED;
ls_status ls_h5_data_write_rows(const ls_h5_data *data, ls_h5_number number, size_t first, size_t count,
                                const void *values) LS_CHECKED;

/** All in one: make a dataset, write it, close it. Errors: LS_E_MEMORY. */
ls_status ls_h5_data_put(ls_h5_id parent, const char *name, const ls_h5_plan *plan,
                         const void *values) LS_CHECKED;

/** "[6,1,5,5]". */
void ls_h5_shape_text(const size_t *dims, size_t dim_count, char text[LS_H5_SHAPE_BYTES]);

/* ---- tables ---- */

/** The rows of a table are structs; each field is a column of its name. */
typedef struct ls_h5_columns {
  ls_fields fields;
  size_t required;  /* of them, from the first: older files may lack the others, all of them */
  size_t row_bytes; /* size of the struct */
} ls_h5_columns;

/** Write all columns as a table of one dimension with Fletcher-32 checksums. Errors: LS_E_MEMORY. */
ls_status ls_h5_table_write(ls_h5_id group, const char *name, const ls_h5_columns *columns, const void *rows,
                            size_t count) LS_CHECKED;

/** Read a table of ours. *rows is newly made, of *count structs, freed with free(); what the file lacks is 0.
 * Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_table_read(ls_h5_id group, const char *name, const ls_h5_columns *columns, void **rows,
                           size_t *count) LS_CHECKED;

/* ---- walking through a file ---- */

typedef enum ls_h5_member {
  LS_H5_GROUP,
  LS_H5_DATASET,
  LS_H5_TYPE,   /* a named datatype */
  LS_H5_AGAIN,  /* an object that was met before under another name: links may form loops */
  LS_H5_LINK,   /* a soft or external link: not followed */
  LS_H5_BEYOND, /* a group too deep to be looked into */
  LS_H5_MEMBER_COUNT
} ls_h5_member;

typedef struct ls_h5_entry {
  ls_h5_member type;
  const char *path; /* "/model/conv1" */
  const char *name; /* its last part */
  ls_h5_id parent;  /* the open group that holds it */
} ls_h5_entry;

typedef ls_status (*ls_h5_visit)(void *user, const ls_h5_entry *entry);

/** Call `visit` on every member of a group and of the groups in it, parents first. A failing call ends the
 * walk with its status. Errors: LS_E_INPUT also if there are unreasonably many members. */
ls_status ls_h5_walk(ls_h5_id group, ls_h5_visit visit, void *user) LS_CHECKED;

#endif
