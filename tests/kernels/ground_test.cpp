#include "crossfix/cuda/ground.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kernels/rows.hpp"
#include "support/counter_generator.hpp"
#include "support/reference_backend.hpp"

namespace crossfix::test::ground_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;
using View = ops::GroundViewSpecification;
using Pose = ops::CameraPose;
constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kStd[3] = {0.229f, 0.224f, 0.225f};

/// Floats of unit variance as `Element`s that begin `start` after a 16-byte boundary, with their
/// exact values.
template <class Element, std::size_t Rank>
struct Features {
  Features(const char* key, const Shape<Rank>& shape, Index start, float factor = 1,
           float offset = 0)
      : values(features(key, shape)), stored(1, values.size(), values.size(), start) {
    for (Index i = 0; i < values.size(); ++i) {
      stored(0, i) = Element(values.data()[i] * factor + offset);
      values.data()[i] = static_cast<float>(stored(0, i));
    }
  }
  TensorView<const Element, Rank, DeviceSpace> view() {
    return stored.const_device()[0].reshape(values.shape());
  }

  Tensor<float, Rank> values;
  Rows<Element> stored;
};

/// Weights [h, w]: decreasing from the middle, with zeros outside a disc, in whole rows and
/// columns, or everywhere except the last position.
Rows<float> weights_of(int kind, Index h, Index w) {
  Rows<float> out(1, h * w, h * w, 1);
  for (Index i = 0; i < h; ++i) {
    for (Index j = 0; j < w; ++j) {
      const double away =
          std::hypot(static_cast<double>(i - h / 2), static_cast<double>(j - w / 2));
      const bool none[] = {false, away > static_cast<double>(std::min(h, w)) / 2,
                           i % 3 == 1 || j % 4 == 2, i * w + j + 1 < h * w};
      out(0, i * w + j) = none[kind] ? 0.0f : static_cast<float>(std::exp(-away / 4));
    }
  }
  return out;
}

Tensor<float, 2> values_of(const Rows<float>& weights, Index h, Index w) {
  Tensor<float, 2> out({h, w});
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = weights(0, i);
  return out;
}

/// The largest error as a share of `tolerance` and a rounding to an Element; infinite if the memory
/// around the results was written.
template <class Element, std::size_t Rank>
double worst_error(Rows<Element>& results, const Tensor<float, Rank>& expected, double tolerance) {
  results.fetch();
  double worst = results.marks_hold() ? 0.0 : std::numeric_limits<double>::infinity();
  for (Index i = 0; i < expected.size(); ++i) {
    const auto value = static_cast<double>(expected.data()[i]);
    worst = worse(
        worst, error_share(results(0, i), value,
                           tolerance + kRounding<Element> * std::abs(value) + kSmallest<Element>));
  }
  return worst;
}

template <class Element>
double sample_error(const Shape<2>& size, const View& view, const std::vector<Pose>& poses,
                    Index gap) {
  const auto picture = image("panorama", size[0], size[1]);
  Rows<std::uint8_t> panorama(size[0], 3 * size[1], 3 * size[1] + gap, gap);
  for (Index i = 0; i < size[0]; ++i) {
    for (Index j = 0; j < 3 * size[1]; ++j) panorama(i, j) = picture(i, j / 3, j % 3);
  }
  ReferenceBackend::Context plain;
  Tensor<float, 4> expected({static_cast<Index>(poses.size()), view.side, view.side, 3});
  ReferenceBackend::sample_ground(plain, picture, view, poses, kMean, kStd, expected);
  Rows<Element> y(1, expected.size(), expected.size(), gap % 2);
  const TensorView<const std::uint8_t, 3, DeviceSpace> pixels(
      panorama.const_device().data(), {size[0], size[1], 3}, {3 * size[1] + gap, 3, 1});
  cuda::sample_ground<Element>(Machine::stream(), Machine::device(), pixels, view, poses, kMean,
                               kStd, y.device()[0].reshape(expected.shape()));
  // The error of a column is the roundings of a turn and of a bearing, eight at most, and one of
  // its own; that of a row is half as many. A pixel differs from the next by at most 1 / 0.224; a
  // value below 3 has three roundings.
  const double position = 9.0 * 0x1p-24 * static_cast<double>(size[0] + size[1]);
  return worst_error(y, expected, position / 0.224 + 9.0 * 0x1p-23);
}

