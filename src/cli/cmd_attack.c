/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep attack: how a trained network stands up to adversarial examples, for a sweep of epsilons. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/attack_report.h"
#include "cli/class_names.h"
#include "cli/command.h"
#include "cli/eval_split.h"
#include "cli/print.h"
#include "cli/reading.h"
#include "comm/place.h"
#include "data/same.h"
#include "data/source.h"
#include "eval/loaded.h"
#include "eval/robustness.h"
#include "train/schemas.h"

enum {
  KEY_METHOD = 256,
  KEY_EPSILON,
  KEY_STEPS,
  KEY_STEP_SIZE,
  KEY_RESTARTS,
  KEY_TARGET,
  KEY_SOURCE_CLASS,
  KEY_DATA,
  KEY_SPLIT,
  KEY_LIMIT,
  KEY_JSON,
  KEY_OUTPUT = 'o',
  DEFAULT_STEPS = 40
};

typedef struct attack_arguments {
  const char *checkpoint, *data, *output; /* argv's */
  ls_reading reading;                     /* what is said of the files of the data */
  const char *target, *source_class;      /* names or numbers, argv's; NULL: not given */
  double epsilons[LS_ATTACK_MAX_EPSILONS];
  size_t epsilon_count;
  ls_onslaught onslaught; /* all but loader, epsilon, seed and classes */
  bool shapes_steps;      /* an option that only attacks of several steps take was given */
  bool json;
} attack_arguments;

typedef struct attack_session {
  const attack_arguments *arguments;
  ls_loaded loaded;
  ls_victim victim;
  ls_source *source;
  ls_loader *loader;
  ls_onslaught onslaught;
  ls_attack_result results[LS_ATTACK_MAX_EPSILONS];
} attack_session;

/* ---- arguments ---- */

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

static error_t take_epsilons(struct argp_state *state, attack_arguments *arguments, const char *list)
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

static error_t take_method(struct argp_state *state, attack_arguments *arguments, const char *word)
{
  arguments->onslaught.attack.kind = ls_attack_find(word);
  return arguments->onslaught.attack.kind ? 0 : refuse(state, "method", word, "fgsm or pgd");
}

static error_t take_steps(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  arguments->shapes_steps = true;
  return parse_count(state, "steps", value, 1, &arguments->onslaught.attack.steps);
}

static error_t take_step_size(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  double *step_size = &arguments->onslaught.attack.step_size;
  arguments->shapes_steps = true;
  if (ls_parse_real(value, step_size) && *step_size > 0.0 && *step_size <= 1.0) return 0;
  return refuse(state, "step-size", value, "a number above 0, at most 1");
}

static error_t take_restarts(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  arguments->shapes_steps = true;
  return parse_count(state, "restarts", value, 1, &arguments->onslaught.restarts);
}

static error_t take_target(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->target = value;
  return 0;
}

static error_t take_source_class(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->source_class = value;
  return 0;
}

static error_t take_limit(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  return parse_count(state, "limit", value, 1, &arguments->onslaught.limit);
}

static error_t take_data(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->data = value;
  return 0;
}

static error_t give_children(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)value;
  state->child_inputs[0] = &arguments->reading;
  return 0;
}

static error_t take_split(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  return ls_eval_split_parse(&arguments->onslaught.split, value, state);
}

static error_t take_json(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)state, (void)value;
  arguments->json = true;
  return 0;
}

static error_t take_output(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)state;
  arguments->output = value;
  return 0;
}

static error_t take_checkpoint(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  if (arguments->checkpoint) {
    argp_error(state, "one checkpoint at a time: '%s' is one too many", value);
    return EINVAL;
  }
  arguments->checkpoint = value;
  return 0;
}

static error_t check_complete(struct argp_state *state, attack_arguments *arguments, const char *value)
{
  (void)value;
  const char *missing = !arguments->checkpoint              ? "no checkpoint given"
                        : !arguments->onslaught.attack.kind ? "no --method given: fgsm or pgd"
                        : arguments->epsilon_count == 0     ? "no --epsilon given, such as --epsilon 0.1,0.2"
                                                            : NULL;
  if (!missing) return 0;
  argp_error(state, "%s", missing);
  return EINVAL;
}

