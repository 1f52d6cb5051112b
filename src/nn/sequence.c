/* SPDX-License-Identifier: BSD-3-Clause */
/* Building a sequence of layers, planning its buffers, and walking it forward and backward. */
#include "nn/sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"
#include "kernels/profile.h"

#define LIST_KIND(name) &ls_layer_##name,
#define LIST_SCHEMA(name) &ls_layer_##name.schema,

const ls_layer_kind *const ls_layer_kinds[] = {LS_LAYER_LIST(LIST_KIND) NULL};
const ls_schema *const ls_layer_schemas[] = {LS_LAYER_LIST(LIST_SCHEMA) NULL};

static const ls_layer_kind *kind_of(const ls_schema *schema)
{
  for (const ls_layer_kind *const *kind = ls_layer_kinds; *kind; kind++)
    if (&(*kind)->schema == schema) return *kind;
  return NULL;
}

/* The given name, or the kind and the number of layers of that kind so far in this sequence. */
static ls_status name_layer(ls_layer *layer, const ls_layer_list *specs, size_t i, const char *prefix)
{
  const ls_layer_spec *spec = &specs->items[i];
  size_t number = 1;
  for (size_t before = 0; before < i; before++) number += specs->items[before].schema == spec->schema;
  int length = spec->name
                   ? snprintf(layer->name, sizeof layer->name, "%s%s", prefix, spec->name)
                   : snprintf(layer->name, sizeof layer->name, "%s%s%zu", prefix, spec->schema->name, number);
  if (length < 0 || (size_t)length >= sizeof layer->name)
    return ls_fail(LS_E_CONFIG, "its full name is longer than %zu characters", sizeof layer->name - 1);
  return LS_OK;
}

static ls_status check_name(const ls_sequence *sequence, size_t i, const char *prefix)
{
  const char *name = sequence->items[i].layer.name;
  if (prefix[0] && strcmp(name + strlen(prefix), "shortcut") == 0)
    return ls_fail(LS_E_CONFIG, "no layer in a residual block may be called 'shortcut'");
  for (size_t before = 0; before < i; before++)
    if (strcmp(sequence->items[before].layer.name, name) == 0)
      return ls_fail(LS_E_CONFIG, "the name '%s' is taken by an earlier layer; give each its own", name);
  return LS_OK;
}

/* What the output of layer i meets first, looking through layers that only pass values on. */
static ls_role next_role(const ls_layer_list *specs, size_t i, ls_role after)
{
  for (size_t next = i + 1; next < specs->count; next++) {
    const ls_role role = kind_of(specs->items[next].schema)->role;
    if (role != LS_ROLE_NEUTRAL) return role;
  }
  return after;
}

/* Give out a layer's part of a vector; the parts of inner layers, which were given out meanwhile, are its
 * own.
 */
static void take(size_t *given, size_t offset, size_t *count)
{
  if (*given == offset)
    *given += ls_floats_aligned(*count);
  else
    *count = *given - offset;
}

/* Create a layer of the kind; what it is given is also for its inner ones. */
static ls_status create_kind(ls_layer *layer, const ls_layer_spec *spec, ls_build *build)
{
  const bool outer_frozen = build->frozen;
  const double outer_factor = build->lr_factor;
  layer->frozen = outer_frozen || spec->freeze || ls_build_freezes(build, layer->name);
  layer->lr_factor = outer_factor * spec->lr_factor;
  build->frozen = layer->frozen;
  build->lr_factor = layer->lr_factor;
  const ls_status status = layer->kind->create(layer, spec->options, build);
  build->frozen = outer_frozen;
  build->lr_factor = outer_factor;
  if (layer->frozen) layer->grad_count = 0;
  return status;
}

/* Give the layer its place in the model's vectors, create it, and count what it took. */
static ls_status create_layer(ls_layer *layer, const ls_layer_spec *spec, ls_build *build)
{
  layer->kind = kind_of(spec->schema);
  layer->index = build->layers++;
  layer->microbatch = build->microbatch;
  layer->param_offset = build->params.floats;
  layer->buffer_offset = build->buffers.floats;
  layer->grad_offset = build->grads;
  layer->packed_offset = build->packed;
  LS_PASS(create_kind(layer, spec, build));
  layer->param_count = build->params.floats - layer->param_offset;
  layer->buffer_count = build->buffers.floats - layer->buffer_offset;
  take(&build->grads, layer->grad_offset, &layer->grad_count);
  take(&build->packed, layer->packed_offset, &layer->packed_count);
  if (!ls_build_fits(build, layer->out))
    return ls_fail(
        LS_E_CONFIG,
        "its output of %zux%zux%zu (channels, rows, columns) for each of %zu samples is larger than "
        "this machine can address: use a smaller train.microbatch",
        layer->out.c, layer->out.h, layer->out.w, layer->microbatch);
  return LS_OK;
}

