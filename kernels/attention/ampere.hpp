#pragma once

#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/attention/arguments.hpp"

namespace crossfix::kernels {

/// attention.hpp's contract by mma.sync and cp.async; T is bfloat16 or float16. Throws ShapeError
/// for a dim other than 16, 32, 64, 128 and for q, k or v with rows that do not begin at a multiple
/// of 16 bytes.
template <class T>
void attention_ampere(cuda::StreamView stream, const AttentionArguments<T>& arguments);

}  // namespace crossfix::kernels
