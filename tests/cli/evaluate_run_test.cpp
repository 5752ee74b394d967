#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "crossfix/io/safetensors.hpp"
#include "data/heading_noise.hpp"
#include "data/robotcar.hpp"
#include "report/xml_check.hpp"
#include "support/source_folder.hpp"
#include "vigor_workspace.hpp"

using namespace crossfix;
using nlohmann::json;
using test::Run;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSamples = 88;  // the fixture's test pairs across areas, semi-positives too

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

/// Runs the program's evaluation on the VIGOR fixture.
class EvaluateWorkspace : public test::VigorWorkspace {
 public:
  Run run(const std::string& more) const { return work.run(evaluate(more)); }

  /// Runs the program, and kills it (signal 9) once it has written `record - 1` records and `bytes`
  /// bytes of the next.
  void run_and_kill(const std::string& more, std::size_t record, std::size_t bytes) const {
    const fs::path results = work.folder / "run/samples.jsonl";
    const auto lines = [](const std::string& text) {
      return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    };
    const std::string before = fs::exists(results) ? test::read_text(results) : std::string();
    const std::size_t wanted = std::max<std::size_t>(lines(before), 1) + record - 1;
    const std::string command = "exec " CROSSFIX_PROGRAM " " + evaluate(more) + " >/dev/null 2>&1";
    const std::string pause = std::to_string(record) + ":" + std::to_string(bytes);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::setenv("PAUSE_WRITING", pause.c_str(), 1);
      ::setenv("LD_PRELOAD", CROSSFIX_PAUSE_WRITING, 1);
      ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
      if (::chdir(work.folder.path().c_str()) == 0) {
        ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      }
      ::_exit(127);
    }
    int status = 0;
    bool there = false;
    while (!there && ::waitpid(child, &status, WNOHANG) == 0) {
      const std::string text = fs::exists(results) ? test::read_text(results) : std::string();
      there = lines(text) == wanted && text.size() - (text.rfind('\n') + 1) == bytes;
      if (!there) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    REQUIRE(there);  // otherwise it ended by itself
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
  }
};

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

double mean_of(const json& figures, const char* mode) {
  return figures.at("modes").at(mode).at("errors").at("mean_m").at("value");
}

}  // namespace

TEST_CASE("evaluate writes a line for each sample, figures, and the raw outputs") {
  const EvaluateWorkspace vigor;
  const Run run = vigor.run("--out run --dump raw.safetensors");
  INFO(run.err);
  REQUIRE(run.code == 0);
  for (const char* part : {"VIGOR, cross-area, original labels", "positives", "pos+semi",
                           "SanFrancisco", "80 of 88 samples scored, 8 dropped",
                           "84 of 88 samples scored, 4 outside their tile skipped"}) {
    CHECK(holds(run.out, part));
  }
  CHECK(holds(run.err, "the network was busy"));
  const auto lines = lines_of(vigor.read("run/samples.jsonl"));
  REQUIRE(lines.size() == 1 + kSamples);
  const auto figures = json::parse(vigor.read("run/figures.json"));
  const auto raw = io::Safetensors::open(vigor.work.folder / "raw.safetensors");
  const TensorRecord& logits = raw.tensors().at("logits");
  CHECK(logits.shape == std::vector<Index>{88, 64});
  // Computes every line again from the raw outputs, and the means from the lines.
  double sum = 0;
  std::size_t scored = 0;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const json& line = lines[i + 1];
    const data::Sample& sample = vigor.set.samples[i];
    CAPTURE(i);
    CHECK(line.at("sample") == i);
    CHECK(line.at("ground") == sample.ground);
    CHECK(line.at("satellite") == sample.satellite);
    CHECK(line.contains("true") == sample.inside);
    CHECK(line.contains("reference") == sample.in_reference);
    const auto* row = reinterpret_cast<const float*>(logits.data) + 64 * i;
    const auto cell = std::max_element(row, row + 64) - row;
    const auto* offsets =
        reinterpret_cast<const float*>(raw.tensors().at("offsets").data) + 128 * i + 2 * cell;
    CHECK(line.at("fix")[0] == (static_cast<double>(cell / 8) + offsets[0]) / 8);
    CHECK(line.at("fix")[1] == (static_cast<double>(cell % 8) + offsets[1]) / 8);
    if (!sample.in_reference) continue;
    const double away_row = line.at("fix")[0].get<double>() * 256 - sample.reference.pixel.row;
    const double away_col = line.at("fix")[1].get<double>() * 256 - sample.reference.pixel.col;
    const double metres = std::hypot(away_row, away_col) * 0.285;
    CHECK(line.at("reference").at("error_m") == Approx(metres).epsilon(1e-12));
    sum += metres;
    ++scored;
  }
  CHECK(scored == 80);
  CHECK(mean_of(figures, "reference") == Approx(sum / 80).epsilon(1e-12));
  CHECK(figures.at("modes").at("true").at("counts").at("outside") == 4);
  CHECK(figures.at("modes").at("true").at("positives").at("errors").at("count") == 22);
}

