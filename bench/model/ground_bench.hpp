#pragma once

namespace crossfix::bench {

/// Registers the ground-plane matcher with the bundled weights on the CPU: a pair of a panorama of
/// 512 x 1024 and a tile of 73 m, and each of its stages, in f32 and bf16. Throws WeightsError if
/// the weights are missing.
void add_ground_matches();

}  // namespace crossfix::bench