static ls_status add_layer(ls_sequence *sequence, const ls_layer_list *specs, size_t i,
                           const ls_sequence_place *place, ls_build *build)
{
  ls_layer *layer = &sequence->items[i].layer;
  LS_PASS(name_layer(layer, specs, i, place->prefix));
  LS_PASS(check_name(sequence, i, place->prefix));
  build->next = next_role(specs, i, place->next);
  build->is_last = place->prefix[0] == '\0' && i + 1 == specs->count;
  return create_layer(layer, &specs->items[i], build);
}

/* Told once, by the innermost layer: a place in a residual block's body holds that of the block. */
static ls_status report_place(ls_build *build, const char *place, ls_status status)
{
  if (status == LS_OK || build->is_placed) return status;
  build->is_placed = true;
  return ls_wrap(status, "%s", place);
}

static ls_status build_layers(ls_sequence *sequence, const ls_layer_list *specs,
                              const ls_sequence_place *place, ls_build *build)
{
  bool input_is_data = place->input_is_data;
  ls_shape shape = sequence->in;
  for (size_t i = 0; i < specs->count; i++) {
    ls_layer *layer = &sequence->items[i].layer;
    layer->in = shape;
    layer->input_is_data = input_is_data;
    sequence->count = i + 1;
    LS_PASS(report_place(build, specs->items[i].origin, add_layer(sequence, specs, i, place, build)));
    input_is_data = input_is_data && layer->grad_count == 0;
    if (layer->grad_count > 0 && sequence->first_trained == specs->count) sequence->first_trained = i;
    shape = layer->out;
  }
  sequence->out = shape;
  return LS_OK;
}

static bool absorbs(const ls_sequence_item *item)
{
  return item->layer.kind->absorbs_relu;
}

/* Leave relus to the layers beside them that can do their work; they must be able to stay in place. */
static void absorb_relus(ls_sequence *sequence)
{
  for (size_t i = 1; i < sequence->count; i++) {
    ls_sequence_item *item = &sequence->items[i];
    if (!item->layer.kind->is_absorbable || item[-1].layer.kind->backward_reads_y) continue;
    ls_sequence_item *other = i + 1 < sequence->count && absorbs(item + 1) ? item + 1 : item - 1;
    if (!absorbs(other)) continue;
    item->is_absorbed = true;
    other->layer.rectifies = true;
  }
}

static size_t output_floats(const ls_layer *layer)
{
  return ls_floats_aligned(layer->microbatch * ls_shape_count(layer->out));
}

/* Which layers work in place, where outputs lie, and how large the shared buffers are. */
static void plan_buffers(ls_sequence *sequence)
{
  size_t layer_scratch = 0;
  for (size_t i = sequence->count; i-- > 0;) {
    ls_sequence_item *item = &sequence->items[i];
    const ls_layer *layer = &item->layer;
    const ls_sequence_item *next = i + 1 < sequence->count ? item + 1 : NULL;
    item->in_place = i > 0 && layer->kind->in_place && !layer->kind->backward_reads_x &&
                     !sequence->items[i - 1].layer.kind->backward_reads_y;
    item->is_output = !next || (next->in_place && next->is_output);
    if (next && next->in_place) {
      item->y_offset = next->y_offset;
    } else if (next) {
      item->y_offset = sequence->saved_count;
      sequence->saved_count += output_floats(layer);
    }
    item->saved_offset = sequence->saved_count;
    sequence->saved_count += ls_floats_aligned(layer->saved_count);
    layer_scratch = ls_size_max(layer_scratch, ls_floats_aligned(layer->scratch_count));
    if (next) sequence->gradient_count = ls_size_max(sequence->gradient_count, output_floats(layer));
  }
  sequence->scratch_count = layer_scratch + 2 * sequence->gradient_count;
}

ls_status ls_sequence_init(ls_sequence *sequence, const ls_layer_list *specs, ls_shape in,
                           const ls_sequence_place *place, ls_build *build)
{
  *sequence = (ls_sequence){.in = in, .first_trained = specs->count};
  LS_PASS(ls_alloc(&sequence->items, specs->count, sizeof *sequence->items, "the layers"));
  LS_PASS(build_layers(sequence, specs, place, build));
  absorb_relus(sequence);
  plan_buffers(sequence);
  return LS_OK;
}

