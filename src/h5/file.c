/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver is registered for each opening: libhdf5 keeps it as long as a file needs it, so that nothing
 * here outlives the file. */
#include "h5/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "h5/internal.h"

/* The name by which HDF5 knows a file: our driver needs none. */
static const char NAME[] = "a file of lockstep's";

static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
enum { FIRST_USER_BLOCK_BYTES = 512 };

/* ---- the system ---- */

ls_status ls_h5_file_open(ls_h5_file *file, const char *path)
{
  struct stat info;
  *file = LS_H5_FILE_CLOSED;
  /* Not to wait for the other end of a pipe. */
  LS_RETRY(file->descriptor, LS_SYSTEM("open", open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
  if (file->descriptor < 0) return ls_fail(ls_errno_status(errno), "cannot open: %s", ls_open_error(path));
  int failed;
  LS_RETRY(failed, LS_SYSTEM("stat", fstat(file->descriptor, &info)));
  if (failed) return ls_fail(ls_errno_status(errno), "cannot read: %s", strerror(errno));
  if (!S_ISREG(info.st_mode)) return ls_fail(LS_E_INPUT, "cannot read: it is not a regular file");
  file->bytes = (uint64_t)info.st_size;
  return LS_OK;
}

static herr_t remember(ls_h5_file *file, int error)
{
  if (file->error == 0) file->error = error;
  return -1;
}

/* Read bytes of the file, then zeros beyond its end. A file that became shorter since it was opened is an
 * error: its missing bytes are no zeros. */
static herr_t read_at(ls_h5_file *file, uint64_t at, void *out, size_t bytes)
{
  unsigned char *to = out;
  while (bytes > 0 && at < file->bytes) {
    const uint64_t rest = file->bytes - at;
    const size_t wanted = rest < bytes ? (size_t)rest : bytes;
    ssize_t got = (ssize_t)wanted;
    if (file->image)
      memcpy(to, file->image + at, wanted);
    else
      got = LS_SYSTEM("read", pread(file->descriptor, to, wanted, (off_t)at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return remember(file, got < 0 ? errno : EIO);
    to += got, at += (uint64_t)got, bytes -= (size_t)got;
  }
  memset(to, 0, bytes);
  return 0;
}

static herr_t write_at(ls_h5_file *file, uint64_t at, const void *data, size_t bytes)
{
  const unsigned char *from = data;
  while (bytes > 0) {
    const ssize_t put = LS_SYSTEM("write", pwrite(file->descriptor, from, bytes, (off_t)at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return remember(file, put < 0 ? errno : ENOSPC);
    from += put, at += (uint64_t)put, bytes -= (size_t)put;
    if (at > file->bytes) file->bytes = at;
  }
  return 0;
}

ls_status ls_h5_file_outcome(const ls_h5_file *file, ls_status status)
{
  return file->error == 0
             ? status
             : ls_fail(file->error == ENOMEM ? LS_E_MEMORY : LS_E_IO, "%s", strerror(file->error));
}

ls_status ls_h5_file_read(ls_h5_file *file, void *data, size_t bytes)
{
  return read_at(file, 0, data, bytes) >= 0 ? LS_OK : ls_h5_file_outcome(file, LS_E_IO);
}

static bool begins_as_hdf5(ls_h5_file *file)
{
  unsigned char found[sizeof signature];
  return file->bytes >= sizeof found && read_at(file, 0, found, sizeof found) >= 0 &&
         memcmp(found, signature, sizeof found) == 0;
}

ls_status ls_h5_file_recognize(const char *path, bool *is_hdf5)
{
  unsigned char found[sizeof signature];
  ls_h5_file file;
  ls_status status;
  *is_hdf5 = false;
  LS_GO(ls_h5_file_open(&file, path));
  for (uint64_t at = 0; at < file.bytes && !*is_hdf5; at = at > 0 ? 2 * at : FIRST_USER_BLOCK_BYTES) {
    if (read_at(&file, at, found, sizeof found) < 0) break;
    *is_hdf5 = memcmp(found, signature, sizeof found) == 0;
  }
  status = ls_h5_file_outcome(&file, LS_OK);
done:
  ls_h5_file_close(&file);
  return status;
}

/* ---- the driver ---- */

/* What libhdf5 holds of an open file. */
typedef struct handle {
  H5FD_t common; /* first: libhdf5's own */
  ls_h5_file *file;
  haddr_t end; /* of what HDF5 has given addresses to */
} handle;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
  (void)name, (void)flags, (void)most;
  ls_h5_file *const *file = H5Pget_driver_info(access);
  handle *self = file && !LS_FAULT("alloc", __func__) ? calloc(1, sizeof *self) : NULL;
  if (file && !self) (void)remember(*file, ENOMEM);
  if (!self) return NULL;
  self->file = *file;
  return &self->common;
}

static herr_t driver_close(H5FD_t *self)
{
  free(self); /* the descriptor is the caller's */
  return 0;
}

static herr_t driver_query(const H5FD_t *self, unsigned long *flags)
{
  (void)self;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t driver_get_end(const H5FD_t *self, H5FD_mem_t type)
{
  (void)type;
  return ((const handle *)self)->end;
}

static herr_t driver_set_end(H5FD_t *self, H5FD_mem_t type, haddr_t end)
{
  (void)type;
  ((handle *)self)->end = end;
  return 0;
}

static haddr_t driver_get_length(const H5FD_t *self, H5FD_mem_t type)
{
  (void)type;
  return ((const handle *)self)->file->bytes;
}

static herr_t driver_read(H5FD_t *self, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes, void *out)
{
  (void)type, (void)transfer;
  return at > INT64_MAX ? -1 : read_at(((handle *)self)->file, at, out, bytes);
}

static herr_t driver_write(H5FD_t *self, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes,
                           const void *data)
{
  (void)type, (void)transfer;
  return at > INT64_MAX ? -1 : write_at(((handle *)self)->file, at, data, bytes);
}

static herr_t driver_truncate(H5FD_t *self, hid_t transfer, hbool_t closing)
{
  (void)transfer, (void)closing;
  const handle *own = (handle *)self;
  if (own->file->bytes == own->end) return 0;
  int failed;
  LS_RETRY(failed, LS_SYSTEM("write", ftruncate(own->file->descriptor, (off_t)own->end)));
  if (failed) return remember(own->file, errno);
  own->file->bytes = own->end;
  return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)(H5_VFD_MAX - 1),
#endif
    .name = "lockstep",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(ls_h5_file *),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_get_end,
    .set_eoa = driver_set_end,
    .get_eof = driver_get_length,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* How HDF5 is to open or make this file; negative if there is no memory. */
static hid_t make_access(ls_h5_file *file)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), id = H5FDregister(&driver);
  bool is_set = access >= 0 && id >= 0 && H5Pset_driver(access, id, &file) >= 0 &&
                H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0;
  if (id >= 0) (void)H5FDunregister(id);
  if (is_set) return access;
  ls_h5_release(access);
  return H5I_INVALID_HID;
}

ls_status ls_h5_file_start(ls_h5_file *file)
{
  if (file->error == ENOMEM) file->error = 0; /* an attempt that is made again */
  hid_t access = make_access(file);
  if (access < 0) return ls_h5_fail(LS_E_MEMORY, "cannot prepare to open it");
  file->id = H5Fopen(NAME, H5F_ACC_RDONLY, access);
  ls_status status = LS_OK;
  if (file->id < 0)
    status =
        ls_h5_fail(LS_E_INPUT, "it cannot be opened as an HDF5 file%s",
                   begins_as_hdf5(file) ? " (if a program is still writing it, have it closed there)" : "");
  ls_h5_release(access);
  return ls_h5_file_outcome(file, status);
}

void ls_h5_file_stop(ls_h5_file *file)
{
  ls_h5_release(file->id);
  file->id = LS_H5_NONE;
}

ls_status ls_h5_file_create(ls_h5_file *file, int descriptor)
{
  *file = LS_H5_FILE_CLOSED;
  LS_PASS(ls_h5_start());
  file->descriptor = descriptor;
  hid_t access = make_access(file);
  if (access < 0) return ls_h5_fail(LS_E_MEMORY, "cannot prepare to write it");
  /* This version of the format can hold the names of more than some thousand classes. */
  if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0)
    file->id = H5Fcreate(NAME, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  ls_status status = LS_OK;
  if (file->id < 0) status = ls_h5_fail(LS_E_MEMORY, "the HDF5 library cannot begin it");
  ls_h5_release(access);
  return ls_h5_file_outcome(file, status);
}

ls_status ls_h5_file_complete(ls_h5_file *file, ls_status status)
{
  if (file->id >= 0 && H5Fclose(file->id) < 0 && status == LS_OK)
    status = ls_h5_fail(LS_E_MEMORY, "the HDF5 library cannot complete it");
  status = ls_h5_file_outcome(file, status);
  *file = LS_H5_FILE_CLOSED;
  return status;
}

ls_status ls_h5_file_length(ls_h5_id object, uint64_t *bytes)
{
  hsize_t length = 0;
  hid_t file = H5Iget_file_id(object);
  ls_status status = LS_OK;
  if (file < 0 || H5Fget_filesize(file, &length) < 0)
    status = ls_h5_fail(LS_E_INPUT, "the length of its file is unknown");
  ls_h5_release(file);
  *bytes = length;
  return status;
}

void ls_h5_file_close(ls_h5_file *file)
{
  ls_h5_file_stop(file);
  if (file->descriptor >= 0) (void)close(file->descriptor);
  free(file->image);
  *file = LS_H5_FILE_CLOSED;
}
