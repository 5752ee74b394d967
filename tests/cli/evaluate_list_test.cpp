#include <catch2/catch.hpp>
#include <filesystem>

#include "program.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using test::Run;
using test::Workspace;

namespace {

const std::string kFixtures = test::source_folder() / "tests/data/fixtures";

/// The line of `text` that begins with `begin`, with runs of blanks replaced by one.
std::string line_of(const std::string& text, const std::string& begin) {
  std::string line;
  const std::size_t at = ("\n" + text).find("\n" + begin);
  if (at == std::string::npos) return line;
  for (const char c : text.substr(at, text.find('\n', at) - at)) {
    if (c != ' ' || (!line.empty() && line.back() != ' ')) line += c;
  }
  return line;
}

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("evaluate --list counts VIGOR's labels without an image") {
  const Workspace work;
  const Run run = work.run("evaluate --dataset vigor --root " + kFixtures +
                           "/vigor --area cross --labels corrected --list");
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(holds(run.out, "VIGOR, cross-area, corrected labels, "));
  CHECK(line_of(run.out, "NewYork ").starts_with("NewYork train 11 20 0 = 0.0 % 33 "));
  CHECK(line_of(run.out, "Chicago ").starts_with("Chicago test 11 20 0 = 0.0 % 33 6 = 18.2 % "));
  CHECK(holds(run.out, "validation"));
  CHECK(holds(run.err, "crossfix: warning: "));
  CHECK(holds(run.err, "22 panoramas where 51,520 are published"));
}

TEST_CASE("evaluate --list names absent cities, and fails where all are") {
  const Workspace work;
  const std::filesystem::path folder = work.folder / "splits__corrected" / "Chicago";
  std::filesystem::create_directories(folder.parent_path());
  std::filesystem::copy(kFixtures + "/vigor/splits__corrected/Chicago", folder);
  const Run run = work.run("evaluate --dataset vigor --root . --labels corrected --list");
  CHECK(run.code == 0);
  CHECK(holds(run.err, "warning: without NewYork, Seattle, SanFrancisco: no labels such as"));
  CHECK(line_of(run.out, "Chicago  test").starts_with("Chicago test 5 "));
  CHECK(work.run("evaluate --dataset vigor --root . --list")
            .failed_with(3, "no label files of VIGOR, same-area, original labels"));
}

TEST_CASE("evaluate --list counts RobotCar's runs") {
  const Workspace work;
  const Run run = work.run("evaluate --dataset robotcar --root " + kFixtures + "/robotcar --list");
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(line_of(run.out, "training ").starts_with("training train 9 - 0 = 0.0 % - - "));
  CHECK(line_of(run.out, "test 3 ").starts_with("test 3 test 9 "));
  CHECK(line_of(run.out, "all ").starts_with("all test 24 "));
}

TEST_CASE("evaluate refuses what it cannot read") {
  const Workspace work;
  CHECK(work.run("evaluate --root . --list").failed_with(2, "--dataset"));
  CHECK(work.run("evaluate --dataset vigour --root . --list").failed_with(2, "vigour"));
  CHECK(work.run("evaluate --dataset vigor --root none --list").failed_with(2, "none"));
  CHECK(work.run("evaluate --dataset vigor --root . --labels new --list").failed_with(2, "new"));
  CHECK(work.run("evaluate --dataset world --root . --list").failed_with(3, "world.json"));
}
