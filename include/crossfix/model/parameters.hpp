#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "crossfix/core/eigen.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/core/tensor_record.hpp"

namespace crossfix::model {

/// A convolution's weights [out, in, kernel, kernel] and bias [out] with BatchNorm folded in.
struct FoldedConvolution {
  Tensor<float, 4> weight = {};
  Tensor<float, 1> bias = {};
};

/// What messages call the backbone whose parameters have this prefix.
inline std::string backbone_called(const std::string& prefix) {
  return (prefix == "grd_extractor" ? "ground" : "satellite") + std::string(" backbone");
}

/// A source of parameters. It fills `out` with the tensor `name` of `shape`, row-major, or throws
/// WeightsError that names the tensor.
using ParameterSource =
    std::function<void(const std::string& name, std::span<const Index> shape, float* out)>;

/// A source that reads a file's tensors by their state_dict names. `records` must outlive it.
inline ParameterSource source_of(const TensorRecords& records) {
  return [&records](const std::string& name, std::span<const Index> shape, float* out) {
    const auto found = records.find(name);
    if (found == records.end()) {
      throw WeightsError("tensor '" + name + "' is missing; the configuration asks for it");
    }
    const TensorRecord& record = found->second;
    if (!std::ranges::equal(record.shape, shape)) {
      throw WeightsError("tensor '" + name + "' has shape " + to_string(record.shape) +
                         ", the configuration asks for " + to_string(shape));
    }
    try {
      to_float(record, out);
    } catch (const WeightsError& error) {
      throw WeightsError("tensor '" + name + "': " + error.what());
    }
  };
}

/// Supplies the parameters of a network as floats that no sum of a network overflows with (see
/// ops/finite.hpp). Throws WeightsError with the tensor's name if a value is not finite or too
/// large.
class Parameters {
 public:
  static constexpr double kBatchNormEpsilon = 1e-5;
  /// Largest magnitudes: of a learned value, of a running statistic, and of a weight with BatchNorm
  /// folded in. Those of trained networks are below 1e2, 1e4 and 1e3.
  static constexpr float kLargestLearned = 1e4F;
  static constexpr float kLargestStatistic = 1e8F;
  static constexpr float kLargestFolded = 1e6F;

  explicit Parameters(ParameterSource source) : source_(std::move(source)) {}

  /// The tensor `name`, with exactly this shape.
  template <std::size_t Rank>
  Tensor<float, Rank> get(const std::string& name, const Shape<Rank>& shape) {
    Tensor<float, Rank> values(shape);
    source_(name, shape, values.data());
    const bool measured = name.ends_with(".running_mean") || name.ends_with(".running_var");
    const float largest = measured ? kLargestStatistic : kLargestLearned;
    for (Index i = 0; i < values.size(); ++i) {
      const float value = values.data()[i];
      if (std::abs(value) <= largest) continue;
      throw WeightsError(holding(name, value, i) + "; weights must be finite, and here at most " +
                         shown(largest));
    }
    // Running statistics are measured, not learned, and do not count as parameters.
    if (read_.insert(name).second && !measured) count_ += values.size();
    return values;
  }

  /// `conv`.weight [out, in, kernel, kernel] with the BatchNorm `norm` (running statistics) folded
  /// in: w' = w g / sqrt(var + eps), b' = beta - mean g / sqrt(var + eps), in double.
  FoldedConvolution folded(const std::string& conv, const std::string& norm, Index out, Index in,
                           Index kernel) {
    FoldedConvolution folded{get<4>(conv + ".weight", {out, in, kernel, kernel}), {}};
    const auto gamma = get<1>(norm + ".weight", {out});
    folded.bias = get<1>(norm + ".bias", {out});
    const auto mean = get<1>(norm + ".running_mean", {out});
    const auto variance = get<1>(norm + ".running_var", {out});
    const Index taps = in * kernel * kernel;
    for (Index o = 0; o < out; ++o) {
      const double denominator = static_cast<double>(variance(o)) + kBatchNormEpsilon;
      if (!(denominator > 0)) {
        throw WeightsError(holding(norm + ".running_var", variance(o), o) +
                           "; a variance is not negative");
      }
      const double scale = static_cast<double>(gamma(o)) / std::sqrt(denominator);
      float* row = folded.weight.data() + o * taps;
      for (Index t = 0; t < taps; ++t) {
        row[t] = static_cast<float>(row[t] * scale);
        if (std::abs(row[t]) <= kLargestFolded) continue;
        std::string flaw = "tensor '";
        flaw.append(conv).append(".weight', multiplied by the BatchNorm '").append(norm);
        flaw.append("', holds ").append(shown(row[t])).append("; at most ");
        throw WeightsError(flaw.append(shown(kLargestFolded)).append(" is expected"));
      }
      folded.bias(o) = static_cast<float>(folded.bias(o) - mean(o) * scale);
    }
    return folded;
  }

  /// Number of elements of the learned tensors read so far, each tensor counted once.
  Index count() const { return count_; }

 private:
  static std::string shown(float value) { return general_text(value, 6); }

  static std::string holding(const std::string& name, float value, Index element) {
    return "tensor '" + name + "' holds " + shown(value) + " at element " + std::to_string(element);
  }

  ParameterSource source_;
  std::set<std::string> read_;
  Index count_ = 0;
};

}  // namespace crossfix::model
