#include <algorithm>
#include <cmath>
#include <utility>

#include "error_map.hpp"
#include "figures.hpp"
#include "markup.hpp"

namespace crossfix::report {

namespace {

std::string samples_text(std::size_t count) {
  return readable(static_cast<double>(count), 0) + (count == 1 ? " sample" : " samples");
}

/// How a map of this many samples shows them.
std::string manner(std::size_t count) {
  return count > kMostMapPoints ? ", a cell for the median of those within" : "";
}

/// The position of the truth in the tile, over all cities.
FigureText tile_figure(const Report& report) {
  std::vector<MapPoint> points;
  for (const eval::Measurement& m : report.measurements) {
    if (!m.drawable()) continue;
    const data::Sample& sample = report.dataset.samples.at(m.sample);
    const data::Truth& truth = eval::truth_of(sample, report.mode);
    const double row = truth.pixel.row / truth.side;
    const double col = truth.pixel.col / truth.side;
    // Truths outside their tile are not drawn here; the counts of the report include them.
    if (!(row >= 0 && row <= 1 && col >= 0 && col <= 1)) continue;
    points.push_back(
        {col, 1 - row, m.metres, ground_name(sample) + ": error " + readable(m.metres, 2) + " m"});
  }
  if (points.empty()) return {};
  MapFrame frame;
  frame.title = "Errors by where in the tile the truth lies";
  frame.description = "The tile as a square, its upper edge above.";
  frame.cell = 12;
  return {error_map(frame, points), "By where in the tile, the frame, the truth lies: " +
                                        samples_text(points.size()) + manner(points.size()) + "."};
}

}  // namespace

std::vector<FigureText> map_figures(const Report& report) {
  std::vector<std::size_t> order;  // of first appearance
  std::vector<std::size_t> counts(report.dataset.groups.size());
  for (const eval::Measurement& m : report.measurements) {
    const std::size_t group = report.dataset.samples.at(m.sample).group;
    if (counts.at(group)++ == 0) order.push_back(group);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::vector<FigureText> figures;
  std::size_t left_out = 0;
  for (const std::size_t group : order) {
    const std::string& city = report.dataset.groups[group].name;
    const std::vector<MapPoint> points = city_points(report.dataset, report.measurements, group);
    if (points.empty()) continue;
    if (figures.size() == kMostMaps) {
      ++left_out;
      continue;
    }
    MapFrame frame = frame_around(points);
    frame.title = "Errors in " + city;
    frame.description = "Where the truths lie, coloured by error.";
    figures.push_back({error_map(frame, points), (city.empty() ? "All" : city) + ": " +
                                                     samples_text(points.size()) +
                                                     manner(points.size()) + "."});
  }
  if (left_out > 0) {
    figures.back().caption += " " + readable(static_cast<double>(left_out), 0) +
                              " more with fewer samples are not drawn.";
  }
  FigureText tile = tile_figure(report);
  if (!tile.svg.empty()) figures.push_back(std::move(tile));
  return figures;
}

}  // namespace crossfix::report
