#include "locate_options.hpp"

#include <cmath>
#include <iostream>
#include <sstream>

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

Localizer load(const LocateOptions& options, const ranks::Place& place) {
  Localizer localizer = options.model.load(
      place,
      {.batch = options.batch, .rescale = options.rescale, .pose_probability = options.dump_poses});
  if (place.rank == 0)
    std::cerr << "crossfix: weights trained on: " << localizer.configuration().trained_on << '\n';
  return localizer;
}

std::string scale_warning(const Localizer& localizer, const Pair& pair, const std::string& name) {
  const auto ratio = localizer.scale_ratio(pair.tile, pair.satellite);
  if (!ratio || std::abs(*ratio - 1) <= kScaleTolerance) return {};
  std::ostringstream text;
  text.precision(3);
  text << name << ": a pixel of the network's input covers " << *ratio
       << " times the ground it was trained on; expect worse fixes, or give --rescale";
  return text.str();
}

}  // namespace crossfix::cli
