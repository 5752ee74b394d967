#pragma once

#include <string>
#include <tuple>
#include <type_traits>

#include "crossfix/core/dtype.hpp"
#include "crossfix/cuda/attention.hpp"
#include "kernels/machine.hpp"

namespace crossfix::test {

/// One attention kernel under test, for one element.
template <class ElementType, cuda::AttentionKernel kWhich>
struct AttentionSubject {
  using Element = ElementType;
  static constexpr cuda::AttentionKernel kKernel = kWhich;
  static constexpr bool kExact = std::is_same_v<Element, float>;
  /// Rows of the inputs must begin at multiples of 16 bytes; of the outputs too.
  static constexpr bool kAlignedInputs = !kExact;
  static constexpr bool kAlignedOutputs = kWhich == cuda::AttentionKernel::hopper;

  static bool available() {
    return kWhich != cuda::AttentionKernel::hopper || Machine::device().compute_capability == 90;
  }
  static std::string name() {
    const char* kernels[] = {"automatic", "hopper", "ampere", "exact"};
    return std::string(kernels[static_cast<int>(kWhich)]) + ", " +
           std::string(name_of(dtype_of<Element>));
  }

  /// The relative L2 error that is allowed. In 16 bits each weight and each result has a relative
  /// rounding error of up to u, u = 2^-8 for bfloat16 and 2^-11 for float16, evenly distributed: at
  /// most u / sqrt(3) in the mean, and less than u for the two together. A float sum of n terms has
  /// an error of about sqrt(n) 2^-25, with n up to about 2000 here, and a weight has the 2^-22 of
  /// the device's exponential.
  static constexpr double kTolerance = kExact                              ? 2e-6
                                       : std::is_same_v<Element, bfloat16> ? 0x1p-8
                                                                           : 0x1p-11;
};

using AttentionSubjects = std::tuple<AttentionSubject<float, cuda::AttentionKernel::exact>,
                                     AttentionSubject<bfloat16, cuda::AttentionKernel::ampere>,
                                     AttentionSubject<float16, cuda::AttentionKernel::ampere>,
                                     AttentionSubject<bfloat16, cuda::AttentionKernel::hopper>,
                                     AttentionSubject<float16, cuda::AttentionKernel::hopper>>;

}  // namespace crossfix::test
