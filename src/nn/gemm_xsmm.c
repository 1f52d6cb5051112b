#include "nn/gemm.h"
