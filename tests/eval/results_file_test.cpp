#include "eval/results_file.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using eval::Outcome;
using eval::ResultsFile;
using Json = nlohmann::ordered_json;

namespace {

data::Dataset some_dataset() {
  data::Dataset set;
  set.groups = {{"A", "a.txt", 3, 0, 0.1}};
  for (std::size_t i = 0; i < 3; ++i) {
    data::Sample sample;
    sample.number = i;
    sample.line = i + 1;
    sample.ground = "A/panorama/" + std::to_string(i);
    sample.satellite = "A/satellite/" + std::to_string(i);
    sample.true_ = {{320, 320}, 640, 0.1};
    sample.reference = {{127, 127}, 256, 0.285};
    set.samples.push_back(sample);
  }
  set.samples[2].inside = false;
  return set;
}

/// Numbers without a short decimal form, so that a digit lost in reading them back is noticed.
Outcome some_outcome(double seed) {
  eval::Answer answer;
  answer.fix = {seed / 3, seed / 7};
  answer.radius68 = seed / 11;
  answer.true_ = {seed / 13, -seed / 17};
  answer.reference = {seed / 19, {}};
  return {answer, {}};
}

const Json kHeader{{"precision", "f32"}, {"samples", 3}};

}  // namespace

TEST_CASE("results come back as they were, digit for digit") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  {
    ResultsFile file(folder / "r.jsonl", kHeader, false, set, outcomes);
    REQUIRE(outcomes.size() == 3);
    file.append(set.samples[1], some_outcome(1));
    file.append(set.samples[0], {{}, "no such \xff file"});
  }
  {
    ResultsFile file(folder / "r.jsonl", kHeader, true, set, outcomes);
    CHECK(outcomes[1].answer->fix.row == 1.0 / 3);
    CHECK(outcomes[1].answer->fix.col == 1.0 / 7);
    CHECK(outcomes[1].answer->radius68 == 1.0 / 11);
    CHECK(outcomes[1].answer->true_.level == 1.0 / 13);
    CHECK(*outcomes[1].answer->true_.log_density == -1.0 / 17);
    CHECK(outcomes[1].answer->reference.level == 1.0 / 19);
    CHECK_FALSE(outcomes[1].answer->reference.log_density);
    CHECK_FALSE(outcomes[0].known());  // a failure is no result
    CHECK_FALSE(outcomes[2].known());
    file.append(set.samples[2], some_outcome(2));
  }
  const std::string text = test::read_text(folder / "r.jsonl");
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK(text.find("no such ") != std::string::npos);
  // The camera is not in the third tile, so the true mode has nothing to report.
  const Json last = Json::parse(text.substr(text.rfind('\n', text.size() - 2) + 1));
  CHECK_FALSE(last.contains("true"));
  CHECK(last.at("reference").at("error_m") ==
        eval::measure(set.samples[2], *some_outcome(2).answer, eval::Mode::reference, 0).metres);
}

TEST_CASE("headings come back as they were, and leave no trace where there are none") {
  const data::Dataset set = some_dataset();
  Outcome outcome = some_outcome(1);
  CHECK(eval::line_of(set, set.samples[0], outcome).find("heading") == std::string::npos);
  outcome.answer->heading_degrees = -100.0 / 3;
  outcome.answer->heading_error_degrees = 10.0 / 7;
  std::vector<Outcome> taken(3);
  eval::take(nlohmann::json::parse(eval::line_of(set, set.samples[0], outcome)), set, taken);
  CHECK(taken[0].answer->heading_degrees == -100.0 / 3);
  CHECK(taken[0].answer->heading_error_degrees == 10.0 / 7);
}

TEST_CASE("what an answer says of the camera's absence comes back as it was") {
  data::Dataset set = some_dataset();
  Outcome outcome = some_outcome(1);
  CHECK(eval::line_of(set, set.samples[0], outcome).find("nowhere") == std::string::npos);
  outcome.answer->nowhere = 1.0 / 3;
  outcome.answer->evidence = {1.0 / 7, 20.0 / 3, 1.0 / 11, std::nan(""), 1.0 / 13};
  const std::string line = eval::line_of(set, set.samples[0], outcome);
  CHECK(line.find("wrong") == std::string::npos);
  std::vector<Outcome> taken(3);
  eval::take(nlohmann::json::parse(line), set, taken);
  CHECK(taken[0].answer->nowhere == 1.0 / 3);
  const ops::Evidence& evidence = taken[0].answer->evidence;
  CHECK(evidence.peak == 1.0 / 7);
  CHECK(evidence.standout == 20.0 / 3);
  CHECK(evidence.deviation == 1.0 / 11);
  CHECK(std::isnan(evidence.share));
  CHECK(evidence.seen == 1.0 / 13);
  // A wrong pair has no truth to compare with.
  set.samples[1].wrong = true;
  const Json wrong = eval::to_json(set, set.samples[1], outcome);
  CHECK(wrong.at("wrong") == true);
  CHECK(wrong.at("evidence").at("seen") == 1.0 / 13);
  CHECK_FALSE(wrong.contains("true"));
  CHECK_FALSE(wrong.contains("reference"));
  eval::take(nlohmann::json::parse(wrong.dump()), set, taken);
  CHECK(taken[1].answer->nowhere == 1.0 / 3);
}

