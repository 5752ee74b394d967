#pragma once

#include <variant>

#include "crossfix/core/error.hpp"
#include "crossfix/cpu/context.hpp"
#include "eigen_math.hpp"
#if CROSSFIX_HAS_ONEDNN
#include "onednn.hpp"
#endif

namespace crossfix::cpu {

/// An operator of any library that this build has.
template <template <class Library> class Operator>
#if CROSSFIX_HAS_ONEDNN
using OfAnyLibrary = std::variant<Operator<OneDnn>, Operator<EigenMath>>;
#else
using OfAnyLibrary = std::variant<Operator<EigenMath>>;
#endif

/// Calls `make.template operator()<Library>()` with OneDnn or EigenMath, depending on the target.
/// Throws DeviceError if this build does not have the requested library.
template <class Make>
auto with_library(const Target& target, Make&& make) {
  const MathLibrary library =
      target.library == MathLibrary::automatic ? best_math_library() : target.library;
  if (library == MathLibrary::eigen) return make.template operator()<EigenMath>();
#if CROSSFIX_HAS_ONEDNN
  return make.template operator()<OneDnn>();
#else
  throw DeviceError("this build has no oneDNN; use Eigen (MathLibrary::eigen)");
#endif
}

}  // namespace crossfix::cpu
