// What OpenCV's functions gave: make_camera_golden.py.
#include <fstream>
#include <optional>
#include <sstream>

#include "camera/cameras.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using namespace crossfix::camera;

namespace {

/// From the centre of the first pixel, as OpenCV counts, to its outer corner.
constexpr double kHalf = 0.5;
/// Focal lengths of 3024 and tangents of 6 at most are rounded to about 2e-12 pixels a step.
constexpr double kPixels = 1e-9;
/// OpenCV's iterations end at some 3e-14 (its own results against the directions they came from).
constexpr double kTangents = 1e-12;

constexpr Index kHeight = 3000;
constexpr Index kWidth = 4000;

Camera camera_of(const std::string& model, std::istream& line) {
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
  line >> fx >> fy >> cx >> cy;
  if (model == "pinhole") {
    BrownCoefficients d;
    line >> d.k1 >> d.k2 >> d.p1 >> d.p2 >> d.k3 >> d.k4 >> d.k5 >> d.k6;
    return Pinhole({kHeight, kWidth, fx, fy, cx + kHalf, cy + kHalf, d});
  }
  FisheyeParameters parameters{kHeight, kWidth, fx, fy, cx + kHalf, cy + kHalf};
  for (double& k : parameters.k) line >> k;
  return Fisheye(parameters);
}

}  // namespace

TEST_CASE("cameras project and unproject as OpenCV does") {
  std::ifstream golden(test::source_folder() / "tests/camera/golden/opencv.txt");
  std::optional<Camera> camera;
  std::string text;
  int cameras = 0;
  int projected = 0;
  int unprojected = 0;
  double worst_pixel = 0;
  double worst_tangent = 0;
  while (std::getline(golden, text)) {
    std::istringstream line(text);
    std::string kind;
    line >> kind;
    double col = 0;
    double row = 0;
    if (kind == "project") {
      Ray ray;
      line >> ray.x >> ray.y >> ray.z >> col >> row;
      REQUIRE(line);
      const Projection found = camera.value().project(ray);
      REQUIRE(found.valid);
      worst_pixel = std::max(
          {worst_pixel, std::abs(found.row - row - kHalf), std::abs(found.col - col - kHalf)});
      ++projected;
    } else if (kind == "unproject") {
      double x = 0;
      double y = 0;
      line >> col >> row >> x >> y;
      REQUIRE(line);
      const Unprojection found = camera.value().unproject(row + kHalf, col + kHalf);
      REQUIRE(found.valid);
      worst_tangent = std::max({worst_tangent, std::abs(found.ray.x / found.ray.z - x),
                                std::abs(found.ray.y / found.ray.z - y)});
      ++unprojected;
    } else {
      camera = camera_of(kind, line);
      REQUIRE(line);
      ++cameras;
    }
  }
  CAPTURE(worst_pixel, worst_tangent);
  CHECK(cameras == 8);
  CHECK(projected == 8 * 31);
  CHECK(unprojected == 8 * 31);
  CHECK(worst_pixel <= kPixels);
  CHECK(worst_tangent <= kTangents);
}
