#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "crossfix/io/safetensors.hpp"
#include "crossfix/model/parameters.hpp"
#include "support/counter_generator.hpp"
#include "support/source_folder.hpp"

namespace crossfix::test {

/// Parameters from the counter-based generator, for any configuration.
inline model::Parameters generated_parameters() {
  return model::Parameters([](const std::string& name, std::span<const Index> shape, float* out) {
    const std::vector<Index> extents(shape.begin(), shape.end());
    Index count = 1;
    for (const Index extent : shape) count *= extent;
    const std::uint64_t s = stream(name);
    for (Index i = 0; i < count; ++i) out[i] = weight(name, s, extents, i);
  });
}

/// ||a - b|| / ||b||; with `centred`, of a and b minus their means.
inline double relative_l2(std::span<const float> a, std::span<const float> b,
                          bool centred = false) {
  if (a.size() != b.size()) return std::nan("");
  double mean_a = 0;
  double mean_b = 0;
  if (centred) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      mean_a += a[i] / static_cast<double>(a.size());
      mean_b += b[i] / static_cast<double>(b.size());
    }
  }
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i] - mean_a;
    const double y = b[i] - mean_b;
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return std::sqrt(difference / norm);
}

/// A file of golden outputs (tests/golden/README.md). A key `name@k` holds every k-th element.
class Golden {
 public:
  explicit Golden(const std::string& name)
      : file_(io::Safetensors::open(source_folder() / "tests/golden" / (name + ".safetensors"))) {}

  /// Relative L2 error of `values` (all of them), if the file holds all or every k-th. NaN, which
  /// fails any bound, if the file has no such key or another number of elements.
  double error(const std::string& name, std::span<const float> values, bool centred = false) const {
    for (const auto& [key, record] : file_.tensors()) {
      if (key.substr(0, key.find('@')) != name) continue;
      const std::size_t step =
          key.find('@') == std::string::npos ? 1 : std::stoul(key.substr(key.find('@') + 1));
      std::vector<float> expected(static_cast<std::size_t>(record.element_count()));
      to_float(record, expected.data());
      std::vector<float> sample;
      for (std::size_t i = 0; i < values.size(); i += step) sample.push_back(values[i]);
      return relative_l2(sample, expected, centred);
    }
    return std::nan("");
  }

 private:
  io::Safetensors file_;
};

}  // namespace crossfix::test
