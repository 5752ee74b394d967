#include "crossfix/cuda/layer_norm.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "kernels/rows.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test::layer_norm_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;
constexpr float kEpsilon = 1e-5f;

/// Runs one LayerNorm. `padding` and `start` misalign rows.
template <class Element>
struct Problem {
  Index rows, channels;
  float mean;
  Rows<float> x, r, scale, shift, y;
  Rows<Element> z;

  Problem(Index n, Index c, float m, Index padding, Index start)
      : rows(n),
        channels(c),
        mean(m),
        x(n, c, c + padding, start),
        r(n, c, c + padding, start),
        scale(1, c, c, start),
        shift(1, c, c, start),
        y(n, c, c + padding, start),
        z(n, c, c + padding, start) {
    const auto values = features("x", Shape<2>{n, c});
    const auto added = features("r", Shape<2>{n, c});
    const auto scales = features("scale", Shape<1>{c});
    const auto shifts = features("shift", Shape<1>{c});
    fill(x, [&](Index i, Index j) { return values(i, j) + mean; });
    fill(r, [&](Index i, Index j) { return added(i, j); });
    fill(scale, [&](Index, Index j) { return scales(j); });
    fill(shift, [&](Index, Index j) { return shifts(j); });
  }

  void run(bool residual, TensorView<float, 2, DeviceSpace> out) {
    if (residual) {
      cuda::layer_norm(Machine::stream(), Machine::device(), x.const_device(), r.const_device(),
                       scale.const_vector(), shift.const_vector(), kEpsilon, out, z.device());
    } else {
      cuda::layer_norm(Machine::stream(), Machine::device(), x.const_device(), scale.const_vector(),
                       shift.const_vector(), kEpsilon, out, z.device());
    }
    z.fetch();
  }

  /// The largest error of `result` from inputs `a` (+ `b`), as a share of the tolerance.
  double worst(const Rows<float>& result, const Rows<float>& a, const Rows<float>* b) const {
    double all = 0;
    for (Index i = 0; i < rows; ++i) {
      const auto sum = [&](Index c) {
        return static_cast<double>(a(i, c)) + (b ? static_cast<double>((*b)(i, c)) : 0.0);
      };
      double average = 0;
      double variance = 0;
      for (Index c = 0; c < channels; ++c) average += sum(c) / static_cast<double>(channels);
      for (Index c = 0; c < channels; ++c) {
        variance += (sum(c) - average) * (sum(c) - average) / static_cast<double>(channels);
      }
      const double inverse = 1 / std::sqrt(variance + static_cast<double>(kEpsilon));
      for (Index c = 0; c < channels; ++c) {
        const double normal = (sum(c) - average) * inverse;
        const double expected = normal * static_cast<double>(scale(0, c)) + shift(0, c);
        // A sum x + r and the mean have an error of a few 2^-24 of the size of the values;
        // everything else a few 2^-24 of the terms of the result. A single channel has deviation 0,
        // so only epsilon divides it.
        const double size = std::abs(static_cast<double>(mean)) + 4;
        const double tolerance =
            (size * inverse + std::abs(normal) + 1) * std::abs(scale(0, c)) * 0x1p-22 +
            std::abs(expected) * 0x1p-22;
        all = worse(all, error_share(result(i, c), expected, tolerance));
      }
    }
    return all;
  }

