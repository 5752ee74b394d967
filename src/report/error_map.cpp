#include "error_map.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numbers>
#include <utility>

#include "crossfix/core/error.hpp"
#include "markup.hpp"
#include "scale.hpp"

namespace crossfix::report {

namespace {

constexpr double kTallest = 1.25;  ///< height over width
constexpr double kBarRoom = 30;    ///< below the map, for the scale bar
constexpr double kEdge = 1;        ///< for the line of the frame

std::size_t step_of(double error) {
  const auto* const above = std::upper_bound(kErrorSteps.begin(), kErrorSteps.end(), error);
  return static_cast<std::size_t>(above - kErrorSteps.begin());
}

std::string error_class(double error) { return "error-" + std::to_string(step_of(error)); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

/// From the units of the frame to CSS pixels of the picture.
struct Projection {
  explicit Projection(const MapFrame& map)
      : frame(map),
        scale((map.width - 2 * kEdge) / (map.right - map.left)),
        height((map.top - map.bottom) * scale + 2 * kEdge) {}
  double x(double value) const { return kEdge + (value - frame.left) * scale; }
  double y(double value) const { return kEdge + (frame.top - value) * scale; }

  const MapFrame& frame;
  double scale;
  double height;
};

void draw_points(Markup& out, const Projection& to, const std::vector<MapPoint>& points) {
  std::vector<const MapPoint*> order;
  order.reserve(points.size());
  for (const MapPoint& point : points) order.push_back(&point);
  std::stable_sort(order.begin(), order.end(),
                   [](const MapPoint* a, const MapPoint* b) { return a->error_m < b->error_m; });
  for (const MapPoint* point : order) {
    out.open("circle", {{"class", "dot " + error_class(point->error_m)},
                        {"cx", coordinate(to.x(point->x))},
                        {"cy", coordinate(to.y(point->y))},
                        {"r", "3.5"}})
        .element("title", point->hint)
        .close();
  }
}

void draw_cells(Markup& out, const Projection& to, const std::vector<MapPoint>& points) {
  const int side = to.frame.cell;
  const double wide = to.frame.width - 2 * kEdge;
  const double tall = to.height - 2 * kEdge;
  // A point on the far edge belongs to the last cell.
  const auto cell_at = [&](double coordinate, double length) {
    return static_cast<int>(std::min((coordinate - kEdge) / side, std::ceil(length / side) - 1));
  };
  std::map<std::pair<int, int>, std::vector<double>> cells;
  for (const MapPoint& point : points) {
    cells[{cell_at(to.y(point.y), tall), cell_at(to.x(point.x), wide)}].push_back(point.error_m);
  }
  for (const auto& [cell, errors] : cells) {
    const double middle = median(errors);
    const std::string samples = errors.size() == 1 ? " sample" : " samples";
    const double worst = *std::max_element(errors.begin(), errors.end());
    out.open("rect", {{"class", "cell " + error_class(middle)},
                      {"x", coordinate(kEdge + cell.second * side)},
                      {"y", coordinate(kEdge + cell.first * side)},
                      {"width", coordinate(std::min<double>(side, wide - cell.second * side))},
                      {"height", coordinate(std::min<double>(side, tall - cell.first * side))}})
        .element("title", readable(static_cast<double>(errors.size()), 0) + samples + ", median " +
                              readable(middle, 2) + " m, worst " + readable(worst, 2) + " m")
        .close();
  }
}

void draw_scale_bar(Markup& out, const Projection& to) {
  constexpr double kShare = 0.16;  // of the width, at least; at most 2.5 times as much
  const double metres = round_up((to.frame.right - to.frame.left) * kShare);
  const double length = metres * to.scale;
  const double y = to.height + 10;
  const std::string foot = "v6";
  out.leaf("path", {{"class", "axis"},
                    {"d", "M" + coordinate(kEdge) + " " + coordinate(y - 3) + foot + "M" +
                              coordinate(kEdge) + " " + coordinate(y) + "h" + coordinate(length) +
                              "M" + coordinate(kEdge + length) + " " + coordinate(y - 3) + foot}});
  const std::string text =
      metres < 1000 ? coordinate(metres) + " m" : coordinate(metres / 1000) + " km";
  out.element("text", text, {{"x", coordinate(kEdge + length + 8)}, {"y", coordinate(y + 4)}});
  out.element(
      "text", "north is up",
      {{"class", "end"}, {"x", coordinate(to.frame.width - kEdge)}, {"y", coordinate(y + 4)}});
}

}  // namespace

MapFrame frame_around(const std::vector<MapPoint>& points) {
  if (points.empty()) throw ShapeError("a map needs a point to be about");
  constexpr double kSmallest = 50;   // metres
  constexpr double kFlattest = 0.4;  // of the longer side
  constexpr double kMargin = 0.03;   // of the longer side
  MapFrame frame;
  frame.metres = true;
  const auto by_x = [](const MapPoint& a, const MapPoint& b) { return a.x < b.x; };
  const auto by_y = [](const MapPoint& a, const MapPoint& b) { return a.y < b.y; };
  const auto [west, east] = std::minmax_element(points.begin(), points.end(), by_x);
  const auto [south, north] = std::minmax_element(points.begin(), points.end(), by_y);
  const double longer = std::max({east->x - west->x, north->y - south->y, kSmallest});
  const double margin = 2 * kMargin * longer;
  double height = std::max(north->y - south->y, kFlattest * longer) + margin;
  double width = std::max(east->x - west->x, kFlattest * longer) + margin;
  width = std::max(width, height / kTallest);
  const double x = (east->x + west->x) / 2;
  const double y = (north->y + south->y) / 2;
  frame.left = x - width / 2;
  frame.right = x + width / 2;
  frame.bottom = y - height / 2;
  frame.top = y + height / 2;
  return frame;
}

std::string error_map(const MapFrame& frame, const std::vector<MapPoint>& points) {
  const Projection to(frame);
  const double height = to.height + (frame.metres ? kBarRoom - 8 : 0);
  Markup out;
  out.open("svg", {{"class", "chart"},
                   {"viewBox", "0 0 " + coordinate(frame.width) + " " + coordinate(height)},
                   {"width", coordinate(frame.width)},
                   {"height", coordinate(height)},
                   {"role", "img"},
                   {"aria-label", frame.title + ". " + frame.description}});
  out.leaf("rect", {{"class", "ground"},
                    {"x", coordinate(kEdge)},
                    {"y", coordinate(kEdge)},
                    {"width", coordinate(frame.width - 2 * kEdge)},
                    {"height", coordinate(to.height - 2 * kEdge)}});
  if (points.size() > kMostMapPoints) {
    draw_cells(out, to, points);
  } else {
    draw_points(out, to, points);
  }
  if (frame.metres) draw_scale_bar(out, to);
  return out.close().take();
}

std::string error_key() {
  Markup out;
  out.open("p", {{"class", "key"}}).text("Error: ");
  for (std::size_t i = 0; i <= kErrorSteps.size(); ++i) {
    const std::string low = i == 0 ? "" : coordinate(kErrorSteps[i - 1]);
    const std::string range = i == 0 ? "below " + coordinate(kErrorSteps[0]) + " m"
                              : i == kErrorSteps.size()
                                  ? low + " m and more"
                                  : low + " to " + coordinate(kErrorSteps[i]) + " m";
    out.open("span", {{"class", "entry"}})
        .open("svg", {{"width", "14"}, {"height", "14"}, {"aria-hidden", "true"}})
        .leaf("rect", {{"class", "error-" + std::to_string(i)}, {"width", "14"}, {"height", "14"}})
        .close()
        .text(" " + range)
        .close()
        .text(" ");
  }
  return out.close().take();
}

std::string ground_name(const data::Sample& sample) {
  return std::filesystem::path(sample.ground).filename().string();
}

std::vector<MapPoint> city_points(const data::Dataset& dataset,
                                  const std::vector<eval::Measurement>& measurements,
                                  std::size_t group) {
  constexpr double kMetresPerDegree = 111'320;  // of a great circle on a sphere of 6,378,137 m
  std::vector<MapPoint> points;
  bool degrees = false;
  bool metres = false;
  for (const eval::Measurement& m : measurements) {
    const data::Sample& sample = dataset.samples.at(m.sample);
    if (sample.group != group || !m.drawable()) continue;
    MapPoint point;
    if (const auto* geo = std::get_if<GeoPoint>(&sample.location)) {
      point = {geo->longitude, geo->latitude, m.metres, ""};
      degrees = true;
    } else if (const auto* plane = std::get_if<data::PlanePoint>(&sample.location)) {
      point = {plane->east, plane->north, m.metres, ""};
      metres = true;
    } else {
      continue;
    }
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
    point.hint = ground_name(sample) + ": error " + readable(m.metres, 2) + " m, radius " +
                 readable(m.radius68_metres, 2) + " m";
    points.push_back(std::move(point));
  }
  if (degrees && metres) {
    throw ShapeError("samples of one city have locations in degrees and in metres; one is taken");
  }
  if (points.empty()) return points;
  double x = 0;
  double y = 0;
  for (const MapPoint& point : points) {
    x += point.x / static_cast<double>(points.size());
    y += point.y / static_cast<double>(points.size());
  }
  const double north = degrees ? kMetresPerDegree : 1;
  const double east = degrees ? north * std::cos(y * std::numbers::pi / 180) : 1;
  for (MapPoint& point : points) {
    point.x = (point.x - x) * east;
    point.y = (point.y - y) * north;
  }
  return points;
}

}  // namespace crossfix::report
