/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading the file of a path: one with a valid seal is read at once, any other by a child process first,
 * which may crash. */
#include "h5/file.h"
#include "h5/guard.h"
#include "h5/internal.h"
#include "h5/seal.h"

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
  ls_h5_file_stop(&self->file);
  return status;
}

/* What was read in a child process, or bears a seal that holds, is sound: a refusal now may be due to missing
 * memory, which libhdf5 does not always report as that. */
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
