#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "crossfix/cpu/backend.hpp"

namespace crossfix::test {

/// A tensor in host memory: what a Memory (ops/subjects.hpp) is for the CPU.
template <class T, std::size_t Rank>
class HostMemory {
 public:
  HostMemory(const cpu::Target&, const Tensor<float, Rank>& values) : values_(values.shape()) {
    for (Index i = 0; i < values.size(); ++i) values_.data()[i] = T(values.data()[i]);
  }
  HostMemory(const cpu::Target&, const Shape<Rank>& shape) : values_(shape) {}

  TensorView<T, Rank> view() { return values_; }
  TensorView<const T, Rank> const_view() const { return values_; }
  Tensor<float, Rank> read(cpu::Context&) const {
    Tensor<float, Rank> out(values_.shape());
    for (Index i = 0; i < out.size(); ++i) {
      out.data()[i] = static_cast<float>(values_.data()[i]);
    }
    return out;
  }

 private:
  Tensor<T, Rank> values_;
};

/// An implementation under test: a backend, and the instruction set of the kernels that are ours.
template <class ElementType, class Math, cpu::InstructionSet kSet>
struct Subject {
  using Element = ElementType;
  using Backend = cpu::Backend<Element, Math>;

  static bool available() { return cpu::best_instruction_set() >= kSet; }
  static std::string name() {
    return std::string(name_of(dtype_of<Element>)) + ", " + Math::kName + ", " +
           std::string(cpu::name_of(kSet));
  }
  static typename Backend::Target target(int threads = 2) {
    return {.threads = threads, .instruction_set = kSet};
  }
  static std::vector<cpu::Target> targets() { return {target(1), target(2), target(3)}; }

  template <class T, std::size_t Rank>
  using Memory = HostMemory<T, Rank>;
  static constexpr Index kGap = 1;
  static bool takes_head_dim(Index) { return true; }

  /// Relative L2 error allowed: each result in bfloat16 is rounded by up to 2^-9 of itself, and so
  /// is each weight of an attention; a float sum of n terms errs by about sqrt(n) 2^-25, n up to
  /// about 2000 here.
  static constexpr double kTolerance = std::is_same_v<Element, float> ? 2e-6 : 0x1p-8;
  /// Error allowed the logarithm of a sum of weights of scores up to about 30: roundings of the
  /// scores and of the sum, and with bfloat16 the weights' polynomial, off by 7.5e-5 of itself.
  static constexpr double kLogSumTolerance = std::is_same_v<Element, float> ? 1e-5 : 1e-4;
};

using enum cpu::InstructionSet;
#if CROSSFIX_HAS_ONEDNN
using MathSubjects =
    std::tuple<Subject<float, cpu::OneDnn, baseline>, Subject<bfloat16, cpu::OneDnn, avx512_bf16>,
               Subject<float, cpu::EigenMath, baseline>,
               Subject<bfloat16, cpu::EigenMath, avx512_bf16>>;
#else
using MathSubjects = std::tuple<Subject<float, cpu::EigenMath, baseline>,
                                Subject<bfloat16, cpu::EigenMath, avx512_bf16>>;
#endif
using KernelSubjects =
    std::tuple<Subject<float, cpu::DefaultMath, baseline>, Subject<float, cpu::DefaultMath, avx2>,
               Subject<float, cpu::DefaultMath, avx512>,
               Subject<bfloat16, cpu::DefaultMath, avx512_bf16>>;

}  // namespace crossfix::test