namespace {

using Kills = std::vector<std::pair<std::size_t, std::size_t>>;

/// Kills a run at these records and at these bytes of them, resumes it, and compares the result
/// with that of an undisturbed run.
void survives(const std::string& batch, const Kills& kills) {
  const EvaluateWorkspace vigor;
  const std::string more = "--batch " + batch + " --decoders 2 --resume --out ";
  REQUIRE(vigor.run(more + "whole").code == 0);
  for (const auto& [record, bytes] : kills) vigor.run_and_kill(more + "run", record, bytes);
  const Run last = vigor.run(more + "run");
  INFO(last.err);
  CHECK(last.code == 0);
  CHECK(holds(last.err, "samples are there already"));
  CHECK(vigor.read("run/samples.jsonl") == vigor.read("whole/samples.jsonl"));
  CHECK(vigor.read("run/figures.json") == vigor.read("whole/figures.json"));
  std::set<std::size_t> numbers;
  for (const json& line : lines_of(vigor.read("run/samples.jsonl"))) {
    if (line.contains("sample")) CHECK(numbers.insert(line.at("sample").get<std::size_t>()).second);
  }
  CHECK(numbers.size() == kSamples);
  CHECK(vigor.run(more + "run").code == 0);  // nothing left to do
  CHECK(vigor.read("run/samples.jsonl") == vigor.read("whole/samples.jsonl"));
}

}  // namespace

TEST_CASE("a run that is killed goes on and ends as one that is not") {
  survives("3", {{4, 0}, {11, 17}, {1, 250}});
}

TEST_CASE("a run that is killed ten times ends as one that is not", "[.long]") {
  const std::string batch = GENERATE(as<std::string>(), "1", "3");
  survives(
      batch,
      {{1, 0}, {4, 17}, {7, 1}, {1, 250}, {2, 0}, {11, 0}, {5, 99}, {13, 3}, {8, 0}, {2, 120}});
}

TEST_CASE("the figures do not depend on the threads that read") {
  const EvaluateWorkspace vigor;
  REQUIRE(vigor.run("--out one").code == 0);
  REQUIRE(vigor.run("--out five --decoders 5").code == 0);
  CHECK(vigor.read("one/samples.jsonl") == vigor.read("five/samples.jsonl"));
  CHECK(vigor.read("one/figures.json") == vigor.read("five/figures.json"));
}

TEST_CASE("controls run on other ground images, and say so") {
  const EvaluateWorkspace vigor;
  const Run plain = vigor.run("--mode true --out plain");
  const Run shuffled = vigor.run("--mode true --control shuffled --out shuffled");
  REQUIRE(plain.code == 0);
  REQUIRE(shuffled.code == 0);
  CHECK(holds(shuffled.out, "ground images shuffled"));
  CHECK(vigor.read("plain/figures.json") != vigor.read("shuffled/figures.json"));
  CHECK(vigor.run("--mode true --out shuffled --resume")
            .failed_with(3, "made with control \"shuffled\""));
  const Run blank = vigor.run("--mode true --control blank");
  CHECK(holds(blank.out, "ground images blank"));
  // The network looks at them all the same: not every fix is the tile's centre.
  CHECK(vigor.run("--mode true --control blank --out blank").code == 0);
  CHECK_FALSE(holds(vigor.read("blank/samples.jsonl"), "\"fix\":[0.5,0.5]"));
  for (const data::Sample& sample : vigor.set.samples) {
    const io::Image old = io::read_image(vigor.root() / sample.ground);
    io::write_png(vigor.root() / sample.ground, test::image("other", old.extent(0), old.extent(1)));
  }
  CHECK(vigor.run("--mode true --control blank").out == blank.out);
  CHECK(vigor.run("--mode true").out != plain.out);
}

