#pragma once

#include "crossfix/ops/checks.hpp"

namespace crossfix::ops {

/// What log-sum-exp along both axes checks: scores [rows, columns], at least one; bias and of_rows [rows],
/// of_columns [columns].
template <MemorySpace Space>
void check_log_sum_exp(const TensorView<const float, 2, Space>& scores,
                       const TensorView<const float, 1, Space>& bias,
                       const TensorView<float, 1, Space>& of_rows,
                       const TensorView<float, 1, Space>& of_columns) {
  if (scores.empty()) throw ShapeError("a log-sum-exp of no scores");
  expect_shape("bias of scores", bias.shape(), {scores.extent(0)});
  expect_contiguous("bias of scores", bias);
  expect_shape("log-sum-exp of rows", of_rows.shape(), {scores.extent(0)});
  expect_shape("log-sum-exp of columns", of_columns.shape(), {scores.extent(1)});
  expect_contiguous("scores", scores);
  expect_contiguous("log-sum-exp of rows", of_rows);
  expect_contiguous("log-sum-exp of columns", of_columns);
}

}  // namespace crossfix::ops
