#include "robotcar.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "map_tile.hpp"
#include "npy.hpp"
#include "text_lines.hpp"

namespace crossfix::data {

namespace fs = std::filesystem;

namespace {

struct ControlPoint {
  double easting, northing, col, row;
};

constexpr std::array<ControlPoint, 5> kControlPoints{{{619400, 5736195, 900, 900},
                                                      {619400, 5734600, 492, 18168},
                                                      {620795, 5736195, 15966, 1260},
                                                      {620795, 5734600, 15553, 18528},
                                                      {620100, 5735400, 8255, 9688}}};

// The means of the control points. With coordinates relative to them the fit loses no digits.
constexpr double kMeanEasting = 620098;
constexpr double kMeanNorthing = 5735398;

/// A file of the split: its file name, the name of its run, the number of samples as published.
struct Run {
  const char* file;
  const char* name;
  std::size_t published;
};

std::vector<Run> runs_of(Split split) {
  if (split == Split::train) return {{"training.txt", "training", 17067}};
  if (split == Split::validation) return {{"validation.txt", "validation", 1698}};
  return {{"test1_j.txt", "test 1", 1673},
          {"test2_j.txt", "test 2", 1708},
          {"test3_j.txt", "test 3", 1708}};
}

const char* yaw_file(Split split) {
  if (split == Split::train) return "train_yaw.npy";
  return split == Split::validation ? "val_yaw.npy" : "test_yaw.npy";
}

/// Bound on positions, map pixels: about a hundred kilometres.
constexpr double kFarthestPixel = 1e6;

/// Yaws beyond a whole turn, with room for rounding, are no radians.
constexpr double kLargestYaw = 2 * std::numbers::pi + 0.01;

/// The map ends so far beyond its last control points at most, relative to its side.
constexpr double kMapMargin = 0.2;

/// Tiles start at multiples of this many map pixels.
constexpr double kTileStep = 400;

/// The tile along one axis of the map: its number, and the pixel in the tile that the reference
/// takes, in whole pixels from 200 to 600.
struct AxisTile {
  Index number;
  double pixel;
};

AxisTile tile_of(double coordinate) {
  double number = std::floor(coordinate / kTileStep);
  if (std::nearbyint(coordinate - kTileStep * number) < kTileStep / 2) number -= 1;
  return {static_cast<Index>(number), std::nearbyint(coordinate - kTileStep * number)};
}

/// A coordinate of the turned window, in the reference's frame of the tile.
double reference_pixel(double coordinate) {
  const double in_tile = std::trunc(coordinate - static_cast<double>(kMapTileMargin));
  return std::trunc(in_tile / static_cast<double>(kMapTileSide) * kRobotCarReferenceSide);
}

/// Sets everything that follows from the camera's position on the map and the vehicle's yaw.
void set_truth(PixelPoint on_map, double yaw, double metres_per_pixel, Sample& sample) {
  constexpr double kMargin = static_cast<double>(kMapTileMargin);
  constexpr double kTurnPixel = static_cast<double>(kMapWindowSide) / 2;
  const AxisTile row = tile_of(on_map.row);
  const AxisTile col = tile_of(on_map.col);
  const auto step = static_cast<Index>(kTileStep);
  sample.window = {row.number * step - kMapTileMargin, col.number * step - kMapTileMargin};
  sample.rotation_degrees = yaw * (180 / std::numbers::pi) - 90;
  sample.up_degrees = sample.rotation_degrees;
  sample.label = on_map;

  const PixelPoint rough = turned({row.pixel + kMargin, col.pixel + kMargin},
                                  {kTurnPixel, kTurnPixel}, sample.rotation_degrees);
  sample.reference = {{reference_pixel(rough.row), reference_pixel(rough.col)},
                      kRobotCarReferenceSide,
                      kRobotCarReferenceMetres};
  const PixelPoint fine = turned({on_map.row - static_cast<double>(sample.window.row),
                                  on_map.col - static_cast<double>(sample.window.col)},
                                 {kTurnPixel + 0.5, kTurnPixel + 0.5}, sample.rotation_degrees);
  constexpr double kSide = static_cast<double>(kMapTileSide);
  sample.true_ = {{fine.row - kMargin, fine.col - kMargin}, kSide, metres_per_pixel};
  const auto within = [](double value) { return value >= 0 && value < kSide; };
  sample.inside = within(sample.true_.pixel.row) && within(sample.true_.pixel.col);
}

/// The samples of one file, except for the fields that need the yaw.
std::vector<Sample> read_run(const fs::path& file, const MapProjection& projection) {
  std::vector<Sample> samples;
  TextLines lines(file, "a RobotCar split file");
  while (lines.next()) {
    if (lines.fields().size() != 4) {
      lines.fail(std::to_string(lines.fields().size()) +
                 " fields where a line has 4: ground image, satellite image, easting, northing");
    }
    Sample sample;
    sample.line = lines.line();
    sample.ground = lines.name(0);
    sample.satellite = lines.name(1);
    const PlanePoint camera{lines.number(2, "easting"), lines.number(3, "northing")};
    sample.location = camera;
    sample.label = projection.pixel(camera.east, camera.north);
    if (!(std::abs(sample.label.row) < kFarthestPixel &&
          std::abs(sample.label.col) < kFarthestPixel)) {
      lines.fail("the camera lies far off the map; metres of UTM zone 30 are expected");
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::vector<double> read_yaw(const fs::path& file, std::size_t expected) {
  std::vector<double> yaw = read_npy(file);
  if (yaw.size() != expected) {
    throw DataError(file.string() + ": " + std::to_string(yaw.size()) +
                    " yaws where its split has " + std::to_string(expected) + " samples");
  }
  for (std::size_t i = 0; i < yaw.size(); ++i) {
    if (!std::isfinite(yaw[i])) {
      throw DataError(file.string() + ": yaw " + std::to_string(i) +
                      " is not finite; radians are expected");
    }
    if (std::abs(yaw[i]) > kLargestYaw) {
      throw DataError(file.string() + ": yaw " + std::to_string(i) + " is " +
                      general_text(yaw[i], 6) +
                      ", more than a whole turn; radians are expected, not degrees");
    }
  }
  return yaw;
}

}  // namespace

MapProjection::MapProjection() {
  constexpr int kPoints = static_cast<int>(kControlPoints.size());
  Eigen::Matrix<double, kPoints, 3> positions;
  Eigen::Matrix<double, kPoints, 2> pixels;
  for (int i = 0; i < kPoints; ++i) {
    const ControlPoint& point = kControlPoints[static_cast<std::size_t>(i)];
    positions.row(i) << 1, point.easting - kMeanEasting, point.northing - kMeanNorthing;
    pixels.row(i) << point.row, point.col;
  }
  const Eigen::Matrix<double, 3, 2> fit = positions.colPivHouseholderQr().solve(pixels);
  constant_ = {fit(0, 0), fit(0, 1)};
  east_ = {fit(1, 0), fit(1, 1)};
  north_ = {fit(2, 0), fit(2, 1)};
}

PixelPoint MapProjection::pixel(double easting, double northing) const {
  const double e = easting - kMeanEasting;
  const double n = northing - kMeanNorthing;
  return {constant_.row + east_.row * e + north_.row * n,
          constant_.col + east_.col * e + north_.col * n};
}

void check_map_size(const fs::path& file, const Shape<2>& size) {
  double height = 0;
  double width = 0;
  for (const ControlPoint& point : kControlPoints) {
    height = std::max(height, point.row);
    width = std::max(width, point.col);
  }
  const auto fits = [](Index side, double last) {
    return static_cast<double>(side) > last && static_cast<double>(side) <= last * (1 + kMapMargin);
  };
  if (fits(size[0], height) && fits(size[1], width)) return;
  throw DataError(file.string() + ": " + std::to_string(size[1]) + "x" + std::to_string(size[0]) +
                  " pixels, and the map's control points reach to column " +
                  general_text(width, 6) + " and row " + general_text(height, 6) +
                  ": the map is expected in its own size");
}

double MapProjection::metres_per_pixel() const {
  return 1 / std::sqrt(std::abs(east_.row * north_.col - east_.col * north_.row));
}

Dataset read_robotcar(const RobotCarOptions& options) {
  Dataset dataset;
  const MapProjection projection;
  const fs::path folder = options.root / "Oxford_split";
  std::vector<Sample> all;
  std::string absent;
  std::size_t yaws = 0;                 // in the array before the next run
  std::vector<std::size_t> yaw_of_all;  // for each sample
  for (const Run& run : runs_of(options.split)) {
    const fs::path file = folder / run.file;
    if (!fs::exists(file)) {
      if (!options.absent_runs) {
        throw DataError(file.string() + ": no such split file; download it, or check --root");
      }
      absent += (absent.empty() ? "" : ", ") + std::string(run.file);
      yaws += run.published;
      continue;
    }
    std::vector<Sample> samples = read_run(file, projection);
    if (samples.size() != run.published) {
      dataset.warnings.push_back(file.string() + ": " + std::to_string(samples.size()) +
                                 " samples where " + std::to_string(run.published) +
                                 " are published");
    }
    const std::size_t scored = samples.size() / kReferenceBatch * kReferenceBatch;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i].group = dataset.groups.size();
      samples[i].in_reference = i < scored;
      yaw_of_all.push_back(yaws + i);
      all.push_back(std::move(samples[i]));
    }
    yaws += samples.size();
    dataset.groups.push_back(
        {run.name, file.string(), samples.size(), 0, projection.metres_per_pixel()});
  }
  if (!absent.empty()) dataset.warnings.push_back("without " + absent + " in " + folder.string());
  if (all.empty()) return dataset;
  const std::vector<double> yaw = read_yaw(folder / yaw_file(options.split), yaws);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].number = i;
    set_truth(all[i].label, yaw[yaw_of_all[i]], projection.metres_per_pixel(), all[i]);
  }
  dataset.samples = std::move(all);
  return dataset;
}

}  // namespace crossfix::data
