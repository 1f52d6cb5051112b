/* SPDX-License-Identifier: BSD-3-Clause */
/* Activations as operators of ONNX; those that it has no operator for, in version 17, as it spells them out
 * itself. */
#include <math.h>

#include "nn/layers/activation/activation.h"

void ls_express_relu(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  ls_express_plain(to, "Relu");
}

void ls_express_leaky_relu(const ls_layer *layer, const ls_expression *to)
{
  const ls_activation_parameters *self = layer->impl;
  to->add(to->user, &(ls_operator){.name = "LeakyRelu",
                                   .inputs = {ls_input(LS_FORM_ANY)},
                                   .attributes = {ls_real("alpha", self->slope)}});
}

void ls_express_tanh(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  ls_express_plain(to, "Tanh");
}

void ls_express_sigmoid(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  ls_express_plain(to, "Sigmoid");
}

/* x * (1 + erf(x / sqrt(2))) * 0.5 */
void ls_express_gelu(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  to->add(to->user, &(ls_operator){.name = "Div", .inputs = {ls_input(LS_FORM_ANY), ls_number(M_SQRT2)}});
  to->add(to->user, &(ls_operator){.name = "Erf", .inputs = {ls_result()}});
  to->add(to->user, &(ls_operator){.name = "Add", .inputs = {ls_result(), ls_number(1.0)}});
  to->add(to->user, &(ls_operator){.name = "Mul", .inputs = {ls_input(LS_FORM_ANY), ls_result()}});
  to->add(to->user, &(ls_operator){.name = "Mul", .inputs = {ls_result(), ls_number(0.5)}});
}

void ls_express_relu6(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  to->add(to->user,
          &(ls_operator){.name = "Clip", .inputs = {ls_input(LS_FORM_ANY), ls_number(0.0), ls_number(6.0)}});
}

void ls_express_silu(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  ls_express_plain(to, "Sigmoid");
  to->add(to->user, &(ls_operator){.name = "Mul", .inputs = {ls_input(LS_FORM_ANY), ls_result()}});
}

void ls_express_hardsigmoid(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  to->add(to->user, &(ls_operator){.name = "HardSigmoid",
                                   .inputs = {ls_input(LS_FORM_ANY)},
                                   .attributes = {ls_real("alpha", 1.0 / 6.0), ls_real("beta", 0.5)}});
}

void ls_express_hardswish(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  ls_express_plain(to, "HardSwish");
}

void ls_express_elu(const ls_layer *layer, const ls_expression *to)
{
  const ls_activation_parameters *self = layer->impl;
  to->add(to->user, &(ls_operator){.name = "Elu",
                                   .inputs = {ls_input(LS_FORM_ANY)},
                                   .attributes = {ls_real("alpha", self->alpha)}});
}

/* log(1 + exp(z)) is z to a float's precision above it. */
static const double SAME_ABOVE = 18.0;

/* log(1 + exp(beta * x)) / beta, and x where beta * x is above the threshold. */
void ls_express_softplus(const ls_layer *layer, const ls_expression *to)
{
  const ls_activation_parameters *self = layer->impl;
  const ls_operand beta = ls_number(self->beta);
  if (fabs(self->beta - 1.0) > 0.0) {
    to->add(to->user, &(ls_operator){.name = "Mul", .inputs = {ls_input(LS_FORM_ANY), beta}});
    to->add(to->user, &(ls_operator){.name = "Softplus", .inputs = {ls_result()}});
    to->add(to->user, &(ls_operator){.name = "Div", .inputs = {ls_result(), beta}});
  } else {
    ls_express_plain(to, "Softplus");
  }
  if (self->threshold >= SAME_ABOVE) return;
  to->add(to->user,
          &(ls_operator){.name = "Greater",
                         .inputs = {ls_input(LS_FORM_ANY), ls_number(self->threshold / self->beta)}});
  to->add(to->user,
          &(ls_operator){
              .name = "Where",
              .inputs = {ls_result(), ls_input(LS_FORM_ANY), {.source = LS_OPERAND_RESULT, .back = 1}}});
}
