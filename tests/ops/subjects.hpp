#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "crossfix/cpu/backend.hpp"
#include "support/counter_generator.hpp"
#include "support/reference_backend.hpp"

/// The implementations that the operators' tests run on, and how results are compared.
namespace crossfix::test {

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
  static typename Backend::Context context(std::size_t scratch_bytes, int threads = 2) {
    return {target(threads), scratch_bytes};
  }

  /// Relative L2 error allowed: each result in bfloat16 is rounded by up to 2^-9 of itself, and so
  /// is each weight of an attention; a float sum of n terms errs by about sqrt(n) 2^-25, n up to
  /// about 2000 here.
  static constexpr double kTolerance = std::is_same_v<Element, float> ? 2e-6 : 0x1p-8;
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

/// Values as an `Element` holds them.
template <class Element, std::size_t Rank>
Tensor<Element, Rank> stored_as(const Tensor<float, Rank>& values) {
  Tensor<Element, Rank> out(values.shape());
  for (Index i = 0; i < values.size(); ++i) out.data()[i] = Element(values.data()[i]);
  return out;
}

/// Unit-variance values of which each is exactly an `Element`, so that the reference computes from
/// the same numbers.
template <class Element, std::size_t Rank>
Tensor<float, Rank> features_of(std::string_view key, const Shape<Rank>& shape,
                                float factor = 1.0f) {
  Tensor<float, Rank> out = features(key, shape);
  for (Index i = 0; i < out.size(); ++i) {
    out.data()[i] = static_cast<float>(Element(out.data()[i] * factor));
  }
  return out;
}

template <class T, std::size_t Rank>
const T& element_at(const TensorView<const T, Rank>& view, Index flat) {
  Index offset = 0;
  for (std::size_t d = Rank; d-- > 0;) {
    offset += flat % view.extent(d) * view.stride(d);
    flat /= view.extent(d);
  }
  return view.data()[offset];
}

/// |a - b| / |b| over all elements; NaN where either holds one. `b` must not be all zero.
template <class A, std::size_t Rank>
double relative_error(const TensorView<const A, Rank>& a, const TensorView<const float, Rank>& b) {
  double difference = 0.0;
  double norm = 0.0;
  for (Index i = 0; i < b.size(); ++i) {
    const double x = static_cast<double>(static_cast<float>(element_at(a, i)));
    const double y = static_cast<double>(element_at(b, i));
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return std::sqrt(difference / norm);
}

}  // namespace crossfix::test

/// Leaves a test whose subject this machine cannot run, saying so.
#define CROSSFIX_NEED(Subject)                                        \
  if (!Subject::available()) {                                        \
    WARN("skipped, this machine lacks the set: " << Subject::name()); \
    return;                                                           \
  }
