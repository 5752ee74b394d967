#include "crossfix/cuda/attention.hpp"

#include <limits>
#include <sstream>
#include <string>

#include "crossfix/core/checks.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/kernels/attention/ampere.hpp"
#include "crossfix/kernels/attention/exact.hpp"
#include "crossfix/kernels/attention/hopper.hpp"

namespace crossfix::cuda {
namespace {

constexpr int kAmpere = 80;  // compute capabilities
constexpr int kHopper = 90;

std::string capability_of(const DeviceTraits& device) {
  return std::to_string(device.compute_capability / 10) + "." +
         std::to_string(device.compute_capability % 10);
}

/// Address and strides of an operand, for messages.
template <class T>
std::string memory_of(const kernels::AttentionOperand<T>& operand) {
  std::ostringstream text;
  text << "at " << static_cast<const void*>(operand.data) << " with strides "
       << to_string(Shape<3>{operand.batch_stride, operand.token_stride, operand.head_stride});
  return text.str();
}

template <class T>
kernels::AttentionOperand<T> operand_of(const char* what,
                                        const TensorView<T, 4, DeviceSpace>& view) {
  expect_contiguous_rows(what, view);
  return {view.data(), view.stride(0), view.stride(1), view.stride(2)};
}

/// An extent as an int, small enough that a tile can be added to it.
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
  return {.q = operand_of("attention queries", q),
          .k = operand_of("attention keys", k),
          .v = operand_of("attention values", v),
          .o = operand_of("attention outputs", o),
          .batch = q.extent(0),
          .heads = q.extent(2),
          .queries = extent_of("queries", q.extent(1)),
          .keys = extent_of("keys", k.extent(1)),
          .dim = extent_of("dims", q.extent(3)),
          .scale = scale};
}

/// Runs a 16-bit kernel.
template <class T>
void run(StreamView stream, const DeviceTraits& device,
         const kernels::AttentionArguments<T>& arguments, AttentionKernel kernel) {
  if (kernel == AttentionKernel::exact) {
    throw ShapeError("the exact attention kernel takes f32, not " +
                     std::string(name_of(dtype_of<T>)));
  }
  if (kernel == AttentionKernel::hopper && device.compute_capability != kHopper) {
    throw DeviceError("the Hopper attention kernel needs a device of compute capability 9.0, not " +
                      capability_of(device));
  }
  // Without keys there is nothing to multiply, and any kernel writes the zeros.
  const bool supported = arguments.keys > 0 && kernels::hopper_supports(device, arguments);
  if (kernel == AttentionKernel::hopper && arguments.keys > 0 && !supported) {
    throw ShapeError(
        "the Hopper attention kernel takes head dimensions 32, 64 and 128 and rows that "
        "begin at multiples of 16 bytes, of tokens that are not repeated; this one has " +
        std::to_string(arguments.dim) + " dims, queries " + memory_of(arguments.q) + ", keys " +
        memory_of(arguments.k) + ", values " + memory_of(arguments.v) + ", outputs " +
        memory_of(arguments.o));
  }
  if (supported && kernel != AttentionKernel::ampere) {
    kernels::attention_hopper(stream, device, arguments);
  } else {
    kernels::attention_ampere(stream, arguments);
  }
}

void run(StreamView stream, const DeviceTraits&,
         const kernels::AttentionArguments<float>& arguments, AttentionKernel kernel) {
  if (kernel == AttentionKernel::hopper || kernel == AttentionKernel::ampere) {
    throw ShapeError("the Hopper and Ampere attention kernels take bf16 and f16, not f32");
  }
  kernels::attention_exact(stream, arguments);
}

/// Implements both public functions; `lse` is null if not requested.
template <class T>
void attend(StreamView stream, const DeviceTraits& device,
            const TensorView<const T, 4, DeviceSpace>& q,
            const TensorView<const T, 4, DeviceSpace>& k,
            const TensorView<const T, 4, DeviceSpace>& v, const TensorView<T, 4, DeviceSpace>& o,
            const kernels::AttentionOperand<float>& lse, float scale, AttentionKernel kernel) {
  if (device.compute_capability < kAmpere) {
    throw DeviceError("attention needs a device of compute capability 8.0 or above, not " +
                      capability_of(device));
  }
  auto arguments = arguments_of(q, k, v, o, scale);
  arguments.lse = lse;
  if (!o.empty()) run(stream, device, arguments, kernel);
}

}  // namespace

template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, float scale, AttentionKernel kernel) {
  attend(stream, device, q, k, v, o, {}, scale, kernel);
}

template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, TensorView<float, 3, DeviceSpace> lse, float scale,
               AttentionKernel kernel) {
  expect_shape("attention log-sum-exp", lse.shape(), {q.extent(0), q.extent(1), q.extent(2)});
  attend(stream, device, q, k, v, o, {lse.data(), lse.stride(0), lse.stride(1), lse.stride(2)},
         scale, kernel);
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
template void attention<float>(StreamView, const DeviceTraits&,
                               TensorView<const float, 4, DeviceSpace>,
                               TensorView<const float, 4, DeviceSpace>,
                               TensorView<const float, 4, DeviceSpace>,
                               TensorView<float, 4, DeviceSpace>, TensorView<float, 3, DeviceSpace>,
                               float, AttentionKernel);
template void attention<bfloat16>(StreamView, const DeviceTraits&,
                                  TensorView<const bfloat16, 4, DeviceSpace>,
                                  TensorView<const bfloat16, 4, DeviceSpace>,
                                  TensorView<const bfloat16, 4, DeviceSpace>,
                                  TensorView<bfloat16, 4, DeviceSpace>,
                                  TensorView<float, 3, DeviceSpace>, float, AttentionKernel);
template void attention<float16>(StreamView, const DeviceTraits&,
                                 TensorView<const float16, 4, DeviceSpace>,
                                 TensorView<const float16, 4, DeviceSpace>,
                                 TensorView<const float16, 4, DeviceSpace>,
                                 TensorView<float16, 4, DeviceSpace>,
                                 TensorView<float, 3, DeviceSpace>, float, AttentionKernel);

}  // namespace crossfix::cuda
