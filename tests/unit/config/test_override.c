/* SPDX-License-Identifier: BSD-3-Clause */
/* key.path=value: what it reaches, what it replaces, and what is refused. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "unit/config/fakes.h"

static ls_spec *parse(const char *text, const char *const *overrides, size_t count)
{
  ls_spec *spec;
  ls_status status = ls_config_parse(&spec, text, "c.yaml", overrides, count, &fakes);
  if (status != LS_OK) fail_msg("%s", ls_error_last()->text);
  return spec;
}

static void check_refused(const char *text, const char *override, const char *error)
{
  ls_spec *spec;
  if (ls_config_parse(&spec, text, "c.yaml", &override, 1, &fakes) == LS_OK)
    fail_msg("accepted: %s", override);
  assert_string_equal(ls_error_last()->text, error);
  assert_null(spec);
}

static void a_value_replaces_the_file_or_the_default(void **state)
{
  (void)state;
  static const char *const overrides[] = {"train.epochs=8",
                                          "data.validation=500",
                                          "name=other",
                                          "train.early_stopping.patience=2",
                                          "checkpoint={keep: 9}",
                                          "data.source='with = and: more'",
                                          "checkpoint.every_steps=7"};
  ls_spec *spec = parse(full_text, overrides, sizeof overrides / sizeof overrides[0]);
  assert_int_equal(spec->train.epochs, 8);
  assert_int_equal(spec->train.batch, 128);
  assert_false(spec->data.validation.is_fraction);
  assert_int_equal(spec->data.validation.count, 500);
  assert_string_equal(spec->name, "other");
  assert_string_equal(spec->data.source, "with = and: more");
  assert_int_equal(spec->train.early_stopping.patience, 2);
  assert_int_equal(spec->checkpoint.keep, 9);
  assert_int_equal(spec->checkpoint.every_epochs, 1); /* the whole section was replaced: a default again */
  assert_int_equal(spec->checkpoint.every_steps, 7);
  ls_spec_free(spec);
}

static void the_last_override_of_a_key_counts(void **state)
{
  (void)state;
  static const char *const overrides[] = {"train.epochs=5", "train.epochs=6", "train.epochs=7"};
  ls_spec *spec = parse(MINIMAL, overrides, 3);
  assert_int_equal(spec->train.epochs, 7);
  ls_spec_free(spec);
}

static void layers_are_reached_by_index_and_by_name(void **state)
{
  (void)state;
  static const char *const overrides[] = {"model.layers.conv1.filters=60",
                                          "model.layers[0].kernel=7",
                                          "model.layers.block.body.inner.filters=80",
                                          "model.layers[2].shortcut[0].filters=81",
                                          "model.layers.block.body[1].body.deep={type: conv, filters: 82}",
                                          "model.layers[1].name=act"};
  ls_spec *spec = parse(full_text, overrides, sizeof overrides / sizeof overrides[0]);
  const ls_layer_list *layers = &spec->model.layers;
  const conv_options *conv1 = layers->items[0].options;
  const residual_options *block = layers->items[2].options;
  const residual_options *inner_block = block->body.items[1].options;
  assert_true(conv1->filters == 60 && conv1->kernel == 7 && conv1->pad.word == 0);
  assert_int_equal(((const conv_options *)block->body.items[0].options)->filters, 80);
  assert_int_equal(((const conv_options *)block->shortcut.items[0].options)->filters, 81);
  assert_ptr_equal(inner_block->body.items[0].schema, &conv);
  assert_string_equal(layers->items[1].name, "act");
  assert_string_equal(inner_block->body.items[0].origin,
                      "override 'model.layers.block.body[1].body.deep={type: conv, filters: 82}': "
                      "model.layers[2].body[1].body[0]");
  ls_spec_free(spec);
}

