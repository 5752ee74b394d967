#pragma once

#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/attention/arguments.hpp"

namespace crossfix::kernels {

/// attention.hpp's contract, computed with mma.sync and cp.async; T is bfloat16 or float16. Throws
/// ShapeError for a dim other than 16, 32, 64, 128, and if rows of q, k or v do not begin at a
/// multiple of 16 bytes.
template <class T>
void attention_ampere(cuda::StreamView stream, const AttentionArguments<T>& arguments);

}  // namespace crossfix::kernels
