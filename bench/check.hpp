#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <type_traits>

#include "crossfix/core/dtype.hpp"

namespace crossfix::bench {

/// The relative error that a result may have; the tests of the operators say where it comes from.
template <class Element>
inline constexpr double kTolerance = std::is_same_v<Element, float> ? 1e-5 : 0x1p-7;

/// Collects the error of results that were computed a second way.
class Check {
 public:
  template <class Element>
  void add(Element result, double expected) {
    const double difference = static_cast<double>(static_cast<float>(result)) - expected;
    difference_ += difference * difference;
    norm_ += expected * expected;
  }
  /// Returns false, and ends the benchmark with an error, unless the relative L2 error is within
  /// bounds.
  template <class Element>
  bool passes(benchmark::State& state) const {
    const double error = std::sqrt(difference_ / norm_);
    if (error <= kTolerance<Element>) return true;
    state.SkipWithError(("wrong results: relative error " + std::to_string(error)).c_str());
    return false;
  }

 private:
  double difference_ = 0.0;
  double norm_ = 0.0;
};

template <class Element>
std::string named(const std::string& name) {
  return name + "/" + std::string(name_of(dtype_of<Element>));
}

}  // namespace crossfix::bench
