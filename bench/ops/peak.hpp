#pragma once

namespace crossfix::bench {

/// What `threads` cores (0: all) do at most, in floating-point operations a second, measured now:
/// independent fused multiply-adds of the widest vectors in registers; for bfloat16 (where the
/// machine has the instructions, else 0) its dot products. Takes some milliseconds; call it beside
/// what it is compared with, for clocks and neighbours change. One thread is measured by the time
/// it had a core, several by the clock on the wall.
template <class Element>
double peak_flops(int threads = 0);

}  // namespace crossfix::bench