TEST_CASE("evaluate rolls panoramas, and its report shows them as they were located") {
  const EvaluateWorkspace vigor;
  const Run plain = vigor.run("--mode true --limit 12 --out plain");
  REQUIRE(plain.code == 0);
  CHECK_FALSE(holds(vigor.read("plain/samples.jsonl"), "heading"));
  const Run rolled = vigor.run(
      "--mode true --limit 12 --heading-noise 45 --heading-seed 7 --out run --report r.html");
  INFO(rolled.err);
  REQUIRE(rolled.code == 0);
  CHECK(rolled.out != plain.out);
  CHECK(holds(rolled.out, "headings within 45 degrees of north"));
  CHECK(holds(rolled.out, "longitudinal (m)"));
  CHECK_FALSE(holds(rolled.out, "heading (°)"));  // the network searched for none
  CHECK(holds(vigor.read("r.html"), "By the heading, mean / median"));
  const auto lines = lines_of(vigor.read("run/samples.jsonl"));
  CHECK(lines[0].at("heading_seed") == 7);
  CHECK(lines[1].at("heading_deg") ==
        data::heading_of({45, 7}, lines[1].at("ground").get<std::string>(), 64));
}

TEST_CASE("a run goes on only as it began") {
  const EvaluateWorkspace vigor;
  const std::string few = "--limit 4 --out run ";
  REQUIRE(vigor.run(few).code == 0);
  const std::string results = vigor.read("run/samples.jsonl");
  CHECK(vigor.run(few).failed_with(3, "holds results already"));
  CHECK(vigor.run(few + "--resume --mode true").failed_with(3, "made with mode \"both\""));
  CHECK(vigor.run(few + "--resume --batch 2").failed_with(3, "made with batch 1"));
  CHECK(vigor.run("--limit 5 --out run --resume").failed_with(3, "made with limit 4"));
  CHECK(vigor.read("run/samples.jsonl") == results);
  SECTION("another precision") {  // not every CPU has another: the file is edited
    const std::string precision = R"("precision":"f32")";
    std::string other = results;
    REQUIRE(holds(other, precision));
    other.replace(other.find(precision), precision.size(), R"("precision":"f16")");
    test::write_text(vigor.work.folder / "run/samples.jsonl", other);
    CHECK(vigor.run(few + "--resume").failed_with(3, R"(made with precision "f16")"));
  }
  SECTION("other weights") {
    model::Configuration other = test::program_configuration();
    other.trained_on = "something else";
    vigor.work.model.write(vigor.work.folder / "weights.safetensors", other);
    CHECK(vigor.run(few + "--resume").failed_with(3, "made with weights"));
  }
  SECTION("other labels") {
    const fs::path file = vigor.root() / "splits/Chicago/pano_label_balanced.txt";
    std::string text = test::read_text(file);
    const std::size_t last = text.find_last_of("0123456789");
    text[last] = text[last] == '1' ? '2' : '1';
    test::write_text(file, text);
    CHECK(vigor.run(few + "--resume").code == 0);  // the last line is not among the four
    CHECK(vigor.run("--limit 88 --out all").code == 0);
    text[last] = '7';
    test::write_text(file, text);
    CHECK(vigor.run("--limit 88 --out all --resume").failed_with(3, "made with data"));
  }
}

