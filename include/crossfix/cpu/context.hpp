#pragma once

#include <cstddef>
#include <optional>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/instruction_set.hpp"
#include "crossfix/cpu/math_library.hpp"
#include "crossfix/cpu/resize.hpp"

namespace crossfix::cpu {

/// Number of cores used for `threads = 0`: those that this process may run on.
int available_threads();

/// Where the CPU backend prepares and runs operators. Operators use `threads` and `library`;
/// contexts use `threads` and `instruction_set`. Operators plan for the number of threads, and
/// throw DeviceError if it is negative.
struct Target {
  int threads = 0;  ///< 0: all cores
  /// Empty: the best that the machine supports.
  std::optional<InstructionSet> instruction_set = {};
  MathLibrary library = MathLibrary::automatic;
};

/// How work is run: the number of threads, the kernels, and the scratch memory that operators
/// share. One thread may use it at a time.
class Context {
 public:
  /// `scratch_bytes`: the largest `scratch_bytes()` of the operators that will use this context.
  /// Throws DeviceError if the machine lacks the instruction set or the number of threads is
  /// negative.
  Context(const Target& target, std::size_t scratch_bytes);

  int threads() const { return threads_; }
  InstructionSet instruction_set() const { return instruction_set_; }
  std::size_t scratch_bytes() const { return static_cast<std::size_t>(scratch_.size()); }

  /// Scratch memory, 64-byte aligned, with whatever the last operator left in it. Throws ShapeError
  /// if the context was made with less.
  std::byte* scratch(std::size_t bytes);

  /// Resizers for recently used image sizes.
  ResizerCache& resizers() { return resizers_; }

 private:
  int threads_;
  InstructionSet instruction_set_;
  Tensor<std::byte, 1> scratch_;
  ResizerCache resizers_;
};

/// The context of a backend whose activations are `Element`.
template <class Element>
class ElementContext : public Context {
 public:
  /// Like Context. For `Element` = bfloat16, also throws DeviceError if the instruction set has no
  /// bfloat16 arithmetic.
  ElementContext(const Target& target, std::size_t scratch_bytes);
};

extern template class ElementContext<float>;
extern template class ElementContext<bfloat16>;

/// Zeroed host memory, 64-byte aligned.
class Arena {
 public:
  Arena(const Target&, std::size_t bytes) : bytes_({static_cast<Index>(bytes)}) {}
  std::byte* data() { return bytes_.data(); }
  std::size_t size() const { return static_cast<std::size_t>(bytes_.size()); }

 private:
  Tensor<std::byte, 1> bytes_;
};

}  // namespace crossfix::cpu
