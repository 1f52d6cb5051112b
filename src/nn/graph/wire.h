/* SPDX-License-Identifier: BSD-3-Clause */
/* Who takes whose output in a list of layers, from the names in the configuration. Private to the graph. */
#ifndef LS_NN_GRAPH_WIRE_H
#define LS_NN_GRAPH_WIRE_H

#include "nn/layer.h"

/** Instead of a layer of a list: what the list is given. */
#define LS_WIRE_LIST_INPUT SIZE_MAX

/** Names of a list's layers, given ones and made ones. */
typedef struct ls_wiring {
  const ls_layer_list *specs;
  char (*names)[LS_LAYER_NAME_BYTES]; /* [specs->count], without prefix; owned */
} ls_wiring;

/** Name the layers: as given, or by the kind and the number of layers of that kind so far in the list. On
 * error ls_wiring_fini() is still due. Local. Errors: LS_E_MEMORY. */
ls_status ls_wiring_init(ls_wiring *wiring, const ls_layer_list *specs) LS_CHECKED;
void ls_wiring_fini(ls_wiring *wiring);

/** Local. Errors: LS_E_CONFIG if an earlier layer of the list has the name of layer i, or it is a word that
 * means another; the message has the full name. */
ls_status ls_wiring_check_name(const ls_wiring *wiring, size_t i, const char *full_name) LS_CHECKED;

/** How many inputs a layer takes. */
static inline size_t ls_inputs_of(const ls_layer_spec *spec)
{
  return spec->inputs.count > 0 ? spec->inputs.count : 1;
}

/** Find the layers that layer i takes, positions below i or LS_WIRE_LIST_INPUT, into inputs[count]. Local.
 * Errors: LS_E_CONFIG: no such layer, or not one before it. */
ls_status ls_wiring_inputs(const ls_wiring *wiring, size_t i, size_t *inputs) LS_CHECKED;

/** The first layer behind i that takes its output; specs->count: none. */
size_t ls_wiring_taker(const ls_wiring *wiring, size_t i);

#endif
