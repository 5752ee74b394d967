#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "crossfix/localizer.hpp"

namespace crossfix::cli {

/// The options of every command that loads weights.
struct ModelOptions {
  std::string model;  ///< empty: the bundled weights
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;
  int gpu = 0;

  void add_to(CLI::App& command);

  /// The file meant. Throws CLI::ValidationError where none is named and none is bundled.
  std::filesystem::path model_path() const;

  /// Throws what Localizer::load throws. `rescale`, `batch`: see LocalizerOptions.
  Localizer load(bool rescale = false, Index batch = 1) const;
};

/// Prints "crossfix: warning: MESSAGE" on standard error.
void warn(const std::string& message);

}  // namespace crossfix::cli
