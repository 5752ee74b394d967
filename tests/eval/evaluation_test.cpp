#include "eval/evaluation.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>

#include "belief.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/ops/posterior.hpp"
#include "data/heading_noise.hpp"
#include "data/vigor.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using eval::Evaluation;
using eval::Mode;
using eval::Outcome;

namespace {

constexpr Index kGrid = 8;
constexpr double kTemperature = 1.5;

data::Dataset fixture(data::Pairs pairs) {
  data::VigorOptions options;
  options.root = test::source_folder() / "tests/data/fixtures/vigor";
  options.area = data::Area::cross;
  options.pairs = pairs;
  return data::read_vigor(options);
}

/// The outputs that make_eval_golden.py generates for the samples, as answers.
std::vector<Outcome> made_outcomes(const data::Dataset& set) {
  std::uint64_t counter = 0;
  const auto number = [&] {  // SplitMix64's top 16 bits
    std::uint64_t z = ++counter * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return static_cast<float>((z ^ (z >> 31U)) >> 48U);
  };
  std::vector<Outcome> outcomes;
  for (const data::Sample& sample : set.samples) {
    std::vector<float> logits;
    std::vector<float> offsets;
    for (Index cell = 0; cell < kGrid * kGrid; ++cell) {
      logits.push_back(number() / 8192);
      offsets.push_back(number() / 65536);
      offsets.push_back(number() / 65536);
    }
    const auto cell_of = [](double pixel) {
      return std::clamp<Index>(static_cast<Index>(std::floor(pixel / 640 * kGrid)), 0, kGrid - 1);
    };
    if (sample.number % 3 != 0) {
      logits[static_cast<std::size_t>(cell_of(sample.true_.pixel.row) * kGrid +
                                      cell_of(sample.true_.pixel.col))] += 9;
    }
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    const double row =
        static_cast<double>(best / kGrid) + offsets[static_cast<std::size_t>(2 * best)];
    const double col =
        static_cast<double>(best % kGrid) + offsets[static_cast<std::size_t>(2 * best + 1)];
    std::vector<float> probability(logits.size());
    ops::softmax(logits, kTemperature, probability);
    eval::Answer answer;
    answer.fix = {row / kGrid, col / kGrid};
    answer.radius68 = ops::radius_of({probability, offsets, kGrid}, row, col, 0.68) / kGrid;
    const auto belief = [&](const data::Truth& truth) {
      return test::belief_of(logits, offsets, kTemperature, answer.fix,
                             {truth.pixel.row / truth.side, truth.pixel.col / truth.side});
    };
    answer.true_ = belief(sample.true_);
    answer.reference = belief(sample.reference);
    outcomes.push_back({answer, {}});
  }
  return outcomes;
}

bool near(double ours, const nlohmann::json& theirs, double tolerance) {
  CAPTURE(ours, theirs.get<double>());
  const bool good = std::abs(ours - theirs.get<double>()) <= tolerance;
  CHECK(good);
  return good;
}

}  // namespace

TEST_CASE("the figures are those of an independent NumPy script") {
  std::ifstream file(test::source_folder() / "tests/eval/golden/figures.json");
  const auto golden = nlohmann::json::parse(file);
  const auto pairs = GENERATE(data::Pairs::positives, data::Pairs::all);
  const auto mode = GENERATE(Mode::reference, Mode::true_);
  const data::Dataset set = fixture(pairs);
  const Evaluation ours = eval::evaluate(set, made_outcomes(set), mode);
  const auto& theirs = golden.at(std::string(pairs == data::Pairs::all ? "all " : "positives ") +
                                 (mode == Mode::true_ ? "true" : "reference"));

  constexpr double kRounding = 1e-9;  // sums in another order
  CHECK(ours.errors.count == theirs.at("count"));
  CHECK(ours.counts.scored == theirs.at("count"));
  CHECK(near(ours.errors.mean.value, theirs.at("mean"), kRounding));
  CHECK(near(ours.errors.median.value, theirs.at("median"), kRounding));
  CHECK(near(ours.errors.mean.low, theirs.at("mean_interval")[0], kRounding));
  CHECK(near(ours.errors.mean.high, theirs.at("mean_interval")[1], kRounding));
  CHECK(near(ours.errors.median.low, theirs.at("median_interval")[0], kRounding));
  CHECK(near(ours.errors.median.high, theirs.at("median_interval")[1], kRounding));
  CHECK(near(ours.errors.within_1m.value, theirs.at("within_1m"), kRounding));
  CHECK(near(ours.errors.within_3m.value, theirs.at("within_3m"), kRounding));
  CHECK(near(ours.errors.within_5m.value, theirs.at("within_5m"), kRounding));
  const eval::Estimate& near_share = ours.errors.within_5_percent;
  CHECK(near(near_share.value, theirs.at("within_5_percent"), kRounding));
  CHECK(near(near_share.low, theirs.at("within_5_percent_interval")[0], kRounding));
  CHECK(near(near_share.high, theirs.at("within_5_percent_interval")[1], kRounding));
  CHECK(near(ours.axes.longitudinal_mean, theirs.at("longitudinal"), kRounding));
  CHECK(near(ours.axes.lateral_median, theirs.at("lateral_median"), kRounding));
  REQUIRE(ours.groups.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(near(ours.groups[i].errors.mean.value, theirs.at("city_means")[i], kRounding));
  }
  CHECK(near(ours.over_groups.mean, theirs.at("over_cities")[0], kRounding));
  CHECK(near(ours.over_groups.mean_deviation, theirs.at("over_cities")[1], kRounding));

  const eval::Uncertainty& u = ours.uncertainty;
  CHECK(near(u.coverage, theirs.at("coverage"), kRounding));
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(near(u.fifths[i].coverage, theirs.at("fifths")[i], kRounding));
  }
  // The script sums thin slices; a 500th of a cell of 9 m.
  CHECK(near(u.fifths[0].smallest_radius, theirs.at("radii")[0], 0.02));
  CHECK(near(u.fifths[4].largest_radius, theirs.at("radii")[2], 0.02));
  REQUIRE(u.reliability.size() == 19);
  for (std::size_t i = 0; i < 19; ++i) {
    CHECK(near(u.reliability[i].observed, theirs.at("reliability")[i], kRounding));
  }
  REQUIRE(u.risk.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(near(u.risk[i].mean, theirs.at("risk_mean")[i], kRounding));
    CHECK(near(u.risk[i].median, theirs.at("risk_median")[i], kRounding));
  }
  CHECK(u.nll_count == theirs.at("nll")[0]);
  CHECK(near(u.mean_nll, theirs.at("nll")[1], kRounding));
}

