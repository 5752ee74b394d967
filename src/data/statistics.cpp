#include "statistics.hpp"

#include <cmath>
#include <vector>

#include "averages.hpp"
#include "crossfix/io/georeference.hpp"
#include "vigor.hpp"

namespace crossfix::data {

namespace {

double centre_error(const Truth& truth) {
  return std::hypot(truth.pixel.row - truth.side / 2, truth.pixel.col - truth.side / 2) *
         truth.metres_per_pixel;
}

/// Metres between a label and the position in the file names.
std::optional<double> names_error(const Sample& sample) {
  const auto camera = io::position_of_panorama_name(sample.ground);
  const auto centre = io::position_of_satellite_name(sample.satellite);
  if (!camera || !centre) return {};
  const PixelPoint from = io::world_pixel(*centre);
  const PixelPoint to = io::world_pixel(*camera);
  const double row = kVigorSide / 2 + to.row - from.row;
  const double col = kVigorSide / 2 + to.col - from.col;
  return std::hypot(sample.true_.pixel.row - row, sample.true_.pixel.col - col) *
         sample.true_.metres_per_pixel;
}

}  // namespace

LabelStatistics statistics_of(const Dataset& dataset, std::optional<std::size_t> group) {
  LabelStatistics result;
  std::vector<double> from_centre;
  std::vector<double> from_names;
  for (const Sample& sample : dataset.samples) {
    if (group && sample.group != *group) continue;
    if (sample.choice > 0) {
      ++result.semi_positives;
      result.semi_positives_outside += sample.inside ? 0 : 1;
      continue;
    }
    ++result.positives;
    result.positives_outside += sample.inside ? 0 : 1;
    if (sample.inside) from_centre.push_back(centre_error(sample.true_));
    if (const auto metres = names_error(sample)) from_names.push_back(*metres);
  }
  for (std::size_t i = 0; i < dataset.groups.size(); ++i) {
    if (!group || i == *group) result.ground_images += dataset.groups[i].ground_images;
  }
  result.centre_mean = mean_of(from_centre);
  result.centre_median = median_of(from_centre);
  if (!from_names.empty()) result.names_mean = mean_of(from_names);
  return result;
}

}  // namespace crossfix::data
