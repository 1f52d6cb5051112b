/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused, with the exact message: each names the origin, the key, what was found, what is allowed
 * and, where there is one, the remedy. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "unit/config/fakes.h"

#define LAYERS(items) "data: {source: mnist}\nmodel: {layers: [" items "]}\n"

static const struct {
  const char *text, *error;
} cases[] = {
    {"", "c.yaml: empty; expected a configuration, such as those in configs/"},
    {"# only a comment\n", "c.yaml: empty; expected a configuration, such as those in configs/"},
    {"---\n", "c.yaml:2:1: expected a configuration, such as 'name: lenet5', found nothing"},
    {"5\n", "c.yaml:1:1: expected a configuration, such as 'name: lenet5', found a text"},
    {"root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1\n",
     "c.yaml:1:1: expected a configuration, such as 'name: lenet5', found a text"},
    {"PASSWORD: hunter2\nTOKEN: [a]\n",
     "c.yaml:1:1: expected a configuration, such as 'name: lenet5', found other keys"},
    {"[a]\n", "c.yaml:1:1: expected a configuration, such as 'name: lenet5', found a list"},
    {"name: [\n",
     "c.yaml:2:1: not valid YAML: did not find expected node content (while parsing a flow node)"},
    {"name: a\n\tseed: 1\n", "c.yaml:2:1: not valid YAML: found a tab character that violates indentation "
                             "(while scanning a plain scalar); indent with spaces, not with tabs"},
    {"name: 'x\n",
     "c.yaml:2:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar)"},
    {"\377", "c.yaml:1:1: not UTF-8 text: invalid leading UTF-8 octet"},
    {"name: a\nseed: \001\n", "c.yaml:2:7: not UTF-8 text: control characters are not allowed"},
    {"name: &a x\n", "c.yaml:1:7: anchors and aliases (&name, *name) are not supported; write the value out"},
    {"name: *a\n", "c.yaml:1:7: anchors and aliases (&name, *name) are not supported; write the value out"},
    {"name: !!str x\n", "c.yaml:1:7: tags (!name) are not supported; remove it"},
    {"name: x\n---\nname: y\n", "c.yaml:2:1: a second document starts here; a configuration is one document"},
    {"name: \"a\\0b\"\n", "c.yaml:1:7: the text holds a zero byte"},
    {MINIMAL "nmae: x\n", "c.yaml:3:1: nmae: unknown key; allowed here: name, seed, data, model, train, "
                          "checkpoint, ensemble; did you mean 'name'?"},
    {MINIMAL "train: {epoch: 3}\n",
     "c.yaml:3:9: train.epoch: unknown key; allowed here: epochs, batch, microbatch, reduction, "
     "allreduce, allreduce_dtype, bucket_mb, "
     "loss, label_smoothing, ema, lr_base_batch, lr_scaling, clip_norm, time_limit, stall_timeout, "
     "stall_abort, "
     "check_replicas, optimizer, "
     "schedule, adversarial, early_stopping; did you mean 'epochs'?"},
    {MINIMAL "train: {a: 1, b: 2, epohcs: 3}\n",
     "c.yaml:3:9: train.a: unknown key; also unknown: 'b', 'epohcs'; allowed here: epochs, batch, "
     "microbatch, reduction, allreduce, allreduce_dtype, bucket_mb, loss, label_smoothing, ema, "
     "lr_base_batch, "
     "lr_scaling, "
     "clip_norm, time_limit, "
     "stall_timeout, stall_abort, "
     "check_replicas, optimizer, schedule, adversarial, early_stopping"},
    {MINIMAL "zebra: 1\n",
     "c.yaml:3:1: zebra: unknown key; allowed here: name, seed, data, model, train, checkpoint, ensemble"},
    {MINIMAL "train.epochs: 3\n", "c.yaml:3:1: train.epochs: unknown key; allowed here: name, seed, data, "
                                  "model, train, checkpoint, ensemble"},
    {MINIMAL "? [a]\n: b\n", "c.yaml:3:3: a key is not a word"},
    {MINIMAL "<<: {seed: 1}\n",
     "c.yaml:3:1: <<: unknown key; allowed here: name, seed, data, model, train, checkpoint, ensemble"},
    {MINIMAL "seed: 1\nseed: 2\n",
     "c.yaml:4:1: seed: the key is there twice; its first value is at c.yaml:3:7"},
    {MINIMAL "data: {validation: 0}\n",
     "c.yaml:3:1: data: the key is there twice; its first value is at c.yaml:1:7"},
    {LAYERS("{type: conv, type: relu, filters: 1}"),
     "c.yaml:2:31: model.layers[0].type: the key is there twice; its first value is at c.yaml:2:25"},
    {LAYERS("{type: relu, name: a, name: b}"),
     "c.yaml:2:40: model.layers[0].name: the key is there twice; its first value is at c.yaml:2:37"},
    {"name: x\n", "c.yaml:1:1: data.source: a required key is missing; expected a text"},
    {"data: {}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:7: data.source: a required key is missing; expected a text"},
    {"data: {source: mnist}\n",
     "c.yaml:1:1: model.layers: a required key is missing; expected a list of layers, at least 1"},
    {"data: {source: mnist}\nmodel:\n",
     "c.yaml:2:7: model: expected a section, found nothing; its keys: layers, init_from, freeze, rename"},
    {"data: mnist\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:7: data: expected a section, found 'mnist'; its keys: source, validation, split_seed, "
     "normalize, shuffle, per_class, fraction, shape, resize, channels, classes, class_names, transpose, "
     "first_label, picture, augment"},
    {MINIMAL "train:\n",
     "c.yaml:3:7: train: expected a section, found nothing; its keys: epochs, batch, microbatch, reduction, "
     "allreduce, allreduce_dtype, bucket_mb, "
     "loss, label_smoothing, ema, lr_base_batch, lr_scaling, clip_norm, time_limit, stall_timeout, "
     "stall_abort, "
     "check_replicas, optimizer, "
     "schedule, adversarial, early_stopping"},
    {MINIMAL "train: [1]\n",
     "c.yaml:3:8: train: expected a section, found a list; its keys: epochs, batch, microbatch, reduction, "
     "allreduce, allreduce_dtype, bucket_mb, "
     "loss, label_smoothing, ema, lr_base_batch, lr_scaling, clip_norm, time_limit, stall_timeout, "
     "stall_abort, "
     "check_replicas, optimizer, "
     "schedule, adversarial, early_stopping"},
    {LAYERS("{type: conv, filters: 1, border: [1, 2, 3]}"),
     "c.yaml:2:51: model.layers[0].border: expected a count of pixels, at least 0 and at most 9; or a list "
     "of "
     "them, [rows, columns] or [top, bottom, left, right]; or one of: same, found a list of 3"},
    {LAYERS("{type: conv, filters: 1, border: [1, 10]}"),
     "c.yaml:2:55: model.layers[0].border[1]: expected a count of pixels, at least 0 and at most 9, found "
     "'10'"},
    {LAYERS("{type: conv, filters: 1, border: [1, same]}"),
     "c.yaml:2:55: model.layers[0].border[1]: expected a count of pixels, at least 0 and at most 9, found "
     "'same'"},
    {LAYERS("{type: conv, filters: 1, border: []}"),
     "c.yaml:2:51: model.layers[0].border: expected a count of pixels, at least 0 and at most 9; or a list "
     "of "
     "them, [rows, columns] or [top, bottom, left, right]; or one of: same, found a list of 0"},
    {LAYERS("{type: conv, filters: 1, border: smae}"),
     "c.yaml:2:51: model.layers[0].border: expected a count of pixels, at least 0 and at most 9; or a list "
     "of "
     "them, [rows, columns] or [top, bottom, left, right]; or one of: same, found 'smae'; did you mean "
     "'same'?"},
    {LAYERS("{type: conv, filters: 1, step: [1, 1, 2, 2]}"),
     "c.yaml:2:49: model.layers[0].step: expected a count, at least 1 and at most 9; or a list of them, "
     "[rows, columns], found a list of 4"},
    {LAYERS("{type: conv, filters: 1, step: 1.5}"),
     "c.yaml:2:49: model.layers[0].step: expected a count, at least 1 and at most 9; or a list of them, "
     "[rows, columns], found '1.5'; write it as a whole number"},
    {LAYERS("{type: conv, filters: 1, step: {rows: 1}}"),
     "c.yaml:2:49: model.layers[0].step: expected a count, at least 1 and at most 9; or a list of them, "
     "[rows, columns], found a mapping"},
    {MINIMAL "train: {epochs: 3.7}\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                       "found '3.7'; write it as a whole number"},
    {MINIMAL "train: {epochs: 12 apples}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found '12 apples'"},
    {"data: {source: none, mean: 0.5, std: [0.5]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:28: data.mean: expected a list of numbers, at least 0 and at most 1, found '0.5'"},
    {"data: {source: none, mean: [123.7], std: [58.4]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:29: data.mean[0]: expected a number, at least 0 and at most 1, found '123.7'"},
    {"data: {source: none, mean: [0.5], std: [0]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:41: data.std[0]: expected a number, at least 1e-05 and at most 1, found '0'"},
    {"data: {source: none, mean: [0.5, 0.5], std: [0.5]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:28: data.mean: 2 of them, but 1 in data.std: one of each for a channel"},
    {"data: {source: none, normalize: unit, mean: [0.5], std: [0.5]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:45: data.mean: a mean and deviation are for data.normalize: standard; use one of the two"},
    {"data: {source: none, normalize: {mean: [a]}}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:41: data.normalize.mean[0]: expected a number, at least -1000000 and at most 1000000, found "
     "'a'"},
    {"data: {source: none, normalize: {deviation: [0]}}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:46: data.normalize.deviation[0]: expected a number, at least 1e-06 and at most 1000000, found "
     "'0'"},
    {"data: {source: none, normalize: {std: [1]}}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:34: data.normalize.std: unknown key; allowed in data.normalize: scale, mean, deviation"},
    {"data: {source: none, normalize: {mean: [1, 2], deviation: [1, 2, 3]}}\nmodel: {layers: [{type: "
     "relu}]}\n",
     "c.yaml:1:33: data.normalize: data.normalize: as many deviations as means are needed: one of each for a "
     "channel"},
    {"data: {source: none, normalize: [1]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:33: data.normalize: expected one of: unit, standard, none; or {scale: ..., mean: ..., "
     "deviation: ...}, found a list"},
    {"data: {source: none, normalize: unt}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:33: data.normalize: expected one of: unit, standard, none, found 'unt'; did you mean 'unit'?"},
    {"data: {source: none, shape: [3, 224]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:29: data.shape: expected [channels, height, width], such as [3, 224, 224]"},
    {"data: {source: none, shape: [3, 24, 24], resize: [24, 32]}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:29: data.shape: data.resize makes images of 24x32; give data.shape=[3,24,32], or "
     "data.shape=auto"},
    {"data: {source: none, shape: [3, 24, 24], channels: 2}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:29: data.shape: data.channels makes images of 2 channels; give data.shape=[2,24,24], or "
     "data.shape=auto"},
    {"data: {source: none, resize: 0}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:30: data.resize: expected a count of pixels, at least 1 and at most 65536; or a list of them, "
     "[rows, columns]; or one of: none, found '0'"},
    {"data: {source: none, shape: 28}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:29: data.shape: expected [channels, height, width], such as [3, 224, 224]"},
    {MINIMAL "train: {epochs: -3}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found '-3'"},
    {MINIMAL "train: {epochs: 010}\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                       "found '010'; write it without leading zeros"},
    {MINIMAL "train: {epochs: 0x10}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found '0x10'"},
    {MINIMAL "train: {epochs: 1e3}\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                       "found '1e3'; write it as a whole number"},
    {MINIMAL "train: {epochs: '5'}\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                       "found the quoted text \"5\"; remove the quotes"},
    {MINIMAL "train: {epochs: ~}\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                     "found nothing; leave the key out for its default, 10"},
    {MINIMAL "train: {epochs: }\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                    "found nothing; leave the key out for its default, 10"},
    {MINIMAL "train: {epochs: null}\n", "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, "
                                        "found nothing; leave the key out for its default, 10"},
    {MINIMAL "train: {epochs: [5]}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found a list"},
    {MINIMAL "train: {epochs: {a: 5}}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found a mapping"},
    {MINIMAL "train: {epochs: 99999999999999999999}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found '99999999999999999999'; it is "
     "too large"},
    {MINIMAL "train: {epochs: true}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found 'true'"},
    {MINIMAL "train: {epochs: +3}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found '+3'"},
    {MINIMAL "train: {epochs: 1_000}\n",
     "c.yaml:3:17: train.epochs: expected a count of epochs, at least 0, found '1_000'"},
    {MINIMAL "train:\n  clip_norm: 1,5\n", "c.yaml:4:14: train.clip_norm: expected a number, at least 0, "
                                           "found '1,5'; decimals are written with a point"},
    {MINIMAL "train:\n  epochs: 1,000\n", "c.yaml:4:11: train.epochs: expected a count of epochs, at least "
                                          "0, found '1,000'; decimals are written with a point"},
    {MINIMAL "train: {clip_norm: nan}\n",
     "c.yaml:3:20: train.clip_norm: expected a number, at least 0, found 'nan'"},
    {MINIMAL "train: {clip_norm: .inf}\n",
     "c.yaml:3:20: train.clip_norm: expected a number, at least 0, found '.inf'"},
    {MINIMAL "train: {clip_norm: 1e999}\n",
     "c.yaml:3:20: train.clip_norm: expected a number, at least 0, found '1e999'"},
    {MINIMAL "train: {clip_norm: -1}\n",
     "c.yaml:3:20: train.clip_norm: expected a number, at least 0, found '-1'"},
    {MINIMAL "train: {clip_norm: 00.5}\n", "c.yaml:3:20: train.clip_norm: expected a number, at least 0, "
                                           "found '00.5'; write it without leading zeros"},
    {MINIMAL "train: {clip_norm: 0x1p3}\n",
     "c.yaml:3:20: train.clip_norm: expected a number, at least 0, found '0x1p3'"},
    {MINIMAL "train: {clip_norm: abc}\n",
     "c.yaml:3:20: train.clip_norm: expected a number, at least 0, found 'abc'"},
    {MINIMAL "train: {label_smoothing: 1}\n",
     "c.yaml:3:26: train.label_smoothing: expected a number, at least 0 and below 1, found '1'"},
    {MINIMAL "train: {clip_norm: 1,5}\n",
     "c.yaml:3:22: train.5: unknown key; allowed here: epochs, batch, microbatch, reduction, "
     "allreduce, allreduce_dtype, bucket_mb, "
     "loss, label_smoothing, ema, lr_base_batch, lr_scaling, clip_norm, time_limit, stall_timeout, "
     "stall_abort, "
     "check_replicas, optimizer, "
     "schedule, adversarial, early_stopping; decimals are written with a point"},
    {"data: {source: x, augment: {rotat: 1}}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:29: data.augment.rotat: unknown key; allowed here: rotate, elastic, mixup; did you mean "
     "'rotate'?"},
    {"data: {source: x, augment: {elastic: {alpha: -1}}}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:46: data.augment.elastic.alpha: expected a number, at least 0 and at most 1000, found '-1'"},
    {MINIMAL "train: {loss: focl}\n", "c.yaml:3:15: train.loss: expected one of: cross_entropy, focal, found "
                                      "'focl'; did you mean 'focal'?"},
    {MINIMAL "train: {loss: }\n", "c.yaml:3:15: train.loss: expected one of: cross_entropy, focal, found "
                                  "nothing; leave the key out for its default, cross_entropy"},
    {MINIMAL "train: {loss: [focal]}\n",
     "c.yaml:3:15: train.loss: expected one of: cross_entropy, focal, found a list"},
    {MINIMAL "train: {loss: {type: focl}}\n",
     "c.yaml:3:22: train.loss.type: unknown loss 'focl'; expected one "
     "of: cross_entropy, focal; did you mean 'focal'?"},
    {MINIMAL "train: {loss: {type: focal, gama: 1}}\n",
     "c.yaml:3:29: train.loss.gama: unknown key; allowed in focal: type, gamma, alpha; did you mean "
     "'gamma'?"},
    {MINIMAL "train: {adversarial: {method: pdg}}\n",
     "c.yaml:3:31: train.adversarial.method: expected one of: none, fgsm, pgd, found 'pdg'; did you mean "
     "'pgd'?"},
    {MINIMAL "train: {reduction: exact, allreduce_dtype: bfloat16}\n",
     "c.yaml:3:44: train.allreduce_dtype: bfloat16 rounds what reduction: exact keeps; use reduction: fast "
     "with it"},
    {MINIMAL "train: {allreduce: mpi, allreduce_dtype: bfloat16}\n",
     "c.yaml:3:42: train.allreduce_dtype: allreduce: mpi sums 64-bit fixed point; use allreduce: auto with "
     "bfloat16"},
    {MINIMAL "train: {reduction: quick}\n",
     "c.yaml:3:20: train.reduction: expected one of: fast, exact, found 'quick'"},
    {MINIMAL "train: {reduction: fasst}\n",
     "c.yaml:3:20: train.reduction: expected one of: fast, exact, found 'fasst'; did you mean 'fast'?"},
    {MINIMAL "train: {reduction: Fast}\n",
     "c.yaml:3:20: train.reduction: expected one of: fast, exact, found 'Fast'; did you mean 'fast'?"},
    {MINIMAL "train: {early_stopping: {restore_best: maybe}}\n",
     "c.yaml:3:40: train.early_stopping.restore_best: expected true or false, found 'maybe'"},
    {MINIMAL "train: {early_stopping: {restore_best: yes}}\n",
     "c.yaml:3:40: train.early_stopping.restore_best: expected true or false, found 'yes'; write true"},
    {MINIMAL "train: {early_stopping: {restore_best: 'true'}}\n",
     "c.yaml:3:40: train.early_stopping.restore_best: expected true or false, found the quoted text "
     "\"true\"; remove the quotes"},
    {MINIMAL "train: {early_stopping: {restore_best: False}}\n",
     "c.yaml:3:40: train.early_stopping.restore_best: expected true or false, found 'False'; write false"},
    {"data: {source: mnist, validation: 1.0}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:35: data.validation: expected a count of samples, or a fraction between 0 and 1, found '1.0'; "
     "a count is written without a point"},
    {"data: {source: mnist, validation: -3}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:35: data.validation: expected a count of samples, or a fraction between 0 and 1, found '-3'"},
    {"data: {source: mnist, validation: 0.0}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:35: data.validation: expected a count of samples, or a fraction between 0 and 1, found '0.0'; "
     "a count is written without a point"},
    {"data: {source: mnist, validation: 10%}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:35: data.validation: expected a count of samples, or a fraction between 0 and 1, found '10%'"},
    {"data: {source: ''}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:16: data.source: expected a text, found an empty text"},
    {"data: {source: null}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:16: data.source: expected a text, found nothing"},
    {"data: {source: \"a\\nb\"}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:16: data.source: expected a text, found 'a\\nb'; it holds a control character or a line "
     "break"},
    {"data: {source: \"a\\x85\"}\nmodel: {layers: [{type: relu}]}\n",
     "c.yaml:1:16: data.source: expected a text, found 'a\\u0085'; it holds a control character or a line "
     "break"},
    {MINIMAL "name: a/b\n",
     "c.yaml:3:7: name: expected at most 100 of the characters A-Z a-z 0-9 . _ -, found 'a/b'"},
    {MINIMAL "name: ..\n", "c.yaml:3:7: name: '..' cannot name a folder"},
    {MINIMAL "name: ''\n", "c.yaml:3:7: name: expected a text, found an empty text"},
    {"data: {source: mnist}\nmodel: {layers: []}\n",
     "c.yaml:2:17: model.layers: expected a list of layers, at least 1, found a list of 0"},
    {"data: {source: mnist}\nmodel: {layers: {type: relu}}\n",
     "c.yaml:2:17: model.layers: expected a list of layers, at least 1, found a mapping"},
    {LAYERS("relu"),
     "c.yaml:2:18: model.layers[0]: expected {type: NAME, ...}, found 'relu'; write {type: relu}"},
    {LAYERS("{filters: 3}"),
     "c.yaml:2:18: model.layers[0].type: a required key is missing; expected one of: conv, relu, residual"},
    {LAYERS("{type: cnv}"), "c.yaml:2:25: model.layers[0].type: unknown layer 'cnv'; expected one of: conv, "
                            "relu, residual; did you mean 'conv'?"},
    {LAYERS("{type: zebra}"),
     "c.yaml:2:25: model.layers[0].type: unknown layer 'zebra'; expected one of: conv, relu, residual"},
    {LAYERS("{type: [conv]}"), "c.yaml:2:25: model.layers[0].type: expected a text, found a list"},
    {LAYERS("{type: conv}"), "c.yaml:2:18: model.layers[0].filters: a required key is missing; expected a "
                             "count, at least 1 and at most 4096"},
    {LAYERS("{type: conv, filters: 5000}"),
     "c.yaml:2:40: model.layers[0].filters: expected a count, at least 1 and at most 4096, found '5000'"},
    {LAYERS("{type: relu, size: 2}"), "c.yaml:2:31: model.layers[0].size: unknown key; allowed in relu: "
                                      "type, name, input, inputs, freeze, lr_factor"},
    {LAYERS("{type: conv, filters: 1, pad: some}"),
     "c.yaml:2:48: model.layers[0].pad: expected a count of pixels, or one of: same, found 'some'; did you "
     "mean 'same'?"},
    {LAYERS("{type: conv, filters: 1, pad: -1}"),
     "c.yaml:2:48: model.layers[0].pad: expected a count of pixels, or one of: same, found '-1'"},
    {LAYERS("{type: conv, filters: 1, pad: 01}"),
     "c.yaml:2:48: model.layers[0].pad: expected a count of pixels, or one of: same, found '01'; write it "
     "without leading zeros"},
    {LAYERS("{type: relu, name: a.b}"),
     "c.yaml:2:37: model.layers[0].name: expected at most 40 of the characters A-Z a-z 0-9 _ -, found 'a.b'"},
    {LAYERS("{type: relu, name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"),
     "c.yaml:2:37: model.layers[0].name: expected at most 40 of the characters A-Z a-z 0-9 _ -, found "
     "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
    {LAYERS("{type: relu, name: }"), "c.yaml:2:37: model.layers[0].name: expected a text, found nothing"},
    {LAYERS("{type: residual}"),
     "c.yaml:2:18: model.layers[0].body: a required key is missing; expected a list of layers, at least 1"},
    {LAYERS("{type: residual, body: []}"),
     "c.yaml:2:41: model.layers[0].body: expected a list of layers, at least 1, found a list of 0"},
    {LAYERS("{type: residual, body: [{type: relu}, {type: conv, filters: x}]}"),
     "c.yaml:2:78: model.layers[0].body[1].filters: expected a count, at least 1 and at most 4096, found "
     "'x'"},
    {LAYERS("{type: residual, body: [{type: relu}], shortcut: }"),
     "c.yaml:2:67: model.layers[0].shortcut: expected a list of layers, found nothing"},
    {LAYERS("~"), "c.yaml:2:18: model.layers[0]: expected {type: NAME, ...}, found nothing"},
    {MINIMAL "train: {optimizer: adam}\n",
     "c.yaml:3:20: train.optimizer: expected {type: NAME, ...}, found 'adam'; write {type: adam}"},
    {MINIMAL "train: {optimizer: }\n",
     "c.yaml:3:20: train.optimizer: expected {type: NAME, ...}, found nothing"},
    {MINIMAL "train: {optimizer: {lr: 0.1}}\n",
     "c.yaml:3:20: train.optimizer.type: a required key is missing; expected one of: sgd, adam"},
    {MINIMAL "train: {optimizer: {type: sgdd}}\n", "c.yaml:3:27: train.optimizer.type: unknown optimizer "
                                                   "'sgdd'; expected one of: sgd, adam; did you mean 'sgd'?"},
    {MINIMAL "train: {optimizer: {type: adam, momentum: 0.9, nesterov: true}}\n",
     "c.yaml:3:33: train.optimizer.momentum: unknown key; also unknown: 'nesterov'; allowed in adam: type, "
     "lr, beta1"},
    {MINIMAL "train: {optimizer: {type: sgd, lr: 0}}\n",
     "c.yaml:3:36: train.optimizer.lr: expected a number, above 0, found '0'"},
    {MINIMAL "train: {schedule: {type: onecycle}}\n",
     "c.yaml:3:19: train.schedule.max_lr: a required key is missing; expected a number, above 0"},
    {MINIMAL "train: {optimizer: {type: sgd, lr: 0,05}}\n",
     "c.yaml:3:38: train.optimizer.05: unknown key; allowed in sgd: type, lr, momentum, nesterov; decimals "
     "are written with a point"},
    {MINIMAL "train: {schedule: [a]}\n",
     "c.yaml:3:19: train.schedule: expected {type: NAME, ...}, found a list"},
    {MINIMAL "train: {early_stopping: {patience: 3}}\n",
     "c.yaml:3:36: train.early_stopping.patience: early stopping watches the validation split, but "
     "data.validation is 0; hold some samples out, such as data.validation=0.1, or set the patience to 0"},
};

static void malformed_configurations_are_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ls_spec *spec;
    ls_status status = ls_config_parse(&spec, cases[i].text, "c.yaml", NULL, 0, &fakes);
    if (status == LS_OK) fail_msg("accepted:\n%s", cases[i].text);
    assert_int_equal(status, LS_E_CONFIG);
    assert_string_equal(ls_error_last()->text, cases[i].error);
    assert_null(spec);
  }
}

static void check_refused(const char *text, const char *error)
{
  ls_spec *spec;
  assert_int_equal(ls_config_parse(&spec, text, "c.yaml", NULL, 0, &fakes), LS_E_CONFIG);
  assert_string_equal(ls_error_last()->text, error);
}

static void nesting_is_bounded(void **state)
{
  (void)state;
  char text[300] = "name: ";
  for (size_t i = 0; i < 64; i++) strcat(text, "[");
  check_refused(text, "c.yaml:1:70: nested too deeply: more than 64 levels");
}

/* A message is one line of bounded length, whatever was written. */
static void long_texts_are_cut_in_messages(void **state)
{
  (void)state;
  char text[400] = MINIMAL "name: \"\\e[31m";
  for (size_t i = 0; i < 100; i++) strcat(text, "\u00e9");
  strcat(text, "\"\n");
  ls_spec *spec;
  assert_int_equal(ls_config_parse(&spec, text, "c.yaml", NULL, 0, &fakes), LS_E_CONFIG);
  const char *error = ls_error_last()->text;
  assert_non_null(strstr(error, "found '\\x1b[31m\u00e9"));
  assert_non_null(strstr(error, "\u00e9...'"));
  assert_true(strlen(error) < 250);
  assert_null(strpbrk(error, "\n\033"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malformed_configurations_are_refused),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(long_texts_are_cut_in_messages),
  };
  return cmocka_run_group_tests_name("config errors", tests, NULL, NULL);
}