  /// True if z is `result`, rounded.
  bool rounded(const Rows<float>& result) const {
    for (Index i = 0; i < rows; ++i) {
      for (Index c = 0; c < channels; ++c) {
        if (static_cast<float>(z(i, c)) != static_cast<float>(Element(result(i, c)))) return false;
      }
    }
    return true;
  }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("LayerNorm kernel: any number of channels, plain and added", "[kernels]",
                        Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index channels : {1, 7, 64, 113, 256, 600, 1024, 1500, 4096, 8192}) {
    for (const Index rows : {1, 11}) {
      for (const float mean : {0.0f, 100.0f}) {
        for (const auto& [padding, start] : {std::pair<Index, Index>{(4 - channels % 4) % 4, 0},
                                             {(4 - channels % 4) % 4 + 8, 4},
                                             {3, 1}}) {
          if (rows * channels > 12000) continue;
          CAPTURE(channels, rows, mean, padding, start);
          Machine::set_seed(++seed);
          Problem<TestType> test(rows, channels, mean, padding, start);
          test.run(false, test.y.device());
          test.y.fetch();
          REQUIRE(test.worst(test.y, test.x, nullptr) <= 1.0);
          REQUIRE(test.rounded(test.y));
          test.run(true, test.y.device());
          test.y.fetch();
          REQUIRE(test.worst(test.y, test.x, &test.r) <= 1.0);
          REQUIRE(test.rounded(test.y));
          REQUIRE(test.y.marks_hold());
          REQUIRE(test.z.marks_hold());
        }
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("LayerNorm kernel: in place of either input", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  for (const Index channels : {113, 256, 2048}) {
    CAPTURE(channels);
    const Problem<TestType> source(5, channels, 3.0f, 3, 1);
    Problem<TestType> into_x(5, channels, 3.0f, 3, 1);
    into_x.run(true, into_x.x.device());
    into_x.x.fetch();
    REQUIRE(source.worst(into_x.x, source.x, &source.r) <= 1.0);
    Problem<TestType> into_r(5, channels, 3.0f, 3, 1);
    into_r.run(true, into_r.r.device());
    into_r.r.fetch();
    REQUIRE(source.worst(into_r.r, source.x, &source.r) <= 1.0);
  }
}

TEST_CASE("LayerNorm kernel: a NaN or an infinity spoils its own row only", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  for (const Index channels : {64, 2048}) {
    for (const float value :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      Problem<float> test(3, channels, 0.0f, 0, 0);
      test.x(1, channels - 1) = value;
      test.run(false, test.y.device());
      test.y.fetch();
      for (Index c = 0; c < channels; ++c) {
        REQUIRE(std::isfinite(test.y(0, c)));
        REQUIRE(std::isnan(test.y(1, c)));
        REQUIRE(std::isfinite(test.y(2, c)));
      }
    }
  }
}

TEST_CASE("LayerNorm kernel: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  Rows<float> x(2, 8, 8, 0), tall(3, 8, 8, 0), c(1, 8, 8, 0), few(1, 7, 7, 0);
  Rows<float> wide(1, cuda::kLayerNormChannels + 1, cuda::kLayerNormChannels + 1, 0);
  const auto norm = [](const auto&... arguments) {
    cuda::layer_norm<float>(Machine::stream(), kH200, arguments...);
  };
  CHECK_THROWS_AS(norm(x.const_device(), c.const_vector(), few.const_vector(), kEpsilon, x.device(),
                       x.device()),
                  ShapeError);
  CHECK_THROWS_AS(norm(x.const_device(), few.const_vector(), few.const_vector(), kEpsilon,
                       x.device(), x.device()),
                  ShapeError);
  CHECK_THROWS_AS(norm(x.const_device(), c.const_vector(), c.const_vector(), kEpsilon,
                       tall.device(), x.device()),
                  ShapeError);
  CHECK_THROWS_AS(norm(x.const_device(), c.const_vector(), c.const_vector(), kEpsilon, x.device(),
                       tall.device()),
                  ShapeError);
  CHECK_THROWS_AS(norm(x.const_device(), tall.const_device(), c.const_vector(), c.const_vector(),
                       kEpsilon, x.device(), x.device()),
                  ShapeError);
  CHECK_THROWS_AS(norm(wide.const_device(), wide.const_vector(), wide.const_vector(), kEpsilon,
                       wide.device(), wide.device()),
                  ShapeError);
}

}  // namespace crossfix::test::layer_norm_test
