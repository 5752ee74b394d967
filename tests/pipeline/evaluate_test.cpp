#include "pipeline/evaluate.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/io/safetensors.hpp"
#include "data/fixtures.hpp"
#include "data/vigor.hpp"
#include "recorder.hpp"
#include "support/flat_ground.hpp"
#include "support/model_files.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using pipeline::EvaluationOptions;
using pipeline::EvaluationResult;

namespace {

namespace fs = std::filesystem;

/// The VIGOR fixture with made-up images of several sizes, and a tiny network to evaluate on it.
class Evaluation {
 public:
  Evaluation() {
    for (const data::Group& group : set.groups) {
      for (const char* view : {"panorama", "satellite"}) {
        fs::create_directories(root() / group.name / view);
      }
    }
    for (const data::Sample& sample : set.samples) {
      const auto larger = static_cast<Index>(sample.number % 3);
      if (sample.choice == 0) write(sample.ground, 32 + 8 * larger, 64 + 16 * larger);
      if (!fs::exists(root() / sample.satellite)) {
        write(sample.satellite, 40 + 5 * larger, 40 + 5 * larger);
      }
    }
  }

  fs::path root() const { return folder_.path() / "vigor"; }
  fs::path file(const std::string& name) const { return folder_.path() / name; }

  void write(const std::string& name, Index height, Index width) const {
    io::write_png(root() / name, test::image(name, height, width), 1);
  }

  EvaluationOptions options() const {
    EvaluationOptions options;
    options.data.root = root();
    options.data.area = data::Area::cross;
    options.data.pairs = data::Pairs::all;
    options.weights = pipeline::fingerprint_of(io::Safetensors::open(weights_.path()));
    options.batch = 3;
    options.readers = 2;
    return options;
  }

  Localizer localizer(Index batch = 3) const {
    return Localizer::load(weights_.path(), {.device = Device::cpu, .threads = 1, .batch = batch});
  }

  EvaluationResult run(const EvaluationOptions& options) {
    Localizer network = localizer(options.batch);
    recorder.emplace();
    return pipeline::evaluate(options, network, *ranks_, *recorder).value();
  }

 private:
  data::Dataset read() const {
    fs::create_directories(root());
    fs::copy(test::vigor_fixture() / "splits", root() / "splits", fs::copy_options::recursive);
    return options().data.read();
  }

  static model::Configuration configuration() {
    model::Configuration tiny = test::tiny_configuration();
    tiny.metres_per_network_pixel = 0.5;  // a tile of 64 m
    tiny.radius_scale = 1.5;
    return tiny;
  }

  test::ScratchFolder folder_;
  test::ModelFile weights_{configuration()};
  std::unique_ptr<ranks::Ranks> ranks_ = ranks::start(0, nullptr);

 public:
  data::Dataset set = read();
  std::optional<test::Recorder> recorder;  ///< of the latest run
};

/// Whether two runs gave the same results, to the bit.
bool same(const std::vector<eval::Outcome>& a, const std::vector<eval::Outcome>& b) {
  const auto same_belief = [](const eval::Belief& x, const eval::Belief& y) {
    return x.level == y.level && x.log_density == y.log_density;
  };
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [&](const auto& one, const auto& other) {
        if (one.failure != other.failure || one.answer.has_value() != other.answer.has_value()) {
          return false;
        }
        if (!one.answer) return true;
        const eval::Answer& x = *one.answer;
        const eval::Answer& y = *other.answer;
        return x.fix.row == y.fix.row && x.fix.col == y.fix.col && x.radius68 == y.radius68 &&
               same_belief(x.true_, y.true_) && same_belief(x.reference, y.reference);
      });
}

