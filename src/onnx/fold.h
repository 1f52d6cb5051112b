/* SPDX-License-Identifier: BSD-3-Clause */
/* Batch normalization as part of what is before it. Private to the module. */
#ifndef LS_ONNX_FOLD_H
#define LS_ONNX_FOLD_H

#include <onnx.pb-c.h>

#include "base/status.h"

/** Remove each BatchNormalization whose input is given to it alone by Conv or Gemm, as ls_onnx_write() writes
 * them: the weights get its factor, the bias the rest, worked out in double. Errors: LS_E_MEMORY. */
ls_status ls_onnx_fold(Onnx__GraphProto *graph) LS_CHECKED;

#endif
