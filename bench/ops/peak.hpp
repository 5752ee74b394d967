#pragma once

namespace crossfix::bench {

/// The peak of `threads` cores (0: all) in floating-point operations a second, measured now:
/// independent fused multiply-adds of the widest vectors in registers. For bfloat16 it is that of
/// its dot products, or 0 if the machine lacks the instructions. Takes some milliseconds. Call it
/// right before or after what it is compared with, because clocks and other programs change. One
/// thread is measured by the time that it had a core, several by wall-clock time.
template <class Element>
double peak_flops(int threads = 0);

}  // namespace crossfix::bench