static void a_kind_is_replaced_whole_or_changed_in_part(void **state)
{
  (void)state;
  static const char *const whole[] = {"train.optimizer={type: adam, lr: 0.002}"};
  ls_spec *spec = parse(full_text, whole, 1);
  assert_ptr_equal(spec->train.optimizer.schema, &adam);
  assert_true(((const adam_options *)spec->train.optimizer.options)->lr == 0.002);
  assert_true(((const adam_options *)spec->train.optimizer.options)->beta1 == 0.9);
  ls_spec_free(spec);

  static const char *const part[] = {"train.optimizer.lr=0.002"};
  spec = parse(full_text, part, 1);
  assert_ptr_equal(spec->train.optimizer.schema, &sgd);
  assert_true(((const sgd_options *)spec->train.optimizer.options)->lr == 0.002);
  assert_true(((const sgd_options *)spec->train.optimizer.options)->momentum == 0.9);
  ls_spec_free(spec);

  static const char *const in_default[] = {"train.optimizer.momentum=0.5"}; /* the file names no optimizer */
  spec = parse(MINIMAL, in_default, 1);
  assert_ptr_equal(spec->train.optimizer.schema, &sgd);
  assert_true(((const sgd_options *)spec->train.optimizer.options)->momentum == 0.5);
  ls_spec_free(spec);

  static const char *const retyped[] = {"train.optimizer.type=adam", "train.optimizer.beta1=0.8"};
  spec = parse(MINIMAL "train: {optimizer: {type: sgd, lr: 0.25}}\n", retyped, 2);
  assert_true(((const adam_options *)spec->train.optimizer.options)->lr == 0.25); /* both kinds know it */
  assert_true(((const adam_options *)spec->train.optimizer.options)->beta1 == 0.8);
  ls_spec_free(spec);
}