static const struct {
  int key;
  error_t (*take)(struct argp_state *state, attack_arguments *arguments, const char *value);
} takers[] = {
    {KEY_METHOD, take_method},
    {KEY_EPSILON, take_epsilons},
    {KEY_STEPS, take_steps},
    {KEY_STEP_SIZE, take_step_size},
    {KEY_RESTARTS, take_restarts},
    {KEY_TARGET, take_target},
    {KEY_SOURCE_CLASS, take_source_class},
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
    if (takers[i].key == key) return takers[i].take(state, state->input, value);
  return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"method", KEY_METHOD, "METHOD", 0,
     "fgsm: one step along the sign of the gradient; pgd: many, from a random start", 0},
    {"epsilon", KEY_EPSILON, "E[,E...]", 0,
     "The most that a pixel may be changed by, where black is 0 and white is 1", 0},
    {"steps", KEY_STEPS, "N", 0, "Steps of pgd (default: 40)", 0},
    {"step-size", KEY_STEP_SIZE, "A", 0, "Size of a step of pgd (default: 2.5 * epsilon / steps)", 0},
    {"restarts", KEY_RESTARTS, "R", 0,
     "Random starts of pgd; of each image the worst for the network counts (default: 1)", 0},
    {"target", KEY_TARGET, "CLASS", 0,
     "Make images be taken for this class, by name or number (default: for any other)", 0},
    {"source-class", KEY_SOURCE_CLASS, "CLASS", 0,
     "Attack images of this class alone, by name or number, as #3 where 3 is another class's name (default: "
     "of all)",
     0},
    {"data", KEY_DATA, "SRC", 0,
     "Dataset: a catalogue name, a folder or an .h5 file (default: the one trained on)", 0},
    {"split", KEY_SPLIT, "SPLIT", 0, "test (default), validation or train", 0},
    {"limit", KEY_LIMIT, "N", 0, "Attack only what is among the first N samples of the file's split", 0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {"output", KEY_OUTPUT, "DIR", 0,
     "Also write results.json, curve.svg, and for every epsilon a picture and the adversarial examples", 0},
    {0}};