TEST_CASE("an image that cannot be read is one line and one count") {
  const EvaluateWorkspace vigor;
  const data::Sample& damaged = vigor.set.samples[8];
  test::write_text(vigor.root() / damaged.ground, "no image");
  io::write_png(vigor.root() / vigor.set.samples[20].ground, test::image("square", 32, 32));
  const Run run = vigor.run("--out run --batch 3");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(holds(run.out, "4 outside their tile skipped, 8 unreadable for 2 images"));
  CHECK(holds(run.err, "warning: sample 8: "));
  CHECK_FALSE(holds(run.err, "warning: sample 9: "));  // of the same ground image
  CHECK(holds(run.err, "neither a PNG nor a JPEG"));
  CHECK(holds(run.err, "equirectangular"));  // a square is no panorama
  const auto lines = lines_of(vigor.read("run/samples.jsonl"));
  REQUIRE(lines.size() == 1 + kSamples);
  CHECK(lines[9].contains("error"));
  CHECK_FALSE(lines[9].contains("fix"));
  const std::string results = vigor.read("run/samples.jsonl");
  CHECK(vigor.run("--out run --batch 3 --resume").code == 0);
  CHECK(vigor.read("run/samples.jsonl") == results);
  CHECK(vigor.run("--out strict --strict").failed_with(3, damaged.ground));
}

TEST_CASE("the HTML report shows the best and worst pairs, and needs no other file") {
  const EvaluateWorkspace vigor;
  const Run run = vigor.run("--out run --batch 3 --report report.html");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const std::string text = vigor.read("report.html");
  const test::Document report(text);
  std::vector<std::pair<double, std::size_t>> errors;
  for (const json& line : lines_of(vigor.read("run/samples.jsonl"))) {
    if (!line.contains("true")) continue;
    errors.emplace_back(line.at("true").at("error_m"), line.at("sample").get<std::size_t>());
  }
  std::sort(errors.begin(), errors.end());
  const auto titles = report.find("h4");
  REQUIRE(titles.size() == 20);
  const auto name = [&](std::size_t number) {
    return fs::path(vigor.set.samples[number].ground).filename().string();
  };
  CHECK(titles[0].text == "1. " + name(errors[0].second));
  CHECK(titles[9].text == "10. " + name(errors[9].second));
  CHECK(titles[10].text == "1. " + name(errors.back().second));
  const auto pictures = report.find("img");
  CHECK(pictures.size() == 60);  // ground image, tile, heat map
  for (const test::Element& picture : pictures) {
    CHECK(picture.attribute("src").starts_with("data:image/jpeg;base64,"));
  }
  for (const char* part :
       {"VIGOR, cross-area, original labels", "84 of 88 samples", "SanFrancisco", "true, pos+semi",
        "reference, positives", "Risk and coverage", "Reliability", "weights.safetensors"}) {
    CHECK(holds(text, part));
  }
  CHECK_FALSE(holds(text, "<script"));

  CHECK(vigor.run("--mode reference --report reference.html").code == 0);
  CHECK(holds(vigor.read("reference.html"), "80 of 88 samples"));

  // Resumes results that are complete, although one of their images has been removed.
  fs::remove(vigor.root() / vigor.set.samples[errors[0].second].ground);
  CHECK(vigor.run("--out run --batch 3 --resume --report again.html").code == 0);
  const test::Document again(vigor.read("again.html"));
  CHECK(again.find("h4").size() == 20);
  CHECK(again.find("img").size() < 60);
  CHECK(holds(vigor.read("again.html"), "no pictures"));

  CHECK(vigor.run("--report no/such/folder.html").failed_with(3, "no/such/folder.html"));
}