TEST_CASE("a last line that is cut short anywhere is written anew") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  {
    ResultsFile file(folder / "r.jsonl", kHeader, false, set, outcomes);
    file.append(set.samples[0], some_outcome(1));
    file.append(set.samples[1], some_outcome(2));
  }
  const std::string whole = test::read_text(folder / "r.jsonl");
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    CAPTURE(length);
    test::write_text(folder / "r.jsonl", whole.substr(0, length));
    {
      ResultsFile file(folder / "r.jsonl", kHeader, true, set, outcomes);
      for (std::size_t i = 0; i < 2; ++i) {
        if (!outcomes[i].known()) {
          file.append(set.samples[i], some_outcome(static_cast<double>(i + 1)));
        }
      }
    }
    REQUIRE(test::read_text(folder / "r.jsonl") == whole);
  }
}

TEST_CASE("a failure gives way to the result of another try, and to another failure") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  const Outcome failed{{}, "the drive is away"};
  std::vector<Outcome> outcomes;
  {
    ResultsFile file(folder / "whole.jsonl", kHeader, false, set, outcomes);
    file.append(set.samples[0], some_outcome(1));
    file.append(set.samples[1], failed);
    file.append(set.samples[2], some_outcome(3));
  }
  {
    ResultsFile file(folder / "r.jsonl", kHeader, false, set, outcomes);
    for (const std::size_t i : {0, 1, 2}) file.append(set.samples[i], failed);
  }
  {
    ResultsFile file(folder / "r.jsonl", kHeader, true, set, outcomes);
    for (const Outcome& outcome : outcomes) CHECK_FALSE(outcome.known());
    file.append(set.samples[0], some_outcome(1));
    file.append(set.samples[1], failed);  // and here the program is killed
  }
  ResultsFile file(folder / "r.jsonl", kHeader, true, set, outcomes);
  CHECK(outcomes[0].answer);
  CHECK_FALSE(outcomes[1].known());
  CHECK_FALSE(outcomes[2].known());
  for (const std::size_t i : {1, 2}) {
    outcomes[i] = i == 1 ? failed : some_outcome(3);
    file.append(set.samples[i], outcomes[i]);
  }
  file.finish(outcomes);
  CHECK(test::read_text(folder / "r.jsonl") == test::read_text(folder / "whole.jsonl"));
}

TEST_CASE("what is not known to be results is left as it is") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  std::string header;
  {
    ResultsFile file(folder / "whole.jsonl", kHeader, false, set, outcomes);
    file.append(set.samples[0], some_outcome(1));
    header = kHeader.dump() + "\n";
  }
  const std::string text = GENERATE_COPY(
      std::string("no line feed"), std::string("one\ntwo"), std::string("{}\n"),
      header + "the last line of somebody's notes", std::string(header.size() - 1, ' '),
      header + "[" + "\n", header + "{\"sample\":0,\"fix\":" + std::string(500'000, '[') + "\n",
      "{\"precision\":" + std::string(1'000'000, '[') + "\n",
      header + "{\"sample\":0,\"a\":\"" + std::string(2'000'000, 'b') + "\"}\n");
  test::write_text(folder / "r.jsonl", text);
  const auto refused = [&](const auto& use) {
    return test::message_of<DataError>(use).starts_with((folder / "r.jsonl").string() + ": ");
  };
  for (const bool resume : {false, true}) {
    CHECK(refused([&] { ResultsFile(folder / "r.jsonl", kHeader, resume, set, outcomes); }));
    CHECK(test::read_text(folder / "r.jsonl") == text);
  }
  ResultsFile whole(folder / "whole.jsonl", kHeader, true, set, outcomes);
  CHECK(refused([&] { whole.absorb(folder / "r.jsonl", outcomes); }));
  CHECK(test::read_text(folder / "r.jsonl") == text);
}

TEST_CASE("results that cannot be read are no end of the file") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  // Nothing lies at its beginning: every read fails.
  std::filesystem::create_symlink("/proc/self/mem", folder / "r.jsonl");
  ResultsFile whole(folder / "whole.jsonl", kHeader, false, set, outcomes);
  for (const bool resume : {false, true}) {
    CHECK_THROWS_WITH(ResultsFile(folder / "r.jsonl", kHeader, resume, set, outcomes),
                      Catch::Contains("r.jsonl: cannot be read: "));
  }
  CHECK_THROWS_WITH(whole.absorb(folder / "r.jsonl", outcomes),
                    Catch::Contains("r.jsonl: cannot be read: "));
  CHECK(std::filesystem::is_symlink(folder / "r.jsonl"));
}

