/* SPDX-License-Identifier: BSD-3-Clause */
/* A YAML document as libyaml loads it, in the subset of YAML that a configuration needs, with the origin of
 * every node: a line and column of the file, or the override that brought it. Private to the module.
 *
 * Nodes are named by their number in the document (1, 2, ...), because libyaml moves them when it adds one;
 * 0 is "no node". */
#ifndef LS_CONFIG_DOCUMENT_H
#define LS_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/status.h"
#include "base/text.h"
#include "config/value.h"

enum { LS_FOUND_BYTES = LS_EXCERPT_BYTES + 24 };

typedef struct ls_document {
  yaml_document_t yaml;
  bool is_loaded;               /* yaml is to be released */
  const char *file;             /* borrowed; NULL: messages name no origin */
  const char *const *overrides; /* borrowed; those that were applied, in order */
  int *first_nodes;             /* override i brought the nodes from first_nodes[i] up to the next one's */
  size_t override_count;
} ls_document;

/** The path of a value in the configuration: a list on the stack of the binder, innermost first. */
typedef struct ls_path {
  const struct ls_path *parent; /* NULL at the top */
  const char *key;              /* "train.optimizer"; NULL: an item of a sequence */
  size_t index;                 /* of that item */
} ls_path;

/** Load the one document of a text.
 *
 * Refused: a second document, anchors and aliases (a configuration is a tree), tags, nesting deeper than
 * LS_CONFIG_DEPTH_MAX, zero bytes. ls_document_root() is 0 if the text holds nothing.
 * `out` is released with ls_document_fini(), also after an error.
 * Local. Errors: LS_E_CONFIG "file:line:column: ..."; LS_E_MEMORY.
 */
ls_status ls_document_load(ls_document *out, const char *text, const char *file) LS_CHECKED;
void ls_document_fini(ls_document *document);

/** The outermost node; 0 for an empty text. */
int ls_document_root(const ls_document *document);

/** A node, borrowed until the document grows. */
const yaml_node_t *ls_document_node(const ls_document *document, int node);

/** The text of a scalar node, borrowed; NULL for other nodes. */
const char *ls_document_scalar(const ls_document *document, int node);

/** Number of items of a sequence, or of pairs of a mapping; 0 for a scalar. */
size_t ls_document_size(const ls_document *document, int node);

int ls_document_item(const ls_document *document, int sequence, size_t i);
yaml_node_pair_t ls_document_pair(const ls_document *document, int mapping, size_t i);

/** The value of a key of `length` characters; 0 if the mapping has no such key. The first, if it comes twice.
 */
int ls_document_find(const ls_document *document, int mapping, const char *key, size_t length);

/** The value at the end of a dotted path below a mapping, or the last mapping on the way to it. */
int ls_document_descend(const ls_document *document, int mapping, const char *path);

/** Did an override bring this node? */
bool ls_document_is_overridden(const ls_document *document, int node);

/** Describe a node for a message: "'12 apples'", "a list", "a mapping", "nothing". Returns `found`. */
const char *ls_document_describe(const ls_document *document, int node, char found[LS_FOUND_BYTES]);

/** Append where a node is from: "lenet5.yaml:14:7", or "override 'train.lr=x'". */
void ls_document_origin(const ls_document *document, int node, ls_text *out);

/** Append a key path: "model.layers[3].filters"; "" for NULL. */
void ls_path_text(const ls_path *path, ls_text *out);

/** Put "origin: path: " in front of the chain. Returns `status`. */
ls_status ls_document_wrap(const ls_document *document, int node, const ls_path *path,
                           ls_status status) LS_CHECKED;

#endif
