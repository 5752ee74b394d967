#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "attention/arguments.hpp"
#include "crossfix/core/dtype.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "emulator/cuda.hpp"

/// A quick verdict on one kernel, for the search of planted bugs: a program that ends with 0 where the
/// kernel computes what a plain loop does, in several orders of its threads.
namespace crossfix::probe {

inline constexpr std::uint64_t kSeeds = 2;
/// Relative L2 error that rounding to bfloat16 (2^-9 of each value and weight) stays well below.
inline constexpr double kTolerance = 0.02;

inline cuda::StreamView no_stream() { return cuda::StreamView(nullptr); }

inline std::vector<bfloat16> random_elements(Index count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<bfloat16> elements(static_cast<std::size_t>(count));
  for (auto& element : elements) element = bfloat16(uniform(generator));
  return elements;
}

/// |a - b| / |b|; NaN where either holds one.
inline double relative_error(const std::vector<bfloat16>& a, const std::vector<double>& b) {
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double off = static_cast<double>(static_cast<float>(a[i])) - b[i];
    difference += off * off;
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

/// Runs `error` with each seed; prints and returns false where it throws or is beyond the tolerance.
inline bool holds(const std::string& what, const std::function<double()>& error) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    emulator::set_seed(seed);
    try {
      const double off = error();
      if (off <= kTolerance) continue;
      std::printf("%s: relative error %g\n", what.c_str(), off);
    } catch (const std::exception& fault) {
      std::printf("%s: %s\n", what.c_str(), fault.what());
    }
    return false;
  }
  return true;
}

/// Queries, keys and values as parts of projections [batch, token, 3, head, dim].
struct AttentionCase {
  const char* what;
  Index batch, heads;
  int queries, keys, dim;
  int multiprocessors;
  /// Keys grow by so much from the first to the last: the running maximum rises all along.
  float rise = 0.0f;
  /// How large values are: beyond 2^28 their weighted sums overflow before the sum of weights does.
  float largest_value = 1.0f;

  double error(
      const std::function<void(const cuda::DeviceTraits&,
                               const kernels::AttentionArguments<bfloat16>&)>& kernel) const {
    const Index token = 3 * heads * dim;
    auto from = random_elements(batch * queries * token, 1);
    auto to = random_elements(batch * keys * token, 2);
    for (Index i = 0; i < batch * keys * token; ++i) {
      auto& element = to[static_cast<std::size_t>(i)];
      if (i / (heads * dim) % 3 == 2) {
        element = bfloat16(static_cast<float>(element) * largest_value);
      }
    }
    for (Index i = 0; rise > 0.0f && i < batch * keys * token; ++i) {
      auto& element = to[static_cast<std::size_t>(i)];
      const bool key = i / (heads * dim) % 3 == 1;
      const auto place = static_cast<float>(i / token % keys) / static_cast<float>(keys);
      if (key) element = bfloat16(static_cast<float>(element) + rise * place);
    }
    if (rise > 0.0f) {
      for (auto& element : from) element = bfloat16(std::fabs(static_cast<float>(element)));
    }
    std::vector<bfloat16> o(static_cast<std::size_t>(batch * queries * heads * dim),
                            bfloat16(7.0f));
    const auto part = [&](const std::vector<bfloat16>& fused, int tokens, Index which) {
      return kernels::AttentionOperand<const bfloat16>{fused.data() + which * heads * dim,
                                                       tokens * token, token, dim};
    };
    const kernels::AttentionArguments<bfloat16> arguments = {
        .q = part(from, queries, 0),
        .k = part(to, keys, 1),
        .v = part(to, keys, 2),
        .o = {o.data(), queries * heads * dim, heads * dim, dim},
        .batch = batch,
        .heads = heads,
        .queries = queries,
        .keys = keys,
        .dim = dim,
        .scale = 1.0f / std::sqrt(static_cast<float>(dim))};
    kernel({.compute_capability = 90,
            .multiprocessors = multiprocessors,
            .shared_bytes_per_block = 232448},
           arguments);
    return relative_error(o, plain(arguments));
  }

 private:
  static double at(const kernels::AttentionOperand<const bfloat16>& operand, Index b, Index h,
                   Index token, Index d) {
    return static_cast<double>(
        static_cast<float>(operand.head(b, h)[token * operand.token_stride + d]));
  }

  static std::vector<double> plain(const kernels::AttentionArguments<bfloat16>& a) {
    std::vector<double> o;
    std::vector<double> weights(static_cast<std::size_t>(a.keys));
    for (Index b = 0; b < a.batch; ++b) {
      for (Index i = 0; i < a.queries; ++i) {
        for (Index h = 0; h < a.heads; ++h) {
          for (Index j = 0; j < a.keys; ++j) {
            double score = 0.0;
            for (Index d = 0; d < a.dim; ++d) score += at(a.q, b, h, i, d) * at(a.k, b, h, j, d);
            weights[static_cast<std::size_t>(j)] = score * static_cast<double>(a.scale);
          }
          const double largest = *std::max_element(weights.begin(), weights.end());
          double sum = 0.0;
          for (double& weight : weights) sum += weight = std::exp(weight - largest);
          for (Index d = 0; d < a.dim; ++d) {
            double value = 0.0;
            for (Index j = 0; j < a.keys; ++j) {
              value += weights[static_cast<std::size_t>(j)] * at(a.v, b, h, j, d);
            }
            o.push_back(value / sum);
          }
        }
      }
    }
    return o;
  }
};

}  // namespace crossfix::probe
