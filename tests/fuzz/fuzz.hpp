/// What the fuzz targets share. Each target gives bytes to one reader, which must read them or
/// refuse them with an Error; what it reads must keep its promises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

/// The entry that libFuzzer and replay.cpp call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace crossfix::test {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

/// Ends the process if a promise is broken, so that the fuzzer keeps the input.
inline void promise(bool kept) {
  if (!kept) std::abort();
}

/// How often readers accepted what they were given.
inline int reads = 0;

/// Calls a reader, which may refuse what it is given. Returns whether it did not.
template <class Read>
bool read_or_refuse(Read&& read) {
  try {
    read();
  } catch (const Error&) {
    return false;
  }
  ++reads;
  return true;
}

/// A folder that lives as long as the process, for readers of files.
inline const ScratchFolder& fuzz_folder() {
  static const ScratchFolder folder;
  return folder;
}

}  // namespace crossfix::test
