#include "crossfix/core/dtype.hpp"
#include "crossfix/kernels/attention/ampere.hpp"
#include "crossfix/kernels/attention/ampere_launch.cuh"

namespace crossfix::kernels {

template <class T>
void attention_ampere(cuda::StreamView stream, const AttentionArguments<T>& arguments) {
  switch (arguments.dim) {
    case 16:
    case 32:
      return launch_ampere<kAmpere32>(stream, arguments);
    case 64:
      return launch_ampere<kAmpere64>(stream, arguments);
    case 128:
      return launch_ampere<kAmpere128>(stream, arguments);
    default:
      refuse_dim("16, 32, 64 and 128 in 16 bits", arguments.dim);
  }
}

template void attention_ampere<bfloat16>(cuda::StreamView, const AttentionArguments<bfloat16>&);
template void attention_ampere<float16>(cuda::StreamView, const AttentionArguments<float16>&);

}  // namespace crossfix::kernels
