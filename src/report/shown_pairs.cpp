#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "crossfix/core/error.hpp"
#include "draw/overlay.hpp"
#include "error_map.hpp"
#include "evaluation_html.hpp"
#include "pipeline/evaluate.hpp"

namespace crossfix::report {

namespace {

/// The report shows pictures at a third to a half of their size.
constexpr double kMarkWeight = 2;

/// The images of a pair, as they were read.
struct Read {
  io::Image ground;
  io::Image tile;
  std::size_t shown;  ///< its index among the pairs
};

ShownPair described(const data::Dataset& dataset, const data::Sample& sample,
                    const eval::Answer& answer, eval::Mode mode) {
  const eval::Measurement m = eval::measure(sample, answer, mode, 0);
  ShownPair pair;
  pair.title = ground_name(sample);
  pair.error_m = m.metres;
  pair.radius68_m = m.radius68_metres;
  pair.facts.push_back({"", dataset.groups[sample.group].name});
  if (!sample.satellite.empty()) {
    pair.facts.push_back(
        {"tile",
         std::filesystem::path(sample.satellite).filename().string() +
             (sample.choice == 0 ? "" : " (semi-positive " + std::to_string(sample.choice) + ")")});
  }
  pair.facts.push_back({"line", std::to_string(sample.line)});
  return pair;
}

void add_pictures(const Read& read, const Fix& fix, const data::Truth& truth, ShownPair& pair) {
  const PixelPoint in_tile{truth.pixel.row / truth.side * static_cast<double>(read.tile.extent(0)),
                           truth.pixel.col / truth.side * static_cast<double>(read.tile.extent(1))};
  pair.pictures.emplace_back(read.ground, "ground image");
  pair.pictures.emplace_back(read.tile, "tile");
  pair.pictures.emplace_back(draw::draw_overlay(read.tile, fix, in_tile, kMarkWeight),
                             "posterior, fix, truth");
}

}  // namespace

const char* pairs_note() {
  return "Over the tile on the right lies the posterior: the brighter, the likelier. The blue "
         "cross "
         "is the fix, with the circle that holds 68 % of the posterior; the yellow ring is the "
         "truth.";
}

Extremes extremes_of(const data::Dataset& dataset, const std::vector<eval::Outcome>& outcomes,
                     eval::Mode mode, std::size_t count) {
  std::vector<std::pair<double, std::size_t>> by_error;
  for (const data::Sample& sample : dataset.samples) {
    const eval::Outcome& outcome = outcomes[sample.number];
    if (!outcome.answer || !eval::is_scored(sample, mode)) continue;
    by_error.emplace_back(eval::measure(sample, *outcome.answer, mode, 0).metres, sample.number);
  }
  const auto taken = static_cast<std::ptrdiff_t>(std::min(count, by_error.size()));
  Extremes extremes;
  std::partial_sort(by_error.begin(), by_error.begin() + taken, by_error.end());
  for (auto it = by_error.begin(); it != by_error.begin() + taken; ++it) {
    extremes.best.push_back(it->second);
  }
  const auto worse = [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  };
  std::partial_sort(by_error.begin(), by_error.begin() + taken, by_error.end(), worse);
  for (auto it = by_error.begin(); it != by_error.begin() + taken; ++it) {
    extremes.worst.push_back(it->second);
  }
  return extremes;
}

std::vector<ShownPair> draw_pairs(const data::Dataset& dataset,
                                  const std::vector<eval::Outcome>& outcomes, eval::Mode mode,
                                  std::span<const std::size_t> numbers,
                                  const data::ImageSource& source, Localizer& localizer) {
  std::vector<ShownPair> shown;
  std::vector<Read> read;
  std::vector<Pair> pairs;
  const auto camera_of = [&](const data::Sample& sample) {
    return pipeline::ground_info(source.heading_noise(), source.view(), sample,
                                 localizer.configuration());
  };
  for (const std::size_t number : numbers) {
    const data::Sample& sample = dataset.samples.at(number);
    shown.push_back(described(dataset, sample, outcomes.at(number).answer.value(), mode));
    try {
      read.push_back({source.ground(sample), source.tile(sample), shown.size() - 1});
      localizer.check({GroundImage(read.back().ground), SatelliteImage(read.back().tile),
                       pipeline::tile_info(sample, read.back().tile.extent(0)), camera_of(sample)});
    } catch (const ImageError& error) {
      shown.back().facts.push_back({"no pictures:", error.what()});
      if (!read.empty() && read.back().shown == shown.size() - 1) read.pop_back();
    }
  }
  pairs.reserve(read.size());
  for (const Read& images : read) {
    const data::Sample& sample = dataset.samples[numbers[images.shown]];
    pairs.push_back({GroundImage(images.ground), SatelliteImage(images.tile),
                     pipeline::tile_info(sample, images.tile.extent(0)), camera_of(sample)});
  }
  std::vector<Fix> fixes;
  localizer.locate(pairs, fixes);
  for (std::size_t i = 0; i < read.size(); ++i) {
    const data::Sample& sample = dataset.samples[numbers[read[i].shown]];
    add_pictures(read[i], fixes[i], eval::truth_of(sample, mode), shown[read[i].shown]);
  }
  return shown;
}

}  // namespace crossfix::report
