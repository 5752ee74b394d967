#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "crossfix/localizer.hpp"
#include "ranks/ranks.hpp"

namespace crossfix::cli {

/// The options of every command that loads weights.
struct ModelOptions {
  std::string model;                                    ///< empty: the bundled weights
  std::string bundled = "crossfix-ground.safetensors";  ///< which of them
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;
  std::optional<int> gpu;  ///< absent: each of a machine's ranks takes its own

  void add_to(CLI::App& command);

  /// The file meant. Throws CLI::ValidationError where none is named and none is bundled.
  std::filesystem::path model_path() const;

  /// Throws what Localizer::load throws. `options` says what these do not. The ranks of one machine
  /// divide its CPUs and GPUs.
  Localizer load(const ranks::Topology& topology, LocalizerOptions options = {}) const;
};

/// For what has no work to share: throws CLI::ValidationError, naming `what`, where there are
/// several ranks.
void need_one_rank(const ranks::Ranks& ranks, const std::string& what);

/// Prints "crossfix: warning: MESSAGE" on standard error.
void warn(const std::string& message);

}  // namespace crossfix::cli
