#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/results_file.hpp"
#include "ranks/ranks.hpp"

namespace crossfix::pipeline {

/// The results of a run that ranks share. Every rank writes its own file in the folder of the run:
/// samples.jsonl (rank 0), samples.1.jsonl, samples.2.jsonl, ... At the end only the first remains.
/// It takes over whatever an interrupted run of any number of ranks left.
class SharedResults {
 public:
  /// Collective. `folder` is empty if nothing is to be written. On return, rank 0 has the earlier
  /// results in `outcomes`; the other ranks only know which samples have one. Throws DataError as
  /// eval::ResultsFile does, if the ranks differ in `header`, and if they do not see the same
  /// folder.
  SharedResults(ranks::Ranks& ranks, std::filesystem::path folder,
                const nlohmann::ordered_json& header, bool resume, const data::Dataset& dataset,
                std::vector<eval::Outcome>& outcomes);

  /// Writes the line of one sample.
  void append(const data::Sample& sample, const eval::Outcome& outcome);

  /// Collective: gathers what the other ranks appended into rank 0's `outcomes`, and merges all
  /// files into one.
  void collect(std::vector<eval::Outcome>& outcomes);

 private:
  void agree(const nlohmann::ordered_json& header);
  void open_first(const nlohmann::ordered_json& header, bool resume,
                  std::vector<eval::Outcome>& outcomes);
  void open_other(const nlohmann::ordered_json& header);
  void share_known(std::vector<eval::Outcome>& outcomes);

  ranks::Ranks& ranks_;
  std::filesystem::path folder_;
  const data::Dataset& dataset_;
  std::unique_ptr<eval::ResultsFile> file_;
  std::string lines_;  ///< for rank 0
};

}  // namespace crossfix::pipeline
