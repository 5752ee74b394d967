#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/detail/model/network.hpp"
#include "support/golden.hpp"
#include "support/tiny_configuration.hpp"

/// The whole network on a backend, against the float64 reference in PyTorch (tests/golden). A
/// subject of these checks has `Backend`, a `target()`, and `write(target, view, host)`, which
/// fills a float view in the backend's memory from the host and is done when it returns.
namespace crossfix::test {

/// Bounds on relative L2 errors. f32: rounding of sums of about a thousand terms through about
/// eighty layers, measured as 1e-6 to 1e-5 on CPUs. 16 bits: with bf16's 8 bits of fraction each
/// rounding has an error of 2^-9, and tens of them add up in squares. f16 has three more bits, and
/// the same bound.
template <class Element>
struct GoldenBounds {
  static constexpr double kRaw = 2e-2;
  static constexpr double kCentred = 1e-1;
  static constexpr double kFusion = 2e-2;
};
template <>
struct GoldenBounds<float> {
  static constexpr double kRaw = 2e-5;
  static constexpr double kCentred = 1e-3;
  static constexpr double kFusion = 1e-5;
};

/// A network whose outputs are in files: `name` for the whole network, `name`_fusion for fusion
/// alone.
struct GoldenCase {
  std::string name;
  model::Configuration configuration;
  double slack = 1.0;  ///< widens the bounds
};

/// A small network. It has a quarter of the channels, so sums average a quarter of the roundings,
/// which doubles the error.
inline GoldenCase golden_tiny() { return {"tiny", tiny_configuration(), 2.0}; }

inline GoldenCase golden_vigor() { return {"vigor", {}}; }

inline GoldenCase golden_robotcar() {
  model::Configuration c;
  c.satellite_size = 512;
  c.ground_size = {160, 240};
  return {"robotcar", c};
}

/// Pairs of images whose outputs are in the files, by the ends of their keys. Their logits differ
/// by 15 % and more, so that a batch that mixes up its pairs is noticed.
inline const std::vector<std::string> kGoldenPairs{"", "/1", "/2"};

template <std::size_t Rank>
std::span<const float> values_of(const TensorView<float, Rank>& view) {
  return {view.data(), static_cast<std::size_t>(view.size())};
}

template <class Subject>
class GoldenNetwork {
  using B = typename Subject::Backend;
  using Network = model::Network<B>;
  using Bounds = GoldenBounds<typename B::Element>;
  using Tokens = TensorView<float, 2, typename B::Space>;

 public:
  GoldenNetwork(const GoldenCase& test, Index batch)
      : test_(test),
        batch_(batch),
        target_(Subject::target()),
        network_(target_, generated_parameters(), test.configuration, batch),
        work_(network_, target_),
        outputs_(static_cast<std::size_t>(network_.output_count())) {}

  /// Images to logits and offsets, for every pair of the batch.
  void check_whole() {
    const Golden golden(test_.name);
    load_images();
    network_.run(work_);
    check_outputs(golden);
  }

  /// The same one stage at a time, with the tokens of the first pair on the way.
  void check_stages() {
    const Golden golden(test_.name);
    load_images();
    network_.extract_satellite(work_);
    network_.extract_ground(work_);
    check(golden, "tokens.satellite", first(network_.satellite_tokens(work_)), Bounds::kRaw);
    check(golden, "tokens.ground", first(network_.ground_tokens(work_)), Bounds::kRaw);
    network_.fuse(work_);
    check(golden, "fused", first(network_.satellite_tokens(work_)), Bounds::kRaw);
    network_.run_heads(work_);
    check_outputs(golden);
  }

  /// Random backbones give nearly constant tokens, which hide errors of the fusion. So here tokens
  /// are varied, in every pair.
  void check_fusion() {
    const Golden golden(test_.name + "_fusion");
    fill_tokens();
    network_.encode_layer(work_, 0);
    check_each(golden, "layer0.satellite", network_.satellite_tokens(work_));
    check_each(golden, "layer0.ground", network_.ground_tokens(work_));
    fill_tokens();
    network_.fuse(work_);
    check_each(golden, "fused", network_.satellite_tokens(work_));
  }