bool mentions(const std::vector<std::string>& messages, const std::string& part) {
  return std::any_of(messages.begin(), messages.end(), [&](const std::string& message) {
    return message.find(part) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("what is evaluated is what a user of the localizer gets for the same files") {
  Evaluation evaluation;
  const EvaluationResult result = evaluation.run(evaluation.options());
  const data::Dataset& set = result.dataset;
  REQUIRE(set.samples.size() == evaluation.set.samples.size());
  REQUIRE(result.outcomes.size() == set.samples.size());
  Localizer localizer = evaluation.localizer(1);
  const data::ImageSource images = evaluation.options().data.images(set);
  std::size_t sizes[3] = {};
  for (const data::Sample& sample : set.samples) {
    CAPTURE(sample.number);
    const io::Image ground = images.ground(sample);
    const io::Image tile = images.tile(sample);
    const Index side = tile.extent(0);
    ++sizes[(side - 40) / 5];
    const TileInfo info = pipeline::tile_info(sample, side);
    CHECK(*info.metres_per_pixel * static_cast<double>(side) ==
          Approx(640 * sample.true_.metres_per_pixel));
    const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(tile), info);
    const eval::Outcome& outcome = result.outcomes[sample.number];
    REQUIRE(outcome.answer);
    CHECK(outcome.failure.empty());
    CHECK(outcome.answer->fix.row == Approx(fix.pixel.row / static_cast<double>(side)));
    CHECK(outcome.answer->fix.col == Approx(fix.pixel.col / static_cast<double>(side)));
    CHECK(outcome.answer->radius68 == Approx(fix.radius68_px / static_cast<double>(side)));
    const eval::Measurement measured = eval::measure(sample, *outcome.answer, eval::Mode::true_, 0);
    CHECK(measured.radius68_metres == Approx(*fix.radius68_m));
    // Sums over other batches round differently.
    CHECK(outcome.answer->true_.level ==
          Approx(eval::answer_of(sample, fix, {side, side}, 1).true_.level).epsilon(1e-4));
  }
  for (const std::size_t count : sizes) CHECK(count > 0);  // all of them occurred
  CHECK(evaluation.recorder->begun == "samples");
  CHECK(evaluation.recorder->total == set.samples.size());
  CHECK(evaluation.recorder->done == set.samples.size());
  CHECK(evaluation.recorder->ended == 1);
  CHECK(
      mentions(evaluation.recorder->warnings, "than the 64.0 m that the weights were trained at"));
  CHECK(mentions(evaluation.recorder->notes, "the network was busy"));
  CHECK(result.settings.at("batch") == 3);
  CHECK(result.settings.at("samples") == set.samples.size());
}

TEST_CASE("results depend on the batch alone, neither on the threads that read nor on the mode") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 24;
  const EvaluationResult first = evaluation.run(options);
  CHECK(first.outcomes.size() == 24);
  options.readers = 7;
  CHECK(same(evaluation.run(options).outcomes, first.outcomes));
  options.mode = "true";
  const EvaluationResult exact = evaluation.run(options);
  for (const data::Sample& sample : exact.dataset.samples) {
    CHECK(exact.outcomes[sample.number].known() == sample.inside);
  }
}

TEST_CASE("an image that is absent or not what the weights expect fails its samples alone") {
  Evaluation evaluation;
  const data::Sample& absent = evaluation.set.samples[9];
  const data::Sample& square = evaluation.set.samples[20];
  fs::remove(evaluation.root() / absent.satellite);
  evaluation.write(square.ground, 32, 32);
  EvaluationOptions options = evaluation.options();
  options.dump = evaluation.file("raw.safetensors");
  const EvaluationResult result = evaluation.run(options);
  std::size_t failed = 0;
  for (const data::Sample& sample : result.dataset.samples) {
    CAPTURE(sample.number);
    const eval::Outcome& outcome = result.outcomes[sample.number];
    const bool refused = sample.ground == square.ground;
    CHECK(outcome.failure.empty() == !(refused || sample.satellite == absent.satellite));
    CHECK(outcome.answer.has_value() == outcome.failure.empty());
    if (refused) {
      CHECK(outcome.failure.find(square.ground + ": ") == 0);
      CHECK(outcome.failure.find("equirectangular") != std::string::npos);
    }
    failed += outcome.failure.empty() ? 0U : 1U;
  }
  CHECK(failed >= 5);  // four tiles of the square image, and the missing one
  CHECK(evaluation.recorder->done == result.dataset.samples.size());
  CHECK(std::count_if(evaluation.recorder->warnings.begin(), evaluation.recorder->warnings.end(),
                      [&](const std::string& warning) {
                        return warning.find(square.ground) != std::string::npos;
                      }) == 1);  // once for its four samples
  // The rows of the dump are those of the data set, with NaN if there is no fix.
  result.dump->commit();
  const auto raw = io::Safetensors::open(options.dump);
  const TensorRecord& logits = raw.tensors().at("logits");
  REQUIRE(logits.shape ==
          std::vector<Index>{static_cast<Index>(result.dataset.samples.size()), 64});
  for (const data::Sample& sample : result.dataset.samples) {
    const float first = reinterpret_cast<const float*>(logits.data)[64 * sample.number];
    CHECK(std::isnan(first) == !result.outcomes[sample.number].answer.has_value());
  }
  options.strict = true;
  CHECK_THROWS_AS(evaluation.run(options), ImageError);
}

TEST_CASE("a run goes on with what its folder holds, and ends as if it had not been interrupted") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 20;
  options.out = evaluation.file("run");
  const EvaluationResult whole = evaluation.run(options);
  const fs::path results = options.out / "samples.jsonl";
  const std::string text = test::read_text(results);
  CHECK(std::count(text.begin(), text.end(), '\n') == 21);
  CHECK_THROWS_AS(evaluation.run(options), DataError);  // holds results already

  // The header, seven results, and a piece of the eighth.
  std::size_t end = 0;
  for (int line = 0; line < 8; ++line) end = text.find('\n', end) + 1;
  test::write_text(results, text.substr(0, end + 30));
  options.resume = true;
  const EvaluationResult resumed = evaluation.run(options);
  CHECK(same(resumed.outcomes, whole.outcomes));
  CHECK(test::read_text(results) == text);
  CHECK(mentions(evaluation.recorder->notes, "6 samples are there already, 14 to go"));
  CHECK(evaluation.recorder->total == 14);  // batches are located whole

  const EvaluationResult again = evaluation.run(options);
  const auto mean = [](const EvaluationResult& result) {
    return eval::evaluate(result.dataset, result.outcomes, eval::Mode::true_).errors.mean.value;
  };
  CHECK(mean(again) == mean(whole));
  CHECK(test::read_text(results) == text);
  CHECK(evaluation.recorder->begun.empty());  // nothing is left to do
  options.batch = 2;
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("made with batch 3"));
}

