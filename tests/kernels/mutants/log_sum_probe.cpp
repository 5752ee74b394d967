#include "crossfix/cuda/softmax.hpp"
#include "kernels/mutants/probe.hpp"

namespace {

using crossfix::Index;

/// The largest error of the marginals of random scores, whose rows take several steps of a block.
double error(Index rows, Index columns) {
  std::vector<float> scores;
  for (const auto element : crossfix::probe::random_elements(rows * columns, 3)) {
    scores.push_back(static_cast<float>(element));
  }
  std::vector<float> bias;
  for (Index r = 0; r < rows; ++r) bias.push_back(-0.1f * static_cast<float>(r));
  std::vector<float> of_rows(static_cast<std::size_t>(rows));
  std::vector<float> of_columns(static_cast<std::size_t>(columns));
  constexpr double kScale = 5.0;
  crossfix::cuda::log_sum_exp(crossfix::probe::no_stream(), {}, {scores.data(), {rows, columns}},
                              {bias.data(), {rows}}, static_cast<float>(kScale),
                              {of_rows.data(), {rows}}, {of_columns.data(), {columns}});
  std::vector<double> sum_of_rows(of_rows.size());
  std::vector<double> sum_of_columns(of_columns.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::size_t row = i / of_columns.size();
    const double weight = std::exp(kScale * static_cast<double>(scores[i] + bias[row]));
    sum_of_rows[row] += weight;
    sum_of_columns[i % of_columns.size()] += weight;
  }
  double worst = 0;
  const auto compare = [&worst](const std::vector<float>& found, const std::vector<double>& sums) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const double off = std::abs(static_cast<double>(found[i]) - std::log(sums[i]));
      worst = off <= worst || std::isnan(worst) ? worst : off;
    }
  };
  compare(of_rows, sum_of_rows);
  compare(of_columns, sum_of_columns);
  return worst;
}

}  // namespace

int main() {
  bool good = true;
  for (const Index columns : {5, 300, 3000}) {
    good = crossfix::probe::holds("log-sum-exp of " + std::to_string(columns),
                                  [&] { return error(4, columns); }) &&
           good;
  }
  return good ? 0 : 1;
}
