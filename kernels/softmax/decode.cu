#include <algorithm>
#include <cmath>
#include <numbers>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/decode.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/softmax/decode.cuh"

namespace crossfix::cuda {

void decode(StreamView stream, const DeviceTraits&, const ops::HeadOutputs<DeviceSpace>& outputs,
            const ops::Decoding& decoding) {
  const double temperature = decoding.temperature;
  using namespace kernels;
  static_assert(decode_shared_bytes(kSharedCells) <= device::kUnaskedSharedBytes);
  if (!(temperature > 0) || !std::isfinite(temperature)) {
    throw ShapeError("a posterior of temperature " + std::to_string(temperature) +
                     "; a positive number is expected");
  }
  if (outputs.batch() < 1 || outputs.grid() < 1 || outputs.grid() > kDecodeGrid) {
    throw ShapeError("head outputs of " + std::to_string(outputs.batch()) +
                     " images on a grid of " + std::to_string(outputs.grid()) +
                     "; expected at least 1, on a grid of 1 to " + std::to_string(kDecodeGrid));
  }
  const DecodeBatch batch{.logits = outputs.logits().data(),
                          .offsets = outputs.offsets().data(),
                          .probability = outputs.probability().data(),
                          .fix = outputs.fix().data(),
                          .grid = static_cast<int>(outputs.grid()),
                          .scale = static_cast<float>(std::numbers::log2e / temperature),
                          .rule = decoding.fix,
                          .sigmoid = decoding.sigmoid};
  const Index warps = ceil_div<Index>(outputs.cells(), kWarp);
  const auto threads = static_cast<unsigned>(std::min<Index>(warps * kWarp, kDecodeThreads));
  device::launch(
      stream,
      {dim3(static_cast<unsigned>(outputs.batch())), threads, decode_shared_bytes(outputs.cells())},
      "decode", decode_image, batch);
}

}  // namespace crossfix::cuda
