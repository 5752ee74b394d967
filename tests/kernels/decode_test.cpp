#include "crossfix/cuda/decode.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "crossfix/ops/posterior.hpp"
#include "kernels/machine.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test::decode_test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A batch of outputs between marks, filled on the host and decoded on the machine under test.
struct Heads {
  static constexpr Index kGuard = 16;
  static constexpr float kMark = 42.0f;

  Index batch, grid, count;
  Tensor<float, 1> memory;
  ops::HeadOutputs<HostSpace> outputs;

  Heads(Index n, Index g)
      : batch(n),
        grid(g),
        count(ops::HeadOutputs<HostSpace>::element_count(n, g)),
        memory({count + 2 * kGuard}),
        outputs(memory.data() + kGuard, n, g) {
    std::fill_n(memory.data(), memory.size(), kMark);
    const auto raw = features("offsets", Shape<1>{outputs.offsets().size()});
    std::copy_n(raw.data(), raw.size(), outputs.offsets().data());
  }

  std::vector<float> row(TensorView<float, 2> view, Index image) const {
    const auto part = view[image];
    return {part.data(), part.data() + part.size()};
  }

  void decode(const ops::Decoding& decoding) {
    Machine::Memory<float> stored(memory);
    cuda::decode(Machine::stream(), Machine::device(),
                 ops::HeadOutputs<DeviceSpace>(stored.data() + kGuard, batch, grid), decoding);
    stored.read(memory);
    for (Index i = 0; i < kGuard; ++i) {
      REQUIRE(memory.data()[i] == kMark);
      REQUIRE(memory.data()[memory.size() - 1 - i] == kMark);
    }
  }
};

/// Compares one decoded image with functions in double, from the logits and offsets before
/// decoding.
void check(const Heads& heads, Index image, const std::vector<float>& logits,
           const std::vector<float>& raw, const ops::Decoding& decoding) {
  const Index grid = heads.grid;
  const auto probability = heads.row(heads.outputs.probability(), image);
  const ops::DecodedFix fix = heads.outputs.fix()(image);
  REQUIRE(heads.row(heads.outputs.logits(), image) == logits);

  std::vector<float> expected(logits.size());
  const double temperature = decoding.temperature;
  ops::softmax(logits, temperature, expected);
  const float largest = *std::max_element(logits.begin(), logits.end());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    // In float, the exponent has an error of a few 2^-24 of itself, which is the relative error of
    // the weight.
    const double exponent = std::abs((logits[i] - largest) / temperature);
    const double share = expected[i] == 0.0f ? 0.0 : 0x1p-20 + exponent * 0x1p-22;
    const double allowed = expected[i] * share + 0x1p-125;
    REQUIRE(std::abs(probability[i] - expected[i]) <= allowed);
    for (Index axis = 0; axis < 2; ++axis) {
      const auto at = 2 * i + static_cast<std::size_t>(axis);
      const double offset = 1 / (1 + std::exp(-static_cast<double>(raw[at])));
      REQUIRE(std::abs(heads.outputs.offsets()(image, static_cast<Index>(i), axis) - offset) <=
              0x1p-20 * offset * (1 + std::abs(raw[at])));
    }
  }
  const Index cell = std::max_element(logits.begin(), logits.end()) - logits.begin();
  REQUIRE(fix.cell == cell);
  const std::vector<float> offsets =
      heads.row(heads.outputs.offsets().reshape(Shape<2>{heads.batch, 2 * grid * grid}), image);
  const auto [row, col] = ops::fix_position(logits, offsets, grid, cell, decoding.fix);
  const double ulp = static_cast<double>(grid) * 0x1p-23 +
                     (decoding.fix == ops::FixRule::neighbourhood ? 0x1p-20 : 0.0);
  REQUIRE(std::abs(fix.row - row) <= ulp);
  REQUIRE(std::abs(fix.col - col) <= ulp);
  // Computed from the kernel's own probabilities and offsets: sums in double, results rounded to
  // float.
  const ops::Posterior posterior{probability, offsets, grid};
  const auto covariance = ops::moments_of(posterior).covariance;
  const float decoded[] = {fix.covariance.row_row, fix.covariance.row_col, fix.covariance.col_col};
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(std::abs(decoded[i] - covariance[i]) <= 1e-9 + 1e-6 * std::abs(covariance[i]));
  }
  const double radius = ops::radius_of(posterior, fix.row, fix.col, ops::kRadiusShare);
  REQUIRE(std::abs(fix.radius - radius) <= 1e-4);
  REQUIRE(fix.padding == 0);
}

}  // namespace

