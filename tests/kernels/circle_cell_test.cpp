#include "crossfix/kernels/softmax/circle_cell.cuh"

#include <catch2/catch.hpp>
#include <cmath>

#include "crossfix/ops/posterior.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test::circle_cell_test {

TEST_CASE("Circle and cell: areas in float to a few millionths, wherever the cell lies",
          "[kernels]") {
  const std::uint64_t s = stream("circles");
  for (std::uint64_t i = 0; i < 20000; ++i) {
    // Circles from a hundredth of a cell to the diagonal of a large grid, with cells around their
    // arcs. Every fourth cell has a side on an axis.
    const auto radius = static_cast<float>(std::exp2(7.0 * value(s, 4 * i)));
    const double angle = 3.14159265 * value(s, 4 * i + 1);
    auto x0 = static_cast<float>(radius * std::cos(angle) - 0.5 + 0.9 * value(s, 4 * i + 2));
    const auto y0 = static_cast<float>(radius * std::sin(angle) - 0.5 + 0.9 * value(s, 4 * i + 3));
    if (i % 4 == 0) x0 = i % 8 == 0 ? 0.0f : -1.0f;
    CAPTURE(radius, x0, y0);
    const auto part = kernels::circle_cell(radius, x0, y0);
    const auto area = [&](double r) {
      return ops::circle_rectangle_area(r, x0, x0 + 1.0f, y0, y0 + 1.0f);
    };
    // Points of the arc have an error of 2^-24 of the radius, and the area of a cell that times its
    // side.
    REQUIRE(std::abs(part.area - area(radius)) <= 2e-7 + static_cast<double>(radius) * 0x1p-22);
    // The arc is the derivative of the area, here by differences. If it only touches a side, the
    // error of its ends is the root of the error of its height.
    const double step = 1e-6 * static_cast<double>(radius);
    const double slope = (area(radius + step) - area(radius - step)) / (2 * step);
    REQUIRE(std::abs(part.arc - slope) <= 1e-3 + static_cast<double>(radius) * 0x1p-10);
  }
}

TEST_CASE("Circle and cell: the series of t - sin t", "[kernels]") {
  for (double t = 0; t <= 1.5708; t += 1e-3) {
    const auto argument = static_cast<float>(t);
    const double expected = static_cast<double>(argument) - std::sin(static_cast<double>(argument));
    REQUIRE(std::abs(kernels::angle_less_sine(argument) - expected) <= 5e-7 * expected);
  }
}

}  // namespace crossfix::test::circle_cell_test
