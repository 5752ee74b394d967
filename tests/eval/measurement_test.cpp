#include "eval/measurement.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "belief.hpp"

using namespace crossfix;
using eval::Answer;
using eval::Belief;
using eval::Measurement;
using eval::Mode;
using test::belief_of;

namespace {

/// A tile of 640 px at 0.1 m, the camera at (352, 288); the reference's truth is (139, 115) in 256.
data::Sample some_sample() {
  data::Sample sample;
  sample.true_ = {{352, 288}, 640, 0.1};
  sample.reference = {{139, 115}, 256, 0.285};
  return sample;
}

}  // namespace

TEST_CASE("errors in metres, by the truths of either mode") {
  Answer answer;
  answer.fix = {0.6, 0.4};  // (384, 256) of 640, (153.6, 102.4) of 256
  answer.radius68 = 0.05;
  answer.true_ = {0.25, -1.0};
  answer.reference = {0.5, {}};
  const Measurement exact = eval::measure(some_sample(), answer, Mode::true_, 7);
  CHECK(exact.ground_image == 7);
  CHECK(exact.metres == Approx(3.2 * std::sqrt(2.0)));
  CHECK(exact.sides == Approx(0.05 * std::sqrt(2.0)));
  CHECK(exact.ahead_metres == Approx(-3.2));  // the fix lies below the truth
  CHECK(exact.right_metres == Approx(-3.2));  // and left of it
  CHECK(exact.radius68_metres == Approx(3.2));
  CHECK(exact.level == 0.25);
  // The tile has 64 x 64 m, so a density of exp(-1) per tile is exp(-1) / 4096 per square metre.
  CHECK(*exact.nll == Approx(1 + std::log(4096.0)));
  const Measurement reference = eval::measure(some_sample(), answer, Mode::reference, 0);
  CHECK(reference.metres == Approx(std::hypot(14.6, 12.6) * 0.285));
  CHECK(reference.ahead_metres == Approx(-14.6 * 0.285));
  CHECK(reference.radius68_metres == Approx(0.05 * 256 * 0.285));
  CHECK(reference.level == 0.5);
  CHECK_FALSE(reference.nll);
}

TEST_CASE("a rolled panorama's errors are along and across what its centre looks at") {
  Answer answer;
  answer.fix = {0.5, 0.45};  // 3.2 m north of the truth
  answer.heading_degrees = 90;
  answer.heading_error_degrees = -2.5;
  const Measurement east = eval::measure(some_sample(), answer, Mode::true_, 0);
  CHECK(east.ahead_metres == Approx(0).margin(1e-12));
  CHECK(east.right_metres == Approx(-3.2));  // who looks east has north on the left
  CHECK(east.metres == Approx(3.2));
  CHECK(*east.heading_degrees == 2.5);
  answer.heading_degrees = -150;
  const Measurement back = eval::measure(some_sample(), answer, Mode::true_, 0);
  CHECK(back.ahead_metres == Approx(-3.2 * std::sqrt(0.75)));
  CHECK(back.right_metres == Approx(1.6));
  answer.heading_error_degrees.reset();
  CHECK_FALSE(eval::measure(some_sample(), answer, Mode::true_, 0).heading_degrees);
}

TEST_CASE("which samples a mode scores") {
  data::Sample sample = some_sample();
  CHECK(eval::is_scored(sample, Mode::true_));
  CHECK(eval::is_scored(sample, Mode::reference));
  sample.inside = false;
  CHECK_FALSE(eval::is_scored(sample, Mode::true_));
  CHECK(eval::is_scored(sample, Mode::reference));
  sample.inside = true;
  sample.in_reference = false;
  CHECK(eval::is_scored(sample, Mode::true_));
  CHECK_FALSE(eval::is_scored(sample, Mode::reference));
}

TEST_CASE("an even posterior gives every position the same level") {
  const std::vector<float> logits(16, 3.0F);
  const std::vector<float> offsets(32, 0.5F);
  const Belief belief = belief_of(logits, offsets, 2, {0.5, 0.5}, {0.5, 0.75});
  CHECK(*belief.log_density == Approx(0).margin(1e-12));
  // A circle of a fifth of a cell lies within one square, of half a cell.
  CHECK(belief_of(logits, offsets, 2, {0.375, 0.375}, {0.375, 0.425}).level ==
        Approx(std::numbers::pi * 0.04 / 0.25 / 16));
  CHECK(belief_of(logits, offsets, 2, {0.5, 0.5}, {0.5, 0.5}).level == 0);
  CHECK(belief_of(logits, offsets, 2, {0, 0}, {0.99999, 0.99999}).level == Approx(1));
}

