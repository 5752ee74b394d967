#pragma once

namespace crossfix::bench {

/// Registers benchmarks of the limits of the device: exponentials, packing, matrix products,
/// copies.
void add_ceilings();

}  // namespace crossfix::bench
