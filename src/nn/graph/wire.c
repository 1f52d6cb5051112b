/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and inputs of a list's layers. An input is an earlier layer of the same list, so that the order of
 * the list is one in which the layers can be computed, and no cycle can be written. */
#include "nn/graph/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/suggest.h"

static const char previous_word[] = "previous", input_word[] = "input";

ls_status ls_wiring_init(ls_wiring *wiring, const ls_layer_list *specs)
{
  *wiring = (ls_wiring){.specs = specs};
  LS_PASS(ls_alloc(&wiring->names, specs->count, sizeof *wiring->names, "the names of layers"));
  for (size_t i = 0; i < specs->count; i++) {
    const ls_layer_spec *spec = &specs->items[i];
    size_t number = 1;
    for (size_t before = 0; before < i; before++) number += specs->items[before].schema == spec->schema;
    if (spec->name)
      snprintf(wiring->names[i], sizeof wiring->names[i], "%s", spec->name);
    else
      snprintf(wiring->names[i], sizeof wiring->names[i], "%.40s%zu", spec->schema->name, number);
  }
  return LS_OK;
}

void ls_wiring_fini(ls_wiring *wiring)
{
  free(wiring->names);
  wiring->names = NULL;
}

/* The layer of that name; specs->count: none. */
static size_t find(const ls_wiring *wiring, const char *name)
{
  size_t i = 0;
  while (i < wiring->specs->count && strcmp(wiring->names[i], name) != 0) i++;
  return i;
}

ls_status ls_wiring_check_name(const ls_wiring *wiring, size_t i, const char *full_name)
{
  if (strcmp(wiring->names[i], previous_word) == 0)
    return ls_fail(LS_E_CONFIG, "'%s' means the layer before: give the layer another name", previous_word);
  if (find(wiring, wiring->names[i]) == i) return LS_OK;
  return ls_fail(LS_E_CONFIG, "the name '%s' is taken by an earlier layer; give each its own", full_name);
}

static const char *name_of_input(const ls_wiring *wiring, size_t i, size_t k)
{
  const ls_layer_spec *spec = &wiring->specs->items[i];
  return spec->inputs.count > 0 ? spec->inputs.items[k] : spec->input;
}

/* Does layer i take the output of an earlier one? */
static bool takes(const ls_wiring *wiring, size_t i, size_t earlier)
{
  for (size_t k = 0; k < ls_inputs_of(&wiring->specs->items[i]); k++) {
    const char *name = name_of_input(wiring, i, k);
    const bool is_previous = strcmp(name, previous_word) == 0;
    if (is_previous ? earlier + 1 == i : strcmp(name, wiring->names[earlier]) == 0) return true;
  }
  return false;
}

size_t ls_wiring_taker(const ls_wiring *wiring, size_t i)
{
  size_t taker = i + 1;
  while (taker < wiring->specs->count && !takes(wiring, taker, i)) taker++;
  return taker;
}

/* Is the output of layer `first` needed for that of `last`, which comes later? */
static bool leads_to(const ls_wiring *wiring, size_t first, size_t last)
{
  bool *reached = calloc(last + 1, sizeof *reached);
  if (!reached) return false; /* the message names the order instead of the cycle */
  reached[first] = true;
  for (size_t i = first + 1; i <= last; i++)
    for (size_t before = first; before < i && !reached[i]; before++)
      reached[i] = reached[before] && takes(wiring, i, before);
  const bool found = reached[last];
  free(reached);
  return found;
}

static ls_status refuse_input(const ls_wiring *wiring, size_t i, const char *name)
{
  const size_t found = find(wiring, name), count = wiring->specs->count;
  if (found == i) return ls_fail(LS_E_CONFIG, "'%s' takes its own output: a cycle", name);
  if (found < count && leads_to(wiring, i, found))
    return ls_fail(LS_E_CONFIG, "'%s' takes the output of '%s', which is made from that of '%s': a cycle",
                   wiring->names[i], name, wiring->names[i]);
  if (found < count)
    return ls_fail(LS_E_CONFIG, "'%s' comes later in the list: move it before '%s', which takes its output",
                   name, wiring->names[i]);
  ls_text names = {0}, text = {0};
  ls_suggestion suggestion = {.wanted = name};
  for (size_t before = 0; before < i; before++)
    ls_suggestion_offer(&suggestion, wiring->names[before], strlen(wiring->names[before]), &names);
  ls_text_add(&text, "its input '%s' is no layer of this list; expected previous, input%s%s", name,
              i > 0 ? ", " : "", ls_text_get(&names));
  ls_suggestion_add(&suggestion, &text);
  const ls_status status = ls_fail(LS_E_CONFIG, "%s", ls_text_get(&text));
  ls_text_fini(&names);
  ls_text_fini(&text);
  return status;
}

static ls_status find_input(const ls_wiring *wiring, size_t i, const char *name, size_t *input)
{
  const bool is_list_input = strcmp(name, input_word) == 0;
  const size_t found = find(wiring, name);
  if (is_list_input && found < wiring->specs->count)
    return ls_fail(LS_E_CONFIG,
                   "its input '%s' has two readings, what the list is given and the layer of that name: give "
                   "the layer another name",
                   name);
  if (is_list_input || strcmp(name, previous_word) == 0)
    *input = is_list_input || i == 0 ? LS_WIRE_LIST_INPUT : i - 1;
  else if (found < i)
    *input = found;
  else
    return refuse_input(wiring, i, name);
  return LS_OK;
}

ls_status ls_wiring_inputs(const ls_wiring *wiring, size_t i, size_t *inputs)
{
  const ls_layer_spec *spec = &wiring->specs->items[i];
  if (spec->inputs.count > 0 && strcmp(spec->input, previous_word) != 0)
    return ls_fail(LS_E_CONFIG, "both input and inputs: write one of them");
  for (size_t k = 0; k < ls_inputs_of(&wiring->specs->items[i]); k++)
    LS_PASS(find_input(wiring, i, name_of_input(wiring, i, k), &inputs[k]));
  return LS_OK;
}