TEST_CASE("images that come back are located when a run goes on") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 12;
  options.batch = 1;
  options.out = evaluation.file("whole");
  const EvaluationResult whole = evaluation.run(options);
  options.out = evaluation.file("run");
  const fs::path shown = evaluation.root() / whole.dataset.groups[0].name / "panorama";
  const fs::path away = evaluation.file("away");
  fs::rename(shown, away);
  fs::create_directory(shown);
  const EvaluationResult without = evaluation.run(options);
  const auto failed = [](const EvaluationResult& result) {
    return std::count_if(result.outcomes.begin(), result.outcomes.end(),
                         [](const eval::Outcome& outcome) { return !outcome.failure.empty(); });
  };
  const auto count = failed(without);
  REQUIRE(count > 0);
  options.resume = true;
  CHECK(failed(evaluation.run(options)) == count);  // still away: counted again, once
  CHECK(mentions(evaluation.recorder->notes, std::to_string(count) + " to go"));
  fs::remove(shown);
  fs::rename(away, shown);
  const EvaluationResult resumed = evaluation.run(options);
  CHECK(failed(resumed) == 0);
  CHECK(test::read_text(evaluation.file("run") / "samples.jsonl") ==
        test::read_text(evaluation.file("whole") / "samples.jsonl"));
}

