#include "fix_report.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "eval/results_file.hpp"

namespace crossfix::pipeline {
namespace {

nlohmann::ordered_json subject_json(const Subject& subject) {
  nlohmann::ordered_json json;
  if (subject.line != 0) json["line"] = subject.line;
  json["ground"] = subject.ground;
  json["satellite"] = subject.satellite;
  return json;
}

/// "12.3 px", followed by " = 1.40 m" if the metres are known.
std::string length(double pixels, const std::optional<double>& metres) {
  std::string text = fixed_text(pixels, 1) + " px";
  if (metres) text += " = " + fixed_text(*metres, 2) + " m";
  return text;
}

std::string point(const PixelPoint& pixel) {
  return "row " + fixed_text(pixel.row, 1) + ", column " + fixed_text(pixel.col, 1);
}

/// A heading as people read it, to whole degrees within [0, 360).
std::string whole_degrees(double heading) {
  return fixed_text(std::fmod(std::round(heading), 360.0), 0);
}

/// A share as people read it, "68 %".
std::string whole_percent(double share) { return fixed_text(100 * share, 0) + " %"; }

nlohmann::ordered_json to_json(const Hypothesis& hypothesis) {
  nlohmann::ordered_json json;
  json["row"] = hypothesis.pixel.row;
  json["col"] = hypothesis.pixel.col;
  json["share"] = hypothesis.share;
  if (hypothesis.heading_degrees) json["heading"] = *hypothesis.heading_degrees;
  if (hypothesis.position) {
    json["longitude"] = hypothesis.position->longitude;
    json["latitude"] = hypothesis.position->latitude;
  }
  return json;
}

/// Why the camera should not be in the tile.
const char* reason_of(const Fix& fix) {
  if (fix.blank_ground) return "the ground image shows nothing";
  if (fix.blank_satellite) return "the satellite tile shows nothing";
  return "nothing in the tile looks enough like the ground image";
}

}  // namespace

FixError error_of(const Fix& fix, const PixelPoint& truth) {
  FixError error;
  error.pixels = std::hypot(fix.pixel.row - truth.row, fix.pixel.col - truth.col);
  error.within_radius68 = error.pixels <= fix.radius68_px;
  // The fix has its radius in both units, which gives the metres of a pixel.
  if (fix.radius68_m) error.metres = error.pixels * *fix.radius68_m / fix.radius68_px;
  return error;
}

void check_truth(const PixelPoint& truth, const Shape<2>& tile_size) {
  const auto is_near = [](double coordinate, Index side) {
    return std::abs(coordinate - static_cast<double>(side) / 2) <= 1.5 * static_cast<double>(side);
  };
  if (is_near(truth.row, tile_size[0]) && is_near(truth.col, tile_size[1])) return;
  throw ImageError("the truth, row " + general_text(truth.row, 6) + ", column " +
                   general_text(truth.col, 6) + ", lies more than a side outside of the tile of " +
                   std::to_string(tile_size[1]) + "x" + std::to_string(tile_size[0]) +
                   " pixels; row,column in its pixels are expected");
}

nlohmann::ordered_json to_json(const Subject& subject, const Fix& fix) {
  nlohmann::ordered_json json = subject_json(subject);
  json["pixel"] = {fix.pixel.row, fix.pixel.col};
  const auto& covariance = fix.covariance_px;
  json["covariance_px"] = {{covariance[0], covariance[1]}, {covariance[1], covariance[2]}};
  if (fix.nowhere) {
    json["nowhere"] = *fix.nowhere;
    json["evidence"] = eval::to_json(fix.evidence);
  }
  if (fix.blank_ground) json["blank_ground"] = true;
  if (fix.blank_satellite) json["blank_satellite"] = true;
  json["radius68_px"] = fix.radius68_px;
  if (fix.radius68_m) json["radius68_m"] = *fix.radius68_m;
  if (fix.position) json["position"] = {fix.position->longitude, fix.position->latitude};
  if (fix.heading_degrees) {
    json["heading_degrees"] = *fix.heading_degrees;
    json["heading_sigma_degrees"] = *fix.heading_sigma_degrees;
    json["heading_covariance"] = fix.heading_covariance;
    if (subject.is_heading_of_file) json["heading_source"] = "image";
  }
  for (const Hypothesis& each : fix.hypotheses) json["hypotheses"].push_back(to_json(each));
  json["grid"] = fix.grid;
  const PixelWindow& window = fix.window;
  json["window"] = {window.row, window.col, window.height, window.width};
  json["cell"] = {fix.cell / fix.grid, fix.cell % fix.grid};
  json["cell_probability"] = fix.probability[static_cast<std::size_t>(fix.cell)];
  for (const Warning& warning : subject.warnings) json["warnings"].push_back(warning.text);
  if (subject.truth) {
    const FixError error = error_of(fix, *subject.truth);
    json["truth"] = {subject.truth->row, subject.truth->col};
    json["error_px"] = error.pixels;
    if (error.metres) json["error_m"] = *error.metres;
    json["within_radius68"] = error.within_radius68;
  }
  return json;
}

nlohmann::ordered_json to_json(const Subject& subject, const std::string& error) {
  nlohmann::ordered_json json = subject_json(subject);
  json["error"] = error;
  return json;
}

void print(std::ostream& out, const Subject& subject, const Fix& fix) {
  if (fix.not_here()) {
    out << "not here   " << whole_percent(*fix.nowhere) << ": " << reason_of(fix) << '\n';
  }
  out << "pixel      " << point(fix.pixel) << "   (of " << subject.tile_size[0] << " x "
      << subject.tile_size[1] << ")\n";
  if (fix.position) {
    out << "position   longitude " << fixed_text(fix.position->longitude, 6) << ", latitude "
        << fixed_text(fix.position->latitude, 6) << '\n';
  }
  out << "radius     " << length(fix.radius68_px, fix.radius68_m) << "   (holds 68 %"
      << (fix.radius_of_tile() ? " of the tile" : "") << ")\n";
  if (fix.nowhere && !fix.not_here()) {
    out << "nowhere    " << whole_percent(*fix.nowhere) << "   (that the camera stood elsewhere)\n";
  }
  const bool searched = fix.heading_degrees && *fix.heading_sigma_degrees > 0;
  if (searched) {
    out << "heading    " << whole_degrees(*fix.heading_degrees)
        << " degrees clockwise from north, give or take "
        << fixed_text(*fix.heading_sigma_degrees, 0) << '\n';
  }
  if (subject.is_heading_of_file && fix.heading_degrees && !searched) {
    out << "heading    " << whole_degrees(*fix.heading_degrees)
        << " degrees clockwise from north, as the image's file says\n";
  }
  if (fix.hypotheses.size() > 1) {
    for (const Hypothesis& each : fix.hypotheses) {
      out << "hypothesis " << point(each.pixel) << "   (" << whole_percent(each.share);
      if (searched) out << ", heading " << whole_degrees(*each.heading_degrees);
      out << ")\n";
    }
  }
  if (subject.truth) {
    const FixError error = error_of(fix, *subject.truth);
    out << "truth      " << point(*subject.truth) << '\n'
        << "error      " << length(error.pixels, error.metres) << "   ("
        << (error.within_radius68 ? "within" : "outside") << " the radius)\n";
  }
}

void flush_output(std::ostream& out) {
  if (!out.flush()) throw DataError("standard output: cannot be written");
}

std::string summary(const std::vector<FixError>& errors) {
  const bool metric =
      std::all_of(errors.begin(), errors.end(), [](const FixError& e) { return bool(e.metres); });
  const char* unit = metric ? "m" : "px";
  std::vector<double> values;
  double sum = 0;
  double within = 0;
  for (const FixError& error : errors) {
    values.push_back(metric ? *error.metres : error.pixels);
    sum += values.back();
    within += error.within_radius68 ? 1 : 0;
  }
  const auto count = static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  const double median =
      (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;  // even count: their mean
  return std::to_string(values.size()) + " pairs with a truth: error mean " +
         fixed_text(sum / count, 2) + " " + unit + ", median " + fixed_text(median, 2) + " " +
         unit + "; " + whole_percent(within / count) + " within their radius";
}

}  // namespace crossfix::pipeline
