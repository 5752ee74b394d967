#pragma once

namespace crossfix::bench {

/// Registers benchmarks of the device's own limits: exponentials, packing, matrix products, copies.
void add_ceilings();

}  // namespace crossfix::bench