TEST_CASE("evaluate locates wrong pairs, and says how many of them are found") {
  const EvaluateWorkspace vigor;
  const Run plain = vigor.run("--out plain");
  const Run run = vigor.run("--wrong-pairs --out run --report report.html");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK_FALSE(holds(plain.out, "wrong pairs"));
  CHECK(holds(run.out, "area under the curve"));
  CHECK(holds(run.out, "true, positives"));
  CHECK(holds(run.out, "84 of 88 samples scored"));
  const auto lines = lines_of(vigor.read("run/samples.jsonl"));
  CHECK(lines[0].at("wrong_pairs") == true);
  // The lines before the wrong pairs are those of a run without.
  const std::string first = vigor.read("plain/samples.jsonl");
  const std::string all = vigor.read("run/samples.jsonl");
  const std::string records = first.substr(first.find('\n'));
  CHECK(all.substr(all.find('\n'), records.size()) == records);
  REQUIRE(lines.size() > 1 + kSamples);
  std::size_t found = 0;
  std::vector<double> right;
  std::vector<double> wrong;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    CHECK(lines[i].at("sample") == i - 1);
    CHECK(lines[i].contains("wrong") == (i > kSamples));
    const double nowhere = lines[i].at("nowhere");
    if (i > kSamples) {
      CHECK_FALSE(lines[i].contains("true"));
      CHECK_FALSE(lines[i].contains("reference"));
      wrong.push_back(nowhere);
      found += nowhere >= 0.5 ? 1 : 0;
    } else if (lines[i].contains("true")) {
      right.push_back(nowhere);
    }
    // Weights that were not calibrated judge by the share alone.
    const double share = lines[i].at("evidence").at("share");
    CHECK(nowhere == Approx(1 / (1 + std::exp(2 * share + 1.2))));
  }
  double above = 0;
  for (const double w : wrong) {
    for (const double r : right) above += w > r ? 1 : w == r ? 0.5 : 0;
  }
  const auto figures = json::parse(vigor.read("run/figures.json"));
  json exact = figures.at("modes").at("true");
  const json nowhere = exact.at("nowhere");
  const auto count = static_cast<double>(wrong.size());
  CHECK(nowhere.at("right") == right.size());
  CHECK(nowhere.at("wrong") == wrong.size());
  CHECK(nowhere.at("area").at("value").get<double>() ==
        Approx(above / count / static_cast<double>(right.size())));
  CHECK(nowhere.at("wrong_not_here").get<double>() == Approx(static_cast<double>(found) / count));
  CHECK(nowhere.at("curve").back().at("wrong") == 1);
  CHECK(exact.at("positives").at("nowhere").at("wrong") < wrong.size());
  // All else is as without them.
  exact.erase("nowhere");
  exact.at("positives").erase("nowhere");
  CHECK(exact == json::parse(vigor.read("plain/figures.json")).at("modes").at("true"));
  const std::string text = vigor.read("report.html");
  const test::Document report(text);
  CHECK(holds(text, "84 of 88 samples"));
  CHECK(holds(text, "Wrong pairs called not here (%)"));
  CHECK(holds(text, "by chance"));
  CHECK(report.find("h4").size() == 20);

  const std::string results = vigor.read("run/samples.jsonl");
  CHECK(vigor.run("--wrong-pairs --out run --resume").out == run.out);
  CHECK(vigor.read("run/samples.jsonl") == results);
  CHECK(vigor.run("--out run --resume").failed_with(3, "made with wrong_pairs true"));
  CHECK(vigor.run("--wrong-pairs --control shuffled").failed_with(2, "--wrong-pairs"));
}