TEST_CASE("a fingerprint is that of the weights that were read, whatever becomes of their file") {
  const test::ScratchFolder folder;
  const test::ModelFile model{test::tiny_configuration()};
  fs::copy(model.path(), folder / "weights");
  const auto weights = io::Safetensors::open(folder / "weights");
  const std::string fingerprint = pipeline::fingerprint_of(weights);
  CHECK(fingerprint.size() == 16);
  CHECK(pipeline::fingerprint_of(io::Safetensors::open(model.path())) == fingerprint);
  model::Configuration other = test::tiny_configuration();
  other.trained_on = "something else";
  const test::ModelFile replacement{other};
  fs::remove(folder / "weights");
  CHECK(pipeline::fingerprint_of(weights) == fingerprint);
  fs::copy(replacement.path(), folder / "weights");
  CHECK(pipeline::fingerprint_of(weights) == fingerprint);
  CHECK(pipeline::fingerprint_of(io::Safetensors::open(folder / "weights")) != fingerprint);
  CHECK(Localizer::load(weights, {.device = Device::cpu}).configuration().trained_on ==
        test::tiny_configuration().trained_on);
}

TEST_CASE("some of the cities are a run of their own") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.data.cities = {"Chicago"};
  options.limit = 4;
  options.out = evaluation.file("run");
  const EvaluationResult result = evaluation.run(options);
  CHECK(result.settings.at("cities") == "Chicago");
  for (const data::Sample& sample : result.dataset.samples) {
    CHECK(sample.ground.starts_with("Chicago/"));
  }
  options.resume = true;
  options.data.cities = {"Chicago", "SanFrancisco"};
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("made with cities \"Chicago\""));
  options.data.cities = {"SanFrancisco"};
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("made with cities \"Chicago\""));
}

TEST_CASE("other people's files in the folder of a run stay") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 4;
  options.out = evaluation.file("run");
  fs::create_directories(options.out);
  const fs::path foreign = options.out / "samples.3.jsonl";
  test::write_text(foreign, "sampling rates, third try\n");
  for (const bool resume : {false, true}) {
    options.resume = resume;
    CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("samples.3.jsonl: "));
    CHECK(test::read_text(foreign) == "sampling rates, third try\n");
  }
}

TEST_CASE("wrong pairs follow the samples, and change nothing about them") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 25;  // the last batch of three is incomplete
  options.mode = "true";
  options.data.heading_noise = {45, 3};
  options.dump = evaluation.file("plain.safetensors");
  const EvaluationResult plain = evaluation.run(options);
  options.data.wrong_pairs = true;
  options.dump = evaluation.file("raw.safetensors");
  const EvaluationResult both = evaluation.run(options);
  CHECK(both.settings.at("wrong_pairs") == true);
  CHECK_FALSE(plain.settings.contains("wrong_pairs"));
  CHECK(both.settings.at("format") == 3);
  CHECK(both.settings.at("data") == plain.settings.at("data"));
  const std::size_t count = plain.dataset.samples.size();
  REQUIRE(count == 25);
  REQUIRE(both.dataset.samples.size() > count);
  const std::vector<eval::Outcome> first(
      both.outcomes.begin(), both.outcomes.begin() + static_cast<std::ptrdiff_t>(count));
  CHECK(same(first, plain.outcomes));
  plain.dump->commit();
  both.dump->commit();
  CHECK(test::read_text(evaluation.file("raw.safetensors")) ==
        test::read_text(evaluation.file("plain.safetensors")));
  Localizer localizer = evaluation.localizer(1);
  const data::ImageSource images = options.data.images(both.dataset);
  for (std::size_t i = 0; i < both.dataset.samples.size(); ++i) {
    CAPTURE(i);
    const data::Sample& sample = both.dataset.samples[i];
    CHECK(sample.number == i);
    CHECK(sample.wrong == (i >= count));
    CHECK(both.outcomes[i].known() == (sample.inside || sample.wrong));
    if (!sample.wrong) continue;
    const io::Image tile = images.tile(sample);
    const Fix fix = localizer.locate(GroundImage(images.ground(sample)), SatelliteImage(tile));
    const eval::Answer& answer = both.outcomes[i].answer.value();
    CHECK(answer.fix.row == Approx(fix.pixel.row / static_cast<double>(tile.extent(0))));
    CHECK(answer.nowhere.value() == Approx(fix.nowhere.value()));
    CHECK(answer.evidence.share == Approx(fix.evidence.share));
    CHECK_FALSE(answer.true_.log_density);
    // The image that was shown has its own draw.
    const Index width = images.ground(sample).extent(1);
    CHECK(answer.heading_degrees ==
          data::heading_of(options.data.heading_noise, sample.ground, width));
  }
  const auto figures = eval::evaluate(both.dataset, both.outcomes, eval::Mode::true_);
  CHECK(figures.counts.samples == count);
  CHECK(figures.nowhere.wrong == both.dataset.samples.size() - count);
  CHECK(figures.nowhere.right == figures.counts.scored);
}

