/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/scaling_file.h"

#include <stdlib.h>

#include "base/files/temporary.h"
#include "base/memory.h"
#include "h5/h5.h"
#include "store/internal.h"

static ls_status write_column(ls_h5_id group, const ls_table *table, size_t column, double *values)
{
  const ls_h5_plan plan = {.number = LS_H5_FLOAT64, .dims = &table->row_count, .dim_count = 1};
  for (size_t r = 0; r < table->row_count; r++) values[r] = table->values[r * table->column_count + column];
  return ls_h5_data_put(group, table->columns[column], &plan, values);
}

static ls_status write_table(ls_h5_id file, const ls_table *table)
{
  ls_h5_id group = LS_H5_NONE;
  double *values = NULL;
  ls_status status;
  LS_GO(ls_alloc(&values, table->row_count, sizeof *values, "a table"));
  LS_GO(ls_h5_group_make(&group, file, table->name));
  for (size_t c = 0; c < table->column_count; c++) LS_GO(write_column(group, table, c, values));
done:
  free(values);
  return ls_h5_close(group, status);
}

ls_status ls_scaling_write(const char *path, const char *config, const ls_table *tables, size_t count)
{
  ls_h5_image image;
  ls_status status;
  LS_GO(ls_h5_image_start(&image, 0));
  LS_GO(ls_format_write(image.file, LS_SCALING_FORMAT));
  LS_GO(ls_h5_put_text(image.file, "config", config));
  for (size_t i = 0; i < count; i++) LS_GO(write_table(image.file, &tables[i]));
  LS_GO(ls_h5_image_finish(&image));
  LS_GO(ls_file_write(path, image.bytes, image.count));
done:
  ls_h5_image_fini(&image);
  return status;
}

void ls_table_csv(const ls_table *table, ls_text *csv)
{
  for (size_t c = 0; c < table->column_count; c++)
    ls_text_add(csv, "%s%s", c > 0 ? "," : "", table->columns[c]);
  ls_text_add(csv, "\n");
  for (size_t r = 0; r < table->row_count; r++) {
    for (size_t c = 0; c < table->column_count; c++)
      ls_text_add(csv, "%s%.9g", c > 0 ? "," : "", table->values[r * table->column_count + c]);
    ls_text_add(csv, "\n");
  }
}