static void a_kind_by_its_name_alone_takes_keys(void **state)
{
  (void)state;
  static const struct {
    const char *text, *overrides[2];
    double gamma;
  } cases[] = {
      {MINIMAL "train: {loss: focal}\n", {"train.loss.gamma=3"}, 3},
      {MINIMAL "train: {loss: {type: focal, gamma: 4}}\n", {"train.loss.gamma=3"}, 3},
      {MINIMAL, {"train.loss=focal", "train.loss.gamma=3"}, 3},
      {MINIMAL, {"train.loss.type=focal", "train.loss.gamma=3"}, 3},
      {MINIMAL "train: {loss: {type: focal, gamma: 4}}\n", {"train.loss=focal", "train.loss.alpha=[1]"}, 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ls_spec *spec = parse(cases[i].text, cases[i].overrides, cases[i].overrides[1] ? 2 : 1);
    assert_ptr_equal(spec->train.loss.schema, &focal);
    assert_true(((const focal_options *)spec->train.loss.options)->gamma == cases[i].gamma);
    ls_spec_free(spec);
  }
  check_refused(
      MINIMAL, "train.loss.gamma=3",
      "override 'train.loss.gamma=3': train.loss.gamma: unknown key; allowed in cross_entropy: type");
  check_refused(
      MINIMAL "train: {adversarial: {method: none}}\n", "train.adversarial.method.steps=3",
      "override 'train.adversarial.method.steps=3': train.adversarial.method: there is a value, which "
      "has no key 'steps'");
}

static void keys_of_the_old_kind_are_named(void **state)
{
  (void)state;
  check_refused(
      MINIMAL "train: {optimizer: {type: sgd, momentum: 0.9, nesterov: true}}\n", "train.optimizer.type=adam",
      "c.yaml:3:32: train.optimizer.momentum: unknown key; also unknown: 'nesterov'; allowed in adam: "
      "type, lr, beta1; to replace all of it: 'train.optimizer={type: adam, ...}'");
}

static void a_layer_that_is_not_there_is_named(void **state)
{
  (void)state;
  const char *text = "data: {source: mnist}\n"
                     "model: {layers: [{type: relu, name: a}, {type: relu}, {type: relu, name: b}, "
                     "{type: relu, name: b}]}\n";
  check_refused(text, "model.layers.c.x=1",
                "override 'model.layers.c.x=1': model.layers: no item is named 'c'; named are: a, b, b; "
                "others are reached by index, such as [0]");
  check_refused(
      text, "model.layers.b.x=1",
      "override 'model.layers.b.x=1': model.layers: 2 items are named 'b'; use an index, such as [2]");
  check_refused(
      text, "model.layers[4]={type: relu}",
      "override 'model.layers[4]={type: relu}': model.layers: there is no item [4]; the list has 4, "
      "counted from 0");
}

/* Against the minimal configuration; without the "override '...': " in front. */
static const struct {
  const char *override, *error;
} cases[] = {
    {"train.epochs=x", "train.epochs: expected a count of epochs, at least 0, found 'x'"},
    {"train.epochs", "expected key.path=value, such as train.epochs=5"},
    {"=5", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {"train.epochs=", "a value is missing after '='"},
    {"train..epochs=5", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {".train=5", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {"train.=5", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {"train.epochs.x=5", "train.epochs: expected a count of epochs, at least 0, found a mapping"},
    {"train.microbatch=0",
     "train.microbatch: expected a count of samples, at least 1, or a fraction between 0 and 1, found '0'"},
    {"train.lrr=5",
     "train.lrr: unknown key; allowed here: epochs, batch, microbatch, reduction, "
     "allreduce, allreduce_dtype, bucket_mb, "
     "loss, label_smoothing, ema, lr_base_batch, lr_scaling, clip_norm, time_limit, stall_timeout, "
     "stall_abort, check_replicas, "
     "optimizer, schedule, adversarial, early_stopping"},
    {"trian.epochs=5", "trian: unknown key; allowed here: name, seed, data, model, train, checkpoint, "
                       "ensemble; did you mean 'train'?"},
    {"train.epochs[0]=5", "train.epochs: an index needs a list; there is none"},
    {"model.layers[1].x=5", "model.layers: there is no item [1]; the list has 1, counted from 0"},
    {"model.layers[0].x=5",
     "model.layers[0].x: unknown key; allowed in relu: type, name, input, inputs, freeze, lr_factor"},
    {"model.layers[a].x=5", "expected an index such as [0] after 'model.layers'"},
    {"model.layers[0=5", "expected an index such as [0] after 'model.layers'"},
    {"model.layers[0]x=5", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {"[0]=5", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {"model.layers.conv1.x=5",
     "model.layers: no item is named 'conv1'; named are: none; others are reached by index, such as [0]"},
    {"model.layers[99999999999999999999999999].x=5", "expected an index such as [0] after 'model.layers'"},
    {"model.layers[18446744073709551616].x=5", "the index 18446744073709551616 is too large"},
    {"name=[", "not valid YAML: did not find expected node content (while parsing a flow node)"},
    {"name=&a x", "anchors and aliases (&name, *name) are not supported; write the value out"},
    {"train.optimizer={type: sgd, lr: x}", "train.optimizer.lr: expected a number, above 0, found 'x'"},
    {"train.schedule={type: onecycle}",
     "train.schedule.max_lr: a required key is missing; expected a number, above 0"},
    {"train.early_stopping.patience=3",
     "train.early_stopping.patience: early stopping watches the validation split, but data.validation is 0; "
     "hold some samples out, such as data.validation=0.1, or set the patience to 0"},
    {".aaa=1", "expected key.path=value, such as train.epochs=5 or model.layers[0].filters=8"},
    {"seed=1\n2: x", "not valid YAML: mapping values are not allowed in this context"},
    {"train=5",
     "train: expected a section, found '5'; its keys: epochs, batch, microbatch, reduction, "
     "allreduce, allreduce_dtype, bucket_mb, "
     "loss, label_smoothing, ema, lr_base_batch, lr_scaling, clip_norm, time_limit, stall_timeout, "
     "stall_abort, check_replicas, "
     "optimizer, schedule, adversarial, early_stopping"},
    {"train.optimizer=adam", "train.optimizer: expected {type: NAME, ...}, found 'adam'; write {type: adam}"},
    {"train.optimizer.beta1=0.5",
     "train.optimizer.beta1: unknown key; allowed in sgd: type, lr, momentum, nesterov"},
};

static void malformed_overrides_are_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ls_spec *spec;
    ls_status status = ls_config_parse(&spec, MINIMAL, "c.yaml", &cases[i].override, 1, &fakes);
    if (status == LS_OK) fail_msg("accepted: %s", cases[i].override);
    assert_int_equal(status, LS_E_CONFIG);
    const char *error = strstr(ls_error_last()->text, "': ");
    assert_non_null(error);
    assert_string_equal(error + 3, cases[i].error);
  }
}

static void overrides_are_told_from_files(void **state)
{
  (void)state;
  static const char *const overrides[] = {"data.source=toy.yaml", "train={epochs: 1}", "name=b.yml",
                                          "seed=", "model.layers[0].filters=8"};
  static const char *const files[] = {"toy.yaml",          "lr=1/toy.yaml",          "data", "data/a=b.yaml",
                                      "dat.source=x.yaml", "./data.source=toy.yaml", "=",    ""};
  for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++)
    if (!ls_config_is_override(overrides[i])) fail_msg("an override: %s", overrides[i]);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (ls_config_is_override(files[i])) fail_msg("no override: %s", files[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_replaces_the_file_or_the_default),
      cmocka_unit_test(the_last_override_of_a_key_counts),
      cmocka_unit_test(layers_are_reached_by_index_and_by_name),
      cmocka_unit_test(a_kind_is_replaced_whole_or_changed_in_part),
      cmocka_unit_test(a_kind_by_its_name_alone_takes_keys),
      cmocka_unit_test(keys_of_the_old_kind_are_named),
      cmocka_unit_test(a_layer_that_is_not_there_is_named),
      cmocka_unit_test(malformed_overrides_are_refused),
      cmocka_unit_test(overrides_are_told_from_files),
  };
  return cmocka_run_group_tests_name("config overrides", tests, NULL, NULL);
}