TEST_CASE("a run with wrong pairs goes on with them") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 12;
  options.data.wrong_pairs = true;
  options.out = evaluation.file("run");
  const EvaluationResult whole = evaluation.run(options);
  const fs::path results = options.out / "samples.jsonl";
  const std::string text = test::read_text(results);
  test::write_text(results, text.substr(0, text.rfind("\n{") - 40));  // in the last but one
  options.resume = true;
  const EvaluationResult resumed = evaluation.run(options);
  const auto area = [](const EvaluationResult& result) {
    return eval::evaluate(result.dataset, result.outcomes, eval::Mode::true_).nowhere.area.value;
  };
  CHECK(area(resumed) == area(whole));
  CHECK(test::read_text(results) == text);
  options.data.wrong_pairs = false;
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("made with wrong_pairs true"));
  // A single panorama of a city has none.
  options.data.wrong_pairs = true;
  options.limit = 1;
  options.out = evaluation.file("one");
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("--wrong-pairs: these samples make"));
}

TEST_CASE("noise rolls every panorama by its own draw, whatever else is evaluated with it") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  const EvaluationResult still = evaluation.run(options);
  options.data.heading_noise = {180, 5};
  const EvaluationResult rolled = evaluation.run(options);
  CHECK_FALSE(same(rolled.outcomes, still.outcomes));
  CHECK(rolled.settings.at("heading_noise") == 180);
  CHECK_FALSE(still.settings.contains("heading_noise"));
  Localizer localizer = evaluation.localizer(1);
  const data::ImageSource images = evaluation.options().data.images(rolled.dataset);  // as they are
  for (const data::Sample& sample : rolled.dataset.samples) {
    CAPTURE(sample.number);
    io::Image ground = images.ground(sample);
    const Index width = ground.extent(1);
    data::roll(ground, data::heading_columns(options.data.heading_noise, sample.ground, width));
    const io::Image tile = images.tile(sample);
    const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(tile));
    const eval::Answer& answer = *rolled.outcomes[sample.number].answer;
    CHECK(answer.fix.row == Approx(fix.pixel.row / static_cast<double>(tile.extent(0))));
    CHECK(answer.fix.col == Approx(fix.pixel.col / static_cast<double>(tile.extent(1))));
    CHECK(answer.heading_degrees ==
          data::heading_of(options.data.heading_noise, sample.ground, width));
    CHECK_FALSE(answer.heading_error_degrees);  // the network was told, and searched for none
    CHECK_FALSE(still.outcomes[sample.number].answer->heading_degrees);
  }
  // A part of them, in other batches, has the same draws.
  options.limit = 9;
  options.batch = 2;
  const EvaluationResult part = evaluation.run(options);
  for (const data::Sample& sample : part.dataset.samples) {
    const auto whole = std::find_if(
        rolled.dataset.samples.begin(), rolled.dataset.samples.end(), [&](const auto& other) {
          return other.ground == sample.ground && other.satellite == sample.satellite;
        });
    REQUIRE(whole != rolled.dataset.samples.end());
    CHECK(part.outcomes[sample.number].answer->heading_degrees ==
          rolled.outcomes[whole->number].answer->heading_degrees);
  }
}