template <class Element>
double standardize_error(const Shape<3>& shape, int kind, float offset, Index start,
                         bool in_place) {
  Features<Element, 3> x("x", shape, start, 1.0f, offset);
  // The first channel is constant.
  for (Index i = 0; i < x.values.size(); i += shape[2]) {
    x.stored(0, i) = Element(0.7f);
    x.values.data()[i] = static_cast<float>(x.stored(0, i));
  }
  Rows<float> weights = weights_of(kind, shape[0], shape[1]);
  ReferenceBackend::Context plain;
  Tensor<float, 3> expected(shape);
  ReferenceBackend::standardize(plain, x.values, values_of(weights, shape[0], shape[1]), expected);
  Rows<Element> apart(1, expected.size(), expected.size(), start);
  Rows<Element>& y = in_place ? x.stored : apart;
  cuda::standardize<Element>(Machine::stream(), Machine::device(), x.view(),
                             weights.const_device()[0].reshape(Shape<2>{shape[0], shape[1]}),
                             y.device()[0].reshape(shape));
  // The error of a deviation is as many roundings as a thread adds, plus those of the offset. If a
  // single position has weight, others are millions of deviations away.
  double size = 1;
  for (Index i = 0; i < expected.size(); ++i) {
    size = std::max(size, std::abs(static_cast<double>(expected.data()[i])));
  }
  return worst_error(y, expected, size * (16.0 * 0x1p-24 + static_cast<double>(offset) * 0x1p-23));
}

