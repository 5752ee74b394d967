#include "crossfix/ops/evidence.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "crossfix/model/configuration.hpp"

using namespace crossfix;

TEST_CASE("evidence is the peak, how it stands out, and what it is told") {
  // Mean 2, deviation 2.
  const std::vector<float> logits{1, 1, 1, 1, 6, 2};
  const ops::Evidence evidence = ops::evidence_of(logits, 0.5, 0.75, 0.25);
  CHECK(evidence.peak == Approx(5.5));
  CHECK(evidence.deviation == Approx(std::sqrt(20.0 / 6)));
  CHECK(evidence.standout == Approx(4 / std::sqrt(20.0 / 6)));
  CHECK(evidence.values() ==
        std::array<double, 5>{evidence.peak, evidence.standout, evidence.deviation, 0.75, 0.25});
}

TEST_CASE("a common offset of the logits moves the peak alone") {
  const std::vector<float> logits{0, 0.25F, 1, 0.5F};
  std::vector<float> moved;
  for (const float logit : logits) moved.push_back(logit + 4096);
  const auto a = ops::evidence_of(logits, 0, 1, 1);
  const auto b = ops::evidence_of(moved, 0, 1, 1);
  CHECK(b.peak == Approx(a.peak + 4096));
  CHECK(b.standout == Approx(a.standout));
  CHECK(b.deviation == Approx(a.deviation));
  CHECK(ops::evidence_of(std::vector<float>{3, 3, 3}, 0, 1, 1).standout == 0);
}

TEST_CASE("nowhere is a logistic function of the evidence, and 1 where that is not finite") {
  model::Configuration::Nowhere nowhere{.bias = 1, .weights = {2, 0, 0, 0, -4}};
  ops::Evidence evidence;
  evidence.peak = 0.5;
  evidence.seen = 0.25;
  evidence.standout = std::numeric_limits<double>::infinity();  // has no weight
  CHECK(nowhere.of(evidence) == Approx(1 / (1 + std::exp(-1.0))));
  evidence.peak = -0.5;
  CHECK(nowhere.of(evidence) == Approx(1 / (1 + std::exp(1.0))));
  evidence.peak = std::nan("");
  CHECK(nowhere.of(evidence) == 1);
}
