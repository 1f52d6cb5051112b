/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 for this module, every call checked.
 *
 * Files are written in memory and leave it as one block of bytes (base/file.h makes that atomic and durable),
 * so a full disk can never surprise HDF5 half-way through a close. Files are read on the assumption that they
 * may be damaged or made to harm: only hard links are followed, and a dataset's declared size is held against
 * the file's length before anything is allocated. Private to the module. */
#ifndef LS_H5_H5_H
#define LS_H5_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

#include "base/status.h"
#include "h5/call.h"

enum { LS_H5_MAX_RANK = H5S_MAX_RANK, LS_H5_PATH_BYTES = 512, LS_H5_SHAPE_BYTES = 256 };

/** Release an identifier that was written through: a failure to close is an error, unless `status` is one
 * already. */
ls_status ls_h5_close(hid_t id, ls_status status) LS_CHECKED;

/** The path of `name` in an open object, cut if it is too long. */
void ls_h5_path(hid_t parent, const char *name, char path[LS_H5_PATH_BYTES]);

/* ---- files ---- */

/** A file that is made in memory. */
typedef struct ls_h5_image {
  hid_t file;           /* open until ls_h5_image_finish() */
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

/** What is done with an open file. It may run twice, the first time in a process of its own (h5/guard.h). */
typedef ls_status (*ls_h5_reading)(hid_t file, void *user);

/** Read a regular file; if it bears a seal (seal.h), only when that holds; if not, only when a child process
 * comes through with it.
 * Errors, without the file's name: those of `read`; LS_E_INPUT if it is missing, no HDF5 file or damaged;
 * LS_E_IO; LS_E_MEMORY. */
ls_status ls_h5_read(const char *path, ls_h5_reading read, void *user) LS_CHECKED;

/** The same where the work goes by more than the file's length: `bytes` is what the child may be busy with,
 * in time and memory (h5/guard.h). */
ls_status ls_h5_read_work(const char *path, uint64_t bytes, ls_h5_reading read, void *user) LS_CHECKED;

/* ---- groups ---- */

/** Make a group that keeps its members in the order in which they are made. Errors: LS_E_MEMORY. */
ls_status ls_h5_group_make(hid_t *group, hid_t parent, const char *name) LS_CHECKED;

/** Open a group. Errors: LS_E_INPUT if it is missing, something else, or a link to elsewhere. */
ls_status ls_h5_group_open(hid_t *group, hid_t parent, const char *name) LS_CHECKED;

/** Is there a member of that name, of whatever kind? Errors: LS_E_INPUT if the group is damaged. */
ls_status ls_h5_has(hid_t parent, const char *name, bool *has) LS_CHECKED;

/* ---- attributes ---- */

ls_status ls_h5_put_text(hid_t object, const char *name, const char *text) LS_CHECKED;
ls_status ls_h5_put_count(hid_t object, const char *name, uint64_t value) LS_CHECKED;
ls_status ls_h5_put_real(hid_t object, const char *name, double value) LS_CHECKED;
ls_status ls_h5_put_reals(hid_t object, const char *name, const double *values, size_t count) LS_CHECKED;

/** Errors: LS_E_INPUT if the object is damaged. */
ls_status ls_h5_has_attribute(hid_t object, const char *name, bool *has) LS_CHECKED;

/** Read a text of at most `limit` bytes, freed with free(). Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_get_text(hid_t object, const char *name, size_t limit, char **text) LS_CHECKED;

/** Read a text into `text`, of `bytes` bytes. Errors: LS_E_INPUT if it does not fit; LS_E_MEMORY. */
ls_status ls_h5_get_short_text(hid_t object, const char *name, char *text, size_t bytes) LS_CHECKED;

/** Read an integer in [low, high]. Errors: LS_E_INPUT. */
ls_status ls_h5_get_count(hid_t object, const char *name, uint64_t low, uint64_t high,
                          uint64_t *value) LS_CHECKED;

ls_status ls_h5_get_real(hid_t object, const char *name, double *value) LS_CHECKED;
ls_status ls_h5_get_reals(hid_t object, const char *name, double *values, size_t count) LS_CHECKED;

/* ---- datasets ---- */

/** A dataset open for reading, and what it declares to be. */
typedef struct ls_h5_data {
  hid_t id, type;
  char path[LS_H5_PATH_BYTES]; /* for messages */
  hsize_t dims[LS_H5_MAX_RANK];
  size_t dim_count;
  size_t count, bytes; /* elements; size in memory: neither overflows */
} ls_h5_data;

/** Open a dataset. Errors: LS_E_INPUT if it is missing, something else, a link to elsewhere, or has no simple
 * shape. */
ls_status ls_h5_data_open(ls_h5_data *data, hid_t parent, const char *name) LS_CHECKED;
void ls_h5_data_close(ls_h5_data *data);

/** Refuse a dataset whose bytes are not all in this file, one for one: a compressed or virtual one, one in
 * other files, or one that declares more than there is. Errors: LS_E_INPUT. */
ls_status ls_h5_data_check_plain(const ls_h5_data *data) LS_CHECKED;

/** The same of a file of others, whose chunks may be deflated: they must expand to just what the dataset
 * declares, which the caller has found to be what is wanted. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_data_check_foreign(const ls_h5_data *data) LS_CHECKED;

/** Refuse a dataset that is not of 32-bit floats. Errors: LS_E_INPUT. */
ls_status ls_h5_data_check_floats(const ls_h5_data *data) LS_CHECKED;

/** Refuse a dataset that has not this shape. Errors: LS_E_INPUT. */
ls_status ls_h5_data_check_shape(const ls_h5_data *data, const size_t *dims, size_t dim_count) LS_CHECKED;

/** Read all elements as `type`. Errors: LS_E_INPUT, if a checksum does not hold. */
ls_status ls_h5_data_read(const ls_h5_data *data, hid_t type, void *out) LS_CHECKED;

/** Make a dataset with Fletcher-32 checksums and write it. It may have no rows. *out is open, closed with
 * ls_h5_close(). Errors: LS_E_MEMORY. */
ls_status ls_h5_data_make(ls_h5_data *out, hid_t parent, const char *name, hid_t file_type,
                          const size_t *dims, size_t dim_count) LS_CHECKED;
ls_status ls_h5_data_write(const ls_h5_data *data, hid_t memory_type, const void *values) LS_CHECKED;

/** "[6,1,5,5]". */
void ls_h5_shape_text(const hsize_t *dims, size_t dim_count, char text[LS_H5_SHAPE_BYTES]);

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
  hid_t parent;     /* the open group that holds it */
} ls_h5_entry;

typedef ls_status (*ls_h5_visit)(void *user, const ls_h5_entry *entry);

/** Call `visit` on every member of a group and of the groups in it, parents first. A failing call ends the
 * walk with its status. Errors: LS_E_INPUT also if there are unreasonably many members. */
ls_status ls_h5_walk(hid_t group, ls_h5_visit visit, void *user) LS_CHECKED;

#endif