TEST_CASE("evaluate draws views of a camera from a world's panoramas, and its report shows them") {
  const test::Workspace work;
  REQUIRE(work.run("world --out world --seed 9 --cities 1 --panoramas 4 --tile-size 160 "
                   "--panorama-size 256x128 --threads 1")
              .code == 0);
  test::write_text(work.folder / "camera.yaml",
                   "model: pinhole\nwidth: 96\nheight: 72\nhfov_deg: 100\nheight_m: 2.5\n");
  const std::string command =
      "evaluate --dataset world --root world --area cross --mode true --threads 1 --model '" +
      (test::source_folder() / "models/crossfix-ground.safetensors").string() +
      "' --camera camera.yaml --tilt 3 --heading-noise 45 --heading-seed 2 ";
  const Run run = work.run(command + "--batch 3 --decoders 2 --out run --report report.html");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(holds(run.out, "views (pinhole, 96 x 72 pixels, 100 degrees wide) tilted by 3 degrees"));
  const std::string report = test::read_text(work.folder / "report.html");
  const auto pictures = test::Document(report).find("img");
  REQUIRE_FALSE(pictures.empty());
  CHECK(pictures.size() % 3 == 0);  // the view, the tile, the heat map
  CHECK_FALSE(holds(report, "no pictures"));
  const auto lines = lines_of(test::read_text(work.folder / "run/samples.jsonl"));
  CHECK(lines.at(0).at("tilt") == 3);
  CHECK(lines.at(1).at("heading_deg") ==
        data::heading_of({45, 2}, lines[1].at("ground").get<std::string>()));
  // In other batches, by other threads, and alone: the same draws.
  const Run other = work.run(command + "--limit 2 --out part");
  INFO(other.err);
  REQUIRE(other.code == 0);
  const auto part = lines_of(test::read_text(work.folder / "part/samples.jsonl"));
  CHECK(part.at(1).at("ground") == lines.at(1).at("ground"));
  CHECK(part.at(1).at("heading_deg") == lines.at(1).at("heading_deg"));
  CHECK(part.at(1).at("fix")[0].get<double>() ==
        Approx(lines.at(1).at("fix")[0].get<double>()).margin(1e-4));
  // Wrong pairs see the other camera's view, with its draws.
  const Run wrong = work.run(command + "--wrong-pairs --batch 3 --out wrong");
  INFO(wrong.err);
  REQUIRE(wrong.code == 0);
  const auto both = lines_of(test::read_text(work.folder / "wrong/samples.jsonl"));
  REQUIRE(both.size() > lines.size());
  for (std::size_t i = 1; i < both.size(); ++i) {
    CHECK(both[i].at("heading_deg") ==
          data::heading_of({45, 2}, both[i].at("ground").get<std::string>()));
    CHECK(both[i].contains("heading_error_deg") == (i < lines.size()));
    CHECK(both[i].at("evidence").at("seen") < 1);
    if (i < lines.size()) CHECK(both[i] == lines[i]);
  }
  CHECK(work.run(command + "--batch 3 --out run --resume").code == 0);
  CHECK(work.run(command + "--batch 3 --out run --resume --tilt-told none")
            .failed_with(3, "made with tilt_told"));
}

TEST_CASE("evaluate refuses cameras that it cannot draw views of") {
  const EvaluateWorkspace vigor;
  test::write_text(vigor.work.folder / "camera.yaml",
                   "model: pinhole\nwidth: 96\nheight: 72\nhfov_deg: 100\nheight_m: 2.5\n");
  CHECK(vigor.run("--camera camera.yaml").failed_with(3, "--camera: these weights take"));
  CHECK(vigor.run("--camera none.yaml").failed_with(3, "none.yaml: it cannot be opened"));
  CHECK(vigor.run("--tilt 2").failed_with(2, "--camera"));
  CHECK(vigor.run("--tilt-told truth").failed_with(2, "--camera"));
  CHECK(vigor.run("--camera camera.yaml --tilt-told all").failed_with(2, "--tilt-told"));
  CHECK(vigor.run("--camera camera.yaml --tilt 50").failed_with(2, "--tilt"));
}

TEST_CASE("an evaluation that scores nothing is no success") {
  const EvaluateWorkspace vigor;
  for (const data::Sample& sample : vigor.set.samples) fs::remove(vigor.root() / sample.ground);
  const Run run = vigor.run("--mode true");
  CHECK(run.code == 3);
  CHECK(holds(run.err, "nothing was scored"));
}

TEST_CASE("an evaluation that scores nothing in one of its modes is no success") {
  const EvaluateWorkspace vigor;
  std::set<std::string> lost;
  for (const data::Sample& sample : vigor.set.samples) {
    if (sample.inside) lost.insert(sample.satellite);
  }
  for (const std::string& tile : lost) fs::remove(vigor.root() / tile);
  REQUIRE(std::any_of(vigor.set.samples.begin(), vigor.set.samples.end(),
                      [&](const data::Sample& sample) {
                        return sample.in_reference && !lost.contains(sample.satellite);
                      }));
  const Run run = vigor.run("");
  INFO(run.out << run.err);
  CHECK(run.code == 3);
  CHECK(holds(run.message(), "nothing was scored in mode true"));
  CHECK(vigor.run("--mode reference").code == 0);
}

