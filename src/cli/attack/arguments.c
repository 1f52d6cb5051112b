/* SPDX-License-Identifier: BSD-3-Clause */
/* A row for each option: the methods that take it, and its text in --help. The methods are the table's
 * (attack/attack.h). */
#include "cli/attack/arguments.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "cli/attack/files.h"
#include "cli/command.h"
#include "cli/data_options.h"

enum {
  KEY_METHOD = 256,
  KEY_EPSILON,
  KEY_STEPS,
  KEY_STEP_SIZE,
  KEY_RESTARTS,
  KEY_TARGET,
  KEY_SOURCE_CLASS,
  KEY_VOTE,
  KEY_DATA,
  KEY_SPLIT,
  KEY_LIMIT,
  KEY_JSON,
  KEY_OUTPUT = 'o'
};

static const char all_methods[] = "worst";

static error_t refuse(struct argp_state *state, const char *option, const char *value, const char *expected)
{
  argp_error(state, "--%s %s: expected %s", option, value, expected);
  return EINVAL;
}

static error_t parse_count(struct argp_state *state, const char *option, const char *value, uint64_t least,
                           size_t *count)
{
  uint64_t parsed;
  if (!ls_parse_count(value, &parsed) || parsed < least)
    return refuse(state, option, value, least > 0 ? "a count, at least 1" : "a count");
  *count = parsed;
  return 0;
}

static error_t take_epsilons(struct argp_state *state, ls_attack_arguments *arguments, const char *list)
{
  static const char expected[] = "numbers from 0 to 1 with commas between them, at most 64, such as 0.1,0.2";
  arguments->epsilon_count = 0;
  for (const char *item = list; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL) {
    char text[32];
    const int length = snprintf(text, sizeof text, "%.*s", (int)strcspn(item, ","), item);
    double epsilon = -1.0;
    const bool fits = length >= 0 && (size_t)length < sizeof text && ls_parse_real(text, &epsilon);
    if (!fits || !(epsilon >= 0.0 && epsilon <= 1.0) || arguments->epsilon_count == LS_ATTACK_MAX_EPSILONS)
      return refuse(state, "epsilon", list, expected);
    arguments->epsilons[arguments->epsilon_count++] = epsilon;
  }
  return 0;
}

static error_t refuse_method(struct argp_state *state, const char *word)
{
  ls_text expected = {0};
  for (size_t k = 0; ls_attack_kinds[k]; k++) ls_text_add(&expected, "%s, ", ls_attack_kinds[k]->schema.name);
  ls_text_add(&expected, "several of them with commas between (each once), or %s: all of them", all_methods);
  refuse(state, "method", word, ls_text_get(&expected));
  ls_text_fini(&expected);
  return EINVAL;
}

static bool add_method(ls_robustness_options *attacks, const ls_attack_kind *kind)
{
  for (size_t m = 0; m < attacks->method_count; m++)
    if (attacks->methods[m] == kind) return false;
  attacks->methods[attacks->method_count++] = kind; /* each once: they fit */
  return true;
}

static error_t take_methods(struct argp_state *state, ls_attack_arguments *arguments, const char *list)
{
  ls_robustness_options *attacks = &arguments->attacks;
  attacks->method_count = 0;
  if (strcmp(list, all_methods) == 0) {
    for (size_t k = 0; ls_attack_kinds[k]; k++) add_method(attacks, ls_attack_kinds[k]);
    return 0;
  }
  for (const char *item = list; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL) {
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(item, ","), item);
    const ls_attack_kind *kind = ls_attack_find(word);
    if (!kind || !add_method(attacks, kind)) return refuse_method(state, list);
  }
  return 0;
}

static error_t take_steps(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  arguments->shapes_steps = true;
  return parse_count(state, "steps", value, 1, &arguments->attacks.attack.steps);
}

