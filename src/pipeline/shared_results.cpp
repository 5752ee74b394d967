#include "shared_results.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/io/folder.hpp"

namespace crossfix::pipeline {

namespace {

using Json = nlohmann::ordered_json;
using eval::Outcome;

constexpr const char* kFirstFile = "samples.jsonl";

/// What the other ranks get to know of a sample, one character each.
constexpr char kUnknown = '.';
constexpr char kAnswered = 'a';

/// The file of a rank other than 0.
std::filesystem::path file_of_rank(const std::filesystem::path& folder, int rank) {
  return folder / ("samples." + std::to_string(rank) + ".jsonl");
}

/// Files that ranks other than 0 left, sorted by name.
std::vector<std::filesystem::path> files_of_ranks(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("samples.") || !name.ends_with(".jsonl") || name == kFirstFile) continue;
    const std::string number = name.substr(8, name.size() - 8 - 6);
    if (number.find_first_not_of("0123456789") == std::string::npos) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

SharedResults::SharedResults(ranks::Ranks& ranks, std::filesystem::path folder, const Json& header,
                             bool resume, const data::Dataset& dataset,
                             std::vector<Outcome>& outcomes)
    : ranks_(ranks), folder_(std::move(folder)), dataset_(dataset) {
  outcomes.assign(dataset.samples.size(), {});
  agree(header);
  if (ranks_.first() && !folder_.empty()) open_first(header, resume, outcomes);
  if (ranks_.alone()) return;
  share_known(outcomes);
  if (!ranks_.first() && !folder_.empty()) open_other(header);
}

/// Machines may have different copies of weights and labels, and different devices.
void SharedResults::agree(const Json& header) {
  const std::vector<std::string> theirs = ranks_.gather(io::json_text(header));
  for (std::size_t rank = 1; rank < theirs.size(); ++rank) {
    const Json other = Json::parse(theirs[rank]);
    for (const auto& [key, value] : header.items()) {
      if (other.at(key) == value) continue;
      throw DataError("rank " + std::to_string(rank) + " has " + key + " " +
                      io::json_text(other.at(key)) + ", and rank 0 has " + io::json_text(value) +
                      "; all ranks need the same weights, data and devices");
    }
  }
}

void SharedResults::open_first(const Json& header, bool resume, std::vector<Outcome>& outcomes) {
  io::make_folder(folder_);
  const auto others = files_of_ranks(folder_);
  if (!others.empty() && !resume) {
    throw DataError(others.front().string() +
                    ": holds results already; go on with them by --resume, or name another folder");
  }
  file_ =
      std::make_unique<eval::ResultsFile>(folder_ / kFirstFile, header, resume, dataset_, outcomes);
  for (const auto& other : others) file_->absorb(other, outcomes);
}

void SharedResults::open_other(const Json& header) {
  const auto first = folder_ / kFirstFile;
  if (!std::filesystem::exists(first)) {
    throw DataError(first.string() +
                    ": rank 0 writes it and it is not here; --out must be a folder that all "
                    "machines share");
  }
  std::vector<Outcome> none;
  file_ = std::make_unique<eval::ResultsFile>(file_of_rank(folder_, ranks_.rank()), header, false,
                                              dataset_, none);
}

void SharedResults::share_known(std::vector<Outcome>& outcomes) {
  std::string known;
  for (const Outcome& outcome : outcomes) {
    known += outcome.answer ? kAnswered : kUnknown;
  }
  known = ranks_.broadcast(std::move(known));
  if (ranks_.first()) return;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (known[i] == kAnswered) outcomes[i].answer.emplace();
  }
}

void SharedResults::append(const data::Sample& sample, const Outcome& outcome) {
  if (file_) file_->append(sample, outcome);
  if (!ranks_.first()) lines_ += eval::line_of(dataset_, sample, outcome);
}

void SharedResults::collect(std::vector<Outcome>& outcomes) {
  const std::vector<std::string> parts = ranks_.gather(std::move(lines_));
  for (std::size_t rank = 1; rank < parts.size(); ++rank) {
    std::istringstream stream(parts[rank]);
    for (std::string line; std::getline(stream, line);) {
      eval::take(nlohmann::json::parse(line), dataset_, outcomes);
    }
  }
  if (!ranks_.first() || !file_) return;
  file_->finish(outcomes);
  // Those of this run: there were no others when it began.
  for (int rank = 1; rank < ranks_.size(); ++rank) {
    eval::remove_results(file_of_rank(folder_, rank));
  }
}

}  // namespace crossfix::pipeline