TEST_CASE("figures are printed although another output cannot be written") {
  const EvaluateWorkspace vigor;
  fs::create_symlink("/dev/full", vigor.work.folder / "full");
  const std::string few = "--limit 4 ";
  const Run whole = vigor.run(few);
  REQUIRE(whole.code == 0);
  for (const char* outputs : {"--dump full --report r.html", "--report full --dump raw.st"}) {
    const Run run = vigor.run(few + outputs);
    INFO(run.err);
    CHECK(run.code == 3);
    CHECK(holds(run.message(), "cannot write 'full'"));
    CHECK(run.out == whole.out);
  }
  CHECK(fs::exists(vigor.work.folder / "raw.st"));
  CHECK(fs::exists(vigor.work.folder / "r.html"));
  for (const char* more : {"--out run", "--json --out json", "--list"}) {
    INFO(more);
    CHECK(
        vigor.work.run(vigor.evaluate(few + more), "/dev/full").failed_with(3, "standard output"));
  }
  CHECK(fs::exists(vigor.work.folder / "run/figures.json"));
}

TEST_CASE("a dump that the tiles do not fit is refused before the work") {
  const EvaluateWorkspace vigor;
  // Chicago's tiles are of 71.0 m and San Francisco's of 75.5 m.
  const fs::path weights = test::source_folder() / "models/crossfix-ground.safetensors";
  const Run run = vigor.work.run(
      "evaluate --dataset vigor --root vigor --area cross --threads 1 --dump raw.st --model '" +
      weights.string() + "'");
  CHECK(run.failed_with(3, "takes tiles of one size in metres"));
  CHECK_FALSE(holds(run.err, "samples in"));
}

TEST_CASE("evaluate's outputs are neither its inputs nor each other") {
  const EvaluateWorkspace vigor;
  const fs::path labels = vigor.root() / "splits/Chicago/pano_label_balanced.txt";
  const std::string before = test::read_text(labels);
  fs::create_symlink(labels, vigor.work.folder / "link.html");
  const std::pair<const char*, const char*> cases[] = {
      {"--report vigor/splits/Chicago/pano_label_balanced.txt", "should end in .html"},
      {"--report link.html", "pano_label_balanced.txt', should end in .html"},
      {"--report r.pdf", "should end in .html"},
      {"--dump d.png", "should end in .safetensors"},
      {"--dump ./weights.safetensors", "is an input, 'weights.safetensors' of --model"},
      {"--report x.html --dump ./x.html", "which --report writes"},
      {"--out o --dump o/samples.jsonl", "which --dump writes"},
      {"--report o/figures.json --out o", "which --report writes"}};
  for (const auto& [arguments, reason] : cases) {
    CAPTURE(arguments);
    CHECK(vigor.run(arguments).failed_with(2, reason));
  }
  CHECK(test::read_text(labels) == before);
  CHECK_FALSE(fs::exists(vigor.work.folder / "o"));
}

TEST_CASE("evaluate makes the last folder of --out, for its report too") {
  const EvaluateWorkspace vigor;
  CHECK(vigor.run("--out typo/dir/o").failed_with(3, "there is no folder '"));
  CHECK_FALSE(fs::exists(vigor.work.folder / "typo"));
  const Run run = vigor.run("--limit 4 --out new --report new/r.html --dump new/raw.st");
  INFO(run.err);
  CHECK(run.code == 0);
  for (const char* name : {"figures.json", "samples.jsonl", "r.html", "raw.st"}) {
    CHECK(fs::exists(vigor.work.folder / "new" / name));
  }
}

