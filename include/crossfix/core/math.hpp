#pragma once

#include "crossfix/core/memory_space.hpp"

/// Arithmetic that host and device share.
namespace crossfix {

/// log2(e): a natural score times this is in units of log 2.
inline constexpr float kLog2E = 1.44269504088896340736f;
/// ln(2): a base-2 logarithm times this is a natural one.
inline constexpr float kLn2 = 0.693147180559945309417f;

// Always inlined: the CPU kernels of wide instruction sets may share no function with other files.

/// The fewest parts of `size` that hold `count`: count / size, rounded up. `count` is at least 0,
/// `size` above 0, and their sum fits T.
template <class T>
[[gnu::always_inline]] CROSSFIX_HOST_DEVICE constexpr T ceil_div(T count, T size) {
  return (count + size - 1) / size;
}

/// The least multiple of `size` that is not below `count`; as ceil_div.
template <class T>
[[gnu::always_inline]] CROSSFIX_HOST_DEVICE constexpr T round_up_to(T count, T size) {
  return (count + size - 1) / size * size;
}

}  // namespace crossfix
