#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

#include "model_options.hpp"
#include "pipeline/evaluate.hpp"

namespace crossfix::cli {

/// The arguments of `crossfix evaluate`.
struct EvaluateOptions {
  pipeline::EvaluationOptions evaluation;
  ModelOptions model;
  bool list = false;
  std::filesystem::path report;  ///< HTML file, or empty
  std::string camera_file;       ///< of --camera, or empty
  bool json = false;

  void add_to(CLI::App& command);
};

/// Prints counts and label statistics of every split; opens no image. Throws DataError if there is
/// no label file at all.
void list_dataset(const data::DatasetChoice& choice);

}  // namespace crossfix::cli
