#pragma once

#include <cstddef>
#include <vector>

namespace crossfix::data {

/// The panoramas of VIGOR's training list that the reference validates on, in its order: the first
/// fifth, rounded up, of NumPy's `RandomState(42).permutation(count)`.
std::vector<std::size_t> validation_rows(std::size_t count);

}  // namespace crossfix::data