static error_t take_step_size(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  double *step_size = &arguments->attacks.attack.step_size;
  arguments->shapes_steps = true;
  if (ls_parse_real(value, step_size) && *step_size > 0.0 && *step_size <= 1.0) return 0;
  return refuse(state, "step-size", value, "a number above 0, at most 1");
}

static error_t take_restarts(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  arguments->restarts_given = true;
  return parse_count(state, "restarts", value, 1, &arguments->attacks.restarts);
}

static error_t take_target(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->target = value;
  return 0;
}

static error_t take_source_class(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->source_class = value;
  return 0;
}

static error_t take_limit(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  return parse_count(state, "limit", value, 1, &arguments->attacks.limit);
}

static error_t take_data(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->data = value;
  return 0;
}

static error_t give_children(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)value;
  state->child_inputs[0] = &arguments->reading;
  return 0;
}

static error_t take_split(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  return ls_eval_split_parse(&arguments->attacks.split, value, state);
}

static error_t take_json(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state, (void)value;
  arguments->json = true;
  return 0;
}

static error_t take_output(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->output = value;
  return 0;
}

static error_t take_vote(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state, (void)value;
  arguments->is_vote = true;
  return 0;
}

static error_t take_checkpoint(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->checkpoints[arguments->checkpoint_count++] = value;
  return 0;
}

/* The files of one epsilon would replace those of the other. */
static error_t check_names(struct argp_state *state, const ls_attack_arguments *arguments)
{
  char name[LS_EPSILON_BYTES], other[LS_EPSILON_BYTES];
  for (size_t i = 0; i < arguments->epsilon_count; i++) {
    ls_attack_epsilon_name(arguments->epsilons[i], name);
    for (size_t k = 0; k < i; k++) {
      if (strcmp(ls_attack_epsilon_name(arguments->epsilons[k], other), name) != 0) continue;
      argp_error(state,
                 "--epsilon: two of them are %s in the names of the files of --output; give epsilons that "
                 "differ in their first six digits",
                 name);
      return EINVAL;
    }
  }
  return 0;
}

static error_t check_complete(struct argp_state *state, ls_attack_arguments *arguments, const char *value)
{
  (void)value;
  const char *missing = arguments->checkpoint_count == 0       ? "no checkpoint given"
                        : arguments->attacks.method_count == 0 ? "no --method given, such as --method fgsm"
                        : arguments->epsilon_count == 0 ? "no --epsilon given, such as --epsilon 0.1,0.2"
                                                        : NULL;
  if (!missing) return arguments->output ? check_names(state, arguments) : 0;
  argp_error(state, "%s", missing);
  return EINVAL;
}

