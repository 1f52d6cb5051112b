/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the elements of a tensor lie in its storage, and how it gets to a visitor. */
#include "store/foreign/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"

/* ---- layouts ---- */

static ls_status fail_size(void)
{
  return ls_fail(LS_E_INPUT, "its shape has more elements than can be counted");
}

ls_status ls_layout_pack(ls_layout *layout, bool by_columns)
{
  size_t stride = 1;
  for (size_t i = 0; i < layout->dim_count; i++) {
    const size_t dim = by_columns ? i : layout->dim_count - 1 - i;
    layout->strides[dim] = stride;
    if (!ls_size_mul(stride, layout->dims[dim], &stride)) return fail_size();
  }
  return LS_OK;
}

ls_status ls_layout_measure(const ls_layout *layout, size_t *count, size_t *reach)
{
  size_t last = layout->offset;
  *count = 1;
  for (size_t i = 0; i < layout->dim_count; i++)
    if (!ls_size_mul(*count, layout->dims[i], count)) return fail_size();
  *reach = 0;
  if (*count == 0) return LS_OK;
  for (size_t i = 0; i < layout->dim_count; i++) {
    size_t step;
    if (!ls_size_mul(layout->dims[i] - 1, layout->strides[i], &step) || !ls_size_add(last, step, &last))
      return fail_size();
  }
  return ls_size_add(last, 1, reach) ? LS_OK : fail_size();
}

/* Step to the next element by rows: the place of it in the storage. */
static size_t step(const ls_layout *layout, size_t index[LS_FOREIGN_MAX_RANK], size_t place)
{
  for (size_t dim = layout->dim_count; dim-- > 0;) {
    place += layout->strides[dim];
    if (++index[dim] < layout->dims[dim]) return place;
    place -= layout->dims[dim] * layout->strides[dim];
    index[dim] = 0;
  }
  return place;
}

ls_status ls_layout_read(const ls_layout *layout, ls_bytes storage, float *values)
{
  const ls_element *element = layout->element;
  size_t count, reach, index[LS_FOREIGN_MAX_RANK] = {0}, place = layout->offset;
  LS_PASS(ls_layout_measure(layout, &count, &reach));
  if (reach > storage.count / element->bytes)
    return ls_fail(LS_E_INPUT, "it takes %zu elements of a storage that has %zu", reach,
                   storage.count / element->bytes);
  for (size_t i = 0; i < count; i++) {
    values[i] = element->to_float(storage.at + place * element->bytes);
    place = step(layout, index, place);
  }
  return LS_OK;
}

/* ---- to the visitor ---- */

const char *ls_foreign_select(const ls_foreign_file *file, const char *name)
{
  if (!file->key) return name;
  const size_t length = strlen(file->key);
  if (strncmp(name, file->key, length) != 0 || (name[length] != '/' && name[length] != '.')) return NULL;
  return name + length + 1;
}

ls_status ls_foreign_take(const ls_foreign_visitor *visitor, const char *name, const ls_layout *layout,
                          const ls_foreign_tensor *how)
{
  ls_foreign_tensor tensor = *how;
  size_t reach;
  tensor.noun = "tensor";
  snprintf(tensor.place, sizeof tensor.place, "%s", name);
  tensor.dim_count = layout->dim_count;
  memcpy(tensor.dims, layout->dims, sizeof tensor.dims);
  LS_TRY(ls_layout_measure(layout, &tensor.count, &reach), "tensor %s", name);
  tensor.is_real = layout->element->to_float != NULL;
  return visitor->take(visitor->user, &tensor);
}

ls_status ls_foreign_offer(const ls_foreign_file *file, const ls_foreign_visitor *visitor, const char *name,
                           const ls_layout *layout, const ls_foreign_tensor *how)
{
  const char *selected = ls_foreign_select(file, name);
  if (!selected || !visitor->wants(visitor->user, selected)) return LS_OK;
  return ls_foreign_take(visitor, name, layout, how);
}
