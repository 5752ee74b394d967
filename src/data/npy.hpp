#pragma once

#include <filesystem>
#include <vector>

namespace crossfix::data {

/// Reads a NumPy array of one axis of float64 (`.npy`, versions 1 to 3, little-endian). Throws
/// DataError naming the file and what is expected.
std::vector<double> read_npy(const std::filesystem::path& file);

}  // namespace crossfix::data
