#include "results_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "io/file_text.hpp"
#include "io/strict_json.hpp"

namespace crossfix::eval {

namespace {

using Json = nlohmann::ordered_json;

constexpr Mode kModes[] = {Mode::reference, Mode::true_};

/// Keys of what headings were searched for, or off.
constexpr const char* kHeading = "heading_deg";
constexpr const char* kHeadingError = "heading_error_deg";

/// Keys of how likely it is that the camera stands elsewhere, and why.
constexpr const char* kNowhere = "nowhere";
constexpr const char* kEvidence = "evidence";

/// The numbers of one mode, as JSON.
Json belief_json(const data::Sample& sample, const Answer& answer, Mode mode) {
  const Belief& belief = answer.belief(mode);
  Json json{{"error_m", measure(sample, answer, mode, 0).metres}, {"level", belief.level}};
  if (belief.log_density) json["log_density"] = *belief.log_density;
  return json;
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw DataError(path.string() + ": " + what);
}

std::string cannot_be_written(int error) {
  return std::string("cannot be written: ") + std::strerror(error);
}

/// A key and what two JSON objects have there, as text.
struct Difference {
  std::string key;
  std::string theirs;
  std::string ours;
};

/// The first key in which two objects differ, in the order of ours, then of theirs.
std::optional<Difference> difference_of(const io::Json& theirs, const Json& ours) {
  const auto shown = [](const auto& json, const std::string& key) {
    return json.contains(key) ? io::json_text(io::Json(json.at(key))) : "nothing";
  };
  std::vector<std::string> keys;
  for (const auto& item : ours.items()) keys.push_back(item.key());
  for (const auto& item : theirs.items()) keys.push_back(item.key());
  for (const std::string& key : keys) {
    Difference found{key, shown(theirs, key), shown(ours, key)};
    if (found.theirs != found.ours) return found;
  }
  return {};
}

/// The results of another run.
class OtherRun : public DataError {
 public:
  using DataError::DataError;
};

/// Throws OtherRun if the headers of two runs differ.
void compare(const io::Json& theirs, const Json& ours) {
  const auto differ = difference_of(theirs, ours);
  if (!differ) return;
  throw OtherRun("its run was made with " + differ->key + " " + differ->theirs + ", this one has " +
                 differ->ours + "; a run goes on as it began");
}

/// Far more than a line with two paths of 4096 bytes.
constexpr std::size_t kLongestLine = std::size_t{1} << 20;

/// A record has objects and a list in it, a header neither.
constexpr int kDeepest = 4;

/// What every record begins with.
constexpr std::string_view kBegin = "{\"sample\":";

std::string header_line(const Json& header) { return io::json_text(header) + "\n"; }

io::Json parse_line(std::string_view line) {
  if (line.size() > kLongestLine) throw DataError("it is too long");
  io::Json json = io::parse_strict("it", line, kDeepest);
  if (!json.is_object()) throw DataError("it is no JSON object");
  return json;
}

/// Checks the header, and calls `take_record` with each record in a results file, whose text may
/// end in a line that was cut short. Returns the length of the whole lines. Throws DataError if
/// anything in the text is not what a run with this header writes.
template <class TakeRecord>
std::size_t read_lines(const std::filesystem::path& path, std::string_view text, const Json& header,
                       const TakeRecord& take_record) {
  std::size_t line = 1;
  std::size_t at = 0;
  const auto refuse = [&](const char* why) {
    fail(path, "line " + std::to_string(line) + " is not what a run writes (" + why +
                   "); begin anew in another folder");
  };
  try {
    for (std::size_t end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1, ++line) {
      const io::Json json = parse_line(text.substr(at, end - at));
      line == 1 ? compare(json, header) : take_record(json);
    }
    const std::string begin = line == 1 ? header_line(header) : std::string(kBegin);
    const std::string_view rest = text.substr(at);
    if (!rest.starts_with(begin) && !begin.starts_with(rest)) throw DataError("it has no end");
  } catch (const OtherRun& error) {
    fail(path, error.what());
  } catch (const Error& error) {
    refuse(error.what());
  } catch (const nlohmann::json::exception& error) {
    refuse(error.what());
  }
  return at;
}

/// A file that only one process at a time can open.
class LockedFile {
 public:
  /// `more`: O_CREAT, or 0.
  LockedFile(const std::filesystem::path& path, int more)
      : descriptor_(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | more, 0666)) {
    if (descriptor_ < 0) fail(path, std::strerror(errno));
    struct stat status {};
    const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
    if (regular && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(descriptor_);
    fail(path, regular ? "another run is writing it" : "it is no regular file");
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  void release() { descriptor_ = -1; }

 private:
  int descriptor_;
};

// What a value may be. The bounds are wide; they keep out what no run writes.
constexpr double kFarthest = 1000;  ///< sides of the tile
constexpr double kLeastLogDensity = -1e9;
constexpr double kMostLogDensity = 100;
constexpr double kTurns = 720;  ///< degrees
constexpr double kLargest = std::numeric_limits<float>::max();
constexpr double kAboutOne = 1 + 1e-3;  ///< a share, rounded
constexpr double kRounding = 1e-9;      ///< of errors, computed on another machine

double number_within(const io::Json& value, const std::string& name, double least, double most) {
  const auto number = value.get<double>();
  if (number >= least && number <= most) return number;
  char range[64];
  std::snprintf(range, sizeof range, "; %g to %g is expected", least, most);
  throw DataError(name + " is " + value.dump() + range);
}

/// The number of that name, where there is one.
std::optional<double> number_at(const io::Json& json, const char* key, double least, double most) {
  if (!json.contains(key)) return {};
  return number_within(json.at(key), key, least, most);
}

/// JSON has no numbers that are not finite: null is one.
ops::Evidence evidence_from(const io::Json& json) {
  const auto number = [&](std::size_t i, double least, double most) {
    const char* name = ops::Evidence::kNames[i];
    const io::Json& value = json.at(name);
    return value.is_null() ? std::nan("") : number_within(value, name, least, most);
  };
  return {number(0, -kLargest, kLargest), number(1, 0, kLargest), number(2, 0, kLargest),
          number(3, 0, kAboutOne), number(4, 0, kAboutOne)};
}

Belief belief_from(const io::Json& json) {
  return {number_within(json.at("level"), "level", 0, 1),
          number_at(json, "log_density", kLeastLogDensity, kMostLogDensity)};
}

/// What a record says became of its sample. Keys that belong to no result are not looked at.
Outcome outcome_from(const io::Json& record) {
  if (record.contains("error")) {
    Outcome outcome{{}, record.at("error").get<std::string>()};
    if (outcome.failure.empty()) throw DataError("a failure without a reason");
    return outcome;
  }
  Answer answer;
  const io::Json& fix = record.at("fix");
  answer.fix = {number_within(fix.at(0), "fix", -kFarthest, kFarthest),
                number_within(fix.at(1), "fix", -kFarthest, kFarthest)};
  answer.radius68 = number_within(record.at("radius68"), "radius68", 0, kFarthest);
  answer.heading_degrees = number_at(record, kHeading, -kTurns, kTurns);
  answer.heading_error_degrees = number_at(record, kHeadingError, -180, 180);
  answer.nowhere = number_at(record, kNowhere, 0, 1);
  if (answer.nowhere) answer.evidence = evidence_from(record.at(kEvidence));
  for (const Mode mode : kModes) {
    const char* key = name_of(mode);
    if (!record.contains(key)) continue;
    (mode == Mode::true_ ? answer.true_ : answer.reference) = belief_from(record.at(key));
  }
  return {answer, {}};
}

}  // namespace

Json to_json(const ops::Evidence& evidence) {
  Json json;
  const auto values = evidence.values();
  for (std::size_t i = 0; i < values.size(); ++i) json[ops::Evidence::kNames[i]] = values[i];
  return json;
}

Json to_json(const data::Dataset& dataset, const data::Sample& sample, const Outcome& outcome) {
  Json json{{"sample", sample.number},       {"group", dataset.groups.at(sample.group).name},
            {"line", sample.line},           {"ground", sample.ground},
            {"satellite", sample.satellite}, {"choice", sample.choice}};
  if (sample.wrong) json["wrong"] = true;
  if (!outcome.answer) {
    json["error"] = outcome.failure;
    return json;
  }
  const Answer& answer = *outcome.answer;
  json["fix"] = {answer.fix.row, answer.fix.col};
  json["radius68"] = answer.radius68;
  if (answer.heading_degrees) json[kHeading] = *answer.heading_degrees;
  if (answer.heading_error_degrees) json[kHeadingError] = *answer.heading_error_degrees;
  if (answer.nowhere) {
    json[kNowhere] = *answer.nowhere;
    json[kEvidence] = to_json(answer.evidence);
  }
  for (const Mode mode : kModes) {
    const char* name = name_of(mode);
    if (is_scored(sample, mode)) json[name] = belief_json(sample, answer, mode);
  }
  return json;
}

std::string line_of(const data::Dataset& dataset, const data::Sample& sample,
                    const Outcome& outcome) {
  return io::json_text(to_json(dataset, sample, outcome)) + "\n";
}

std::size_t take(const io::Json& record, const data::Dataset& dataset,
                 std::vector<Outcome>& outcomes) {
  const io::Json& index = record.at("sample");
  const std::string name = "sample " + index.dump();
  if (!index.is_number_unsigned() || index.get<std::size_t>() >= outcomes.size()) {
    throw DataError(name + " is not that of the data set, which has " +
                    std::to_string(outcomes.size()));
  }
  const auto number = index.get<std::size_t>();
  const data::Sample& sample = dataset.samples[number];
  Outcome outcome = outcome_from(record);
  // The record is what would be written of this outcome, no more and no less.
  Json expected = to_json(dataset, sample, outcome);
  for (const Mode mode : kModes) {
    const char* key = name_of(mode);
    if (!expected.contains(key) || !record.contains(key)) continue;
    Json& ours = expected.at(key).at("error_m");
    const auto theirs = record.at(key).at("error_m").get<double>();
    const auto error = ours.get<double>();
    if (std::abs(theirs - error) <= kRounding * std::max(error, 1.0)) ours = theirs;
  }
  if (const auto differ = difference_of(record, expected)) {
    throw DataError(name + " is not that of the data set: it has " + differ->key + " " +
                    differ->theirs + " where " + differ->ours + " is expected");
  }
  if (outcomes[number].answer) throw DataError(name + " stands twice");
  outcomes[number] = std::move(outcome);
  return number;
}

ResultsFile::ResultsFile(std::filesystem::path path, const Json& header, bool resume,
                         const data::Dataset& dataset, std::vector<Outcome>& outcomes)
    : path_(std::move(path)), header_(header), dataset_(dataset) {
  outcomes.assign(dataset.samples.size(), {});
  LockedFile file(path_, O_CREAT);
  const std::string text = io::read_to_end(file.descriptor(), path_);
  if (!text.empty() && !resume) {
    fail(path_, "holds results already; go on with them by --resume, or name another folder");
  }
  const std::size_t whole = read_lines(path_, text, header_, [&](const io::Json& record) {
    numbers_.push_back(take(record, dataset_, outcomes));
  });
  for (Outcome& outcome : outcomes) outcome.failure.clear();  // to be tried again
  if (whole < text.size() && ::ftruncate(file.descriptor(), static_cast<off_t>(whole)) != 0) {
    fail(path_, std::strerror(errno));
  }
  descriptor_ = file.descriptor();
  if (whole == 0) write(header_line(header_));
  file.release();
}

ResultsFile::~ResultsFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ResultsFile::append(const data::Sample& sample, const Outcome& outcome) {
  write(line_of(dataset_, sample, outcome));
  numbers_.push_back(sample.number);
}

void ResultsFile::absorb(const std::filesystem::path& other, std::vector<Outcome>& outcomes) {
  const LockedFile file(other, 0);
  std::vector<Outcome> theirs(outcomes.size());
  read_lines(other, io::read_to_end(file.descriptor(), other), header_,
             [&](const io::Json& record) { take(record, dataset_, theirs); });
  for (const data::Sample& sample : dataset_.samples) {
    Outcome& outcome = theirs[sample.number];
    // Both have it if the program ended before the file was removed.
    if (!outcome.answer || outcomes[sample.number].known()) continue;
    append(sample, outcome);
    outcomes[sample.number] = std::move(outcome);
  }
  if (::fsync(descriptor_) != 0) fail(path_, cannot_be_written(errno));
  remove_results(other);
}

void remove_results(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::remove(file, error);
  if (error) fail(file, "cannot be removed: " + error.message());
}

void ResultsFile::finish(const std::vector<Outcome>& outcomes) {
  std::vector<std::size_t> wanted;
  for (const data::Sample& sample : dataset_.samples) {
    if (outcomes[sample.number].known()) wanted.push_back(sample.number);
  }
  if (wanted != numbers_) {
    io::AtomicFile file(path_);
    file.write(header_line(header_));
    for (const std::size_t number : wanted) {
      file.write(line_of(dataset_, dataset_.samples[number], outcomes[number]));
    }
    file.commit();
    numbers_ = std::move(wanted);
  }
  // Some file systems report a full disk only here.
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, cannot_be_written(errno));
}

void ResultsFile::write(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, cannot_be_written(errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace crossfix::eval
