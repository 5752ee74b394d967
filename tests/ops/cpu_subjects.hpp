#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "crossfix/cpu/backend.hpp"

namespace crossfix::test {

/// A tensor in host memory: the Memory (ops/subjects.hpp) of the CPU.
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

using enum cpu::InstructionSet;
using enum cpu::MathLibrary;

/// An implementation under test: a backend, with the library for its convolutions and matrix
/// products, and the instruction set of our own kernels.
template <class ElementType, cpu::MathLibrary kLibrary, cpu::InstructionSet kSet>
struct Subject {
  using Element = ElementType;
  using Backend = cpu::Backend<Element>;

  static bool available() {
    return cpu::best_instruction_set() >= kSet &&
           (kLibrary != onednn || cpu::best_math_library() == onednn);
  }
  static std::string name() {
    return std::string(name_of(dtype_of<Element>)) + ", " + cpu::name_of(kLibrary) + ", " +
           std::string(cpu::name_of(kSet));
  }
  static cpu::Target target(int threads = 2) {
    return {.threads = threads, .instruction_set = kSet, .library = kLibrary};
  }
  static std::vector<cpu::Target> targets() { return {target(1), target(2), target(3)}; }

  template <class T, std::size_t Rank>
  using Memory = HostMemory<T, Rank>;
  static constexpr Index kGap = 1;
  static bool takes_head_dim(Index) { return true; }

  /// The relative L2 error that is allowed: each result in bfloat16 is rounded by up to 2^-9 of
  /// itself, and so is each weight of an attention. A float sum of n terms has an error of about
  /// sqrt(n) 2^-25, with n up to about 2000 here.
  static constexpr double kTolerance = std::is_same_v<Element, float> ? 2e-6 : 0x1p-8;
  /// The error that the logarithm of a sum of weights may have, for scores up to about 30:
  /// roundings of the scores and of the sum, and with bfloat16 the polynomial of the weights, with
  /// a relative error of 7.5e-5.
  static constexpr double kLogSumTolerance = std::is_same_v<Element, float> ? 1e-5 : 1e-4;
};

using MathSubjects =
    std::tuple<Subject<float, onednn, baseline>, Subject<bfloat16, onednn, avx512_bf16>,
               Subject<float, eigen, baseline>, Subject<bfloat16, eigen, avx512_bf16>>;
using KernelSubjects =
    std::tuple<Subject<float, automatic, baseline>, Subject<float, automatic, avx2>,
               Subject<float, automatic, avx512>, Subject<bfloat16, automatic, avx512_bf16>>;

}  // namespace crossfix::test
