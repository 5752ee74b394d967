#include <limits>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/softmax.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/softmax/log_sum_exp.cuh"

namespace crossfix::cuda {

void log_sum_exp(StreamView stream, const DeviceTraits&,
                 TensorView<const float, 2, DeviceSpace> scores,
                 TensorView<const float, 1, DeviceSpace> bias, float scale,
                 TensorView<float, 1, DeviceSpace> of_rows,
                 TensorView<float, 1, DeviceSpace> of_columns) {
  using namespace kernels;
  ops::check_log_sum_exp(scores, bias, scale, of_rows, of_columns);
  constexpr Index kMost = std::numeric_limits<int>::max() / 2;
  if (scores.extent(0) > kMost || scores.extent(1) > kMost) {
    throw ShapeError("a log-sum-exp of " + to_string(scores.shape()) + "; at most " +
                     std::to_string(kMost) + " rows and columns are expected");
  }
  const Index column_blocks = ceil_div<Index>(scores.extent(1), kLogSumThreads);
  const LogSumExp l{.scores = scores.data(),
                    .bias = bias.data(),
                    .of_rows = of_rows.data(),
                    .of_columns = of_columns.data(),
                    .rows = static_cast<int>(scores.extent(0)),
                    .columns = static_cast<int>(scores.extent(1)),
                    .column_blocks = static_cast<int>(column_blocks),
                    .scale = scale};
  device::launch(stream,
                 {dim3(static_cast<unsigned>(column_blocks + scores.extent(0))), kLogSumThreads,
                  kLogSumSharedBytes},
                 "log_sum_exp", log_sum_exp_axes, l);
}

}  // namespace crossfix::cuda
