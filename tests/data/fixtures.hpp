/// The committed fixtures and figures of the readers' tests.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crossfix/io/image.hpp"
#include "io/files.hpp"
#include "io/png_builder.hpp"
#include "support/source_folder.hpp"

namespace crossfix::test {

inline std::filesystem::path data_tests() { return source_folder() / "tests" / "data"; }
inline std::filesystem::path vigor_fixture() { return data_tests() / "fixtures" / "vigor"; }
inline std::filesystem::path robotcar_fixture() { return data_tests() / "fixtures" / "robotcar"; }

/// A copy of a fixture that a test may damage.
class FixtureCopy {
 public:
  explicit FixtureCopy(const std::filesystem::path& fixture) {
    std::filesystem::copy(fixture, root_.path(), std::filesystem::copy_options::recursive);
  }

  const std::filesystem::path& root() const { return root_.path(); }

  /// Replaces the first `from` in a file; it must be there.
  void replace(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = read_text(root_ / file);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    write_text(root_ / file, text.replace(at, from.size(), to));
  }

 private:
  ScratchFolder root_;
};

/// The map of make_robotcar_golden.py.
inline io::Image made_map(Index height, Index width) {
  const auto bits = [](std::uint64_t number) {
    std::uint64_t z = number * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  };
  io::Image map({height, width, 3});
  for (Index row = 0; row < height; ++row) {
    for (Index col = 0; col < width; ++col) {
      const Index slope = (3 * row + 5 * col) % 128;
      for (Index c = 0; c < 3; ++c) {
        const Index block = ((row / 8) * (width / 8 + 1) + col / 8) * 3 + c;
        const auto colour = static_cast<Index>(bits(static_cast<std::uint64_t>(block + 1)) >> 57U);
        map(row, col, c) = static_cast<std::uint8_t>(colour + slope);
      }
    }
  }
  return map;
}

/// Writes a map of RobotCar's size: blocks of black and white, one bit a pixel.
inline void write_robotcar_map(const std::filesystem::path& path) {
  constexpr std::uint32_t kHeight = 18600;
  constexpr std::uint32_t kWidth = 16000;
  std::string rows;
  rows.reserve(kHeight * (1 + kWidth / 8));
  for (std::uint32_t row = 0; row < kHeight; ++row) {
    rows += '\0';
    for (std::uint32_t block = 0; block < kWidth / 8; ++block) {
      rows += ((row / 8 * 2654435761U + block * 40503U) >> 13U) % 2 == 0 ? '\0' : '\xff';
    }
  }
  write_text(path, PngBuilder(kWidth, kHeight, 1, 0, false).data(rows).finish());
}

}  // namespace crossfix::test
