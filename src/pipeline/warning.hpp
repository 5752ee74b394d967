#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace crossfix::pipeline {

/// What a warning about a pair is about. Of a list one of each kind is printed: its images have the
/// same source. The JSON line of a pair has all of its own.
enum class WarningKind { lens, tags, panorama, image, scale, truth };
inline constexpr std::size_t kWarningKinds = 6;

struct Warning {
  WarningKind kind = WarningKind::lens;
  std::string text;  ///< begins with the file's name
};
using Warnings = std::vector<Warning>;

}  // namespace crossfix::pipeline
