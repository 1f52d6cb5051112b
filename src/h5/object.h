/* SPDX-License-Identifier: BSD-3-Clause */
/* What an object of a file is, and which one: libhdf5 tells it in other words from 1.12 on. */
#ifndef LS_H5_OBJECT_H
#define LS_H5_OBJECT_H

#include <stdbool.h>

#include <hdf5.h>

#include "base/status.h"

#if H5_VERSION_GE(1, 12, 0)
typedef H5O_token_t ls_h5_object_id;
#else
typedef haddr_t ls_h5_object_id;
#endif

typedef struct ls_h5_object {
  H5O_type_t type;
  ls_h5_object_id id; /* no other object of the file has it */
} ls_h5_object;

/** Look at an object without opening it; "." is `place` itself. Local. Errors, without a name: LS_E_INPUT if
 * it cannot be read; LS_E_MEMORY. */
ls_status ls_h5_object_find(hid_t place, const char *name, ls_h5_object *object) LS_CHECKED;

/** Have two objects of a file the same id? */
bool ls_h5_object_is_same(const ls_h5_object_id *a, const ls_h5_object_id *b);

#endif