TEST_CASE("belief follows the logits and the temperature, and is finite where the softmax is not") {
  std::vector<float> logits(4, 0.0F);
  logits[1] = 2;  // right upper quarter
  const double sum = 3 + std::exp(1.0);
  const std::vector<float> offsets(8, 0.5F);
  const Belief likely = belief_of(logits, offsets, 2, {0.2, 0.7}, {0.25, 0.75});
  CHECK(*likely.log_density == Approx(1 - std::log(sum) + std::log(4.0)));
  const Belief other = belief_of(logits, offsets, 2, {0.2, 0.7}, {0.75, 0.75});
  CHECK(*other.log_density == Approx(-std::log(sum) + std::log(4.0)));
  logits[1] = 5000;
  CHECK(*belief_of(logits, offsets, 1, {0.2, 0.7}, {0.75, 0.75}).log_density ==
        Approx(-5000 + std::log(4.0)));
}

TEST_CASE("a truth outside the tile has no density") {
  const std::vector<float> logits(4, 0.0F);
  // Three cells give (1, 1), the last one (2, 2).
  const std::vector<float> offsets{1.0F, 1.0F, 1.0F, 0.0F, 0.0F, 1.0F, 1.0F, 1.0F};
  const Belief belief = belief_of(logits, offsets, 1, {0.5, 0.5}, {0.5, 1.0});
  CHECK_FALSE(belief.log_density);
  CHECK(belief.level == Approx(0.75));
  CHECK_FALSE(belief_of(logits, offsets, 1, {0.5, 0.5}, {-1e-9, 0.5}).log_density);
  CHECK(belief_of(logits, offsets, 1, {0.5, 0.5}, {3, 3}).level == Approx(1));
}

TEST_CASE(
    "an answer is a fix in shares of its tile, whatever the tile's size and the grid's window") {
  data::Sample sample = some_sample();
  sample.true_ = {{160, 480}, 640, 0.1};  // (0.25, 0.75)
  Fix fix;
  fix.pixel = {30, 40};
  fix.radius68_px = 8;
  fix.grid = 2;
  fix.logits = {0, 1, 0, 0};
  fix.cell = 1;
  fix.offsets.assign(8, 0.5F);
  fix.probability.resize(4);
  ops::softmax(fix.logits, 1, fix.probability);
  // The grid reaches 10 pixels beyond a tile of 60 x 80 on every side except the left.
  fix.window = {-10, 0, 80, 90};
  const Answer answer = eval::answer_of(sample, fix, {60, 80}, 1);
  CHECK(answer.fix.row == Approx(0.5));
  CHECK(answer.fix.col == Approx(0.5));
  CHECK(answer.radius68 == Approx(8 / std::sqrt(60.0 * 80)));
  // The truth, (15, 60), lies in the upper right cell. The cell is 1/4 of the window, which is
  // larger than the tile.
  const double share = std::exp(1.0) / (3 + std::exp(1.0));
  CHECK(*answer.true_.log_density == Approx(std::log(share * 4 * 60 * 80 / (80.0 * 90))));
  const double away = std::hypot(0.625 - 1, 4.0 / 3 - 8.0 / 9);  // cells
  const ops::Posterior posterior{fix.probability, fix.offsets, 2};
  CHECK(answer.true_.level == Approx(ops::mass_within(posterior, 1, 8.0 / 9, away)));
  CHECK_FALSE(answer.heading_degrees);
  CHECK_FALSE(answer.heading_error_degrees);

  // A heading counts as found where it was searched for, the short way round.
  fix.heading_degrees = 350;
  CHECK_FALSE(eval::answer_of(sample, fix, {60, 80}, 1, -5).heading_error_degrees);
  fix.heading_probability = {0.5F, 0.5F};
  CHECK(*eval::answer_of(sample, fix, {60, 80}, 1).heading_error_degrees == -10);
  CHECK(*eval::answer_of(sample, fix, {60, 80}, 1, -5).heading_error_degrees == -5);
  CHECK(*eval::answer_of(sample, fix, {60, 80}, 1, -175).heading_error_degrees == 165);
  CHECK(*eval::answer_of(sample, fix, {60, 80}, 1, -175).heading_degrees == -175);
}
