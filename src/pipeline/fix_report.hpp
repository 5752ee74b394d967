#pragma once

#include <cstddef>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/localizer.hpp"
#include "warning.hpp"

namespace crossfix::pipeline {

/// The pair that was located, for the reports.
struct Subject {
  std::size_t line = 0;  ///< in the list; 0 for a single pair
  std::string ground;
  std::string satellite;
  Shape<2> tile_size{};  ///< height, width, pixels
  std::optional<PixelPoint> truth = {};
  bool is_heading_of_file = false;  ///< the heading is what the ground image's file says
  Warnings warnings = {};
};

/// How far a fix is from the truth.
struct FixError {
  double pixels = 0;
  std::optional<double> metres;  ///< if the scale of the tile is known
  bool within_radius68 = false;
};

FixError error_of(const Fix& fix, const PixelPoint& truth);

/// Throws ImageError for a truth more than a side outside of its tile: it is of another tile, or in
/// another unit.
void check_truth(const PixelPoint& truth, const Shape<2>& tile_size);

/// The JSON object of one pair; docs/json.md documents its keys.
nlohmann::ordered_json to_json(const Subject& subject, const Fix& fix);

/// The JSON object of a pair that could not be located.
nlohmann::ordered_json to_json(const Subject& subject, const std::string& error);

/// The same for people to read, in a few lines.
void print(std::ostream& out, const Subject& subject, const Fix& fix);

/// Ends a print to standard output. Throws DataError if some of it could not be written.
void flush_output(std::ostream& out);

/// The summary of a list: "5 pairs with a truth: error mean 3.21 m, median 2.90 m; 80 % within
/// their radius". In metres if every error has them, otherwise in pixels. `errors` must not be
/// empty.
std::string summary(const std::vector<FixError>& errors);

}  // namespace crossfix::pipeline
