#pragma once

#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/log_sum_exp.hpp"

namespace crossfix::cpu {

/// Log-sum-exp along both axes (ops/log_sum_exp.hpp). Throws ShapeError.
void log_sum_exp(Context& context, TensorView<const float, 2> scores,
                 TensorView<const float, 1> bias, float scale, TensorView<float, 1> of_rows,
                 TensorView<float, 1> of_columns);

}  // namespace crossfix::cpu
