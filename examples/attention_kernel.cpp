// The fused attention kernel alone: links only crossfix::kernels and the CUDA runtime.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "crossfix/cuda/attention.hpp"

using namespace crossfix;

void check(cudaError_t status) {
  if (status != cudaSuccess) throw DeviceError(cudaGetErrorString(status));
}

int main() try {
  cudaDeviceProp gpu;
  check(cudaGetDeviceProperties(&gpu, 0));
  cudaStream_t stream;
  check(cudaStreamCreate(&stream));
  constexpr int kTokens = 1024, kHeads = 8, kDim = 32, kRow = 3 * kHeads * kDim;
  bfloat16 *qkv, *o;  // a fused projection [token, 3, head, dim], and the result [token, head, dim]
  check(cudaMallocManaged(&qkv, kTokens * kRow * sizeof(bfloat16)));
  check(cudaMallocManaged(&o, kTokens * kHeads * kDim * sizeof(bfloat16)));
  for (int i = 0; i < kTokens * kRow; ++i) qkv[i] = bfloat16(2.0f * std::sin(0.1f * i * i));

  const Shape<4> shape{1, kTokens, kHeads, kDim};  // batch, token, head, dim
  const auto part = [&](int which) {
    return TensorView<const bfloat16, 4, DeviceSpace>(qkv + which * kHeads * kDim, shape,
                                                      {0, kRow, kDim, 1});
  };
  const cuda::DeviceTraits device{10 * gpu.major + gpu.minor, gpu.multiProcessorCount,
                                  static_cast<int>(gpu.sharedMemPerBlockOptin)};
  cuda::attention<bfloat16>(cuda::StreamView(stream), device, part(0), part(1), part(2), {o, shape},
                            0.2f);
  check(cudaStreamSynchronize(stream));

  constexpr int kQuery = 77, kHead = 3;  // the row that is compared with plain sums
  const auto at = [&](int token, int which, int d) {
    return static_cast<double>(
        static_cast<float>(qkv[token * kRow + (which * kHeads + kHead) * kDim + d]));
  };
  double error = 0.0;
  for (int d = 0; d < kDim; ++d) {
    double sum = 0.0, weights = 0.0;
    for (int key = 0; key < kTokens; ++key) {
      double score = 0.0;
      for (int c = 0; c < kDim; ++c) score += at(kQuery, 0, c) * at(key, 1, c);
      sum += std::exp(0.2 * score) * at(key, 2, d);
      weights += std::exp(0.2 * score);
    }
    const float result = static_cast<float>(o[(kQuery * kHeads + kHead) * kDim + d]);
    error = std::max(error, std::abs(result - sum / weights));
  }
  std::printf("%s: largest error of a row %.1e\n", gpu.name, error);
  return error <= 0x1p-7 ? 0 : 1;  // values below 2, rounded to bfloat16
} catch (const Error& error) {
  std::fprintf(stderr, "attention_kernel: %s\n", error.what());
  return 4;
}
