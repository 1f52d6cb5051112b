/* SPDX-License-Identifier: BSD-3-Clause */
/* From YAML text to a checked ls_spec and back. */
#ifndef LS_CONFIG_CONFIG_H
#define LS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "config/spec.h"

/** Parse, override, check and complete a configuration.
 *
 * @param[out] out             the configuration; freed with ls_spec_free()
 * @param[in]  text            YAML text
 * @param[in]  file            its name in messages
 * @param[in]  overrides       `key.path=value` texts, the last one of a key counts; the value is YAML, so
 * that `train.optimizer={type: adam}` works; a layer is reached as model.layers[INDEX].key or
 * model.layers.NAME.key, also in a residual's body
 * @param[in]  override_count  number of overrides
 * @param[in]  schemas         the kinds that may be named
 *
 * Local. Errors: LS_E_CONFIG with "file:line:column: key.path: what, allowed values, remedy"
 * (overrides: "override 'text': ..."); LS_E_MEMORY.
 */
ls_status ls_config_parse(ls_spec **out, const char *text, const char *file, const char *const *overrides,
                          size_t override_count, const ls_schemas *schemas) LS_CHECKED;

/** Is a text an override: key.path=value, with the path of a known section or key? Local. */
bool ls_config_is_override(const char *text);

void ls_spec_free(ls_spec *spec);

/** A step cannot have more than the `samples` that there are, at least one: cut batch and micro-batch to
 * that. */
void ls_config_limit_batch(ls_spec_train *train, size_t samples);

/** Append the resolved configuration as YAML, every key written out; parsing it gives the same spec. */
void ls_config_emit(const ls_spec *spec, ls_text *yaml);

/** Append a line for each value that is not the preset, and has no effect beside the others, and for each
 * layer whose kind has something to say: "key: value: why". */
void ls_config_notes(const ls_spec *spec, ls_text *lines);

/** Path of the index-th key of a configuration, the same in all; NULL behind the last. */
const char *ls_config_key_path(const ls_spec *spec, size_t index);

/** Append the value of one key, as ls_config_emit() writes it. `path` is a key of the table. */
void ls_config_emit_key(const ls_spec *spec, const char *path, ls_text *yaml);

/** Append the reference of all keys: path, type, default, range or words, unit, sentence; kinds included. */
void ls_config_help(const ls_schemas *schemas, ls_text *help);

#endif
