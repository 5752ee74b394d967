#pragma once

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "crossfix/core/eigen.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/core/tensor_record.hpp"

namespace crossfix::model {

/// A convolution's weights [out, in, kernel, kernel] and bias [out] after BatchNorm is folded in.
struct FoldedConvolution {
  Tensor<float, 4> weight;
  Tensor<float, 1> bias;
};

/// Reads the network's parameters out of a file's tensors by their state_dict names, as floats.
/// Whatever is missing, of another shape, or not finite throws WeightsError naming the tensor.
class Parameters {
 public:
  static constexpr double kBatchNormEpsilon = 1e-5;

  explicit Parameters(const TensorRecords& records) : records_(&records) {}

  /// The tensor `name` of exactly this shape.
  template <std::size_t Rank>
  Tensor<float, Rank> get(const std::string& name, const Shape<Rank>& shape) {
    const TensorRecord& record = find(name);
    bool equal = record.shape.size() == Rank;
    for (std::size_t d = 0; equal && d < Rank; ++d) equal = record.shape[d] == shape[d];
    if (!equal) {
      std::string found = "[";
      for (std::size_t d = 0; d < record.shape.size(); ++d) {
        found += (d != 0 ? ", " : "") + std::to_string(record.shape[d]);
      }
      throw WeightsError("tensor '" + name + "' has shape " + found +
                         "], the configuration asks for " + to_string(shape));
    }
    Tensor<float, Rank> values(shape);
    try {
      to_float(record, values.data());
    } catch (const WeightsError& error) {
      throw WeightsError("tensor '" + name + "': " + error.what());
    }
    for (Index i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values.data()[i])) {
        throw WeightsError("tensor '" + name + "' holds " + std::to_string(values.data()[i]) +
                           " at element " + std::to_string(i) + "; weights must be finite");
      }
    }
    if (read_.insert(name).second) count_ += values.size();
    return values;
  }

  /// `conv`.weight [out, in, kernel, kernel] with the BatchNorm `norm` (running statistics) folded:
  /// w' = w g / sqrt(var + eps), b' = beta - mean g / sqrt(var + eps), in double.
  FoldedConvolution folded(const std::string& conv, const std::string& norm, Index out, Index in,
                           Index kernel) {
    FoldedConvolution folded{get<4>(conv + ".weight", {out, in, kernel, kernel}), {}};
    const auto gamma = get<1>(norm + ".weight", {out});
    folded.bias = get<1>(norm + ".bias", {out});
    const auto mean = get<1>(norm + ".running_mean", {out});
    const auto variance = get<1>(norm + ".running_var", {out});
    const Index taps = in * kernel * kernel;
    for (Index o = 0; o < out; ++o) {
      const double spread = static_cast<double>(variance(o)) + kBatchNormEpsilon;
      if (!(spread > 0)) {
        throw WeightsError("tensor '" + norm + ".running_var' holds " +
                           std::to_string(variance(o)) + " at element " + std::to_string(o) +
                           "; a variance is not negative");
      }
      const double scale = static_cast<double>(gamma(o)) / std::sqrt(spread);
      float* row = folded.weight.data() + o * taps;
      for (Index t = 0; t < taps; ++t) row[t] = static_cast<float>(row[t] * scale);
      folded.bias(o) = static_cast<float>(folded.bias(o) - mean(o) * scale);
    }
    return folded;
  }

  /// Elements of the tensors read so far, each counted once.
  Index count() const { return count_; }

 private:
  const TensorRecord& find(const std::string& name) const {
    const auto found = records_->find(name);
    if (found == records_->end()) {
      throw WeightsError("tensor '" + name + "' is missing; the configuration asks for it");
    }
    return found->second;
  }

  const TensorRecords* records_;
  std::set<std::string> read_;
  Index count_ = 0;
};

}  // namespace crossfix::model
