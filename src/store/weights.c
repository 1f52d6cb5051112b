/* SPDX-License-Identifier: BSD-3-Clause */
/* The digest of the weights, and the checks that weights and the optimizer's state are valid numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/internal.h"

void ls_digest_chain(char digest[LS_DIGEST_CHARS], const char tensor[LS_DIGEST_CHARS])
{
  char both[2 * LS_DIGEST_CHARS];
  int length = snprintf(both, sizeof both, "%s%s", digest, tensor);
  ls_digest_of(both, (size_t)length, digest);
}

static void chain_tensors(char digest[LS_DIGEST_CHARS], const ls_tensor *tensors, size_t count,
                          const float *values)
{
  for (size_t i = 0; i < count; i++) {
    char tensor[LS_DIGEST_CHARS];
    ls_digest_of(values + tensors[i].offset, tensors[i].count * sizeof(float), tensor);
    ls_digest_chain(digest, tensor);
  }
}

void ls_weights_digest(const ls_model *model, const float *params, const float *buffers,
                       char text[LS_DIGEST_CHARS])
{
  size_t count;
  text[0] = '\0';
  const ls_tensor *tensors = ls_model_params(model, &count);
  chain_tensors(text, tensors, count, params);
  tensors = ls_model_buffers(model, &count);
  chain_tensors(text, tensors, count, buffers);
}

/* Does the name of a tensor say that it is a mean of squares, as in "running_var"? */
static bool is_variance(const char *name)
{
  static const char ending[] = "_var";
  const size_t length = strlen(name), end = strlen(ending);
  return length >= end && strcmp(name + length - end, ending) == 0;
}

static bool are_finite(const float *values, size_t count)
{
  bool all = true;
  for (size_t k = 0; k < count; k++) all &= fabsf(values[k]) < INFINITY;
  return all;
}

static bool has_negative(const float *values, size_t count)
{
  bool any = false;
  for (size_t k = 0; k < count; k++) any |= values[k] < 0.0F;
  return any;
}

/* A list of tensors with their values: weights, or a state vector of the optimizer. */
typedef struct vector {
  const float *values;
  const char *slot; /* NULL: weights */
  bool is_squares;  /* of a slot; for weights the tensor's name says it */
} vector;

static ls_status check_values(const ls_tensor *tensors, size_t count, const vector *of)
{
  const char *slot = of->slot ? of->slot : "", *joint = of->slot ? " of " : "";
  for (size_t i = 0; i < count; i++) {
    const ls_tensor *tensor = &tensors[i];
    const float *own = of->values + tensor->offset;
    const bool is_squares = of->slot ? of->is_squares : is_variance(tensor->name);
    if (!are_finite(own, tensor->count))
      return ls_fail(LS_E_NONFINITE, "a value of %s%s%s.%s is not finite", slot, joint, tensor->layer,
                     tensor->name);
    if (is_squares && has_negative(own, tensor->count))
      return ls_fail(LS_E_INPUT, "%s%s%s.%s has negative values: it is a mean of squares", slot, joint,
                     tensor->layer, tensor->name);
  }
  return LS_OK;
}

ls_status ls_weights_check(const ls_model *model, const float *params, const float *buffers)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(model, &count);
  LS_PASS(check_values(tensors, count, &(vector){.values = params}));
  tensors = ls_model_buffers(model, &count);
  return check_values(tensors, count, &(vector){.values = buffers});
}

ls_status ls_state_check(const ls_state *state)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  LS_PASS(ls_weights_check(state->model, state->params, state->buffers));
  if (state->average.params)
    LS_TRY(ls_weights_check(state->model, state->average.params, state->average.buffers),
           "the moving average");
  for (size_t i = 0; i < state->slot_count; i++) {
    const vector slot = {state->slots[i].data, state->slots[i].name, state->slots[i].is_squares};
    LS_PASS(check_values(tensors, count, &slot));
  }
  return LS_OK;
}
