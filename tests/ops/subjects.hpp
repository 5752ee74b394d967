#pragma once

#include "ops/compare.hpp"
#include "support/reference_backend.hpp"

/// The implementations that the operators' tests run on. `MathSubjects` differ in whose
/// convolutions and matrix products they use, `KernelSubjects` in the kernels that are ours. A
/// subject has
///
/// - `Element`, `Backend`; `target()`, where its operators are prepared; `targets()`, more of
///   them, on which operators must run alike; `kTolerance`, the relative L2
///   error allowed a result that is one `Element`; `kLogSumTolerance`, the error allowed the
///   log-sum-exp of an attention;
/// - `Memory<T, Rank>(target, values)`: a tensor in the backend's memory, a copy of floats as T, or
///   of a shape alone; `view()`; `read(context)`, the values as floats, after all work so far;
/// - `kGap`: the elements that views into the middle of a row must leave out, for rows to begin
///   where the backend can load them; `takes_head_dim(dim)`;
/// - `available()`, `name()`.
///
/// The CPU's are in one program; those of CUDA in others, which define CROSSFIX_TEST_CUDA and link
/// the backend, on a GPU or on its stand-ins.
#if defined(CROSSFIX_TEST_CUDA)
#include "ops/cuda_subjects.hpp"
#else
#include "ops/cpu_subjects.hpp"
#endif

namespace crossfix::test {

template <class Subject, class T, std::size_t Rank>
using Memory = typename Subject::template Memory<T, Rank>;

/// What lies where nothing may be written.
inline constexpr float kMark = 42.0f;

/// A tensor of marks, to be written into.
template <std::size_t Rank>
Tensor<float, Rank> marked(const Shape<Rank>& shape) {
  Tensor<float, Rank> out(shape);
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = kMark;
  return out;
}

}  // namespace crossfix::test

/// Leaves a test whose subject this machine cannot run, saying so.
#define CROSSFIX_NEED(Subject)                                     \
  if (!Subject::available()) {                                     \
    WARN("skipped, this machine cannot run: " << Subject::name()); \
    return;                                                        \
  }
