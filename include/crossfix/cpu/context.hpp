#pragma once

#include <cstddef>
#include <optional>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/instruction_set.hpp"
#include "crossfix/cpu/math_library.hpp"
#include "crossfix/cpu/resize.hpp"

namespace crossfix::cpu {

/// Cores that `threads = 0` stands for: those this process may run on.
int available_threads();

/// Where the CPU backend prepares and runs operators. Those plan for its number of threads and
/// throw DeviceError where that is negative; the library concerns operators alone, the instruction
/// set contexts.
struct Target {
  int threads = 0;                                     ///< 0: all cores
  std::optional<InstructionSet> instruction_set = {};  ///< absent: the machine's best
  MathLibrary library = MathLibrary::automatic;
};

/// How work is run: how many threads, which kernels, and the scratch memory that operators share.
/// Used by one thread at a time.
class Context {
 public:
  /// `scratch_bytes`: the largest `scratch_bytes()` of the operators that will run in it. Throws
  /// DeviceError for an instruction set the machine lacks and for a negative number of threads.
  Context(const Target& target, std::size_t scratch_bytes);

  int threads() const { return threads_; }
  InstructionSet instruction_set() const { return instruction_set_; }
  std::size_t scratch_bytes() const { return static_cast<std::size_t>(scratch_.size()); }

  /// Scratch memory, 64-byte aligned, holding whatever the last operator left. Throws ShapeError
  /// where the context was made with less.
  std::byte* scratch(std::size_t bytes);

  /// Resizers for the sizes of images met lately.
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
  /// As Context; besides, `Element` = bfloat16 throws DeviceError where the instruction set has no
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
