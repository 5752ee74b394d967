#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/core/math.hpp"
#include "crossfix/kernels/attention/arguments.hpp"
#include "crossfix/kernels/attention/schedule.hpp"

namespace crossfix::kernels {

/// Alignment, in bytes, that cp.async and 16-byte stores need.
inline constexpr Index kRowAlignment = 16;

/// The first property of an operand ("address", "token stride", ...) because of which some of its
/// rows do not begin at a multiple of 16 bytes; null if all do.
template <class T, class Element>
const char* misaligned_axis(const AttentionArguments<Element>& arguments,
                            const AttentionOperand<T>& operand, Index tokens) {
  const auto off = [](Index stride, Index extent) {
    return extent > 1 && stride * static_cast<Index>(sizeof(T)) % kRowAlignment != 0;
  };
  if (reinterpret_cast<std::uintptr_t>(operand.data) % kRowAlignment != 0) return "address";
  if (off(operand.batch_stride, arguments.batch)) return "batch stride";
  if (off(operand.token_stride, tokens)) return "token stride";
  if (off(operand.head_stride, arguments.heads)) return "head stride";
  return nullptr;
}

/// Throws ShapeError unless every row of the operand begins at a multiple of 16 bytes.
template <class T, class Element>
void expect_aligned(const char* what, const AttentionArguments<Element>& arguments,
                    const AttentionOperand<T>& operand, Index tokens) {
  const char* axis = misaligned_axis(arguments, operand, tokens);
  if (axis == nullptr || tokens == 0) return;
  throw ShapeError(std::string("attention ") + what + " have a" + (*axis == 'a' ? "n " : " ") +
                   axis + " that is no multiple of " + std::to_string(kRowAlignment) +
                   " bytes; strides [batch, token, head] are [" +
                   std::to_string(operand.batch_stride) + ", " +
                   std::to_string(operand.token_stride) + ", " +
                   std::to_string(operand.head_stride) + "] elements");
}

/// Throws ShapeError that lists the supported head dimensions.
[[noreturn]] inline void refuse_dim(const char* taken, int dim) {
  throw ShapeError("attention takes head dimensions " + std::string(taken) + ", not " +
                   std::to_string(dim));
}

/// Number of blocks of a launch. Throws ShapeError if a grid cannot hold them.
template <class T>
unsigned grid_of(const AttentionArguments<T>& arguments, Index tile) {
  constexpr Index kMost = std::numeric_limits<std::int32_t>::max();
  // No product here can overflow: each factor is bounded before the multiplication.
  const Index tiles = ceil_div<Index>(arguments.queries, tile);
  if (arguments.heads <= kMost / tiles && arguments.batch <= kMost / tiles / arguments.heads) {
    return static_cast<unsigned>(work_count(arguments, tile));
  }
  throw ShapeError("attention over " + std::to_string(arguments.batch) + " x " +
                   std::to_string(arguments.heads) + " heads of " +
                   std::to_string(arguments.queries) + " queries needs more than " +
                   std::to_string(kMost) + " blocks of " + std::to_string(tile) + " queries");
}

}  // namespace crossfix::kernels
