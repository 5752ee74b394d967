#pragma once

#include "crossfix/core/memory_space.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::cpu {

/// The heads' raw outputs to posteriors and fixes (ops/backend.hpp), by the functions of
/// ops/posterior.hpp, in double. Throws ShapeError for a batch or a grid of none.
void decode(Context& context, const ops::HeadOutputs<HostSpace>& outputs,
            const ops::Decoding& decoding);

}  // namespace crossfix::cpu
