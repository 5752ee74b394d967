#include "crossfix/cpu/log_sum_exp.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/select.hpp"

namespace crossfix::cpu {
namespace {

constexpr Index kColumnsOfATask = 256;

}  // namespace

void log_sum_exp(Context& context, TensorView<const float, 2> scores,
                 TensorView<const float, 1> bias, float scale, TensorView<float, 1> of_rows,
                 TensorView<float, 1> of_columns) {
  ops::check_log_sum_exp(scores, bias, scale, of_rows, of_columns);
  const Index rows = scores.extent(0);
  const Index columns = scores.extent(1);
  const auto& kernel = kernels::select_log_sums(context.instruction_set());
  const auto log_of = [scale](float maximum, float sum) { return maximum * scale + std::log(sum); };
#pragma omp parallel num_threads(context.threads())
  {
#pragma omp for schedule(static) nowait
    for (Index begin = 0; begin < columns; begin += kColumnsOfATask) {
      float maxima[kColumnsOfATask];
      float sums[kColumnsOfATask];
      const Index count = std::min(kColumnsOfATask, columns - begin);
      kernel.columns({scores.data() + begin, bias.data(), columns, rows, count, scale}, maxima,
                     sums);
      for (Index i = 0; i < count; ++i) of_columns(begin + i) = log_of(maxima[i], sums[i]);
    }
#pragma omp for schedule(static)
    for (Index row = 0; row < rows; ++row) {
      float maximum;
      float sum;
      kernel.row({scores.data() + row * columns, bias.data() + row, columns, 1, columns, scale},
                 &maximum, &sum);
      of_rows(row) = log_of(maximum, sum);
    }
  }
}

}  // namespace crossfix::cpu
