/* SPDX-License-Identifier: BSD-3-Clause */
/* Loading reads the text twice. First as events: contents that a configuration may not have are refused with
 * their exact position, before they take memory or time. Then as libyaml's document. */
#include "config/document.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rows.h"

/* ---- messages ---- */

/* A position in a file; libyaml counts from 0. */
static ls_status wrap_mark(const char *file, yaml_mark_t mark, ls_status status)
{
  if (!file) return status;
  return ls_wrap(status, "%s:%zu:%zu", file, mark.line + 1, mark.column + 1);
}

/* The reader of bytes gives no line, only an offset. */
static yaml_mark_t mark_at_offset(const char *text, size_t offset)
{
  yaml_mark_t mark = {.index = offset};
  for (size_t i = 0; i < offset && text[i] != '\0'; i++) {
    bool ends_line = text[i] == '\n';
    mark.line += ends_line;
    mark.column = ends_line ? 0 : mark.column + 1;
  }
  return mark;
}

static bool is_tab_at(const char *text, yaml_mark_t mark)
{
  for (size_t line = 0; line < mark.line && text; line++) {
    text = strchr(text, '\n');
    if (text) text++;
  }
  return text && strnlen(text, mark.column + 1) > mark.column && text[mark.column] == '\t';
}

static ls_status fail_parser(const yaml_parser_t *parser, const char *text, const char *file)
{
  const char *problem = parser->problem;
  if (!problem) return ls_fail(LS_E_MEMORY, "no memory to parse YAML"); /* the one error without a text */
  if (parser->error == YAML_READER_ERROR) {
    ls_status status = ls_fail(LS_E_CONFIG, "not UTF-8 text: %s", problem);
    return wrap_mark(file, mark_at_offset(text, parser->problem_offset), status);
  }
  const char *remedy = is_tab_at(text, parser->problem_mark) ? "; indent with spaces, not with tabs" : "";
  ls_status status;
  if (parser->context)
    status = ls_fail(LS_E_CONFIG, "not valid YAML: %s (%s)%s", problem, parser->context, remedy);
  else
    status = ls_fail(LS_E_CONFIG, "not valid YAML: %s%s", problem, remedy);
  return wrap_mark(file, parser->problem_mark, status);
}

/* ---- the check of the events ---- */

struct survey {
  size_t documents;
  size_t depth;
};

static ls_status refuse_labels(const yaml_char_t *anchor, const yaml_char_t *tag)
{
  if (anchor)
    return ls_fail(LS_E_CONFIG, "anchors and aliases (&name, *name) are not supported; write the value out");
  if (tag) return ls_fail(LS_E_CONFIG, "tags (!name) are not supported; remove it");
  return LS_OK;
}

static ls_status see_document(struct survey *survey, const yaml_event_t *event)
{
  (void)event;
  survey->documents++;
  if (survey->documents == 1) return LS_OK;
  return ls_fail(LS_E_CONFIG, "a second document starts here; a configuration is one document");
}

static ls_status see_alias(struct survey *survey, const yaml_event_t *event)
{
  (void)survey;
  return refuse_labels(event->data.alias.anchor, NULL);
}

static ls_status see_scalar(struct survey *survey, const yaml_event_t *event)
{
  (void)survey;
  if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
    return ls_fail(LS_E_CONFIG, "the text holds a zero byte");
  return refuse_labels(event->data.scalar.anchor, event->data.scalar.tag);
}

static ls_status deepen(struct survey *survey)
{
  survey->depth++;
  if (survey->depth <= LS_CONFIG_DEPTH_MAX) return LS_OK;
  return ls_fail(LS_E_CONFIG, "nested too deeply: more than %d levels", LS_CONFIG_DEPTH_MAX);
}

static ls_status see_sequence(struct survey *survey, const yaml_event_t *event)
{
  LS_PASS(deepen(survey));
  return refuse_labels(event->data.sequence_start.anchor, event->data.sequence_start.tag);
}

static ls_status see_mapping(struct survey *survey, const yaml_event_t *event)
{
  LS_PASS(deepen(survey));
  return refuse_labels(event->data.mapping_start.anchor, event->data.mapping_start.tag);
}

static ls_status see_end(struct survey *survey, const yaml_event_t *event)
{
  (void)event;
  survey->depth--;
  return LS_OK;
}

static ls_status see(struct survey *survey, const yaml_event_t *event)
{
  static ls_status (*const sights[])(struct survey * survey, const yaml_event_t *event) = {
      [YAML_DOCUMENT_START_EVENT] = see_document, [YAML_ALIAS_EVENT] = see_alias,
      [YAML_SCALAR_EVENT] = see_scalar,           [YAML_SEQUENCE_START_EVENT] = see_sequence,
      [YAML_SEQUENCE_END_EVENT] = see_end,        [YAML_MAPPING_START_EVENT] = see_mapping,
      [YAML_MAPPING_END_EVENT] = see_end,
  };
  size_t type = event->type;
  return type < sizeof sights / sizeof sights[0] && sights[type] ? sights[type](survey, event) : LS_OK;
}

static ls_status start(yaml_parser_t *parser, const char *text)
{
  if (!yaml_parser_initialize(parser)) return ls_fail(LS_E_MEMORY, "no memory to parse YAML");
  static const char byte_order_mark[] = "\xEF\xBB\xBF"; /* some editors put it before UTF-8 */
  if (strncmp(text, byte_order_mark, 3) == 0) text += 3;
  yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(parser, (const unsigned char *)text, strlen(text));
  return LS_OK;
}