TEST_CASE("a run with noise goes on with that noise alone") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.limit = 6;
  options.out = evaluation.file("run");
  options.data.heading_noise = {45, 1};
  const EvaluationResult whole = evaluation.run(options);
  const std::string text = test::read_text(options.out / "samples.jsonl");
  CHECK(text.find("\"heading_deg\":") != std::string::npos);
  options.resume = true;
  const EvaluationResult again = evaluation.run(options);
  CHECK(evaluation.recorder->begun.empty());
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(again.outcomes[i].answer->heading_degrees == whole.outcomes[i].answer->heading_degrees);
  }
  options.data.heading_noise.seed = 2;
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("made with heading_seed 1"));
  options.data.heading_noise = {};
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("made with heading_noise 45.0"));
}

namespace {

/// The options that evaluate the matcher on `limit` pairs of flat ground, which are made here. A
/// pixel of their tiles is 0.4 m or less.
EvaluationOptions flat_ground(const Evaluation& evaluation, std::size_t limit) {
  EvaluationOptions options = evaluation.options();
  options.weights = test::source_folder() / "models/crossfix-ground.safetensors";
  options.data.pairs = data::Pairs::positives;
  options.limit = limit;
  options.batch = 1;
  data::Dataset set = options.data.read();
  for (std::size_t i = 0; i < options.limit; ++i) {
    const data::Sample& sample = set.samples[i * set.samples.size() / options.limit];
    const auto tile = test::image(sample.satellite, 200, 200);
    const double shown = 200 / sample.true_.side;
    const auto panorama =
        test::panorama_of(tile, sample.true_.metres_per_pixel / shown,
                          {sample.true_.pixel.row * shown, sample.true_.pixel.col * shown}, 0);
    io::write_png(evaluation.root() / sample.satellite, tile, 1);
    io::write_png(evaluation.root() / sample.ground, panorama, 1);
  }
  return options;
}

}  // namespace

TEST_CASE("the matcher searches for the headings of rolled panoramas") {
  Evaluation evaluation;
  EvaluationOptions options = flat_ground(evaluation, 3);
  Localizer matcher =
      Localizer::load(options.weights, {.device = Device::cpu, .threads = 1, .batch = 1});
  const auto ranks = ranks::start(0, nullptr);
  test::Recorder recorder;
  const double degrees = GENERATE(45.0, 180.0);
  options.data.heading_noise = {degrees, 1};
  const auto result = pipeline::evaluate(options, matcher, *ranks, recorder).value();
  for (const eval::Outcome& outcome : result.outcomes) {
    INFO(outcome.failure);
    REQUIRE(outcome.answer);
    // Of a search by steps of 20 degrees, as the matcher's own test has it.
    CHECK(std::abs(outcome.answer->heading_error_degrees.value()) <= 5);
  }
  options.data.heading_noise = {};
  const auto told = pipeline::evaluate(options, matcher, *ranks, recorder).value();
  for (const eval::Outcome& outcome : told.outcomes) {
    CHECK_FALSE(outcome.answer.value().heading_error_degrees);
  }
}

