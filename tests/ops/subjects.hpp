#pragma once

#include "ops/compare.hpp"
#include "support/reference_backend.hpp"

/// The implementations that the operators' tests run on. `MathSubjects` differ in the library of
/// their convolutions and matrix products, `KernelSubjects` in our own kernels. A subject has
///
/// - `Element`, `Backend`; `target()`, which its operators are prepared on; `targets()`, more of
///   them, on which operators must give the same; `kTolerance`, the relative L2 error that a
///   result of one `Element` may have; `kLogSumTolerance`, the error that the log-sum-exp of an
///   attention may have;
/// - `Memory<T, Rank>(target, values)`: a tensor in the backend's memory, made from floats as T or
///   from a shape alone; `view()`; `read(context)`, the values as floats, after all work so far;
/// - `kGap`: how many elements views into the middle of a row must leave out, so that rows begin
///   where the backend can load them; `takes_head_dim(dim)`;
/// - `available()`, `name()`.
///
/// Those of the CPU are in one program. Those of CUDA are in others, which define
/// CROSSFIX_TEST_CUDA and link the backend, on a GPU or on its stand-ins.
#if defined(CROSSFIX_TEST_CUDA)
#include "ops/cuda_subjects.hpp"
#else
#include "ops/cpu_subjects.hpp"
#endif

namespace crossfix::test {

template <class Subject, class T, std::size_t Rank>
using Memory = typename Subject::template Memory<T, Rank>;

/// The value of memory that must not be written.
inline constexpr float kMark = 42.0f;

/// A tensor of marks, to write into.
template <std::size_t Rank>
Tensor<float, Rank> marked(const Shape<Rank>& shape) {
  Tensor<float, Rank> out(shape);
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = kMark;
  return out;
}

}  // namespace crossfix::test

/// Leaves a test, with a message, if this machine cannot run its subject.
#define CROSSFIX_NEED(Subject)                                     \
  if (!Subject::available()) {                                     \
    WARN("skipped, this machine cannot run: " << Subject::name()); \
    return;                                                        \
  }
