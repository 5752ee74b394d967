#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "cuda/device_tensor.hpp"
#include "cuda/subject.hpp"

namespace crossfix::test {

/// The CUDA backend, with whatever this program links it to.
template <class ElementType>
struct CudaOperators {
  using Element = ElementType;
  using Backend = cuda::Backend<Element>;

  static bool available() { return there_is_a_gpu(); }
  static std::string name() { return std::string(name_of(dtype_of<Element>)) + ", cuda"; }
  static cuda::Target target() { return first_gpu(); }
  static std::vector<cuda::Target> targets() {
    const cuda::Target first = first_gpu();
    return {first, first.sibling()};
  }

  template <class T, std::size_t Rank>
  using Memory = DeviceTensor<T, Rank>;
  static constexpr Index kGap = 16;
  static bool takes_head_dim(Index dim) {
    return std::is_same_v<Element, float> || dim == 16 || dim == 32 || dim == 64 || dim == 128;
  }

  /// The relative L2 error that is allowed, as for the CPU: each result in 16 bits is rounded by up
  /// to 2^-8 (bfloat16) or 2^-11 (float16) of itself, evenly distributed, and so is each weight of
  /// an attention.
  static constexpr double kTolerance = std::is_same_v<Element, float>      ? 2e-6
                                       : std::is_same_v<Element, bfloat16> ? 0x1p-8
                                                                           : 0x1p-11;
  /// The error that the logarithm of a sum of weights may have, for scores up to about 30:
  /// roundings of the scores and of the sum, in float for every element.
  static constexpr double kLogSumTolerance = 1e-5;
};

using MathSubjects =
    std::tuple<CudaOperators<float>, CudaOperators<bfloat16>, CudaOperators<float16>>;
using KernelSubjects = MathSubjects;

}  // namespace crossfix::test
