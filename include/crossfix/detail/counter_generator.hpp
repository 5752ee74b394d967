#pragma once

#include <cstdint>
#include <string_view>

/// Numbers by name and index, whoever asks and in whatever order: the same here and in
/// training/crossfix_training/counter.py.
namespace crossfix::detail {

/// FNV-1a, 64 bits.
constexpr std::uint64_t stream(std::string_view key) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

/// The finaliser of splitmix64 over stream + (index + 1) * golden ratio.
constexpr std::uint64_t bits(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t z = stream + (index + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

/// In [-1, 1), a multiple of 2^-23.
constexpr double value(std::uint64_t stream, std::uint64_t index) {
  return static_cast<double>(bits(stream, index) >> 40) * 0x1p-23 - 1.0;
}

}  // namespace crossfix::detail
