#include "results_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crossfix/core/error.hpp"

namespace crossfix::eval {

namespace {

using Json = nlohmann::ordered_json;

/// For tests of interrupted runs, "RECORD:BYTES": in the record of that number, counted from 1, the
/// program stops after so many bytes and waits to be killed.
constexpr const char* kPauseVariable = "CROSSFIX_TEST_PAUSE";

/// Bytes of this record after which to pause.
std::optional<std::size_t> pause_after(std::size_t record) {
  const char* value = std::getenv(kPauseVariable);
  if (value == nullptr) return {};
  const std::string_view text(value);
  const std::string begin = std::to_string(record) + ":";
  if (!text.starts_with(begin)) return {};
  return std::strtoull(value + begin.size(), nullptr, 10);
}

constexpr std::pair<Mode, const char*> kModes[] = {{Mode::reference, "reference"},
                                                   {Mode::exact, "true"}};

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

/// The numbers of one mode.
Json belief_json(const data::Sample& sample, const Answer& answer, Mode mode) {
  const Belief& belief = answer.belief(mode);
  Json json{{"error_m", measure(sample, answer, mode, 0).metres}, {"level", belief.level}};
  if (belief.log_density) json["log_density"] = *belief.log_density;
  return json;
}

Belief belief_from(const Json& json) {
  Belief belief{json.at("level"), {}};
  if (json.contains("log_density")) belief.log_density = json.at("log_density").get<double>();
  return belief;
}

}  // namespace

Json to_json(const data::Dataset& dataset, const data::Sample& sample, const Outcome& outcome) {
  Json json{{"sample", sample.number},       {"group", dataset.groups.at(sample.group).name},
            {"line", sample.line},           {"ground", sample.ground},
            {"satellite", sample.satellite}, {"choice", sample.choice}};
  if (!outcome.answer) {
    json["error"] = outcome.failure;
    return json;
  }
  const Answer& answer = *outcome.answer;
  json["fix"] = {answer.fix.row, answer.fix.col};
  json["radius68"] = answer.radius68;
  for (const auto& [mode, name] : kModes) {
    if (is_scored(sample, mode)) json[name] = belief_json(sample, answer, mode);
  }
  return json;
}

ResultsFile::ResultsFile(std::filesystem::path path, const Json& header, bool resume,
                         const data::Dataset& dataset, std::vector<Outcome>& outcomes)
    : path_(std::move(path)), dataset_(dataset) {
  outcomes.assign(dataset.samples.size(), {});
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(std::strerror(errno));
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) fail("another run is writing it");
    std::string text = read_all(descriptor_);
    if (!text.empty() && !resume) {
      fail("holds results already; go on with them by --resume, or name another folder");
    }
    text.erase(text.rfind('\n') + 1);  // all of it where there is no whole line
    if (::ftruncate(descriptor_, static_cast<off_t>(text.size())) != 0) fail(std::strerror(errno));
    if (text.empty()) {
      write(header.dump() + "\n");
    } else {
      read(text, header, outcomes);
    }
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

ResultsFile::~ResultsFile() { ::close(descriptor_); }

void ResultsFile::append(const data::Sample& sample, const Outcome& outcome) {
  const std::string line =
      to_json(dataset_, sample, outcome).dump(-1, ' ', false, Json::error_handler_t::replace) +
      "\n";
  ++appended_;
  if (const auto bytes = pause_after(appended_)) {
    write(line.substr(0, *bytes));
    ::pause();
  }
  write(line);
}

void ResultsFile::write(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(std::string("cannot be written: ") + std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void ResultsFile::read(const std::string& text, const Json& header,
                       std::vector<Outcome>& outcomes) const {
  std::size_t line = 0;
  std::size_t end = 0;
  try {
    for (std::size_t at = 0; at < text.size(); at = end + 1) {
      end = text.find('\n', at);
      ++line;
      const Json json = Json::parse(std::string_view(text).substr(at, end - at));
      line == 1 ? compare(json, header) : take(json, outcomes);
    }
  } catch (const nlohmann::json::exception& error) {
    fail("line " + std::to_string(line) + " is not what a run writes (" + error.what() +
         "); begin anew in another folder");
  }
}

void ResultsFile::compare(const Json& theirs, const Json& ours) const {
  const auto shown = [](const Json& json, const std::string& key) {
    return json.contains(key) ? json.at(key).dump() : "nothing";
  };
  for (const Json* side : {&ours, &theirs}) {
    for (const auto& [key, value] : side->items()) {
      if (shown(theirs, key) == shown(ours, key)) continue;
      fail("its run was made with " + key + " " + shown(theirs, key) + ", this one has " +
           shown(ours, key) + "; a run goes on as it began");
    }
  }
}

void ResultsFile::take(const Json& record, std::vector<Outcome>& outcomes) const {
  const auto number = record.at("sample").get<std::size_t>();
  if (number >= outcomes.size() || record.at("ground") != dataset_.samples[number].ground ||
      record.at("satellite") != dataset_.samples[number].satellite) {
    fail("sample " + std::to_string(number) + " is not that of the data set");
  }
  if (outcomes[number].known()) fail("sample " + std::to_string(number) + " stands twice");
  if (record.contains("error")) {
    outcomes[number].failure = record.at("error");
    if (outcomes[number].failure.empty()) fail("a failure without a reason");
    return;
  }
  Answer answer;
  answer.fix = {record.at("fix").at(0), record.at("fix").at(1)};
  answer.radius68 = record.at("radius68");
  for (const auto& [mode, name] : kModes) {
    if (!record.contains(name)) continue;
    (mode == Mode::exact ? answer.exact : answer.reference) = belief_from(record.at(name));
  }
  outcomes[number].answer = answer;
}

void ResultsFile::fail(const std::string& what) const {
  throw DataError(path_.string() + ": " + what);
}

}  // namespace crossfix::eval