TEST_CASE("evaluate reads labels with a byte order mark") {
  const EvaluateWorkspace vigor;
  const Run plain = vigor.run("--mode true --limit 5 --json");
  REQUIRE(plain.code == 0);
  for (const char* name : {"pano_label_balanced.txt", "satellite_list.txt"}) {
    const fs::path file = vigor.root() / "splits/Chicago" / name;
    test::write_text(file, "\xEF\xBB\xBF" + test::read_text(file));
  }
  CHECK(vigor.run("--mode true --limit 5 --json").out == plain.out);
}

TEST_CASE("evaluate refuses what does not fit together") {
  const EvaluateWorkspace vigor;
  CHECK(vigor.run("--limit 0").failed_with(2, "--limit"));
  CHECK(vigor.run("--limit 0").message().size() < 120);
  CHECK(vigor.run("--resume").failed_with(2, "--out"));
  CHECK(vigor.run("--resume --out run --dump raw.safetensors").failed_with(2, "--dump"));
  CHECK(vigor.run("--mode right").failed_with(2, "--mode"));
  CHECK(vigor.run("--batch 0").failed_with(2, "--batch"));
  for (const char* degrees : {"-1", "181", "inf"}) {
    CHECK(vigor.run(std::string("--heading-noise ") + degrees).failed_with(2, "--heading-noise"));
  }
  CHECK(vigor.run("--heading-noise nan").failed_with(2, "--heading-noise"));
  CHECK(vigor.run("--heading-noise x").failed_with(2, "--heading-noise"));
  CHECK(vigor.run("--heading-noise 45 --heading-seed -1").failed_with(2, "--heading-seed"));
  CHECK(vigor.run("--heading-seed 1").failed_with(2, "--heading-noise"));
  fs::remove_all(vigor.root() / "Chicago");
  CHECK(vigor.run("").failed_with(3, "the images of Chicago are missing"));
  fs::remove_all(vigor.root() / "splits/Chicago");
  CHECK(vigor.run("").failed_with(3, "Chicago is missing"));
}

TEST_CASE("evaluate runs RobotCar's three test runs on tiles cut from the map") {
  const test::Workspace work;
  const fs::path root = work.folder / "robotcar";
  fs::copy(test::robotcar_fixture(), root, fs::copy_options::recursive);
  test::write_robotcar_map(root / data::kRobotCarMap);
  const data::Dataset set = data::read_robotcar({root, data::Split::test, false});
  for (const data::Sample& sample : set.samples) {
    fs::create_directories((root / sample.ground).parent_path());
    io::write_png(root / sample.ground, test::image(sample.ground, 30, 40), 1);
  }
  const std::string arguments = "evaluate --dataset robotcar --root robotcar --threads 1 --model ";
  CHECK(work.run(arguments + "weights.safetensors").failed_with(3, "expect equirectangular"));
  CHECK(work.run(arguments + "weights.safetensors --heading-noise 45")
            .failed_with(3, "the ground images of Oxford RobotCar are pinhole images"));
  model::Configuration pinhole = test::program_configuration();
  pinhole.ground_projection = model::GroundProjection::pinhole;
  work.model.write(work.folder / "pinhole.safetensors", pinhole);
  const Run run = work.run(arguments + "pinhole.safetensors --out run --report runs.html");
  INFO(run.err);
  REQUIRE(run.code == 0);
  for (const char* part :
       {"Oxford RobotCar", "average of runs", "test 3", "±", "longitudinal",
        "reference: 20 of 24 samples scored, 4 dropped", "true: 24 of 24 samples scored"}) {
    CHECK(holds(run.out, part));
  }
  const auto figures = json::parse(test::read_text(work.folder / "run/figures.json"));
  const json& exact = figures.at("modes").at("true");
  double mean = 0;
  for (const json& group : exact.at("groups")) {
    mean += group.at("errors").at("mean_m").at("value").get<double>() / 3;
  }
  CHECK(exact.at("over_groups").at("mean_m") == Approx(mean));
  const std::string report = test::read_text(work.folder / "runs.html");
  CHECK(test::Document(report).find("img").size() == 60);
  for (const char* part : {"Runs, mean / median", "average of runs", "Errors in test 2"}) {
    CHECK(holds(report, part));
  }
}
