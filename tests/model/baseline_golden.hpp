#pragma once

#include <utility>

#include "crossfix/detail/model/baselines/mcc.hpp"
#include "crossfix/detail/model/baselines/vigor.hpp"
#include "model/network_golden.hpp"

/// The baselines on a backend, against their float64 counterparts in PyTorch (tests/golden).
namespace crossfix::test {

/// The normalisation of a baseline's images: grey levels minus VGG's means.
inline model::Configuration baseline_configuration(model::Family family) {
  const bool mcc = family == model::Family::mcc;
  model::Configuration c;
  c.family = family;
  c.backbone.planes = 8;
  c.satellite_size = mcc ? 128 : 96;
  c.grid = mcc ? 128 : 1;
  c.ground_size = {48, 80};
  c.normalization = {{123.6F / 255, 116.779F / 255, 103.939F / 255},
                     {1.F / 255, 1.F / 255, 1.F / 255}};
  return c;
}

/// Runs `batch` pairs through a baseline twice, because nothing of a pass may be left for the next.
template <class Subject, template <ops::Backend> class Network>
void check_baseline(const std::string& name, const model::Configuration& configuration,
                    Index batch) {
  using B = typename Subject::Backend;
  const Golden golden(name);
  const auto target = Subject::target();
  const Network<B> network(target, generated_parameters(), configuration, batch);
  typename Network<B>::Workspace work(network, target);
  std::vector<float> host(static_cast<std::size_t>(network.output_count()));
  const auto pair_in = [](Index slot) {
    return kGoldenPairs[static_cast<std::size_t>(slot) % kGoldenPairs.size()];
  };
  for (const Index first : {1, 0}) {
    for (Index slot = 0; slot < batch; ++slot) {
      const std::string& end = pair_in(first + slot);
      const Index side = configuration.satellite_size;
      const auto& ground = configuration.ground_size;
      network.load_satellite(work, slot, image("image/satellite" + end, side, side));
      network.load_ground(work, slot, image("image/ground" + end, ground[0], ground[1]));
    }
    network.run(work);
    const auto outputs = network.read(work, host.data());
    for (Index slot = 0; slot < batch; ++slot) {
      CAPTURE(name, batch, first, slot);
      const std::string& end = pair_in(first + slot);
      const auto logits = outputs.logits()[slot];
      const auto offsets = outputs.offsets()[slot];
      const ops::DecodedFix fix = outputs.fix()(slot);
      constexpr double kBound = 2 * GoldenBounds<typename B::Element>::kRaw;
      if (configuration.family == model::Family::mcc) {
        CHECK(golden.error("logits" + end, values_of(logits)) <= kBound);
        const Index best =
            std::max_element(logits.data(), logits.data() + logits.size()) - logits.data();
        CHECK(fix.row == static_cast<float>(best / outputs.grid()) + 0.5F);
        CHECK(fix.col == static_cast<float>(best % outputs.grid()) + 0.5F);
      } else {
        CHECK(golden.error("offsets" + end, values_of(offsets)) <= kBound);
        CHECK(fix.row == offsets(0, 0));
        CHECK(fix.col == offsets(0, 1));
        CHECK(outputs.probability()(slot, 0) == 1.0F);
      }
    }
  }
}

template <class Subject>
void check_baselines(Index batch) {
  check_baseline<Subject, model::MccNetwork>("tiny_mcc", baseline_configuration(model::Family::mcc),
                                             batch);
  check_baseline<Subject, model::VigorBaselineNetwork>(
      "tiny_vigor_baseline", baseline_configuration(model::Family::vigor_baseline), batch);
}

}  // namespace crossfix::test