static const struct {
  int key;
  error_t (*take)(struct argp_state *state, ls_attack_arguments *arguments, const char *value);
} takers[] = {
    {KEY_METHOD, take_methods},
    {KEY_EPSILON, take_epsilons},
    {KEY_STEPS, take_steps},
    {KEY_STEP_SIZE, take_step_size},
    {KEY_RESTARTS, take_restarts},
    {KEY_TARGET, take_target},
    {KEY_SOURCE_CLASS, take_source_class},
    {KEY_VOTE, take_vote},
    {KEY_LIMIT, take_limit},
    {KEY_DATA, take_data},
    {KEY_SPLIT, take_split},
    {KEY_JSON, take_json},
    {KEY_OUTPUT, take_output},
    {ARGP_KEY_INIT, give_children},
    {ARGP_KEY_ARG, take_checkpoint},
    {ARGP_KEY_END, check_complete},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  for (size_t i = 0; i < sizeof takers / sizeof *takers; i++)
    if (takers[i].key == key)
      return takers[i].take(state, state->input, key == KEY_OUTPUT ? ls_command_folder(value) : value);
  return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"method", KEY_METHOD, "M[,M...]", 0,
     "of several, each by itself, and the worst for each image; worst: all of them", 0},
    {"epsilon", KEY_EPSILON, "E[,E...]", 0,
     "The most that a pixel may be changed by, where black is 0 and white is 1", 0},
    {"steps", KEY_STEPS, "N", 0, "Steps of a method that takes several (default: 40)", 0},
    {"step-size", KEY_STEP_SIZE, "A", 0, "Size of such a step (default: 2.5 * epsilon / steps)", 0},
    {"restarts", KEY_RESTARTS, "R", 0,
     "Starts or draws of a method that takes them at random; of each image the worst for the network counts "
     "(default: 1)",
     0},
    {"target", KEY_TARGET, "CLASS", 0,
     "Make images be taken for this class, by name or number (default: for any other)", 0},
    {"source-class", KEY_SOURCE_CLASS, "CLASS", 0,
     "Attack images of this class alone, by name or number, as #3 where 3 is another class's name (default: "
     "of all)",
     0},
    {"vote", KEY_VOTE, NULL, 0,
     "Attack the vote of the checkpoints, the mean of their probabilities, as one network; of an ensemble's "
     "directory all members vote",
     0},
    {"data", KEY_DATA, "SRC", 0,
     "Dataset: a catalogue name, a folder or an .h5 file (default: the one trained on)", 0},
    {"split", KEY_SPLIT, "SPLIT", 0, "test (default), validation or train", 0},
    {"limit", KEY_LIMIT, "N", 0, "Attack only what is among the first N samples of the file's split", 0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {"output", KEY_OUTPUT, "DIR", 0,
     "Also write results.json, curve.svg, curve.csv, and for every epsilon a picture and the adversarial "
     "examples; those of several networks in DIR/network-1, DIR/network-2, ...",
     0},
    {0}};

static const struct argp_child children[] = {{&ls_reading_argp, 0, NULL, 0}, {0}};

/* The help lists the methods from their table. argp frees what it is given. */
static char *report_methods(int key, const char *text, void *input)
{
  (void)input;
  if (key != KEY_METHOD) return text && !LS_FAULT("alloc", __func__) ? strdup(text) : NULL;
  ls_text help = {0};
  for (size_t k = 0; ls_attack_kinds[k]; k++)
    ls_text_add(&help, "%s: %s; ", ls_attack_kinds[k]->schema.name, ls_attack_kinds[k]->schema.doc);
  ls_text_add(&help, "%s", text);
  char *all;
  return ls_text_take(&help, &all) == LS_OK ? all : NULL;
}

const struct argp ls_attack_argp = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .help_filter = report_methods,
    .args_doc = "CHECKPOINT.h5|RUN_DIR|WEIGHTS|CONFIG.yaml ... --method M[,M...] --epsilon E[,E...]",
    .doc =
        "Attack trained networks with adversarial examples and count what they still get right. Several are "
        "compared, each attacked by itself; --vote attacks them as one.\v"
        "Figures and examples are the same on any number of ranks. What is measured are images of float32 "
        "pixels, /test/adversarial of DIR/adversarial-E.h5; of several methods, those of the worst for each "
        "image.\n"
        "`lockstep eval --data` reads the 8-bit images of that file, whose pixels are the nearest levels "
        "within epsilon: their accuracy is printed beside the measured one.\n"
        "\n"
        "Examples:\n"
        "  lockstep attack a.h5 --method fgsm --epsilon 0,0.05,0.1,0.25 -o fgsm\n"
        "  lockstep attack a.h5 --method pgd --epsilon 0.3 --steps 100 --restarts 3\n"
        "  lockstep attack a.h5 --method fgsm --epsilon 0.2 --source-class 5 --target 3\n"
        "  lockstep attack a.h5 --method fgsm --epsilon 0.1 --target Bag\n"
        "  lockstep attack a.h5 b.h5 --method worst --epsilon 0.1,0.2 -o compared\n"
        "  lockstep attack a.h5 b.h5 --vote --method fgsm,pgd --epsilon 0.1\n"
        "  lockstep attack runs/ensemble --vote --method fgsm --epsilon 0.1\n"};
