/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of a struct by name, so that code for files needs not know their meaning. */
#ifndef LS_BASE_FIELD_H
#define LS_BASE_FIELD_H

#include <stddef.h>

typedef enum ls_field_type { LS_FIELD_COUNT, LS_FIELD_REAL } ls_field_type;

enum { LS_FIELD_BYTES = 8 };

/** A member of a struct: uint64_t (LS_FIELD_COUNT) or double (LS_FIELD_REAL). */
typedef struct ls_field {
  const char *name; /* as files have it */
  ls_field_type type;
  size_t offset; /* in the struct, bytes */
} ls_field;

/** Rows of a table of fields, under the name of the member. */
#define LS_COUNT_FIELD(structure, member)                                                                    \
  {                                                                                                          \
    .name = #member, .type = LS_FIELD_COUNT, .offset = offsetof(structure, member)                           \
  }
#define LS_REAL_FIELD(structure, member)                                                                     \
  {                                                                                                          \
    .name = #member, .type = LS_FIELD_REAL, .offset = offsetof(structure, member)                            \
  }

/** The fields of a struct that files keep. */
typedef struct ls_fields {
  const ls_field *list; /* [count]; borrowed */
  size_t count;
} ls_fields;

#endif
