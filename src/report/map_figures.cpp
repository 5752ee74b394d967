#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "error_map.hpp"
#include "figures.hpp"
#include "markup.hpp"

namespace crossfix::report {

namespace {

std::string samples_text(std::size_t count) {
  return readable(static_cast<double>(count), 0) + (count == 1 ? " sample" : " samples");
}

/// How a map of so many samples shows them.
std::string manner(std::size_t count) {
  return count > kMostMapPoints ? ", a cell for the median of those within" : "";
}

/// The truth's position in the tile, whatever the city.
FigureText tile_figure(const Report& report) {
  std::vector<MapPoint> points;
  for (const Sample& sample : report.samples) {
    if (!sample.tile_share || !sample.drawable()) continue;
    const auto [row, col] = *sample.tile_share;
    // Truths outside their tile have no place here; the report's counts tell of them.
    if (!(row >= 0 && row <= 1 && col >= 0 && col <= 1)) continue;
    points.push_back({col, 1 - row, sample.error_m,
                      sample.name + ": error " + readable(sample.error_m, 2) + " m"});
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
  std::vector<std::string> order;  // of first appearance
  std::map<std::string, std::vector<const Sample*>> cities;
  for (const Sample& sample : report.samples) {
    std::vector<const Sample*>& city = cities[sample.city];
    if (city.empty()) order.push_back(sample.city);
    city.push_back(&sample);
  }
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return cities[a].size() > cities[b].size();
  });
  std::vector<FigureText> figures;
  std::size_t left_out = 0;
  for (const std::string& city : order) {
    const std::vector<MapPoint> points = city_points(cities[city]);
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