static const struct argp_child children[] = {{&ls_reading_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .args_doc = "CHECKPOINT.h5 --method METHOD --epsilon E[,E...]",
    .doc =
        "Attack a trained network with adversarial examples and count what it still gets right.\v"
        "Figures and examples are the same on any number of ranks. What is measured are images of float32 "
        "pixels, /test/adversarial of DIR/adversarial-E.h5. `lockstep eval --data` reads the 8-bit images "
        "of that file, whose pixels are the nearest levels within epsilon: their accuracy is printed "
        "beside the measured one.\n"
        "\n"
        "Examples:\n"
        "  lockstep attack runs/a/best.h5 --method fgsm --epsilon 0,0.05,0.1,0.25 -o runs/a/fgsm\n"
        "  lockstep attack runs/a/best.h5 --method pgd --epsilon 0.3 --step-size 0.01 --restarts 10\n"
        "  lockstep attack runs/a/best.h5 --method fgsm --epsilon 0.2 --source-class 5 --target 3\n"
        "  lockstep attack runs/b/best.h5 --method fgsm --epsilon 0.05 --source-class Sandal --target Bag\n"};

/* ---- preparation ---- */

static ls_status find_classes(attack_session *session)
{
  const attack_arguments *arguments = session->arguments;
  const ls_dataset_info *data = ls_source_info(session->source);
  ls_onslaught *onslaught = &session->onslaught;
  if (arguments->target) LS_PASS(ls_class_find(&onslaught->target, data, "--target", arguments->target));
  if (!arguments->source_class) return LS_OK;
  return ls_class_find(&onslaught->source_class, data, "--source-class", arguments->source_class);
}

static ls_status open_data(attack_session *session)
{
  const attack_arguments *arguments = session->arguments;
  const ls_loaded *loaded = &session->loaded;
  LS_PASS(ls_loaded_open_data(&session->source, loaded, arguments->data, &arguments->reading));
  LS_PASS(ls_loaded_check_fit(loaded, ls_source_info(session->source), arguments->checkpoint));
  return find_classes(session);
}

/* Rank 0. */
static void warn_data(const attack_session *session)
{
  ls_text lines = {0};
  ls_warn_each("", ls_source_notes(session->source));
  ls_loaded_compare_classes(&session->loaded, ls_source_info(session->source), session->arguments->checkpoint,
                            &lines);
  ls_warn_each("", &lines);
  ls_text_fini(&lines);
}

static ls_status make_rooms(attack_session *session)
{
  ls_victim *victim = &session->victim;
  const ls_model *model = session->loaded.model;
  LS_PASS(ls_workspaces_new(&victim->workspaces, model, victim->threads));
  return ls_attack_rooms_new(&victim->rooms, model, victim->microbatch, victim->threads);
}

/* Network, data and memory. Collective. */
static ls_status prepare(attack_session *session, ls_comm *comm)
{
  ls_loaded *loaded = &session->loaded;
  LS_PASS(ls_loaded_open(loaded, comm, session->arguments->checkpoint, &ls_all_schemas, true));
  ls_place place;
  LS_PASS(ls_place_find(comm, &place));
  const ls_spec *spec = loaded->spec;
  session->victim = (ls_victim){
      .network = &loaded->network, .threads = place.threads, .microbatch = spec->train.microbatch};
  session->onslaught.attack.seed = spec->seed;
  LS_AGREE(comm, open_data(session));
  if (ls_comm_rank(comm) == 0) warn_data(session);
  LS_PASS(ls_source_check_same(session->source, comm));
  LS_AGREE(comm, make_rooms(session));
  const ls_eval_split split = session->onslaught.split;
  const ls_loader_options loader = {.data = &spec->data,
                                    .seed = spec->seed,
                                    .batch = spec->train.batch,
                                    .microbatch = spec->train.microbatch,
                                    .threads = place.threads,
                                    .test_only = split == LS_EVAL_TEST};
  LS_PASS(ls_loader_new(&session->loader, comm, session->source, &loader));
  session->onslaught.loader = session->loader;
  if (ls_loader_eval_count(session->loader, split) > 0) return LS_OK;
  return ls_eval_split_empty(split, ls_source_info(session->source)->name);
}

static void release(attack_session *session)
{
  ls_victim *victim = &session->victim;
  ls_loader_free(session->loader);
  ls_source_close(session->source);
  ls_attack_rooms_free(victim->rooms, victim->threads);
  ls_workspaces_free(victim->workspaces, victim->threads);
  ls_loaded_close(&session->loaded);
}

/* ---- results ---- */

/* "DIR/adversarial-0.25.h5", freed by the caller. */
static ls_status path_of(const attack_session *session, const char *name, double epsilon, const char *suffix,
                         char **path)
{
  ls_text text = {0};
  ls_text_add(&text, "%s/%s-%g%s", session->arguments->output, name, epsilon, suffix);
  return ls_text_take(&text, path);
}

/* Rank 0. */
static ls_status write_examples(const attack_session *session, const ls_examples *examples, double epsilon)
{
  const ls_dataset_info *data = ls_source_info(session->source);
  ls_picture picture = {0};
  char *png = NULL, *h5 = NULL;
  ls_status status;
  LS_GO(path_of(session, "examples", epsilon, ".png", &png));
  LS_GO(path_of(session, "adversarial", epsilon, ".h5", &h5));
  LS_GO(ls_examples_draw(&picture, examples, epsilon, data));
  LS_GO(ls_png_write(png, &picture));
  LS_GO(ls_examples_write(examples, h5, epsilon, data));
done:
  ls_picture_fini(&picture);
  free(png);
  free(h5);
  return status;
}

/* One epsilon. Collective. */
static ls_status attack(attack_session *session, ls_comm *comm, size_t i)
{
  const double epsilon = session->arguments->epsilons[i];
  const bool is_wanted = session->arguments->output != NULL;
  ls_examples examples = {.count = 0};
  ls_robustness *figures = &session->results[i].figures;
  session->results[i].epsilon = session->onslaught.attack.epsilon = epsilon;
  LS_PASS(
      ls_robustness_find(figures, is_wanted ? &examples : NULL, comm, &session->victim, &session->onslaught));
  if (!is_wanted) return LS_OK;
  const ls_status status =
      ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? write_examples(session, &examples, epsilon) : LS_OK);
  ls_examples_fini(&examples);
  return status;
}

