#pragma once

#include "crossfix/core/memory_space.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::cpu {

/// Decodes the heads' raw outputs to posteriors and fixes (ops/backend.hpp), with the functions of
/// ops/posterior.hpp, in double. Throws ShapeError for an empty batch or grid.
void decode(Context& context, const ops::HeadOutputs<HostSpace>& outputs,
            const ops::Decoding& decoding);

}  // namespace crossfix::cpu
