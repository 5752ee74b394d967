#pragma once

#include <filesystem>
#include <vector>

namespace crossfix::data {

/// Reads a one-dimensional NumPy array of float64 (`.npy`, versions 1 to 3, little-endian). Throws
/// DataError with the name of the file and what is expected.
std::vector<double> read_npy(const std::filesystem::path& file);

}  // namespace crossfix::data