TEST_CASE("errors along and across the headings of rolled panoramas are the script's") {
  std::ifstream file(test::source_folder() / "tests/eval/golden/figures.json");
  const auto golden = nlohmann::json::parse(file);
  const auto mode = GENERATE(Mode::reference, Mode::true_);
  const data::Dataset set = fixture(data::Pairs::all);
  std::vector<Outcome> outcomes = made_outcomes(set);
  const auto compare = [&](const nlohmann::json& theirs) {
    const eval::AxisErrors axes = eval::evaluate(set, outcomes, mode).axes;
    CHECK(near(axes.longitudinal_mean, theirs.at("longitudinal"), 1e-9));
    CHECK(near(axes.lateral_median, theirs.at("lateral_median"), 1e-9));
    for (std::size_t i = 0; i < eval::kRecallBounds.size(); ++i) {
      CHECK(near(axes.longitudinal_within[i], theirs.at("longitudinal_within")[i], 1e-9));
      CHECK(near(axes.lateral_within[i], theirs.at("lateral_within")[i], 1e-9));
    }
  };
  const auto& theirs = golden.at(std::string("all ") + eval::name_of(mode));
  compare(theirs);
  for (const data::Sample& sample : set.samples) {
    outcomes[sample.number].answer->heading_degrees = data::heading_of({45, 7}, sample.ground, 64);
  }
  compare(theirs.at("rolled"));
}

TEST_CASE("every sample is counted once, by what became of it") {
  const data::Dataset set = fixture(data::Pairs::all);
  std::vector<Outcome> outcomes = made_outcomes(set);
  std::size_t outside = 0;
  for (const data::Sample& sample : set.samples) outside += sample.inside ? 0 : 1;
  REQUIRE(outside > 0);
  REQUIRE(set.samples[5].inside);
  REQUIRE(set.samples[6].inside);
  outcomes[5] = {{}, "no such file"};
  outcomes[6] = {};
  const Evaluation exact = eval::evaluate(set, outcomes, Mode::true_);
  CHECK(exact.counts.samples == 88);
  CHECK(exact.counts.outside == outside);
  CHECK(exact.counts.dropped == 0);
  CHECK(exact.counts.unreadable == 1);
  CHECK(exact.counts.failures == 1);
  CHECK(exact.counts.missing == 1);
  CHECK(exact.counts.scored == 88 - outside - 2);
  CHECK(exact.errors.count == exact.counts.scored);
  const Evaluation reference = eval::evaluate(set, outcomes, Mode::reference);
  CHECK(reference.counts.dropped == 8);  // two panoramas of 22, with their tiles
  CHECK(reference.counts.outside == 0);
  CHECK(reference.counts.scored == 78);
  CHECK(exact.groups[0].counts.samples + exact.groups[1].counts.samples == 88);
  CHECK(exact.groups[0].counts.unreadable == 1);
  outcomes.pop_back();
  CHECK_THROWS_AS(eval::evaluate(set, outcomes, Mode::true_), DataError);
}

TEST_CASE("the truth as answer has no error, by the exact mode") {
  const data::Dataset set = fixture(data::Pairs::positives);
  std::vector<Outcome> outcomes;
  for (const data::Sample& sample : set.samples) {
    eval::Answer answer;
    answer.fix = {sample.true_.pixel.row / 640, sample.true_.pixel.col / 640};
    outcomes.push_back({answer, {}});
  }
  CHECK(eval::evaluate(set, outcomes, Mode::true_).errors.mean.value < 1e-9);
  // 128 against 127 along both axes, minus the effect of rounding: 0.40 m.
  const double biased = eval::evaluate(set, outcomes, Mode::reference).errors.mean.value;
  CHECK(biased == Approx(0.285 * std::sqrt(2.0)).margin(0.1));
}
