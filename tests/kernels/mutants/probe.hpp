#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/attention/arguments.hpp"
#include "emulator/cuda.hpp"

/// A quick test of one kernel, for the search of planted bugs: a program that exits with 0 if the
/// kernel gives the same as a plain loop, in several orders of its threads.
namespace crossfix::probe {

inline constexpr std::uint64_t kSeeds = 2;
/// Relative L2 error; rounding to bfloat16 (2^-9 of each value and weight) stays well below.
inline constexpr double kTolerance = 0.02;

inline cuda::StreamView no_stream() { return cuda::StreamView(nullptr); }

inline std::vector<bfloat16> random_elements(Index count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<bfloat16> elements(static_cast<std::size_t>(count));
  for (auto& element : elements) element = bfloat16(uniform(generator));
  return elements;
}

/// |a - b| / |b|; NaN if either holds one.
template <class T>
double relative_error(const std::vector<T>& a, const std::vector<double>& b) {
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double off = static_cast<double>(static_cast<float>(a[i])) - b[i];
    difference += off * off;
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

/// Runs `error` with each seed. Prints a message and returns false if it throws or exceeds the
/// tolerance.
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

/// Queries, keys and values as parts of projections [batch, token, 3, head, dim] of T.
template <class T>
struct AttentionCase {
  const char* what;
  Index batch, heads;
  int queries, keys, dim;
  int multiprocessors = 1;
  /// Keys grow by this much from the first to the last, so the running maximum keeps rising.
  float rise = 0.0f;
  /// The size of the values: beyond 2^28 their weighted sums overflow before the sum of weights
  /// does.
  float largest_value = 1.0f;
  /// All scores are -inf.
  bool weightless = false;

  using Arguments = kernels::AttentionArguments<T>;

  /// The relative error of o, or the largest error of the log-sum-exp, whichever is larger.
  double error(
      const std::function<void(const cuda::DeviceTraits&, const Arguments&)>& kernel) const {
    const Index token = 3 * heads * dim;
    auto from = elements(batch * queries * token, 1);
    auto to = elements(batch * keys * token, 2);
    for (Index i = 0; i < batch * keys * token; ++i) {
      T& element = to[static_cast<std::size_t>(i)];
      const Index part = i / (heads * dim) % 3;
      const auto along = static_cast<float>(i / token % keys) / static_cast<float>(keys);
      if (part == 2) element = T(static_cast<float>(element) * largest_value);
      if (part == 1 && rise > 0.0f) element = T(static_cast<float>(element) + rise * along);
      if (part == 1 && weightless && i % dim == 0) element = T(-HUGE_VALF);
    }
    if (rise > 0.0f || weightless) {
      for (auto& element : from) element = T(std::fabs(static_cast<float>(element)) + 0x1p-7f);
    }
    std::vector<T> o(static_cast<std::size_t>(batch * queries * heads * dim), T(7.0f));
    // Query by query within heads, with marks after each.
    const Index room = queries + kMarks;
    std::vector<float> lse(static_cast<std::size_t>(batch * heads * room), kMark);
    const auto part = [&](const std::vector<T>& fused, int tokens, Index which) {
      return kernels::AttentionOperand<const T>{fused.data() + which * heads * dim, tokens * token,
                                                token, dim};
    };
    const Arguments arguments = {.q = part(from, queries, 0),
                                 .k = part(to, keys, 1),
                                 .v = part(to, keys, 2),
                                 .o = {o.data(), queries * heads * dim, heads * dim, dim},
                                 .batch = batch,
                                 .heads = heads,
                                 .queries = queries,
                                 .keys = keys,
                                 .dim = dim,
                                 .scale = 1.0f / std::sqrt(static_cast<float>(dim)),
                                 .lse = {lse.data(), heads * room, 1, room}};
    kernel({.compute_capability = 90,
            .multiprocessors = multiprocessors,
            .shared_bytes_per_block = 232448},
           arguments);
    const Plain expected = plain(arguments);
    double off = 0.0;
    for (Index b = 0; b < batch; ++b) {
      for (Index h = 0; h < heads; ++h) {
        for (Index i = 0; i < room; ++i) {
          const float found = lse[static_cast<std::size_t>((b * heads + h) * room + i)];
          const double wanted =
              i < queries ? expected.lse[static_cast<std::size_t>((b * queries + i) * heads + h)]
                          : kMark;
          if (static_cast<double>(found) == wanted) continue;
          const double by = std::abs(static_cast<double>(found) - wanted);
          off = by <= off || std::isnan(off) ? off : by;
        }
      }
    }
    if (!(off <= kTolerance)) return off;
    if (!weightless) return relative_error(o, expected.o);
    return std::all_of(o.begin(), o.end(), [](T x) { return static_cast<float>(x) == 0.0f; }) ? 0
                                                                                              : 1;
  }

 private:
  static constexpr Index kMarks = 300;  // more than the queries of a block
  static constexpr float kMark = 42.0f;

  struct Plain {
    std::vector<double> o, lse;
  };

  static std::vector<T> elements(Index count, unsigned seed) {
    std::vector<T> out;
    for (const bfloat16 element : random_elements(count, seed)) {
      out.push_back(T(static_cast<float>(element)));
    }
    return out;
  }

  static double at(const kernels::AttentionOperand<const T>& operand, Index b, Index h, Index token,
                   Index d) {
    return static_cast<double>(
        static_cast<float>(operand.head(b, h)[token * operand.token_stride + d]));
  }

  static Plain plain(const Arguments& a) {
    Plain result;
    std::vector<double> weights(static_cast<std::size_t>(a.keys));
    for (Index b = 0; b < a.batch; ++b) {
      for (Index i = 0; i < a.queries; ++i) {
        for (Index h = 0; h < a.heads; ++h) {
          for (Index j = 0; j < a.keys; ++j) {
            double score = 0.0;
            for (Index d = 0; d < a.dim; ++d) score += at(a.q, b, h, i, d) * at(a.k, b, h, j, d);
            weights[static_cast<std::size_t>(j)] = score * static_cast<double>(a.scale);
          }
          const double largest = std::max(std::numeric_limits<double>::lowest(),
                                          *std::max_element(weights.begin(), weights.end()));
          double sum = 0.0;
          for (double& weight : weights) sum += weight = std::exp(weight - largest);
          result.lse.push_back(largest + std::log(sum));
          for (Index d = 0; d < a.dim; ++d) {
            double value = 0.0;
            for (Index j = 0; j < a.keys; ++j) {
              value += weights[static_cast<std::size_t>(j)] * at(a.v, b, h, j, d);
            }
            result.o.push_back(value / sum);
          }
        }
      }
    }
    return result;
  }
};

}  // namespace crossfix::probe
