#include "crossfix/core/dtype.hpp"
#include "crossfix/kernels/attention/hopper.hpp"
#include "crossfix/kernels/attention/hopper_launch.cuh"

namespace crossfix::kernels {

template <class T>
bool hopper_supports(const cuda::DeviceTraits& device, const AttentionArguments<T>& arguments) {
  const bool dim = arguments.dim == 32 || arguments.dim == 64 || arguments.dim == 128;
  return device.compute_capability == 90 && dim && hopper_takes(arguments);
}

template <class T>
void attention_hopper(cuda::StreamView stream, const cuda::DeviceTraits& device,
                      const AttentionArguments<T>& arguments) {
  switch (arguments.dim) {
    case 32:
      switch (choose32(arguments.batch * arguments.heads, arguments.queries, arguments.keys,
                       device.multiprocessors)) {
        case Choice32::wide:
          return launch_hopper<kWide32>(stream, device, arguments);
        case Choice32::medium:
          return launch_hopper<kMedium32>(stream, device, arguments);
        case Choice32::shared:
          return launch_hopper<kShared32>(stream, device, arguments);
      }
      return;
    case 64:
      return launch_hopper<kTile64>(stream, device, arguments);
    default:
      return launch_hopper<kTile128>(stream, device, arguments);
  }
}

template bool hopper_supports<bfloat16>(const cuda::DeviceTraits&,
                                        const AttentionArguments<bfloat16>&);
template bool hopper_supports<float16>(const cuda::DeviceTraits&,
                                       const AttentionArguments<float16>&);
template void attention_hopper<bfloat16>(cuda::StreamView, const cuda::DeviceTraits&,
                                         const AttentionArguments<bfloat16>&);
template void attention_hopper<float16>(cuda::StreamView, const cuda::DeviceTraits&,
                                        const AttentionArguments<float16>&);

}  // namespace crossfix::kernels
