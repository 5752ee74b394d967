#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/results_file.hpp"
#include "ranks/ranks.hpp"

namespace crossfix::pipeline {

/// The results of a run that ranks share. Every rank writes its own file in the folder of the run,
/// rank 0 the one that is there at the end: samples.jsonl, samples.1.jsonl, samples.2.jsonl, ...
/// What an interrupted run of any number of ranks left is taken over into the first.
class SharedResults {
 public:
  /// Collective. `folder` is empty where nothing is to be written. On return `outcomes` has on
  /// rank 0 what is there of earlier; on the others such samples are known, without their answers.
  /// Throws DataError as eval::ResultsFile does, where the ranks differ in `header`, and where they
  /// do not see the same folder.
  SharedResults(ranks::Ranks& ranks, std::filesystem::path folder,
                const nlohmann::ordered_json& header, bool resume, const data::Dataset& dataset,
                std::vector<eval::Outcome>& outcomes);

  /// Writes one sample's line.
  void append(const data::Sample& sample, const eval::Outcome& outcome);

  /// Collective: gathers what the other ranks appended into rank 0's `outcomes`, and makes one file
  /// of all.
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
