#pragma once

#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/attention/arguments.hpp"

namespace crossfix::kernels {

/// attention.hpp's contract, computed in float throughout, for any alignment. Throws ShapeError for
/// a dim above 128.
void attention_exact(cuda::StreamView stream, const AttentionArguments<float>& arguments);

}  // namespace crossfix::kernels
