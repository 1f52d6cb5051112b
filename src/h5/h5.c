/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 files and groups, made in memory and read with care. */
#include "h5/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "h5/file.h"
#include "h5/guard.h"
#include "h5/seal.h"

enum { IMAGE_STEP_BYTES = 1 << 16 };

/* The name of a file in memory: HDF5 looks for it in the file system all the same, where it cannot be. */
static const char NOWHERE[] = "/dev/null/in memory";

ls_status ls_h5_close(hid_t id, ls_status status)
{
  if (id >= 0 && H5Idec_ref(id) < 0 && status == LS_OK)
    return ls_h5_fail(LS_E_MEMORY, "cannot complete a part of an HDF5 file");
  return status;
}

void ls_h5_path(hid_t parent, const char *name, char path[LS_H5_PATH_BYTES])
{
  char folder[LS_H5_PATH_BYTES / 2];
  ssize_t length = H5Iget_name(parent, folder, sizeof folder);
  if (length <= 1) folder[0] = '\0'; /* the root, or unknown */
  snprintf(path, LS_H5_PATH_BYTES, "%s/%s", folder, name);
}

/* ---- files ---- */

/* HDF5's in-memory driver hands its block over when the file is closed: these keep hold of it. */

static void *image_resize(void *block, size_t bytes, H5FD_file_image_op_t operation, void *user)
{
  (void)operation;
  ls_h5_image *image = user;
  unsigned char *resized = LS_FAULT("alloc", __func__) ? NULL : realloc(block, bytes);
  if (!resized) return NULL;
  if (bytes > image->count) memset(resized + image->count, 0, bytes - image->count);
  image->bytes = resized;
  image->count = bytes;
  return resized;
}

static herr_t image_keep(void *block, H5FD_file_image_op_t operation, void *user)
{
  (void)block, (void)operation, (void)user;
  return 0;
}

static void *same_user(void *user)
{
  return user;
}

static herr_t keep_user(void *user)
{
  (void)user;
  return 0;
}

/* The file is in memory only, and as new as HDF5 1.10: its metadata then carry checksums. */
static bool set_access(hid_t access, ls_h5_image *image)
{
  H5FD_file_image_callbacks_t callbacks = {.image_realloc = image_resize,
                                           .image_free = image_keep,
                                           .udata_copy = same_user,
                                           .udata_free = keep_user,
                                           .udata = image};
  return H5Pset_fapl_core(access, IMAGE_STEP_BYTES, 0) >= 0 &&
         H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
         H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
         H5Pset_file_image_callbacks(access, &callbacks) >= 0;
}

static bool keep_order(hid_t creation)
{
  return H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
}

ls_status ls_h5_image_start(ls_h5_image *image, size_t user_block)
{
  *image = (ls_h5_image){.file = H5I_INVALID_HID};
  LS_PASS(ls_h5_start());
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
  if (access >= 0 && creation >= 0 && set_access(access, image) && keep_order(creation) &&
      H5Pset_userblock(creation, user_block) >= 0)
    image->file = H5Fcreate(NOWHERE, H5F_ACC_TRUNC, creation, access);
  ls_status status = LS_OK;
  if (image->file < 0) status = ls_h5_fail(LS_E_MEMORY, "cannot start an HDF5 file in memory");
  ls_h5_release(creation);
  ls_h5_release(access);
  return status;
}

ls_status ls_h5_image_finish(ls_h5_image *image)
{
  bool flushed = H5Fflush(image->file, H5F_SCOPE_GLOBAL) >= 0;
  ls_status status = LS_OK;
  if (!flushed) status = ls_h5_fail(LS_E_MEMORY, "cannot complete an HDF5 file in memory");
  hid_t file = image->file;
  image->file = H5I_INVALID_HID;
  return ls_h5_close(file, status);
}

void ls_h5_image_fini(ls_h5_image *image)
{
  ls_h5_release(image->file);
  free(image->bytes);
  *image = (ls_h5_image){.file = H5I_INVALID_HID};
}

/* A file that is read. */
typedef struct job {
  ls_h5_file file;
  ls_h5_reading read;
  void *user;
  uint64_t bytes; /* that limits go by */
} job;

static ls_status read_once(void *user)
{
  job *self = user;
  ls_status status = ls_h5_file_start(&self->file);
  if (status == LS_OK) status = ls_h5_file_outcome(&self->file, self->read(self->file.id, self->user));
  ls_h5_release(self->file.id);
  self->file.id = H5I_INVALID_HID;
  return status;
}

/* What was read in a child process, or bears a seal that holds, is sound: that it is refused now may come of
 * memory that was missing, which libhdf5 does not always tell as that. */
static ls_status ask_again(job *self)
{
  LS_PASS(ls_h5_guard(NULL, self->bytes, read_once, self));
  return ls_fail(LS_E_MEMORY, "no memory for the HDF5 library to read it");
}

ls_status ls_h5_read(const char *path, ls_h5_reading read, void *user)
{
  return ls_h5_read_work(path, 0, read, user);
}

