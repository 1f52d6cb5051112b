/* SPDX-License-Identifier: BSD-3-Clause */
/* Declaring tensors: they lie one after the other, in the order of their declaration, with no gaps. */
#include "nn/build.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/size.h"

static ls_status grow(ls_tensor_list *list)
{
  if (list->count < list->capacity) return LS_OK;
  size_t capacity = 2 * list->capacity + 16;
  ls_tensor *items = LS_FAULT("alloc", __func__) ? NULL : realloc(list->items, capacity * sizeof *items);
  if (!items) return ls_fail(LS_E_MEMORY, "no memory for a list of %zu tensors", capacity);
  list->items = items;
  list->capacity = capacity;
  return LS_OK;
}

static ls_status declare(ls_tensor_list *list, const ls_layer *layer, const char *name, const size_t *dims,
                         size_t dim_count)
{
  LS_PASS(grow(list));
  ls_tensor tensor = {.dim_count = dim_count,
                      .offset = list->floats,
                      .count = 1,
                      .lr_factor = layer->frozen ? 0.0 : layer->lr_factor};
  snprintf(tensor.layer, sizeof tensor.layer, "%s", layer->name);
  snprintf(tensor.name, sizeof tensor.name, "%s", name);
  for (size_t i = 0; i < dim_count; i++) {
    tensor.dims[i] = dims[i];
    if (!ls_size_mul(tensor.count, dims[i], &tensor.count))
      return ls_fail(LS_E_CONFIG, "its %s has more elements than this machine can address", name);
  }
  if (!ls_size_add(list->floats, tensor.count, &list->floats))
    return ls_fail(LS_E_CONFIG, "the model has more parameters than this machine can address");
  list->items[list->count++] = tensor;
  return LS_OK;
}

ls_status ls_build_param(ls_build *build, ls_layer *layer, const char *name, const size_t *dims,
                         size_t dim_count, bool decay)
{
  LS_PASS(declare(&build->params, layer, name, dims, dim_count));
  ls_tensor *tensor = &build->params.items[build->params.count - 1];
  tensor->decay = decay;
  layer->param_count += tensor->count;
  return LS_OK;
}

ls_status ls_build_buffer(ls_build *build, ls_layer *layer, const char *name, size_t count)
{
  LS_PASS(declare(&build->buffers, layer, name, &count, 1));
  layer->buffer_count += count;
  return LS_OK;
}

bool ls_build_keeps_ties(const ls_build *build)
{
  return build->keep_ties;
}

ls_label_form ls_build_labels(const ls_build *build)
{
  return build->labels;
}

bool ls_build_is_last(const ls_build *build)
{
  return build->context.is_last;
}

ls_role ls_build_next(const ls_build *build)
{
  return build->context.next;
}

bool ls_build_freezes(const ls_build *build, const char *layer)
{
  for (size_t i = 0; build->freeze && i < build->freeze->count; i++)
    if (fnmatch(build->freeze->items[i], layer, 0) == 0) return true;
  return false;
}

ls_status ls_build_add_origin(ls_build *build, const char *origin, ls_status status)
{
  if (status == LS_OK || build->has_origin) return status;
  build->has_origin = true;
  return ls_wrap(status, "%s", origin);
}

bool ls_build_fits(const ls_build *build, ls_shape shape)
{
  size_t bytes;
  return ls_size_mul(shape.c, shape.h, &bytes) && ls_size_mul(bytes, shape.w, &bytes) &&
         ls_size_mul(bytes, build->microbatch, &bytes) && ls_size_mul(bytes, sizeof(float), &bytes) &&
         bytes <= (size_t)1 << 48;
}

void ls_build_fini(ls_build *build)
{
  free(build->params.items);
  free(build->buffers.items);
}
