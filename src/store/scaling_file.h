/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of numbers, as a scaling study leaves them: HDF5 for programs, CSV for everything else. */
#ifndef LS_STORE_SCALING_FILE_H
#define LS_STORE_SCALING_FILE_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

typedef struct ls_table {
  const char *name;
  const char *const *columns; /* [column_count] */
  size_t column_count, row_count;
  const double *values; /* [row_count, column_count] */
} ls_table;

/** Write "lockstep-scaling": attribute config, and a group for each table with a dataset for each column,
 * float64 [rows]. Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_scaling_write(const char *path, const char *config, const ls_table *tables,
                           size_t count) LS_CHECKED;

/** Append a line with the columns' names, and one for each row. */
void ls_table_csv(const ls_table *table, ls_text *csv);

#endif
