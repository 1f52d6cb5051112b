/* SPDX-License-Identifier: BSD-3-Clause */
/* The registries of all families, as the configuration needs them. */
#include "train/schemas.h"

#include "attack/attack.h"
#include "data/augment/augment.h"
#include "nn/layer.h"
#include "nn/loss.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

const ls_schemas ls_all_schemas = {.kinds = {[LS_FAMILY_LAYER] = ls_layer_schemas,
                                             [LS_FAMILY_OPTIMIZER] = ls_optimizer_schemas,
                                             [LS_FAMILY_SCHEDULE] = ls_schedule_schemas,
                                             [LS_FAMILY_LOSS] = ls_loss_schemas,
                                             [LS_FAMILY_ATTACK] = ls_attack_schemas,
                                             [LS_FAMILY_AUGMENTATION] = ls_augment_schemas}};
