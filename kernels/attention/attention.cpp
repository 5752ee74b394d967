#include <limits>
#include <string>
#include <type_traits>

#include "attention/ampere.hpp"
#include "attention/exact.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/cuda/attention.hpp"

namespace crossfix::cuda {
namespace {

constexpr int kAmpere = 80;  // compute capability

template <class T>
kernels::AttentionOperand<T> operand_of(const char* what,
                                        const TensorView<T, 4, DeviceSpace>& view) {
  if (view.extent(3) > 1 && view.stride(3) != 1) {
    throw ShapeError(std::string("attention ") + what + " of shape " + to_string(view.shape()) +
                     " must be contiguous along their last axis; the strides are " +
                     to_string(view.strides()));
  }
  return {view.data(), view.stride(0), view.stride(1), view.stride(2)};
}

/// An extent as an int that a tile may be added to.
int extent_of(const char* what, Index extent) {
  constexpr Index kMost = std::numeric_limits<int>::max() - 1024;
  if (extent <= kMost) return static_cast<int>(extent);
  throw ShapeError("attention over " + std::to_string(extent) + " " + what + "; at most " +
                   std::to_string(kMost) + " are taken");
}

template <class T>
kernels::AttentionArguments<T> arguments_of(const TensorView<const T, 4, DeviceSpace>& q,
                                            const TensorView<const T, 4, DeviceSpace>& k,
                                            const TensorView<const T, 4, DeviceSpace>& v,
                                            const TensorView<T, 4, DeviceSpace>& o, float scale) {
  expect_shape("attention keys", k.shape(), {q.extent(0), k.extent(1), q.extent(2), q.extent(3)});
  expect_shape("attention values", v.shape(), k.shape());
  expect_shape("attention output", o.shape(), q.shape());
  return {.q = operand_of("queries", q),
          .k = operand_of("keys", k),
          .v = operand_of("values", v),
          .o = operand_of("outputs", o),
          .batch = q.extent(0),
          .heads = q.extent(2),
          .queries = extent_of("queries", q.extent(1)),
          .keys = extent_of("keys", k.extent(1)),
          .dim = extent_of("dims", q.extent(3)),
          .scale = scale};
}

[[noreturn]] void refuse_element(const char* kernel, const char* taken) {
  throw ShapeError(std::string("the ") + kernel + " attention kernel takes " + taken);
}

}  // namespace

template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, float scale, AttentionKernel kernel) {
  constexpr bool kExact = std::is_same_v<T, float>;
  if (device.compute_capability < kAmpere) {
    throw DeviceError("attention needs a device of compute capability 8.0 or above, this one has " +
                      std::to_string(device.compute_capability / 10) + "." +
                      std::to_string(device.compute_capability % 10));
  }
  const auto arguments = arguments_of(q, k, v, o, scale);
  if (kernel == AttentionKernel::automatic) {
    kernel = kExact ? AttentionKernel::exact : AttentionKernel::ampere;
  }
  if (kExact != (kernel == AttentionKernel::exact)) {
    refuse_element(kExact ? "16-bit" : "exact", kExact ? "bf16 and f16, not f32" : "f32 alone");
  }
  if (o.empty()) return;
  if constexpr (kExact) {
    kernels::attention_exact(stream, arguments);
  } else {
    kernels::attention_ampere(stream, arguments);
  }
}

template void attention<float>(StreamView, const DeviceTraits&,
                               TensorView<const float, 4, DeviceSpace>,
                               TensorView<const float, 4, DeviceSpace>,
                               TensorView<const float, 4, DeviceSpace>,
                               TensorView<float, 4, DeviceSpace>, float, AttentionKernel);
template void attention<bfloat16>(StreamView, const DeviceTraits&,
                                  TensorView<const bfloat16, 4, DeviceSpace>,
                                  TensorView<const bfloat16, 4, DeviceSpace>,
                                  TensorView<const bfloat16, 4, DeviceSpace>,
                                  TensorView<bfloat16, 4, DeviceSpace>, float, AttentionKernel);
template void attention<float16>(StreamView, const DeviceTraits&,
                                 TensorView<const float16, 4, DeviceSpace>,
                                 TensorView<const float16, 4, DeviceSpace>,
                                 TensorView<const float16, 4, DeviceSpace>,
                                 TensorView<float16, 4, DeviceSpace>, float, AttentionKernel);

}  // namespace crossfix::cuda