void ls_sequence_fini(ls_sequence *sequence)
{
  for (size_t i = 0; i < sequence->count; i++) {
    ls_layer *layer = &sequence->items[i].layer;
    if (layer->kind && layer->kind->destroy) layer->kind->destroy(layer);
  }
  free(sequence->items);
  *sequence = (ls_sequence){.count = 0};
}

bool ls_sequence_reads_y(const ls_sequence *sequence)
{
  return sequence->items[sequence->count - 1].layer.kind->backward_reads_y;
}

void ls_sequence_visit(const ls_sequence *sequence,
                       void (*visit)(const ls_layer *layer, size_t depth, void *user), size_t depth,
                       void *user)
{
  for (size_t i = 0; i < sequence->count; i++) {
    const ls_layer *layer = &sequence->items[i].layer;
    visit(layer, depth, user);
    if (layer->kind->visit) layer->kind->visit(layer, visit, depth + 1, user);
  }
}

void ls_sequence_init_params(const ls_sequence *sequence, uint64_t seed, float *params, float *buffers)
{
  for (size_t i = 0; i < sequence->count; i++) {
    const ls_layer *layer = &sequence->items[i].layer;
    if (layer->kind->init) layer->kind->init(layer, seed, params, buffers);
  }
}

void ls_sequence_update_buffers(const ls_sequence *sequence, const float *stats, float *buffers)
{
  for (size_t i = 0; i < sequence->count; i++) {
    const ls_layer *layer = &sequence->items[i].layer;
    if (layer->kind->update_buffers && !layer->frozen) layer->kind->update_buffers(layer, stats, buffers);
  }
}

/* Layer i's output, the sequence's own or its place in saved: for writing and for reading. */
static float *output_of(const ls_sequence *sequence, size_t i, float *y, float *saved)
{
  const ls_sequence_item *item = &sequence->items[i];
  return item->is_output ? y : saved + item->y_offset;
}

static const float *read_output(const ls_sequence *sequence, size_t i, const float *y, const float *saved)
{
  const ls_sequence_item *item = &sequence->items[i];
  return item->is_output ? y : saved + item->y_offset;
}

void ls_sequence_forward(const ls_sequence *sequence, const ls_pass *pass, const float *x, float *y,
                         float *saved, float *scratch)
{
  float *layer_scratch = scratch + 2 * sequence->gradient_count;
  const ls_pass frozen = ls_pass_frozen(pass);
  for (size_t i = 0; i < sequence->count; i++) {
    const ls_sequence_item *item = &sequence->items[i];
    float *out = output_of(sequence, i, y, saved);
    if (item->is_absorbed) continue;                                  /* its output is its input */
    if (item->layer.frozen) (void)ls_layer_stats(&item->layer, pass); /* none, but they are summed */
    item->layer.kind->forward(&item->layer, item->layer.frozen ? &frozen : pass, x, out,
                              saved + item->saved_offset, layer_scratch);
    ls_profile_lap(pass->profile, item->layer.index, LS_PHASE_FORWARD);
    if (pass->observe) pass->observe(pass->observer, &item->layer, out);
    x = out;
  }
}

void ls_sequence_backward(const ls_sequence *sequence, const ls_pass *pass, const float *x, const float *y,
                          float *dy, float *dx, float *saved, float *scratch)
{
  float *layer_scratch = scratch + 2 * sequence->gradient_count;
  float *const buffers[2] = {scratch, scratch + sequence->gradient_count};
  const ls_pass frozen = ls_pass_frozen(pass);
  /* Where dx is not wanted, layers before the first trained parameters need no gradient. */
  const size_t end = dx ? 0 : sequence->first_trained;
  for (size_t i = sequence->count; i-- > end;) {
    const ls_sequence_item *item = &sequence->items[i];
    if (item->is_absorbed) continue;
    const float *in = i == 0 ? x : read_output(sequence, i - 1, y, saved);
    const float *out = read_output(sequence, i, y, saved);
    float *to = i == end ? dx : item->layer.kind->in_place ? dy : dy == buffers[0] ? buffers[1] : buffers[0];
    item->layer.kind->backward(&item->layer, item->layer.frozen ? &frozen : pass, in, out, dy, to,
                               saved + item->saved_offset, layer_scratch);
    ls_profile_lap(pass->profile, item->layer.index, LS_PHASE_BACKWARD_DATA);
    if (item->layer.grad_count > 0) ls_pass_done(pass, item->layer.grad_offset);
    dy = to;
  }
}
