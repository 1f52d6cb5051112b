/* SPDX-License-Identifier: BSD-3-Clause */
/* An override is a small YAML document that is inserted into the large one. Nothing here knows types, ranges
 * or keys: the binder treats an inserted value as any other, and its messages name the override. */
#include "config/override.h"

#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "config/config.h"
#include "config/rows.h"
#include "config/value.h"

/* One step of a path: `.key` or `[index]`. */
struct step {
  const char *key; /* not terminated; NULL: an index */
  size_t length;   /* of the key */
  size_t index;
  size_t end; /* of the step in the path: path[0..end) leads to here */
};

/* ---- the path ---- */

static ls_status parse_index(const char *path, size_t length, size_t at, struct step *out)
{
  char digits[24];
  size_t count = strspn(path + at + 1, "0123456789");
  uint64_t index;
  bool closed = at + 1 + count < length && path[at + 1 + count] == ']';
  if (!closed || count == 0 || count >= sizeof digits)
    return ls_fail(LS_E_CONFIG, "expected an index such as [0] after '%.*s'", (int)at, path);
  memcpy(digits, path + at + 1, count);
  digits[count] = '\0';
  if (!ls_parse_count(digits, &index)) return ls_fail(LS_E_CONFIG, "the index %s is too large", digits);
  *out = (struct step){.index = index, .end = at + count + 2};
  return LS_OK;
}

/* The step that starts at path[at]; the path has `length` characters. */
static ls_status parse_step(const char *path, size_t length, size_t at, struct step *out)
{
  if (at > 0 && path[at] == '[') return parse_index(path, length, at, out);
  bool joined = at == 0 || path[at] == '.';
  size_t first = at + (at > 0);
  size_t count = joined && first < length ? strspn(path + first, LS_NAME_CHARACTERS) : 0;
  if (count == 0)
    return ls_fail(LS_E_CONFIG,
                   "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8");
  *out = (struct step){.key = path + first, .length = count, .end = first + count};
  return LS_OK;
}

static ls_status parse_path(const char *path, size_t length, struct step steps[LS_CONFIG_DEPTH_MAX],
                            size_t *count)
{
  *count = 0;
  size_t at = 0;
  do {
    if (*count == LS_CONFIG_DEPTH_MAX)
      return ls_fail(LS_E_CONFIG, "a path of more than %d steps", LS_CONFIG_DEPTH_MAX);
    LS_PASS(parse_step(path, length, at, &steps[*count]));
    at = steps[*count].end;
    (*count)++;
  } while (at < length);
  return LS_OK;
}

/* ---- growing the document ---- */

static ls_status no_memory(void)
{
  return ls_fail(LS_E_MEMORY, "no memory for a YAML document");
}

static ls_status add_scalar(ls_document *to, const char *text, size_t length, yaml_scalar_style_t style,
                            int *node)
{
  if (length > INT_MAX) return no_memory();
  *node = yaml_document_add_scalar(&to->yaml, NULL, (const yaml_char_t *)text, (int)length, style);
  return *node ? LS_OK : no_memory();
}

static ls_status add_pair(ls_document *to, int mapping, int key, int value)
{
  return yaml_document_append_mapping_pair(&to->yaml, mapping, key, value) ? LS_OK : no_memory();
}

static ls_status copy(ls_document *to, const ls_document *from, int node, int *out);

static ls_status copy_sequence(ls_document *to, const ls_document *from, int node, int *out)
{
  *out = yaml_document_add_sequence(&to->yaml, NULL, YAML_ANY_SEQUENCE_STYLE);
  if (!*out) return no_memory();
  size_t count = ls_document_size(from, node);
  for (size_t i = 0; i < count; i++) {
    int item;
    LS_PASS(copy(to, from, ls_document_item(from, node, i), &item));
    if (!yaml_document_append_sequence_item(&to->yaml, *out, item)) return no_memory();
  }
  return LS_OK;
}

static ls_status copy_mapping(ls_document *to, const ls_document *from, int node, int *out)
{
  *out = yaml_document_add_mapping(&to->yaml, NULL, YAML_ANY_MAPPING_STYLE);
  if (!*out) return no_memory();
  size_t count = ls_document_size(from, node);
  for (size_t i = 0; i < count; i++) {
    yaml_node_pair_t pair = ls_document_pair(from, node, i);
    int key, value;
    LS_PASS(copy(to, from, pair.key, &key));
    LS_PASS(copy(to, from, pair.value, &value));
    LS_PASS(add_pair(to, *out, key, value));
  }
  return LS_OK;
}

