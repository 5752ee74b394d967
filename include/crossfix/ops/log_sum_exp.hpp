#pragma once

#include <cmath>
#include <string>

#include "crossfix/ops/checks.hpp"

namespace crossfix::ops {

/// Checks of the arguments of log-sum-exp along both axes: of_rows[r] = log of the sum over c of
/// exp(scale * (scores[r, c] + bias[r])), of_columns[c] = the same over r. scores are [rows,
/// columns], not empty; bias [rows] is finite; scale is finite and above 0. All are contiguous. A
/// NaN among the scores makes the results of its row and column NaN.
template <MemorySpace Space>
void check_log_sum_exp(const TensorView<const float, 2, Space>& scores,
                       const TensorView<const float, 1, Space>& bias, float scale,
                       const TensorView<float, 1, Space>& of_rows,
                       const TensorView<float, 1, Space>& of_columns) {
  if (scores.empty()) throw ShapeError("a log-sum-exp of no scores");
  if (!(scale > 0) || !std::isfinite(scale)) {
    throw ShapeError("a log-sum-exp of scale " + std::to_string(scale) +
                     "; a positive number is expected");
  }
  expect_shape("bias of scores", bias.shape(), {scores.extent(0)});
  expect_contiguous("bias of scores", bias);
  expect_shape("log-sum-exp of rows", of_rows.shape(), {scores.extent(0)});
  expect_shape("log-sum-exp of columns", of_columns.shape(), {scores.extent(1)});
  expect_contiguous("scores", scores);
  expect_contiguous("log-sum-exp of rows", of_rows);
  expect_contiguous("log-sum-exp of columns", of_columns);
}

}  // namespace crossfix::ops
