#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control.hpp"
#include "evaluation.hpp"
#include "model_options.hpp"
#include "sample.hpp"

namespace crossfix::cli {

enum class DatasetKind { vigor, robotcar, world };

/// Which data `crossfix evaluate` is about.
struct DatasetChoice {
  DatasetKind kind = DatasetKind::vigor;
  std::filesystem::path root;
  data::Area area = data::Area::same;
  data::Pairs pairs = data::Pairs::positives;
  data::LabelSet labels = data::LabelSet::original;
  data::Split split = data::Split::test;
  data::Control control = data::Control::none;

  void add_to(CLI::App& command);

  /// What the choice is by the options' names, for comparing runs: {"dataset": "vigor", ...}.
  nlohmann::ordered_json settings() const;

  /// "VIGOR, same-area, original labels".
  std::string description() const;

  /// Reads the labels of `split`. `absent`: cities and runs that are not there are left out with a
  /// warning. Throws DataError.
  data::Dataset read(bool absent = false) const;
};

/// The arguments of `crossfix evaluate`.
struct EvaluateOptions {
  DatasetChoice data;
  ModelOptions model;
  bool list = false;
  std::string mode = "both";  ///< reference, true, both
  Index batch = 1;
  std::size_t limit = 0;      ///< samples, spread evenly over the data set; 0: all
  int decoders = 1;           ///< threads that read images
  std::filesystem::path out;  ///< folder of the results; or empty
  std::filesystem::path dump;
  std::filesystem::path report;  ///< HTML file; or empty
  bool resume = false;
  bool strict = false;
  bool json = false;

  std::vector<eval::Mode> modes() const;
};

/// Prints counts and label statistics of every split; touches no image. Throws DataError where there
/// is no label file at all.
void list_dataset(const DatasetChoice& choice);

/// Runs the network over the data set, or over what is left of it, and prints the figures. Throws
/// DataError for what cannot be read or gone on with, DeviceError, and with `strict` ImageError for
/// an image that cannot be used. Collective over `ranks`, which share the samples.
void run_evaluation(const EvaluateOptions& options, ranks::Ranks& ranks);

}  // namespace crossfix::cli