/* Copy a node and all below it; at most LS_CONFIG_DEPTH_MAX levels, as loading sees to. */
static ls_status copy(ls_document *to, const ls_document *from, int node, int *out)
{
  const yaml_node_t *source = ls_document_node(from, node);
  if (source->type == YAML_SEQUENCE_NODE) return copy_sequence(to, from, node, out);
  if (source->type == YAML_MAPPING_NODE) return copy_mapping(to, from, node, out);
  return add_scalar(to, (const char *)source->data.scalar.value, source->data.scalar.length,
                    source->data.scalar.style, out);
}

/* Parse YAML and put it into the document, not yet reachable from its root. */
static ls_status graft(ls_document *to, const char *text, int *out)
{
  ls_document value;
  ls_status status;
  LS_GO(ls_document_load(&value, text, NULL));
  if (ls_document_root(&value) == 0)
    status = ls_fail(LS_E_CONFIG, "a value is missing after '='");
  else
    status = copy(to, &value, ls_document_root(&value), out);
done:
  ls_document_fini(&value);
  return status;
}

static const ls_key *find_row(const char *path, size_t length)
{
  size_t i = 0;
  const ls_key *key;
  while ((key = ls_spec_key(i)) && (strlen(key->path) != length || memcmp(key->path, path, length) != 0)) i++;
  return key;
}

/* Where the file lacks the path of an override, insert the default first, so that train.optimizer.lr=0.1
 * works without naming the default optimizer. */
static ls_status add_section(ls_document *to, const char *path, size_t length, int *out)
{
  const ls_key *key = find_row(path, length);
  const bool is_kind = key && (key->type == LS_KEY_KIND || key->type == LS_KEY_NAMED_KIND);
  if (is_kind && key->preset) return graft(to, key->preset, out);
  *out = yaml_document_add_mapping(&to->yaml, NULL, YAML_ANY_MAPPING_STYLE);
  return *out ? LS_OK : no_memory();
}

/* Give a kind that is there by its name alone a place for keys, so that train.loss.gamma=3 works where the
 * file says loss: focal. */
static ls_status open_kind(ls_document *to, const char *path, size_t length, int *node)
{
  const ls_key *key = find_row(path, length);
  const char *name = ls_document_scalar(to, *node);
  if (!name || !key || key->type != LS_KEY_NAMED_KIND) return LS_OK;
  for (const char *const *word = key->words; word && *word; word++)
    if (strcmp(*word, name) == 0) return LS_OK;
  int type;
  const int mapping = yaml_document_add_mapping(&to->yaml, NULL, YAML_ANY_MAPPING_STYLE);
  if (!mapping) return no_memory();
  LS_PASS(add_scalar(to, "type", strlen("type"), YAML_PLAIN_SCALAR_STYLE, &type));
  LS_PASS(add_pair(to, mapping, type, *node));
  *node = mapping;
  return LS_OK;
}

/* ---- following the path ---- */

static bool is_named(const ls_document *document, int item, const struct step *step)
{
  int name = ls_document_find(document, item, "name", strlen("name"));
  const char *text = name ? ls_document_scalar(document, name) : NULL;
  return text && strlen(text) == step->length && memcmp(text, step->key, step->length) == 0;
}

static ls_status fail_unnamed(const ls_document *document, int sequence, const struct step *step)
{
  ls_text names = {0};
  size_t count = ls_document_size(document, sequence);
  for (size_t i = 0; i < count; i++) {
    int name = ls_document_find(document, ls_document_item(document, sequence, i), "name", strlen("name"));
    const char *text = name ? ls_document_scalar(document, name) : NULL;
    char excerpt[LS_EXCERPT_BYTES];
    if (text) ls_text_add(&names, "%s%s", names.length > 0 ? ", " : "", ls_excerpt(excerpt, text));
  }
  ls_status status =
      ls_fail(LS_E_CONFIG, "no item is named '%.*s'; named are: %s; others are reached by index, such as [0]",
              (int)step->length, step->key, names.length > 0 ? ls_text_get(&names) : "none");
  ls_text_fini(&names);
  return status;
}

