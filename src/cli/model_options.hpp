#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "crossfix/io/safetensors.hpp"
#include "crossfix/localizer.hpp"
#include "ranks/ranks.hpp"

namespace crossfix::cli {

/// The options of every command that loads weights.
struct ModelOptions {
  std::string model;                                    ///< empty: the bundled weights
  std::string bundled = "crossfix-ground.safetensors";  ///< which of the bundled weights
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;
  std::optional<int> gpu;  ///< absent: each rank of a machine takes its own

  void add_to(CLI::App& command);

  /// The weights file to load. Throws CLI::ValidationError if none is named and none is bundled.
  std::filesystem::path model_path() const;

  /// Reads the weights file. Throws as above, and WeightsError.
  io::Safetensors read() const { return io::Safetensors::open(model_path()); }

  /// Throws what Localizer::load throws. `options` has the settings that are not in this struct.
  /// The ranks of one machine divide its CPUs and GPUs.
  Localizer load(const io::Safetensors& weights, const ranks::Topology& topology,
                 LocalizerOptions options = {}) const;
  Localizer load(const ranks::Topology& topology, LocalizerOptions options = {}) const {
    return load(read(), topology, options);
  }
};

/// For commands without work to share: throws CLI::ValidationError, naming `what`, if there are
/// several ranks.
void need_one_rank(const ranks::Ranks& ranks, const std::string& what);

/// Reads a number of 64 bits, which the parser would cut to the largest. Throws DataError.
std::uint64_t parse_seed(const std::string& text);

/// A number as the parser takes it, from a text as lists and data sets have it: with blanks about
/// it, or a plus. Throws CLI::ValidationError. For CLI::Option::transform.
std::string plain_number(const std::string& text);

/// A check of an option by what reads its text.
auto taken_by(const auto& read) {
  return [&read](const std::string& text) {
    try {
      read(text);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
}

}  // namespace crossfix::cli