template <class Element>
double correlate_error(const Shape<3>& shape, const Shape<4>& shapes, int kind, Index start,
                       float factor = 1.0f) {
  Features<Element, 3> tile("tile", shape, start, factor);
  Features<Element, 4> views("views", shapes, start);
  Rows<float> weights = weights_of(kind, shapes[1], shapes[2]);
  ReferenceBackend::Context plain;
  Tensor<float, 3> expected({shapes[0], shape[0], shape[1]});
  ReferenceBackend::correlate(plain, tile.values, views.values,
                              values_of(weights, shapes[1], shapes[2]), expected);
  Rows<float> scores(1, expected.size(), expected.size(), 1);
  cuda::correlate<Element>(Machine::stream(), Machine::device(), tile.view(), views.view(),
                           weights.const_device()[0].reshape(Shape<2>{shapes[1], shapes[2]}),
                           scores.device()[0].reshape(expected.shape()));
  // Scores are at most 1, and so is the sum of the sizes of the products over the energies. The
  // worst case is one rounding a term; typical is the root of that, plus some for the rest.
  const auto terms = static_cast<double>(shapes[1] * shapes[2] * shapes[3]);
  return worst_error(scores, expected, (std::sqrt(terms) + 8) * 0x1p-23);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("Ground kernels: views of any panorama", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Shape<2>& size : {Shape<2>{2, 4}, {8, 16}, {33, 67}}) {
    for (const Index side : {1, 5, 33}) {
      for (const float heading : {0.0f, 90.0f, 37.3f, -200.0f, 1e-5f}) {
        CAPTURE(to_string(size), side, heading);
        Machine::set_seed(++seed);
        const float height = heading == 90.0f ? 0.4f : 2.5f;
        REQUIRE(sample_error<TestType>(size, {.side = side, .metres_per_pixel = 0.35f},
                                       {{height, heading}, {1.5f * height, heading + 11.0f}},
                                       static_cast<Index>(seed % 4)) <= 1.0);
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Ground kernels: maps are standardized", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Shape<3>& shape :
       {Shape<3>{1, 1, 1}, {1, 1, 8}, {7, 5, 3}, {7, 5, 24}, {31, 33, 40}}) {
    for (const int kind : {0, 1, 2, 3}) {
      // If a single position has weight, others reach millions.
      if (kind == 3 && std::is_same_v<TestType, float16>) continue;
      for (const float offset : {0.0f, 30.0f}) {
        CAPTURE(to_string(shape), kind, offset);
        Machine::set_seed(++seed);
        REQUIRE(standardize_error<TestType>(shape, kind, offset, static_cast<Index>(seed % 4 == 0),
                                            seed % 3 == 0) <= 1.0);
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Ground kernels: scores of views over a tile", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  const auto check = [&seed](const Shape<3>& tile, const Shape<4>& views, int kind,
                             float factor = 1.0f) {
    CAPTURE(to_string(tile), to_string(views), kind, factor);
    Machine::set_seed(++seed);
    REQUIRE(correlate_error<TestType>(tile, views, kind, static_cast<Index>(seed % 3 == 0),
                                      factor) <= 1.0);
  };
  for (const Index channels : {1, 3, 8, 24}) {
    for (const Shape<2>& view : {Shape<2>{1, 1}, {3, 5}, {15, 15}}) {
      const int kind = static_cast<int>(seed % 4);
      check({1, 1, channels}, {3, view[0], view[1], channels}, kind);
      check({7, 5, channels}, {1, view[0], view[1], channels}, kind);
      check({17, 35, channels}, {2, view[0], view[1], channels}, kind);
    }
  }
  // Parts of a view without any weight, and views with more rows and columns than one part.
  for (const int kind : {0, 1, 2, 3}) {
    check({20, 33, 4}, {1, 33, 41, 4}, kind);
    check({16, 32, 5}, {1, 9, 17, 5}, kind);
    // Below the least energy.
    check({9, 10, 7}, {2, 5, 5, 7}, kind, 0.0f);
  }
}

TEST_CASE("Ground kernels: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  float memory[512] = {};
  std::uint8_t pixels[512] = {};
  const std::vector<Pose> poses{{2.0f, 0.0f}};
  const auto sample = [&](const Shape<3>& panorama, const View& view, const Shape<3>& y) {
    cuda::sample_ground<float>(Machine::stream(), kH200, {pixels, panorama}, view, poses, kMean,
                               kStd, {memory, {1, y[0], y[1], y[2]}});
  };
  const View view{.side = 3, .metres_per_pixel = 1};
  CHECK_THROWS_AS(sample({4, 8, 4}, view, {3, 3, 3}), ShapeError);
  CHECK_THROWS_AS(sample({1, 8, 3}, view, {3, 3, 3}), ShapeError);
  CHECK_THROWS_AS(sample({4, 8, 3}, view, {3, 4, 3}), ShapeError);
  View even = view;
  even.side = 4;
  CHECK_THROWS_AS(sample({4, 8, 3}, even, {4, 4, 3}), ShapeError);
  View huge = view;
  huge.side = (Index{1} << 16) + 1;
  CHECK_THROWS_AS(sample({4, 8, 3}, huge, {huge.side, huge.side, 3}), ShapeError);

  const auto standardize = [&](const Shape<3>& x, const Shape<2>& weights, const Shape<3>& y) {
    cuda::standardize<float>(Machine::stream(), kH200, {memory, x}, {memory, weights}, {memory, y});
  };
  CHECK_THROWS_AS(standardize({4, 5, 2}, {5, 4}, {4, 5, 2}), ShapeError);
  CHECK_THROWS_AS(standardize({4, 5, 2}, {4, 5}, {4, 5, 3}), ShapeError);

  const auto correlate = [&](const Shape<3>& tile, const Shape<4>& views, const Shape<2>& weights,
                             const Shape<3>& scores) {
    cuda::correlate<float>(Machine::stream(), kH200, {memory, tile}, {memory, views},
                           {memory, weights}, {memory, scores});
  };
  CHECK_THROWS_AS(correlate({4, 5, 2}, {1, 2, 3, 2}, {2, 3}, {1, 4, 5}), ShapeError);
  CHECK_THROWS_AS(correlate({4, 5, 2}, {1, 3, 3, 3}, {3, 3}, {1, 4, 5}), ShapeError);
  CHECK_THROWS_AS(correlate({4, 5, 2}, {1, 3, 3, 2}, {3, 5}, {1, 4, 5}), ShapeError);
  CHECK_THROWS_AS(correlate({4, 5, 2}, {1, 3, 3, 2}, {3, 3}, {2, 4, 5}), ShapeError);
}

}  // namespace crossfix::test::ground_test
