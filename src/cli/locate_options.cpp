#include "locate_options.hpp"

#include <iostream>

#include "crossfix/io/georeference.hpp"

namespace crossfix::cli {

TileInfo LocateOptions::tile() const {
  TileInfo info;
  info.metres_per_pixel = gsd;
  if (!bounds.empty()) info.bounds = io::parse_bounds(bounds);
  return info;
}

std::optional<PixelPoint> LocateOptions::truth_pixel() const {
  if (truth.empty()) return {};
  return PixelPoint{truth[0], truth[1]};
}

Localizer load(const LocateOptions& options, const ranks::Topology& topology) {
  Localizer localizer = options.model.load(
      topology,
      {.batch = options.batch, .rescale = options.rescale, .pose_probability = options.dump_poses});
  if (topology.rank == 0)
    std::cerr << "crossfix: weights trained on: " << localizer.configuration().trained_on << '\n';
  return localizer;
}

}  // namespace crossfix::cli