TEST_CASE("Decode kernel: posteriors from flat to sharp, on grids of any size", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index grid : {1, 2, 7, 8, 32, 33, 50}) {
    const Index batch = grid == 32 ? 12 : 2;
    Heads heads(batch, grid);
    const auto noise = features("logits", Shape<2>{batch, grid * grid});
    const std::uint64_t s = stream("peaks");
    for (Index image = 0; image < batch; ++image) {
      // Noise of growing strength, and two hills of different width anywhere.
      const auto n = static_cast<std::uint64_t>(4 * image);
      const auto side = static_cast<double>(grid);
      const double row = side * (0.5 + 0.5 * value(s, n));
      const double col = side * (0.5 + 0.5 * value(s, n + 1));
      const double other = side * (0.5 + 0.5 * value(s, n + 2));
      for (Index i = 0; i < grid * grid; ++i) {
        const double y = static_cast<double>(i / grid) + 0.5;
        const double x = static_cast<double>(i % grid) + 0.5;
        const double near = std::hypot(y - row, x - col);
        const double far = std::hypot(y - other, x - row);
        const double strength = static_cast<double>(image % 6);
        heads.outputs.logits()(image, i) =
            static_cast<float>(strength * noise(image, i) - 0.1 * strength * near * near +
                               (image % 3 == 0 ? 8.0 * std::exp(-far) : 0.0));
      }
    }
    std::vector<std::vector<float>> logits, raw;
    for (Index image = 0; image < batch; ++image) {
      logits.push_back(heads.row(heads.outputs.logits(), image));
      raw.push_back(
          heads.row(heads.outputs.offsets().reshape(Shape<2>{batch, 2 * grid * grid}), image));
    }
    const ops::Decoding decoding{grid == 8 ? 2.5 : 1.0, grid % 2 == 0 ? ops::FixRule::neighbourhood
                                                                      : ops::FixRule::best_cell};
    CAPTURE(grid);
    Machine::set_seed(++seed);
    heads.decode(decoding);
    for (Index image = 0; image < batch; ++image) {
      CAPTURE(image);
      check(heads, image, logits[static_cast<std::size_t>(image)],
            raw[static_cast<std::size_t>(image)], decoding);
    }
  }
}

TEST_CASE("Decode kernel: all mass in one cell, or half far away", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  Heads heads(4, 32);
  std::fill_n(heads.outputs.logits().data(), heads.outputs.logits().size(), -kInfinity);
  heads.outputs.logits()(0, 5 * 32 + 7) = 0.0f;
  for (const Index image : {1, 2, 3}) {
    heads.outputs.logits()(image, 0) = 0.0f;
    // The radius ends near the first cell, near the second, or just between.
    heads.outputs.logits()(image, 31 * 32 + 31) = image == 1   ? -2.0f
                                                  : image == 2 ? 0.0f
                                                               : std::log(0.3199f / 0.6801f);
  }
  std::vector<std::vector<float>> logits, raw;
  for (Index image = 0; image < 4; ++image) {
    logits.push_back(heads.row(heads.outputs.logits(), image));
    raw.push_back(heads.row(heads.outputs.offsets().reshape(Shape<2>{4, 2048}), image));
  }
  heads.decode({});
  for (std::size_t image = 0; image < 4; ++image) {
    CAPTURE(image);
    check(heads, static_cast<Index>(image), logits[image], raw[image], {});
  }
}

TEST_CASE("Decode kernel: the first of equal maxima wins", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Machine::set_seed(seed);
    Heads heads(2, 33);
    std::fill_n(heads.outputs.logits().data(), heads.outputs.logits().size(), -3.0f);
    for (const Index cell : {40, 41, 1030, 1088}) heads.outputs.logits()(1, cell) = 1.0f;
    heads.decode({});
    REQUIRE(heads.outputs.fix()(0).cell == 0);
    REQUIRE(heads.outputs.fix()(1).cell == 40);
  }
}

TEST_CASE("Decode kernel: NaN and infinite logits spoil their own image only", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  for (const float bad : {kNan, kInfinity}) {
    Heads heads(3, 8);
    std::fill_n(heads.outputs.logits().data(), heads.outputs.logits().size(), 0.5f);
    heads.outputs.logits()(1, 63) = bad;
    heads.decode({});
    for (const Index image : {0, 1, 2}) {
      const bool spoilt = image == 1;
      for (Index i = 0; i < 64; ++i) {
        REQUIRE(std::isnan(heads.outputs.probability()(image, i)) == spoilt);
      }
      REQUIRE(std::isnan(heads.outputs.fix()(image).covariance.row_row) == spoilt);
      REQUIRE(std::isnan(heads.outputs.fix()(image).radius) == spoilt);
    }
  }
}

TEST_CASE("Decode kernel: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  std::vector<float> memory(64);
  const auto decode = [&](Index grid, double temperature) {
    cuda::decode(Machine::stream(), kH200, ops::HeadOutputs<DeviceSpace>(memory.data(), 1, grid),
                 {.temperature = temperature});
  };
  CHECK_THROWS_AS(decode(0, 1.0), ShapeError);
  CHECK_THROWS_AS(cuda::decode(Machine::stream(), kH200,
                               ops::HeadOutputs<DeviceSpace>(memory.data(), 0, 2), {}),
                  ShapeError);
  CHECK_THROWS_AS(decode(cuda::kDecodeGrid + 1, 1.0), ShapeError);
  CHECK_THROWS_AS(decode(2, 0.0), ShapeError);
  CHECK_THROWS_AS(decode(2, std::nan("")), ShapeError);
}

}  // namespace crossfix::test::decode_test
