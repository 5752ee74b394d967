#include "crossfix/ops/posterior.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "support/counter_generator.hpp"

using namespace crossfix;

TEST_CASE("softmax sums to one, keeps the order and takes a temperature", "[posterior]") {
  const std::vector<float> logits{1.0F, -2.0F, 1000.0F, 999.0F};
  std::vector<float> p(4);
  ops::softmax(logits, 1.0, p);
  const double e = std::exp(-1.0);
  CHECK(p[2] == Approx(1 / (1 + e)).epsilon(1e-6));
  CHECK(p[3] == Approx(e / (1 + e)).epsilon(1e-6));
  CHECK(p[0] == 0.0F);
  ops::softmax(logits, 2.0, p);
  CHECK(p[3] / p[2] == Approx(std::exp(-0.5)).epsilon(1e-6));
}

TEST_CASE("the area of a rectangle within a circle", "[posterior]") {
  using ops::circle_rectangle_area;
  constexpr double kPi = std::numbers::pi;
  CHECK(circle_rectangle_area(1, -2, 2, -2, 2) == Approx(kPi));
  CHECK(circle_rectangle_area(1, 0, 2, 0, 2) == Approx(kPi / 4));
  CHECK(circle_rectangle_area(10, -1, 2, 0.5, 3) == Approx(7.5));
  CHECK(circle_rectangle_area(1, 1, 2, 0, 1) == Approx(0).margin(1e-12));
  CHECK(circle_rectangle_area(0, -1, 1, -1, 1) == Approx(0).margin(1e-12));
  SECTION("agrees with counting points, wherever the rectangle lies") {
    const std::uint64_t s = test::stream("rectangles");
    for (std::uint64_t i = 0; i < 40; ++i) {
      const double x0 = 2 * test::value(s, 5 * i);
      const double y0 = 2 * test::value(s, 5 * i + 1);
      const double w = 1 + test::value(s, 5 * i + 2);
      const double h = 1 + test::value(s, 5 * i + 3);
      const double radius = 1.1 + test::value(s, 5 * i + 4);
      constexpr int kSteps = 400;
      int inside = 0;
      for (int a = 0; a < kSteps; ++a) {
        for (int b = 0; b < kSteps; ++b) {
          inside += std::hypot(x0 + w * (a + 0.5) / kSteps, y0 + h * (b + 0.5) / kSteps) < radius;
        }
      }
      const double counted = w * h * inside / (kSteps * kSteps);
      // A boundary of length at most 2 pi r crosses about 2 pi r / (side / steps) of the points.
      CHECK(circle_rectangle_area(radius, x0, x0 + w, y0, y0 + h) == Approx(counted).margin(0.005));
    }
  }
}

TEST_CASE("moments of a posterior are of the cells' positions, and count the variance about each",
          "[posterior]") {
  constexpr Index kGrid = 4;
  constexpr double kSquare = 0.25 / 12;  // variance over a side of half a cell
  std::vector<float> p(kGrid * kGrid, 1.0F / 16);
  std::vector<float> offsets(2 * p.size(), 0.5F);
  auto moments = ops::moments_of({p, offsets, kGrid});
  CHECK(moments.mean_row == Approx(2));
  CHECK(moments.mean_col == Approx(2));
  CHECK(moments.covariance[0] == Approx(15.0 / 12 + kSquare));  // of 0.5, 1.5, 2.5 and 3.5
  CHECK(moments.covariance[1] == Approx(0).margin(1e-9));
  CHECK(moments.covariance[2] == Approx(15.0 / 12 + kSquare));
  std::fill(p.begin(), p.end(), 0.0F);
  p[0] = 0.5F;   // (0, 0)
  p[10] = 0.5F;  // (2, 2)
  offsets[0] = 0.75F;
  offsets[20] = 0.25F;
  moments = ops::moments_of({p, offsets, kGrid});
  CHECK(moments.mean_row == Approx(1.5));
  CHECK(moments.covariance[0] == Approx(0.75 * 0.75 + kSquare));
  CHECK(moments.covariance[1] == Approx(0.75));
  CHECK(moments.covariance[2] == Approx(1 + kSquare));
}

TEST_CASE("the radius that holds a share of the posterior", "[posterior]") {
  constexpr Index kGrid = 32;
  std::vector<float> p(kGrid * kGrid, 0.0F);
  std::vector<float> offsets(2 * p.size(), 0.5F);
  const ops::Posterior posterior{p, offsets, kGrid};
  const double alone = 0.5 * std::sqrt(0.68 / std::numbers::pi);  // within a square of half a cell
  SECTION("one cell, about its position: a circle of 68 % of its square's area") {
    p[5 * kGrid + 7] = 1.0F;
    offsets[2 * (5 * kGrid + 7)] = 0.875F;
    CHECK(ops::radius_of(posterior, 5.875, 7.5, 0.68) == Approx(alone).epsilon(1e-6));
  }
  SECTION("two cells that agree on the position are as one") {
    p[5 * kGrid + 7] = 0.5F;
    p[5 * kGrid + 8] = 0.5F;
    offsets[2 * (5 * kGrid + 7) + 1] = 1.0F;
    offsets[2 * (5 * kGrid + 8) + 1] = 0.0F;
    CHECK(ops::radius_of(posterior, 5.5, 8, 0.68) == Approx(alone).epsilon(1e-6));
  }
  SECTION("an even posterior, about the centre") {
    std::fill(p.begin(), p.end(), 1.0F / (kGrid * kGrid));
    const double radius = ops::radius_of(posterior, 16, 16, 0.68);
    // Near 32 sqrt(0.68 / pi), 14.888, except for the squares that the circle cuts; from
    // training/protocol.py.
    CHECK(radius == Approx(14.861151).epsilon(1e-6));
    CHECK(ops::mass_within(posterior, 16, 16, radius) == Approx(0.68).epsilon(1e-6));
  }
  SECTION("far from the mass, the circle reaches to it") {
    p[0] = 1.0F;
    CHECK(ops::radius_of(posterior, 0.5, 20.5, 0.68) == Approx(20.09).margin(0.002));
  }
  SECTION("a position may lie outside the tile") {
    p[0] = 1.0F;
    offsets[0] = -50.0F;
    CHECK(ops::radius_of(posterior, 0.5, 0.5, 0.68) == Approx(50.59).margin(0.002));
  }
}