static ls_status survey_text(const char *text, const char *file)
{
  yaml_parser_t parser;
  LS_PASS(start(&parser, text));
  struct survey survey = {0};
  ls_status status = LS_OK;
  for (bool ended = false; !ended && status == LS_OK;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      status = fail_parser(&parser, text, file);
      break;
    }
    ended = event.type == YAML_STREAM_END_EVENT;
    status = see(&survey, &event);
    if (status != LS_OK) status = wrap_mark(file, event.start_mark, status);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return status;
}

ls_status ls_document_load(ls_document *out, const char *text, const char *file)
{
  *out = (ls_document){.file = file};
  LS_PASS(survey_text(text, file));
  yaml_parser_t parser;
  LS_PASS(start(&parser, text));
  ls_status status = LS_OK;
  out->is_loaded = yaml_parser_load(&parser, &out->yaml) == 1;
  if (!out->is_loaded) status = fail_parser(&parser, text, file);
  yaml_parser_delete(&parser);
  return status;
}

void ls_document_fini(ls_document *document)
{
  if (document->is_loaded) yaml_document_delete(&document->yaml);
  free(document->first_nodes);
  *document = (ls_document){0};
}

/* ---- nodes ---- */

int ls_document_root(const ls_document *document)
{
  return document->yaml.nodes.top > document->yaml.nodes.start ? 1 : 0;
}

const yaml_node_t *ls_document_node(const ls_document *document, int node)
{
  assert(node > 0 && node <= document->yaml.nodes.top - document->yaml.nodes.start);
  return document->yaml.nodes.start + node - 1;
}

const char *ls_document_scalar(const ls_document *document, int node)
{
  const yaml_node_t *found = ls_document_node(document, node);
  return found->type == YAML_SCALAR_NODE ? (const char *)found->data.scalar.value : NULL;
}

size_t ls_document_size(const ls_document *document, int node)
{
  const yaml_node_t *found = ls_document_node(document, node);
  if (found->type == YAML_SEQUENCE_NODE)
    return (size_t)(found->data.sequence.items.top - found->data.sequence.items.start);
  if (found->type == YAML_MAPPING_NODE)
    return (size_t)(found->data.mapping.pairs.top - found->data.mapping.pairs.start);
  return 0;
}

int ls_document_item(const ls_document *document, int sequence, size_t i)
{
  return ls_document_node(document, sequence)->data.sequence.items.start[i];
}

yaml_node_pair_t ls_document_pair(const ls_document *document, int mapping, size_t i)
{
  return ls_document_node(document, mapping)->data.mapping.pairs.start[i];
}

int ls_document_find(const ls_document *document, int mapping, const char *key, size_t length)
{
  if (ls_document_node(document, mapping)->type != YAML_MAPPING_NODE) return 0;
  size_t count = ls_document_size(document, mapping);
  for (size_t i = 0; i < count; i++) {
    yaml_node_pair_t pair = ls_document_pair(document, mapping, i);
    const char *text = ls_document_scalar(document, pair.key);
    if (text && strlen(text) == length && memcmp(text, key, length) == 0) return pair.value;
  }
  return 0;
}

int ls_document_descend(const ls_document *document, int mapping, const char *path)
{
  while (*path != '\0') {
    size_t length = strcspn(path, ".");
    int value = ls_document_find(document, mapping, path, length);
    if (value == 0) break;
    mapping = value;
    path += length + (path[length] == '.');
  }
  return mapping;
}

/* The override that a node is of; override_count for none. */
static size_t override_of(const ls_document *document, int node)
{
  for (size_t i = document->override_count; i > 0; i--)
    if (node >= document->first_nodes[i - 1]) return i - 1;
  return document->override_count;
}

bool ls_document_is_overridden(const ls_document *document, int node)
{
  return override_of(document, node) < document->override_count;
}

const char *ls_document_describe(const ls_document *document, int node, char found[LS_FOUND_BYTES])
{
  static const char *const forms[] = {[YAML_SEQUENCE_NODE] = "a list", [YAML_MAPPING_NODE] = "a mapping"};
  const yaml_node_t *at = ls_document_node(document, node);
  const char *text = ls_document_scalar(document, node);
  char excerpt[LS_EXCERPT_BYTES];
  if (!text)
    snprintf(found, LS_FOUND_BYTES, "%s", forms[at->type]);
  else if (at->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && ls_value_is_null(text))
    snprintf(found, LS_FOUND_BYTES, "nothing");
  else
    snprintf(found, LS_FOUND_BYTES, "'%s'", ls_excerpt(excerpt, text));
  return found;
}

void ls_document_origin(const ls_document *document, int node, ls_text *out)
{
  size_t override = override_of(document, node);
  char excerpt[LS_EXCERPT_BYTES];
  yaml_mark_t mark = ls_document_node(document, node)->start_mark;
  if (override < document->override_count)
    ls_text_add(out, "override '%s'", ls_excerpt(excerpt, document->overrides[override]));
  else
    ls_text_add(out, "%s:%zu:%zu", document->file, mark.line + 1, mark.column + 1);
}

void ls_path_text(const ls_path *path, ls_text *out)
{
  if (!path) return;
  ls_path_text(path->parent, out);
  char excerpt[LS_EXCERPT_BYTES];
  if (path->key)
    ls_text_add(out, "%s%s", path->parent ? "." : "", ls_excerpt(excerpt, path->key));
  else
    ls_text_add(out, "[%zu]", path->index);
}

ls_status ls_document_wrap(const ls_document *document, int node, const ls_path *path, ls_status status)
{
  ls_text location = {0};
  ls_document_origin(document, node, &location);
  if (path) ls_text_add(&location, ": ");
  ls_path_text(path, &location);
  ls_status result = ls_wrap(status, "%s", ls_text_get(&location));
  ls_text_fini(&location);
  return result;
}
