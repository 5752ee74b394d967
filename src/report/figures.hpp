/// The charts of the report, each made from the figures of an evaluation. The text is empty if
/// there is nothing to draw.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "report.hpp"

namespace crossfix::report {

/// A picture, and the caption below it.
struct FigureText {
  std::string svg;
  std::string caption;
};

FigureText cumulative_figure(const Report& report);
FigureText histogram_figure(const Report& report);
FigureText risk_figure(const Report& report);
FigureText reliability_figure(const Report& report);
FigureText groups_figure(const Report& report);
FigureText nowhere_figure(const Report& report);

/// A map for each city that has positions, the cities with the most samples first, then a map of
/// the truth's position in the tile, if that is known. At most `kMostMaps` cities.
inline constexpr std::size_t kMostMaps = 8;
std::vector<FigureText> map_figures(const Report& report);

/// The figures of `groups_figure` as a table.
Table groups_table(const Report& report);

/// Errors of the drawable samples, of one group or of all, ascending.
std::vector<double> drawable_errors(const Report& report, std::optional<std::size_t> group = {});

/// How many points of the curves are not finite, and therefore not drawn.
std::size_t undrawn_points(const Report& report);

}  // namespace crossfix::report
