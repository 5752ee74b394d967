#pragma once

#include <cstddef>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/localizer.hpp"

namespace crossfix::pipeline {

/// What was located, for the reports.
struct Subject {
  std::size_t line = 0;  ///< of the list; 0 outside one
  std::string ground;
  std::string satellite;
  Shape<2> tile_size{};  ///< height, width, pixels
  std::optional<PixelPoint> truth;
};

/// How far a fix is from the truth.
struct FixError {
  double pixels = 0;
  std::optional<double> metres;  ///< where the tile's scale is known
  bool within_radius68 = false;
};

FixError error_of(const Fix& fix, const PixelPoint& truth);

/// The JSON object of one pair; docs/json.md documents its keys.
nlohmann::ordered_json to_json(const Subject& subject, const Fix& fix);

/// The JSON object of a pair that could not be located.
nlohmann::ordered_json to_json(const Subject& subject, const std::string& error);

/// The same for people, a few lines.
void print(std::ostream& out, const Subject& subject, const Fix& fix);

/// "5 pairs with a truth: error mean 3.21 m, median 2.90 m; 80 % within their radius": the summary
/// of a list. Metres where every error has them, pixels otherwise. `errors` must not be empty.
std::string summary(const std::vector<FixError>& errors);

}  // namespace crossfix::pipeline
