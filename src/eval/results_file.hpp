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

/// The same as a line, with its end.
std::string line_of(const data::Dataset& dataset, const data::Sample& sample,
                    const Outcome& outcome);

/// Puts the outcome of such an object in the list, and returns the sample's number.
/// Throws DataError where it is of another data set or stands there already, JSON's errors where it
/// lacks something.
std::size_t take(const nlohmann::ordered_json& record, const data::Dataset& dataset,
                 std::vector<Outcome>& outcomes);

/// A file of JSON lines that grows while a run goes on: first what the run is made with, then one
/// line a sample, in any order. A line is written by one call, so that whatever ends the program
/// leaves whole lines and at most one that is cut short.
///
/// Several processes of one run have a file each; one of them makes one of all at last.
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

  /// Appends what another file of the same run has and `outcomes` has not, to both, and removes the
  /// file. Throws as the constructor does.
  void absorb(const std::filesystem::path& other, std::vector<Outcome>& outcomes);

  /// Ends the file: where it lacks any of `outcomes` or is not in the data set's order, it is
  /// replaced by one that has and is, whole or not at all. Throws DataError.
  void finish(const std::vector<Outcome>& outcomes);

 private:
  void write(const std::string& line);

  std::filesystem::path path_;
  nlohmann::ordered_json header_;
  const data::Dataset& dataset_;
  int descriptor_ = -1;
  std::vector<std::size_t> numbers_;  ///< samples in the file, in its order
};

}  // namespace crossfix::eval
