#pragma once

#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/log_sum_exp.hpp"

namespace crossfix::cpu {

/// of_rows[r] = log of the sum over c of exp(scale * (scores[r, c] + bias[r])), of_columns[c] = the same
/// over r. scores [rows, columns] and bias finite, scale above 0; contiguous. A NaN makes those of its row
/// and column NaN. Throws ShapeError.
void log_sum_exp(Context& context, TensorView<const float, 2> scores,
                 TensorView<const float, 1> bias, float scale, TensorView<float, 1> of_rows,
                 TensorView<float, 1> of_columns);

}  // namespace crossfix::cpu