static ls_status write_text(const char *folder, const char *name, const char *content)
{
  char *path;
  ls_text text = {0};
  ls_text_add(&text, "%s/%s", folder, name);
  LS_PASS(ls_text_take(&text, &path));
  const ls_status status = ls_file_write(path, content, strlen(content));
  free(path);
  return status;
}

static ls_status write_report(const ls_attack_report *report, const char *folder, const char *json)
{
  ls_text text = {0};
  char *svg = NULL;
  ls_status status;
  ls_attack_report_curve(report, &text);
  LS_GO(ls_text_take(&text, &svg));
  LS_GO(write_text(folder, "results.json", json));
  LS_GO(write_text(folder, "curve.svg", svg));
done:
  free(svg);
  return status;
}

/* Rank 0. */
static ls_status show(const attack_session *session)
{
  const attack_arguments *arguments = session->arguments;
  const ls_attack_report report = {.checkpoint = arguments->checkpoint,
                                   .data = ls_source_info(session->source),
                                   .split = ls_eval_split_words[session->onslaught.split],
                                   .onslaught = &session->onslaught,
                                   .results = session->results,
                                   .count = arguments->epsilon_count};
  ls_text table = {0};
  char *json = NULL;
  ls_status status;
  LS_GO(ls_attack_report_json(&report, &json));
  if (arguments->output) LS_GO(write_report(&report, arguments->output, json));
  ls_attack_report_table(&report, &table);
  if (arguments->json)
    ls_print_json(json);
  else
    LS_GO(ls_print_text(&table));
  if (arguments->output && !arguments->json)
    ls_print(stdout, "figures and examples in %s\n", arguments->output);
done:
  ls_text_fini(&table);
  free(json);
  return status;
}

static ls_status attack_all(ls_comm *comm, attack_session *session)
{
  LS_PASS(prepare(session, comm));
  if (session->arguments->output) LS_ROOT(comm, ls_folder_make(session->arguments->output));
  for (size_t i = 0; i < session->arguments->epsilon_count; i++) LS_PASS(attack(session, comm, i));
  LS_ROOT(comm, show(session));
  return LS_OK;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  attack_arguments arguments = {.onslaught = {.split = LS_EVAL_TEST,
                                              .attack = {.steps = DEFAULT_STEPS},
                                              .restarts = 1,
                                              .target = LS_ANY_CLASS,
                                              .source_class = LS_ANY_CLASS,
                                              .limit = UINT64_MAX}};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &arguments, &done));
  if (done) return LS_OK;
  attack_session session = {.arguments = &arguments, .onslaught = arguments.onslaught};
  const ls_attack_kind *kind = session.onslaught.attack.kind;
  if (!kind->takes_steps) session.onslaught.restarts = 1; /* all would be the same */
  if (!kind->takes_steps && arguments.shapes_steps && ls_comm_rank(comm) == 0)
    ls_warn("%s takes a single step, from the image itself: --steps, --step-size and --restarts are for pgd",
            kind->name);
  const ls_status status = attack_all(comm, &session);
  release(&session);
  return status;
}

const ls_command ls_command_attack = {
    .word = "attack", .doc = "attack a trained network with adversarial examples", .run = run};
