#include "crossfix/cuda/softmax.hpp"
#include "kernels/mutants/probe.hpp"

namespace {

using crossfix::bfloat16;
using crossfix::Index;

/// The error of the softmax of random rows; for long rows a block works on each.
double error(Index rows, Index columns) {
  const auto x = crossfix::probe::random_elements(rows * columns, 3);
  std::vector<bfloat16> y(x.size(), bfloat16(7.0f));
  crossfix::cuda::softmax<bfloat16>(crossfix::probe::no_stream(), {}, {x.data(), {rows, columns}},
                                    5.0f, {y.data(), {rows, columns}});
  std::vector<double> expected;
  for (Index row = 0; row < rows; ++row) {
    const auto score = [&](Index i) {
      return 5.0 * static_cast<double>(
                       static_cast<float>(x[static_cast<std::size_t>(row * columns + i)]));
    };
    double sum = 0.0;
    for (Index i = 0; i < columns; ++i) sum += std::exp(score(i));
    for (Index i = 0; i < columns; ++i) expected.push_back(std::exp(score(i)) / sum);
  }
  return crossfix::probe::relative_error(y, expected);
}

}  // namespace

int main() {
  bool good = true;
  for (const Index columns : {5, 300, 3000, 40000}) {
    good = crossfix::probe::holds("softmax of " + std::to_string(columns),
                                  [&] { return error(3, columns); }) &&
           good;
  }
  return good ? 0 : 1;
}
