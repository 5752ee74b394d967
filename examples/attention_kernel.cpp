// The fused attention kernel alone: links crossfix_kernels and the CUDA runtime, nothing else.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "crossfix/cuda/attention.hpp"

using namespace crossfix;

void check(cudaError_t status) {
  if (status != cudaSuccess) throw DeviceError(cudaGetErrorString(status));
}

int main() try {
  constexpr int kTokens = 1024, kHeads = 8, kDim = 32, kRow = 3 * kHeads * kDim;
  std::vector<bfloat16> qkv(kTokens * kRow), o(kDim);  // a fused projection [token, 3, head, dim]
  for (std::size_t i = 0; i < qkv.size(); ++i) qkv[i] = bfloat16(2.0f * std::sin(0.1f * i * i));

  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, 0));
  const cuda::DeviceTraits device{10 * properties.major + properties.minor,
                                  properties.multiProcessorCount,
                                  static_cast<int>(properties.sharedMemPerBlockOptin)};
  cudaStream_t stream;
  check(cudaStreamCreate(&stream));
  bfloat16 *in, *out;
  check(cudaMalloc(&in, kTokens * kRow * sizeof(bfloat16)));
  check(cudaMalloc(&out, kTokens * kHeads * kDim * sizeof(bfloat16)));
  check(cudaMemcpyAsync(in, qkv.data(), kTokens * kRow * sizeof(bfloat16), cudaMemcpyDefault,
                        stream));

  const Shape<4> shape{1, kTokens, kHeads, kDim};  // [batch, token, head, dim]
  const auto part = [&](int which) {
    return TensorView<const bfloat16, 4, DeviceSpace>(in + which * kHeads * kDim, shape,
                                                      {0, kRow, kDim, 1});
  };
  const float scale = 1.0f / std::sqrt(static_cast<float>(kDim));
  cuda::attention<bfloat16>(cuda::StreamView(stream), device, part(0), part(1), part(2),
                            {out, shape}, scale);

  const int query = 77, head = 3, row = (query * kHeads + head) * kDim;
  check(cudaMemcpyAsync(o.data(), out + row, kDim * sizeof(bfloat16), cudaMemcpyDefault, stream));
  check(cudaStreamSynchronize(stream));

  double sums[kDim + 1] = {};  // of weight times value, and of weights
  const auto at = [&](int token, int which, int d) {
    return static_cast<float>(qkv[token * kRow + (which * kHeads + head) * kDim + d]);
  };
  for (int key = 0; key < kTokens; ++key) {
    double score = 0.0;
    for (int d = 0; d < kDim; ++d) score += at(query, 0, d) * at(key, 1, d);
    const double weight = std::exp(score * scale);
    for (int d = 0; d < kDim; ++d) sums[d] += weight * at(key, 2, d);
    sums[kDim] += weight;
  }
  double error = 0.0;
  for (int d = 0; d < kDim; ++d) {
    error = std::max(error, std::abs(static_cast<float>(o[d]) - sums[d] / sums[kDim]));
  }
  std::printf("%s: largest error of a row %.1e\n", properties.name, error);
  return error <= 0x1p-7 ? 0 : 1;  // values below 2, rounded to bfloat16
} catch (const Error& error) {
  std::fprintf(stderr, "attention_kernel: %s\n", error.what());
  return 4;
}
