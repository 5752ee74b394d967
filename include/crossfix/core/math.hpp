#pragma once

#include "crossfix/core/memory_space.hpp"

/// Arithmetic shared by host and device code.
namespace crossfix {

/// log2(e): converts a natural score to units of log 2.
inline constexpr float kLog2E = 1.44269504088896340736f;
/// ln(2): converts a base-2 logarithm to a natural one.
inline constexpr float kLn2 = 0.693147180559945309417f;

// Always inlined: CPU kernels compiled for wide instruction sets must not share functions with
// other files.

/// count / size, rounded up. `count` is at least 0, `size` is above 0, and their sum fits T.
template <class T>
[[gnu::always_inline]] CROSSFIX_HOST_DEVICE constexpr T ceil_div(T count, T size) {
  return (count + size - 1) / size;
}

/// The smallest multiple of `size` that is at least `count`. Same conditions as ceil_div.
template <class T>
[[gnu::always_inline]] CROSSFIX_HOST_DEVICE constexpr T round_up_to(T count, T size) {
  return (count + size - 1) / size * size;
}

}  // namespace crossfix
