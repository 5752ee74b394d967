#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "evaluation.hpp"

namespace crossfix::eval {

/// The JSON object of one sample; docs/evaluate.md documents its keys.
nlohmann::ordered_json to_json(const data::Dataset& dataset, const data::Sample& sample,
                               const Outcome& outcome);

/// A file of JSON lines that grows while a run goes on: first what the run is made with, then one
/// line a sample, in any order. A line is written by one call, so that whatever ends the program
/// leaves whole lines and at most one that is cut short.
class ResultsFile {
 public:
  /// Begins a file, or with `resume` goes on with one that is there: its results are put into
  /// `outcomes` (one entry for each sample of the data set), and a last line that is cut short is
  /// removed. `header` says what the run is made with, in the same words each time.
  ///
  /// Throws DataError where the file is there and `resume` is not set, where it was made with
  /// something else (naming it), where a line is not what is written here, and where another
  /// process writes it.
  ResultsFile(std::filesystem::path path, const nlohmann::ordered_json& header, bool resume,
              const data::Dataset& dataset, std::vector<Outcome>& outcomes);
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;
  ~ResultsFile();

  /// Appends one sample's line. Throws DataError (disk full).
  void append(const data::Sample& sample, const Outcome& outcome);

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void write(const std::string& line);
  void read(const std::string& text, const nlohmann::ordered_json& header,
            std::vector<Outcome>& outcomes) const;
  void compare(const nlohmann::ordered_json& theirs, const nlohmann::ordered_json& ours) const;
  void take(const nlohmann::ordered_json& record, std::vector<Outcome>& outcomes) const;

  std::filesystem::path path_;
  const data::Dataset& dataset_;
  int descriptor_ = -1;
  std::size_t appended_ = 0;
};

}  // namespace crossfix::eval
