/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 files that are made in memory, and end as a block of bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "h5/internal.h"

enum { IMAGE_STEP_BYTES = 1 << 16 };

/* The name of a file in memory: HDF5 looks for it in the file system all the same, where it cannot be. */
static const char NOWHERE[] = "/dev/null/in memory";

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

ls_status ls_h5_image_start(ls_h5_image *image, size_t user_block)
{
  *image = (ls_h5_image){.file = LS_H5_NONE};
  LS_PASS(ls_h5_start());
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
  if (access >= 0 && creation >= 0 && set_access(access, image) && ls_h5_keep_order(creation) &&
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
  image->file = LS_H5_NONE;
  return ls_h5_close(file, status);
}

void ls_h5_image_fini(ls_h5_image *image)
{
  ls_h5_release(image->file);
  free(image->bytes);
  *image = (ls_h5_image){.file = LS_H5_NONE};
}