 private:
  void check(const Golden& golden, const std::string& key, std::span<const float> values,
             double bound, bool centred = false) const {
    CAPTURE(test_.name, batch_, key, centred);
    CHECK(golden.error(key, values, centred) <= test_.slack * bound);
  }

  void load_images() {
    const model::Configuration& c = test_.configuration;
    for (Index slot = 0; slot < batch_; ++slot) {
      const std::string& end = pair_in(slot);
      const auto satellite = image("image/satellite" + end, c.satellite_size, c.satellite_size);
      const auto ground = image("image/ground" + end, c.ground_size[0], c.ground_size[1]);
      network_.load_satellite(work_, slot, satellite);
      network_.load_ground(work_, slot, ground);
    }
  }

  void check_outputs(const Golden& golden) {
    std::fill(outputs_.begin(), outputs_.end(), std::nanf(""));
    const auto outputs = network_.read(work_, outputs_.data());
    for (Index slot = 0; slot < batch_; ++slot) {
      CAPTURE(slot);
      const auto logits = outputs.logits()[slot];
      const auto offsets = outputs.offsets()[slot];
      check(golden, "logits" + pair_in(slot), values_of(logits), Bounds::kRaw);
      check(golden, "logits" + pair_in(slot), values_of(logits), Bounds::kCentred, true);
      check(golden, "offsets" + pair_in(slot), values_of(offsets), Bounds::kRaw);
      const Index best =
          std::max_element(logits.data(), logits.data() + logits.size()) - logits.data();
      CHECK(outputs.fix()(slot).cell == best);
    }
  }

  static const std::string& pair_in(Index slot) {
    return kGoldenPairs[static_cast<std::size_t>(slot) % kGoldenPairs.size()];
  }

  std::vector<float> read(const Tokens& tokens) {
    std::vector<float> values(static_cast<std::size_t>(tokens.size()), std::nanf(""));
    network_.read(work_, tokens, values.data());
    return values;
  }

  /// The rows of one pair from the tokens of a view.
  Tokens rows_of(const Tokens& tokens, Index slot) const {
    const Index rows = tokens.extent(0) / batch_;
    return tokens.slice(0, slot * rows, (slot + 1) * rows);
  }
  std::vector<float> first(const Tokens& tokens) { return read(rows_of(tokens, 0)); }

  void fill_tokens() {
    for (const auto& [tokens, key] :
         {std::pair<Tokens, const char*>{network_.ground_tokens(work_), "fusion/ground"},
          std::pair<Tokens, const char*>{network_.satellite_tokens(work_), "fusion/satellite"}}) {
      const auto values = features<2>(key, rows_of(tokens, 0).shape());
      for (Index slot = 0; slot < batch_; ++slot) {
        Subject::write(target_, rows_of(tokens, slot), values.data());
      }
    }
  }

  void check_each(const Golden& golden, const std::string& key, const Tokens& tokens) {
    for (Index slot = 0; slot < batch_; ++slot) {
      CAPTURE(slot);
      check(golden, key, read(rows_of(tokens, slot)), Bounds::kFusion);
    }
  }

  GoldenCase test_;
  Index batch_;
  typename B::Target target_;
  Network network_;
  typename Network::Workspace work_;
  std::vector<float> outputs_;
};

/// All checks of a case in a batch; for a batch of one also stage by stage.
template <class Subject>
void check_golden(const GoldenCase& test, Index batch) {
  GoldenNetwork<Subject> network(test, batch);
  if (batch == 1) network.check_stages();
  network.check_fusion();
  network.check_whole();  // over what the other pairs left in memory
}

}  // namespace crossfix::test
