/* SPDX-License-Identifier: BSD-3-Clause */
/* Operands and operators that several kinds of layers are said by. */
#include "nn/operators.h"

void ls_express_plain(const ls_expression *to, const char *name)
{
  to->add(to->user, &(ls_operator){.name = name, .inputs = {ls_input(LS_FORM_ANY)}});
}

ls_operand ls_operand_of_channels(const char *tensor, size_t channels)
{
  return (ls_operand){
      .source = LS_OPERAND_TENSOR, .tensor = tensor, .dims = {channels, 1, 1}, .dim_count = 3};
}

ls_operand ls_operand_of_shape(ls_shape shape)
{
  return (ls_operand){.source = LS_OPERAND_INTEGERS,
                      .integers = {0, (int64_t)shape.c, (int64_t)shape.h, (int64_t)shape.w},
                      .dim_count = 4};
}