static ls_status find_item(const ls_document *document, int sequence, const struct step *step, size_t *found)
{
  size_t count = ls_document_size(document, sequence);
  *found = step->index;
  if (!step->key && step->index < count) return LS_OK;
  if (!step->key)
    return ls_fail(LS_E_CONFIG, "there is no item [%zu]; the list has %zu, counted from 0", step->index,
                   count);
  size_t matches = 0;
  for (size_t i = 0; i < count; i++) {
    if (!is_named(document, ls_document_item(document, sequence, i), step)) continue;
    if (matches++ == 0) *found = i;
  }
  if (matches == 0) return fail_unnamed(document, sequence, step);
  if (matches == 1) return LS_OK;
  return ls_fail(LS_E_CONFIG, "%zu items are named '%.*s'; use an index, such as [%zu]", matches,
                 (int)step->length, step->key, *found);
}

/* Find the memory that holds the number of the step's node; *slot is NULL if a mapping lacks the key. */
static ls_status find_slot(ls_document *document, int parent, const struct step *step, int **slot)
{
  yaml_node_t *node = yaml_document_get_node(&document->yaml, parent);
  *slot = NULL;
  if (node->type == YAML_SEQUENCE_NODE) {
    size_t i;
    LS_PASS(find_item(document, parent, step, &i));
    *slot = node->data.sequence.items.start + i;
    return LS_OK;
  }
  if (!step->key) return ls_fail(LS_E_CONFIG, "an index needs a list; there is none");
  if (node->type == YAML_SCALAR_NODE)
    return ls_fail(LS_E_CONFIG, "there is a value, which has no key '%.*s'", (int)step->length, step->key);
  int value = ls_document_find(document, parent, step->key, step->length);
  for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; value && !*slot; pair++)
    if (pair->value == value) *slot = &pair->value;
  return LS_OK;
}

/* Go one step down from `parent`; `value` is put there, unless it is 0. */
static ls_status go(ls_document *document, const char *path, const struct step *step, int parent, int value,
                    int *child)
{
  int *slot;
  LS_PASS(find_slot(document, parent, step, &slot));
  *child = value ? value : slot ? *slot : 0;
  if (!*child) LS_PASS(add_section(document, path, step->end, child));
  if (!value) LS_PASS(open_kind(document, path, step->end, child));
  if (slot) {
    *slot = *child;
    return LS_OK;
  }
  int key;
  LS_PASS(add_scalar(document, step->key, step->length, YAML_PLAIN_SCALAR_STYLE, &key));
  return add_pair(document, parent, key, *child);
}

static ls_status apply(ls_document *document, const char *text)
{
  size_t length = strcspn(text, "=");
  if (text[length] == '\0') return ls_fail(LS_E_CONFIG, "expected key.path=value, such as train.epochs=5");
  struct step steps[LS_CONFIG_DEPTH_MAX];
  size_t count;
  LS_PASS(parse_path(text, length, steps, &count));
  int value;
  LS_PASS(graft(document, text + length + 1, &value));
  int node = ls_document_root(document);
  for (size_t i = 0; i < count; i++) {
    size_t before = i > 0 ? steps[i - 1].end : 0;
    LS_TRY(go(document, text, &steps[i], node, i + 1 == count ? value : 0, &node), "%.*s", (int)before, text);
  }
  return LS_OK;
}

/* Does the path begin with a key's first step? */
bool ls_config_is_override(const char *text)
{
  const size_t first = strspn(text, LS_NAME_CHARACTERS);
  if (first == 0 || text[strspn(text, LS_NAME_CHARACTERS ".[]")] != '=') return false;
  const ls_key *key;
  for (size_t i = 0; (key = ls_spec_key(i)); i++)
    if (strcspn(key->path, ".") == first && memcmp(key->path, text, first) == 0) return true;
  return false;
}

ls_status ls_overrides_apply(ls_document *document, const char *const *overrides, size_t count)
{
  LS_PASS(ls_alloc(&document->first_nodes, count, sizeof *document->first_nodes, "the overrides"));
  document->overrides = overrides;
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t nodes = document->yaml.nodes.top - document->yaml.nodes.start;
    document->first_nodes[i] = (int)nodes + 1;
    document->override_count = i + 1;
    char excerpt[LS_EXCERPT_BYTES];
    LS_TRY(apply(document, overrides[i]), "override '%s'", ls_excerpt(excerpt, overrides[i]));
  }
  return LS_OK;
}
