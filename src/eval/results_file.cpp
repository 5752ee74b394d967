#include "results_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/io/atomic_file.hpp"

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

std::string read_all(int descriptor) {
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

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

/// Throws if the headers of two runs differ.
void compare(const Json& theirs, const Json& ours) {
  const auto shown = [](const Json& json, const std::string& key) {
    return json.contains(key) ? io::json_text(json.at(key)) : "nothing";
  };
  for (const Json* side : {&ours, &theirs}) {
    for (const auto& [key, value] : side->items()) {
      if (shown(theirs, key) == shown(ours, key)) continue;
      throw DataError("its run was made with " + key + " " + shown(theirs, key) +
                      ", this one has " + shown(ours, key) + "; a run goes on as it began");
    }
  }
}

/// Checks the header, and calls `take_record` with each record in the whole lines of a results
/// file.
template <class TakeRecord>
void read_lines(const std::filesystem::path& path, std::string_view text, const Json& header,
                const TakeRecord& take_record) {
  std::size_t line = 0;
  std::size_t end = 0;
  try {
    for (std::size_t at = 0; at < text.size(); at = end + 1) {
      end = text.find('\n', at);
      ++line;
      const Json json = Json::parse(text.substr(at, end - at));
      line == 1 ? compare(json, header) : take_record(json);
    }
  } catch (const nlohmann::json::exception& error) {
    fail(path, "line " + std::to_string(line) + " is not what a run writes (" + error.what() +
                   "); begin anew in another folder");
  } catch (const DataError& error) {
    fail(path, error.what());
  }
}

/// A file that only one process at a time can open.
class LockedFile {
 public:
  explicit LockedFile(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) fail(path, std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(descriptor_);
    fail(path, "another run is writing it");
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

/// The text without a last line that was cut short.
std::string whole_lines(std::string text) {
  text.erase(text.rfind('\n') + 1);  // everything, if there is no whole line
  return text;
}

/// The number of that name, where there is one.
std::optional<double> number_at(const Json& json, const char* key) {
  if (!json.contains(key)) return {};
  return json.at(key).get<double>();
}

/// JSON has no numbers that are not finite: null is one.
ops::Evidence evidence_from(const Json& json) {
  const auto number = [&](std::size_t i) {
    const Json& value = json.at(ops::Evidence::kNames[i]);
    return value.is_null() ? std::nan("") : value.get<double>();
  };
  return {number(0), number(1), number(2), number(3), number(4)};
}

Belief belief_from(const Json& json) { return {json.at("level"), number_at(json, "log_density")}; }

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

std::size_t take(const Json& record, const data::Dataset& dataset, std::vector<Outcome>& outcomes) {
  const auto number = record.at("sample").get<std::size_t>();
  const std::string name = "sample " + std::to_string(number);
  if (number >= outcomes.size() || record.at("ground") != dataset.samples[number].ground ||
      record.at("satellite") != dataset.samples[number].satellite) {
    throw DataError(name + " is not that of the data set");
  }
  if (outcomes[number].known()) throw DataError(name + " stands twice");
  if (record.contains("error")) {
    outcomes[number].failure = record.at("error");
    if (outcomes[number].failure.empty()) throw DataError("a failure without a reason");
    return number;
  }
  Answer answer;
  answer.fix = {record.at("fix").at(0), record.at("fix").at(1)};
  answer.radius68 = record.at("radius68");
  answer.heading_degrees = number_at(record, kHeading);
  answer.heading_error_degrees = number_at(record, kHeadingError);
  answer.nowhere = number_at(record, kNowhere);
  if (answer.nowhere) answer.evidence = evidence_from(record.at(kEvidence));
  for (const Mode mode : kModes) {
    const char* key = name_of(mode);
    if (!record.contains(key)) continue;
    (mode == Mode::true_ ? answer.true_ : answer.reference) = belief_from(record.at(key));
  }
  outcomes[number].answer = answer;
  return number;
}

ResultsFile::ResultsFile(std::filesystem::path path, const Json& header, bool resume,
                         const data::Dataset& dataset, std::vector<Outcome>& outcomes)
    : path_(std::move(path)), header_(header), dataset_(dataset) {
  outcomes.assign(dataset.samples.size(), {});
  LockedFile file(path_);
  std::string text = read_all(file.descriptor());
  if (!text.empty() && !resume) {
    fail(path_, "holds results already; go on with them by --resume, or name another folder");
  }
  text = whole_lines(std::move(text));
  if (::ftruncate(file.descriptor(), static_cast<off_t>(text.size())) != 0) {
    fail(path_, std::strerror(errno));
  }
  read_lines(path_, text, header_,
             [&](const Json& record) { numbers_.push_back(take(record, dataset_, outcomes)); });
  descriptor_ = file.descriptor();
  if (text.empty()) write(io::json_text(header_) + "\n");
  file.release();
}

ResultsFile::~ResultsFile() { ::close(descriptor_); }

void ResultsFile::append(const data::Sample& sample, const Outcome& outcome) {
  write(line_of(dataset_, sample, outcome));
  numbers_.push_back(sample.number);
}

void ResultsFile::absorb(const std::filesystem::path& other, std::vector<Outcome>& outcomes) {
  const LockedFile file(other);
  std::vector<Outcome> theirs(outcomes.size());
  read_lines(other, whole_lines(read_all(file.descriptor())), header_, [&](const Json& record) {
    const std::size_t number = take(record, dataset_, theirs);
    if (outcomes[number].known()) return;  // the program ended before this file was removed
    const data::Sample& sample = dataset_.samples[number];
    write(line_of(dataset_, sample, theirs[number]));
    numbers_.push_back(number);
    outcomes[number] = std::move(theirs[number]);
  });
  std::filesystem::remove(other);
}

void ResultsFile::finish(const std::vector<Outcome>& outcomes) {
  std::vector<std::size_t> wanted;
  for (const data::Sample& sample : dataset_.samples) {
    if (outcomes[sample.number].known()) wanted.push_back(sample.number);
  }
  if (wanted == numbers_) return;
  io::AtomicFile file(path_);
  file.write(io::json_text(header_) + "\n");
  for (const std::size_t number : wanted) {
    file.write(line_of(dataset_, dataset_.samples[number], outcomes[number]));
  }
  file.commit();
  numbers_ = std::move(wanted);
}

void ResultsFile::write(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, std::string("cannot be written: ") + std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace crossfix::eval
