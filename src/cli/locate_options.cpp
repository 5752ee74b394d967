#include "locate_options.hpp"

#include "crossfix/io/georeference.hpp"
#include "messages.hpp"

namespace crossfix::cli {

TileInfo LocateOptions::tile() const {
  TileInfo info;
  info.metres_per_pixel = gsd;
  if (!bounds.empty())
    info.bounds = io::checked(GeoBounds{bounds[0], bounds[1], bounds[2], bounds[3]});
  return info;
}

std::optional<PixelPoint> LocateOptions::truth_pixel() const {
  if (truth.empty()) return {};
  return PixelPoint{truth[0], truth[1]};
}

namespace {

/// Says so of weights that a wrong tile does not put off.
void note_on_nowhere(const model::Configuration::Nowhere& nowhere) {
  if (nowhere.area.value_or(0) >= model::Configuration::Nowhere::kLeastArea) return;
  say("these weights hardly tell a wrong tile from the right one: trust the radius only if the "
      "camera is in the tile");
}

}  // namespace

Localizer load(const LocateOptions& options, const ranks::Topology& topology) {
  Localizer localizer = options.model.load(
      topology,
      {.batch = options.batch, .rescale = options.rescale, .pose_probability = options.dump_poses});
  if (topology.rank == 0) {
    say("weights trained on: " + localizer.configuration().trained_on);
    note_on_nowhere(localizer.configuration().nowhere);
  }
  return localizer;
}

}  // namespace crossfix::cli