TEST_CASE("a record that no run writes is refused, whatever is wrong with it") {
  data::Dataset set = some_dataset();
  set.groups.push_back({"B", "b.txt", 0, 0, 0.1});
  Outcome outcome = some_outcome(1);
  outcome.answer->true_ = {0.5, -2};
  outcome.answer->nowhere = 0.25;
  outcome.answer->evidence = {1, 2, 3, 0.5, 1};
  outcome.answer->heading_degrees = 10;
  outcome.answer->heading_error_degrees = -20;
  const Json good = Json::parse(eval::line_of(set, set.samples[0], outcome));
  const auto message = [&](const Json& record) {
    std::vector<Outcome> taken(3);
    try {
      eval::take(nlohmann::json::parse(record.dump()), set, taken);
    } catch (const Error& error) {
      return std::string(error.what());
    } catch (const nlohmann::json::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  REQUIRE(message(good).empty());
  const auto with = [&](const std::string& pointer, const Json& value) {
    Json record = good;
    record[Json::json_pointer(pointer)] = value;
    return record;
  };
  const std::vector<std::pair<std::string, Json>> wrong{{"/sample", -1},
                                                        {"/sample", 0.25},
                                                        {"/sample", 99},
                                                        {"/sample", true},
                                                        {"/group", "B"},
                                                        {"/line", 2},
                                                        {"/choice", 3},
                                                        {"/ground", "A/other"},
                                                        {"/wrong", true},
                                                        {"/fix", Json::array({0.1, 0.2, 0.3})},
                                                        {"/fix", Json::array({0.1})},
                                                        {"/fix/0", 1e9},
                                                        {"/fix/1", -1e300},
                                                        {"/fix/1", nullptr},
                                                        {"/fix", "0.1"},
                                                        {"/radius68", -0.1},
                                                        {"/radius68", 1e12},
                                                        {"/radius68", nullptr},
                                                        {"/nowhere", -0.5},
                                                        {"/nowhere", 1.5},
                                                        {"/evidence/share", 2},
                                                        {"/evidence/seen", -1},
                                                        {"/evidence/standout", -3},
                                                        {"/evidence/more", 1},
                                                        {"/evidence/peak", 1e308},
                                                        {"/heading_deg", 1e4},
                                                        {"/heading_error_deg", 181},
                                                        {"/true/level", 1.25},
                                                        {"/true/level", -0.25},
                                                        {"/true/log_density", 1e9},
                                                        {"/true/error_m", 0},
                                                        {"/true/error_m", 1e300},
                                                        {"/true/more", 1},
                                                        {"/true/log_density", -1e12},
                                                        {"/error", "unreadable"},
                                                        {"/more", 0}};
  for (const auto& [pointer, value] : wrong) {
    CAPTURE(pointer, value);
    CHECK_FALSE(message(with(pointer, value)).empty());
  }
  for (const auto& item : good.items()) {  // none of the keys may be missing
    if (item.key().starts_with("heading")) continue;
    CAPTURE(item.key());
    Json record = good;
    record.erase(item.key());
    CHECK_FALSE(message(record).empty());
  }
}

TEST_CASE("a result goes on with a name that is not UTF-8, and with an error rounded elsewhere") {
  data::Dataset set = some_dataset();
  set.samples[1].ground = "A/panorama/caf\xe9";
  auto record = nlohmann::json::parse(eval::line_of(set, set.samples[1], some_outcome(1)));
  record["true"]["error_m"] = std::nextafter(record["true"]["error_m"].get<double>(), 1e9);
  std::vector<Outcome> taken(3);
  CHECK(eval::take(record, set, taken) == 1);
  CHECK(taken[1].answer);
}

TEST_CASE("files of several processes become one, in the data set's order") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  {
    ResultsFile file(folder / "whole.jsonl", kHeader, false, set, outcomes);
    for (const data::Sample& sample : set.samples) {
      file.append(sample, some_outcome(static_cast<double>(sample.number)));
    }
  }
  {
    ResultsFile other(folder / "1.jsonl", kHeader, false, set, outcomes);
    other.append(set.samples[0], some_outcome(0));
    other.append(set.samples[1], some_outcome(1));
  }
  const std::string whole = test::read_text(folder / "whole.jsonl");
  const std::string text = test::read_text(folder / "1.jsonl");
  test::write_text(folder / "1.jsonl", text + "{\"sample\":2,\"gro");  // cut short
  ResultsFile file(folder / "r.jsonl", kHeader, false, set, outcomes);
  // As if the program had ended between taking over a file and removing it: sample 1 is in both.
  file.append(set.samples[1], some_outcome(1));
  outcomes[1] = some_outcome(1);
  file.absorb(folder / "1.jsonl", outcomes);
  CHECK_FALSE(std::filesystem::exists(folder / "1.jsonl"));
  CHECK(outcomes[0].answer->radius68 == some_outcome(0).answer->radius68);
  CHECK_FALSE(outcomes[2].known());
  outcomes[2] = some_outcome(2);
  file.finish(outcomes);
  CHECK(test::read_text(folder / "r.jsonl") == whole);
  test::write_text(folder / "2.jsonl", "{\"precision\":\"bf16\",\"samples\":3}\n");
  CHECK_THROWS_AS(file.absorb(folder / "2.jsonl", outcomes), DataError);
  CHECK(std::filesystem::exists(folder / "2.jsonl"));
}

TEST_CASE("results of another run are refused") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  { const ResultsFile file(folder / "r.jsonl", kHeader, false, set, outcomes); }
  const auto message = [&](const Json& header, bool resume) {
    return test::message_of<DataError>(
        [&] { ResultsFile(folder / "r.jsonl", header, resume, set, outcomes); });
  };
  const auto holds = [](const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
  };
  CHECK(message(kHeader, true).empty());
  CHECK(holds(message(kHeader, false), "holds results already"));
  Json other = kHeader;
  other["precision"] = "bf16";
  CHECK(holds(message(other, true), "made with precision \"f32\", this one has \"bf16\""));
  other = kHeader;
  other["batch"] = 4;
  CHECK(holds(message(other, true), "made with batch nothing, this one has 4"));
  other = kHeader;
  other.erase("samples");
  CHECK(holds(message(other, true), "made with samples 3, this one has nothing"));
  {
    const ResultsFile held(folder / "r.jsonl", kHeader, true, set, outcomes);
    std::vector<Outcome> theirs;
    CHECK(holds(test::message_of<DataError>(
                    [&] { ResultsFile(folder / "r.jsonl", kHeader, true, set, theirs); }),
                "another run is writing it"));
  }
  const std::string header = test::read_text(folder / "r.jsonl");
  const auto with = [&](const std::string& lines) {
    test::write_text(folder / "r.jsonl", header + lines);
    return message(kHeader, true);
  };
  const std::string good = eval::to_json(set, set.samples[0], some_outcome(1)).dump() + "\n";
  CHECK(with(good).empty());
  CHECK(holds(with(good + good), "sample 0 stands twice"));
  CHECK(holds(with("{}\n" + good), "line 2 is not what a run writes"));
  CHECK(holds(with(good + "half a li\n"), "line 3 is not what a run writes"));
  std::string moved = good;
  moved.replace(moved.find("panorama/0"), 10, "panorama/1");
  CHECK(holds(with(moved), "sample 0 is not that of the data set"));
  moved = good;
  moved.replace(moved.find("\"sample\":0"), 10, "\"sample\":3");
  CHECK(holds(with(moved), "sample 3 is not that of the data set"));
}

TEST_CASE("a path that cannot be written is known at once") {
  const test::ScratchFolder folder;
  const data::Dataset set = some_dataset();
  std::vector<Outcome> outcomes;
  CHECK_THROWS_AS(ResultsFile(folder / "none/r.jsonl", kHeader, false, set, outcomes), DataError);
  CHECK_THROWS_AS(ResultsFile(folder.path(), kHeader, false, set, outcomes), DataError);
}
