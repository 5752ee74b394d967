/// Safetensors files built by hand, valid or not.
#pragma once

#include <cstdint>
#include <string>

namespace crossfix::test {

/// The header with its length before it and `data_bytes` bytes of data after it. The header is
/// padded so that the data begin at a multiple of 8.
inline std::string raw_safetensors(std::string header, std::size_t data_bytes) {
  while (header.size() % 8 != 0) header += ' ';
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> 8 * i & 0xffU);
  }
  bytes += header;
  for (std::size_t i = 0; i < data_bytes; ++i) bytes += static_cast<char>(i * 7);
  return bytes;
}

}  // namespace crossfix::test