ls_status ls_h5_read_work(const char *path, uint64_t bytes, ls_h5_reading read, void *user)
{
  job self = {.read = read, .user = user};
  ls_status status;
  LS_GO(ls_h5_file_open(&self.file, path));
  LS_GO(ls_seal_check(&self.file));
  LS_GO(ls_h5_start());
  self.bytes = bytes > self.file.bytes ? bytes : self.file.bytes;
  if (!self.file.image) LS_GO(ls_h5_guard(NULL, self.bytes, read_once, &self));
  status = read_once(&self);
  if (status == LS_E_INPUT) status = ask_again(&self);
done:
  ls_h5_file_close(&self.file);
  return status;
}

/* ---- groups ---- */

ls_status ls_h5_group_make(hid_t *group, hid_t parent, const char *name)
{
  *group = H5I_INVALID_HID;
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  if (creation >= 0 && keep_order(creation))
    *group = H5Gcreate2(parent, name, H5P_DEFAULT, creation, H5P_DEFAULT);
  ls_status status = LS_OK;
  if (*group < 0) status = ls_h5_fail(LS_E_MEMORY, "cannot make group '%s'", name);
  ls_h5_release(creation);
  return status;
}

ls_status ls_h5_has(hid_t parent, const char *name, bool *has)
{
  const htri_t found = H5Lexists(parent, name, H5P_DEFAULT);
  *has = found > 0;
  return found >= 0 ? LS_OK : ls_h5_fail(LS_E_INPUT, "cannot look for '%s'", name);
}

/* Open a member that is an object of the wanted type in this very file. */
static ls_status open_member(hid_t *object, hid_t parent, const char *name, H5I_type_t wanted,
                             const char *noun)
{
  *object = H5I_INVALID_HID;
  char path[LS_H5_PATH_BYTES];
  ls_h5_path(parent, name, path);
  bool has;
  LS_PASS(ls_h5_has(parent, name, &has));
  if (!has) return ls_fail(LS_E_INPUT, "%s %s: missing", noun, path);
  H5L_info_t link;
  if (H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0) return ls_h5_fail(LS_E_INPUT, "%s %s", noun, path);
  if (link.type != H5L_TYPE_HARD)
    return ls_fail(LS_E_INPUT, "%s %s: it is a link to another place, which is not followed", noun, path);
  hid_t opened = H5Oopen(parent, name, H5P_DEFAULT);
  if (opened < 0) return ls_h5_fail(LS_E_INPUT, "%s %s", noun, path);
  if (H5Iget_type(opened) != wanted) {
    ls_h5_release(opened);
    return ls_fail(LS_E_INPUT, "%s: it is not a %s", path, noun);
  }
  *object = opened;
  return LS_OK;
}

ls_status ls_h5_group_open(hid_t *group, hid_t parent, const char *name)
{
  return open_member(group, parent, name, H5I_GROUP, "group");
}

/* Shape of an open dataset, with products that do not overflow. */
static ls_status read_shape(ls_h5_data *data)
{
  hid_t space = H5Dget_space(data->id);
  int rank = space >= 0 && H5Sis_simple(space) > 0 ? H5Sget_simple_extent_ndims(space) : -1;
  bool sound = rank >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL &&
               H5Sget_simple_extent_dims(space, data->dims, NULL) == rank;
  ls_h5_release(space);
  if (!sound) return ls_h5_fail(LS_E_INPUT, "dataset %s: it has no shape", data->path);
  data->dim_count = (size_t)rank;
  hsize_t count = 1, bytes = H5Tget_size(data->type);
  bool fits = bytes > 0;
  for (size_t i = 0; i < data->dim_count; i++) {
    fits = fits && !__builtin_mul_overflow(count, data->dims[i], &count);
    fits = fits && !__builtin_mul_overflow(bytes, data->dims[i], &bytes);
  }
  if (!fits || bytes > SIZE_MAX / 2) {
    char shape[LS_H5_SHAPE_BYTES];
    ls_h5_shape_text(data->dims, data->dim_count, shape);
    return ls_fail(LS_E_INPUT, "dataset %s: its shape %s is impossibly large", data->path, shape);
  }
  data->count = (size_t)count;
  data->bytes = (size_t)bytes;
  return LS_OK;
}

ls_status ls_h5_data_open(ls_h5_data *data, hid_t parent, const char *name)
{
  *data = (ls_h5_data){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
  ls_h5_path(parent, name, data->path);
  LS_PASS(open_member(&data->id, parent, name, H5I_DATASET, "dataset"));
  data->type = H5Dget_type(data->id);
  ls_status status = data->type < 0
                         ? ls_h5_fail(LS_E_INPUT, "dataset %s: its type cannot be read", data->path)
                         : read_shape(data);
  if (status != LS_OK) ls_h5_data_close(data);
  return status;
}

void ls_h5_data_close(ls_h5_data *data)
{
  ls_h5_release(data->type);
  ls_h5_release(data->id);
  data->id = data->type = H5I_INVALID_HID;
}
