#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

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

  void add_to(CLI::App& command);

  /// "VIGOR, same-area, original labels".
  std::string description() const;

  /// Reads the labels of `split`. `absent`: cities and runs that are not there are left out with a
  /// warning. Throws DataError.
  data::Dataset read(bool absent = false) const;
};

/// The arguments of `crossfix evaluate`.
struct EvaluateOptions {
  DatasetChoice data;
  bool list = false;
};

/// Prints counts and label statistics of every split; touches no image. Throws DataError where there
/// is no label file at all.
void list_dataset(const DatasetChoice& choice);

}  // namespace crossfix::cli
