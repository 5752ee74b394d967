#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crossfix/localizer.hpp"

namespace crossfix::cli {

/// The raw network outputs of some pairs, written as safetensors: `logits` [pairs, cells] and
/// `offsets` [pairs, cells, 2] (after the sigmoid, (row, col) in cells), f32.
class RawDump {
 public:
  /// Throws DataError where `path` cannot be written.
  explicit RawDump(std::filesystem::path path);

  void add(const Fix& fix);

  /// A pair that could not be located, on a grid of `cells`: a row of NaN, so that rows stay in
  /// step with the list.
  void add_missing(Index cells);

  /// Writes the file whole or not at all. Throws DataError.
  void commit() const;

 private:
  std::filesystem::path path_;
  Index pairs_ = 0;
  std::vector<float> logits_;
  std::vector<float> offsets_;
};

/// What RawDump takes of a fix, with the number of its pair, for another rank: not for files.
std::string pack_raw(std::size_t number, const Fix& fix);

/// Takes one such pair from the front of `bytes`.
std::pair<std::size_t, Fix> unpack_raw(std::string_view& bytes);

}  // namespace crossfix::cli
