#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "evaluation.hpp"

namespace crossfix::eval {

/// By the names of `ops::Evidence::kNames`.
nlohmann::ordered_json to_json(const ops::Evidence& evidence);

/// The JSON object of one sample; docs/evaluate.md documents its keys.
nlohmann::ordered_json to_json(const data::Dataset& dataset, const data::Sample& sample,
                               const Outcome& outcome);

/// The same as a line, with its line feed.
std::string line_of(const data::Dataset& dataset, const data::Sample& sample,
                    const Outcome& outcome);

/// Puts the outcome in such an object into the list, instead of a failure that is there, and
/// returns the number of the sample. Throws DataError if the list has a result of its sample
/// already, if a value is out of its range, and if the record is not exactly what is written of
/// that outcome of that sample; and JSON's errors.
std::size_t take(const nlohmann::json& record, const data::Dataset& dataset,
                 std::vector<Outcome>& outcomes);

/// Removes a file of results. Throws DataError.
void remove_results(const std::filesystem::path& file);

/// A file of JSON lines that grows during a run: first the settings of the run, then one line a
/// sample, in any order. Each line is written by one call. So if the program ends for any reason,
/// the file has whole lines and at most one that was cut short.
///
/// If several processes share a run, each has a file; at the end one of them makes one file of all.
class ResultsFile {
 public:
  /// Begins a file. With `resume` it continues an existing one: its results are put into `outcomes`
  /// (one entry for each sample of the data set), and a last line that was cut short is removed.
  /// Failures are no results: their samples are to be tried again. `header` holds the settings of
  /// the run, always in the same form.
  ///
  /// Throws DataError if the file holds anything and `resume` is not set, if it cannot be read, if
  /// it was made with other settings (naming the difference), if a line is not what this class
  /// writes, and if another process is writing it. Then the file is as it was.
  ResultsFile(std::filesystem::path path, const nlohmann::ordered_json& header, bool resume,
              const data::Dataset& dataset, std::vector<Outcome>& outcomes);
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;
  ~ResultsFile();

  /// Appends one sample's line. Throws DataError (disk full).
  void append(const data::Sample& sample, const Outcome& outcome);

  /// Appends to the file and to `outcomes` the results that another file of the same run has and
  /// `outcomes` lacks, then removes that file. Throws as the constructor does.
  void absorb(const std::filesystem::path& other, std::vector<Outcome>& outcomes);

  /// Ends the file, and closes it. If it lacks any of `outcomes` or is not in the order of the data
  /// set, it is replaced by a complete one in that order, whole or not at all. Throws DataError.
  void finish(const std::vector<Outcome>& outcomes);

 private:
  void write(const std::string& line);

  std::filesystem::path path_;
  nlohmann::ordered_json header_;
  const data::Dataset& dataset_;
  int descriptor_ = -1;
  std::vector<std::size_t> numbers_;  ///< samples in the file, in the file's order
};

}  // namespace crossfix::eval