TEST_CASE("the matcher locates views by their camera and what it is told of their tilt") {
  Evaluation evaluation;
  EvaluationOptions options = flat_ground(evaluation, 6);
  const fs::path file = evaluation.file("camera.yaml");
  test::write_text(file,
                   "model: pinhole\nwidth: 240\nheight: 180\nhfov_deg: 110\nheight_m: 2.6\n"
                   "pitch_deg: -15\n");
  options.data.view.read_camera(file);
  options.data.view.tilt_degrees = 6;
  options.data.heading_noise = {180, 1};
  options.out = evaluation.file("run");
  Localizer matcher =
      Localizer::load(options.weights, {.device = Device::cpu, .threads = 1, .batch = 1});
  const auto ranks = ranks::start(0, nullptr);
  test::Recorder recorder;
  const auto mean = [](const EvaluationResult& result) {
    return eval::evaluate(result.dataset, result.outcomes, eval::Mode::true_).errors.mean.value;
  };
  options.data.view.told = data::TiltTold::truth;
  const auto told = pipeline::evaluate(options, matcher, *ranks, recorder).value();
  CHECK(told.settings.at("tilt_told") == "truth");
  const data::ImageSource images = options.data.images(told.dataset);
  for (const data::Sample& sample : told.dataset.samples) {
    CAPTURE(sample.ground);
    const eval::Outcome& outcome = told.outcomes[sample.number];
    INFO(outcome.failure);
    REQUIRE(outcome.answer);
    const camera::Mount mount =
        data::drawn_mount(options.data.view, options.data.heading_noise, sample.ground);
    CHECK(outcome.answer->heading_degrees == mount.heading.degrees);
    CHECK(std::abs(outcome.answer->heading_error_degrees.value()) <= 5);
    // What a user gets for the view, the camera and its tilt.
    const io::Image ground = images.ground(sample);
    REQUIRE(ground.shape() == Shape<3>{180, 240, 3});
    const io::Image tile = images.tile(sample);
    GroundInfo info;
    info.heading_degrees.reset();
    info.mounted = {options.data.view.camera->camera, mount};
    const Fix fix = matcher.locate(GroundImage(ground), SatelliteImage(tile),
                                   pipeline::tile_info(sample, tile.extent(0)), info);
    CHECK(outcome.answer->fix.row == Approx(fix.pixel.row / 200));
    CHECK(outcome.answer->fix.col == Approx(fix.pixel.col / 200));
  }
  CHECK(mean(told) <= 1);
  options.resume = true;
  pipeline::evaluate(options, matcher, *ranks, recorder);  // there is nothing left to do
  options.data.view.told = data::TiltTold::none;
  CHECK_THROWS_WITH(pipeline::evaluate(options, matcher, *ranks, recorder),
                    Catch::Contains("made with tilt_told \"truth\""));
  options.resume = false;
  options.out.clear();
  const auto untold = pipeline::evaluate(options, matcher, *ranks, recorder).value();
  CHECK(mean(untold) > 2 * mean(told));
  CAPTURE(mean(untold), mean(told));
  options.data.view.told = data::TiltTold::deviation;
  CHECK(mean(pipeline::evaluate(options, matcher, *ranks, recorder).value()) < mean(untold));
}

TEST_CASE("networks that were trained with one camera refuse views of others") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  const fs::path file = evaluation.file("camera.yaml");
  test::write_text(file, "model: pinhole\nwidth: 64\nheight: 48\nhfov_deg: 90\nheight_m: 2\n");
  options.data.view.read_camera(file);
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("--camera: these weights take"));
}

TEST_CASE("what is told of a heading follows the noise") {
  model::Configuration matcher;
  matcher.family = model::Family::ground_match;
  const data::Sample sample;
  const auto info = [&](double degrees) {
    return pipeline::ground_info({degrees, 1}, {}, sample, matcher);
  };
  CHECK(info(0).heading_degrees == 0.0);
  CHECK(info(0).heading_sigma_degrees == 0);
  CHECK(info(45).heading_degrees == 0.0);
  CHECK(info(45).heading_sigma_degrees == Approx(45 / std::sqrt(3.0)));
  CHECK_FALSE(info(180).heading_degrees);
  CHECK_FALSE(info(45).mounted);
  matcher.family = model::Family::crossfix;
  CHECK(info(45).heading_degrees == 0.0);
  CHECK(info(45).heading_sigma_degrees == 0);
}

TEST_CASE("data that the weights are not for, and a split without samples, are refused") {
  Evaluation evaluation;
  EvaluationOptions options = evaluation.options();
  options.data.kind = data::DatasetKind::robotcar;
  options.data.root = test::robotcar_fixture();
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("expect equirectangular panoramas"));
  options = evaluation.options();
  for (const data::Group& group : evaluation.set.groups) {
    test::write_text(evaluation.root() / "splits" / group.name / "pano_label_balanced.txt", "");
  }
  CHECK_THROWS_WITH(evaluation.run(options), Catch::Contains("no samples in this split"));
}
