#pragma once

#include <string>
#include <vector>

#include "eval/evaluation.hpp"

namespace crossfix::test {

/// Two cities with two panoramas each, each with a positive and a semi-positive, and answers that
/// are off by 1, 2, ... 8 m to the right. The reference drops the last panorama. The semi-positive
/// of the first does not hold the camera.
struct TwoCities {
  data::Dataset set;
  std::vector<eval::Outcome> outcomes;

  TwoCities() {
    set.groups = {{"Ashton", "a.txt", 2, 9, 0.1}, {"Birkby", "b.txt", 2, 9, 0.1}};
    for (std::size_t i = 0; i < 8; ++i) {
      data::Sample sample;
      sample.number = i;
      sample.group = i / 4;
      sample.ground = std::to_string(i / 2);
      sample.choice = static_cast<int>(i % 2);
      sample.true_ = {{320, 320}, 640, 0.1};
      sample.reference = {{128, 128}, 256, 0.25};
      sample.inside = i != 1;
      sample.in_reference = i < 6;
      set.samples.push_back(sample);
      eval::Answer answer;
      answer.fix = {0.5, 0.5 + static_cast<double>(i + 1) / 64};
      answer.radius68 = 4.5 / 64;
      answer.true_ = {static_cast<double>(i) / 8, 0.0};
      outcomes.push_back({answer, {}});
    }
  }
};

}  // namespace crossfix::test
