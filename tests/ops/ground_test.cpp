#include "crossfix/ops/ground.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <iterator>
#include <type_traits>
#include <vector>

#include "ops/subjects.hpp"

namespace crossfix::test::ground_test {
namespace {

using View = ops::GroundViewSpecification;
using Pose = ops::CameraPose;
constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kStd[3] = {0.229f, 0.224f, 0.225f};

/// The largest |a - b|; NaN if either holds one.
template <std::size_t Rank>
double worst_difference(const Tensor<float, Rank>& a, const Tensor<float, Rank>& b) {
  double worst = 0;
  for (Index i = 0; i < b.size(); ++i) {
    const double error =
        std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]));
    worst = error <= worst ? worst : std::isnan(worst) ? worst : error;
  }
  return worst;
}

enum class Weighting { even, falling, disc, gaps, corner };
constexpr Weighting kWeightings[] = {Weighting::even, Weighting::falling, Weighting::disc,
                                     Weighting::gaps, Weighting::corner};

/// Weights [h, w], some above 0: all equal, decreasing from the middle, a disc of them, with whole
/// rows and columns of zeros, or only in the first position.
Tensor<float, 2> weights_of(Weighting weighting, Index h, Index w) {
  Tensor<float, 2> out({h, w});
  for (Index i = 0; i < h; ++i) {
    for (Index j = 0; j < w; ++j) {
      const double away =
          std::hypot(static_cast<double>(i - h / 2), static_cast<double>(j - w / 2));
      const auto falling = static_cast<float>(std::exp(-away / 4));
      switch (weighting) {
        case Weighting::even:
          out(i, j) = 1.0f;
          break;
        case Weighting::falling:
          out(i, j) = falling;
          break;
        case Weighting::disc:
          out(i, j) = away <= static_cast<double>(std::min(h, w)) / 2 ? falling : 0.0f;
          break;
        case Weighting::gaps:
          out(i, j) = i % 3 == 1 || j % 4 == 2 ? 0.0f : falling;
          break;
        case Weighting::corner:
          out(i, j) = i + j == 0 ? 0.25f : 0.0f;
          break;
      }
    }
  }
  return out;
}

template <class Subject>
void compare_sample(const Shape<2>& size, const View& view, const std::vector<Pose>& poses) {
  using Element = typename Subject::Element;
  const auto panorama = image("panorama", size[0], size[1]);
  ReferenceBackend::Context plain;
  Tensor<float, 4> expected({static_cast<Index>(poses.size()), view.side, view.side, 3});
  ReferenceBackend::sample_ground(plain, panorama, view, poses, kMean, kStd, expected);
  const auto target = Subject::target();
  typename Subject::Backend::Context context(target, 0);
  Memory<Subject, Element, 4> y(target, marked(expected.shape()));
  Subject::Backend::sample_ground(context, panorama, view, poses, kMean, kStd, y.view());
  // The error of a column is the roundings of a turn and of a bearing, eight at most, and one of
  // its own; that of a row is half as many. A pixel differs from the next by at most 1 / 0.224;
  // values are below 3.
  const double position = 9.0 * 0x1p-24 * static_cast<double>(size[0] + size[1]);
  const double tolerance = position / 0.224 + 3.0 * Subject::kTolerance;
  REQUIRE(worst_difference(y.read(context), expected) <= tolerance);
}

/// Views out of an image that a camera took. A value at the image's edge may fall inside in float
/// and outside in double: such values are few, and their count is bounded.
template <class Subject>
void compare_camera(const camera::Camera& camera, const View& view,
                    const std::vector<Pose>& poses) {
  using Element = typename Subject::Element;
  const auto picture = image("picture", camera.height(), camera.width());
  const camera::BasicCamera<float> lens(camera);
  ReferenceBackend::Context plain;
  Tensor<float, 4> expected({static_cast<Index>(poses.size()), view.side, view.side, 3});
  ReferenceBackend::sample_ground(plain, picture, lens, view, poses, kMean, kStd, expected);
  const auto target = Subject::target();
  typename Subject::Backend::Context context(target, 0);
  Memory<Subject, Element, 4> y(target, marked(expected.shape()));
  Subject::Backend::sample_ground(context, picture, lens, view, poses, kMean, kStd, y.view());
  // Projections in float are within 2e-3 pixels (tests/camera); a pixel differs from the next by
  // 1 / 0.224 at most, values are below 3.
  const double tolerance = 2 * 2e-3 / 0.224 + 3.0 * Subject::kTolerance;
  const auto result = y.read(context);
  Index seen = 0;
  Index off = 0;
  for (Index i = 0; i < expected.size(); ++i) {
    const auto value = static_cast<double>(expected.data()[i]);
    seen += value != 0 ? 1 : 0;
    off += std::abs(static_cast<double>(result.data()[i]) - value) <= tolerance ? 0 : 1;
  }
  REQUIRE(seen > 0);
  REQUIRE(off <= expected.size() / 500);
}

template <class Subject>
void compare_standardized(const Shape<3>& shape, Weighting weighting, float offset) {
  using Element = typename Subject::Element;
  auto x = features("x", shape);
  for (Index i = 0; i < x.size(); ++i) {
    // The last channel is constant; positions without weight have no influence.
    const bool constant = shape[2] > 1 && i % shape[2] == shape[2] - 1;
    x.data()[i] = static_cast<float>(Element(constant ? 0.7f : x.data()[i] + offset));
  }
  const auto weights = weights_of(weighting, shape[0], shape[1]);
  ReferenceBackend::Context plain;
  Tensor<float, 3> expected(shape);
  ReferenceBackend::standardize(plain, x, weights, expected);
  for (const auto& target : Subject::targets()) {
    typename Subject::Backend::Context context(target, 0);
    Memory<Subject, Element, 3> input(target, x);
    Memory<Subject, Element, 3> y(target, marked(shape));
    Subject::Backend::standardize(context, input.const_view(), weights, y.view());
    const auto result = y.read(context);
    Subject::Backend::standardize(context, input.const_view(), weights, input.view());
    // Only one position has weight: the deviation is 0, and others are millions of deviations away.
    // The error of a mean is a rounding of the offset, of unit deviation.
    double size = 1;
    for (Index i = 0; i < expected.size(); ++i) {
      size = std::max(size, std::abs(static_cast<double>(expected.data()[i])));
    }
    const double tolerance =
        size * (2 * Subject::kTolerance + static_cast<double>(offset) * 0x1p-23);
    REQUIRE(worst_difference(result, expected) <= tolerance);
    REQUIRE(worst_difference(input.read(context), result) <= 0.0);
  }
}

template <class Subject>
void compare_scores(const Shape<3>& shape, const Shape<4>& shapes, Weighting weighting,
                    float factor = 1.0f) {
  using Element = typename Subject::Element;
  const auto tile = features_of<Element>("tile", shape, factor);
  const auto views = features_of<Element>("views", shapes);
  const auto weights = weights_of(weighting, shapes[1], shapes[2]);
  ReferenceBackend::Context plain;
  Tensor<float, 3> expected({shapes[0], shape[0], shape[1]});
  ReferenceBackend::correlate(plain, tile, views, weights, expected);
  // Scores are at most 1, and so is the sum of the sizes of the products over the energies. The
  // worst case is one rounding a term; typical is the root of that, plus some for the rest.
  const auto terms = static_cast<double>(shapes[1] * shapes[2] * shapes[3]);
  const double tolerance = (std::sqrt(terms) + 8) * 0x1p-23;
  for (const auto& target : Subject::targets()) {
    typename Subject::Backend::Context context(
        target, Subject::Backend::correlate_scratch_bytes(target, shape, shapes));
    Memory<Subject, Element, 3> tiles(target, tile);
    Memory<Subject, Element, 4> view(target, views);
    Memory<Subject, float, 3> scores(target, marked(expected.shape()));
    Subject::Backend::correlate(context, tiles.const_view(), view.const_view(), weights,
                                scores.view());
    REQUIRE(worst_difference(scores.read(context), expected) <= tolerance);
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("A view of the ground equals the reference", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  for (const Shape<2>& size : {Shape<2>{2, 4}, {8, 16}, {33, 67}, {256, 512}}) {
    for (const Index side : {1, 5, 33}) {
      for (const float heading : {0.0f, 90.0f, 37.3f, -200.0f}) {
        // The reference uses every pixel of a panorama.
        if (size[0] > 100 && (side > 5 || heading == 90.0f)) continue;
        const float height = heading == 90.0f ? 0.4f : 2.5f;
        CAPTURE(TestType::name(), to_string(size), side, heading, height);
        compare_sample<TestType>(size, {.side = side, .metres_per_pixel = 0.35f},
                                 {{height, heading}, {1.5f * height, heading + 11.0f}});
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A view of the ground is whole at the panorama's seam", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  // South of the camera, and headings that differ by parts of a column to both sides of it.
  for (const float heading : {0.0f, 360.0f, -720.0f, 2.6f, -2.6f, 1e-5f, -1e-5f, 22.5f}) {
    CAPTURE(TestType::name(), heading);
    compare_sample<TestType>({16, 67}, {.side = 5, .metres_per_pixel = 1.0f}, {{2.0f, heading}});
  }
}

TEMPLATE_LIST_TEST_CASE("A view of the ground from any camera equals the reference", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using camera::camera_of_field_of_view;
  using camera::Model;
  const std::vector<camera::Camera> cameras{
      camera_of_field_of_view(Model::kEquirectangular, 32, 64, 360),
      camera_of_field_of_view(Model::kCylindrical, 40, 80, 200),
      camera_of_field_of_view(Model::kPinhole, 48, 64, 90),
      camera_of_field_of_view(Model::kFisheye, 60, 60, 170)};
  for (const camera::Camera& camera : cameras) {
    for (const Pose& pose : {Pose{2.5f, 37.3f}, Pose{1.6f, -200.0f, 3.0f, -12.0f}}) {
      CAPTURE(TestType::name(), static_cast<int>(camera.model()), pose.heading_degrees);
      Pose other = pose;
      other.heading_degrees += 60;
      compare_camera<TestType>(camera, {.side = 21, .metres_per_pixel = 0.5f}, {pose, other});
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A standardized map equals the reference", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  for (const Shape<3>& shape :
       {Shape<3>{1, 1, 1}, {1, 1, 5}, {7, 5, 1}, {7, 5, 24}, {31, 33, 40}}) {
    for (const Weighting weighting : kWeightings) {
      // If a single position has weight, others reach millions.
      if (weighting == Weighting::corner && std::is_same_v<typename TestType::Element, float16> &&
          shape[0] > 1) {
        continue;
      }
      for (const float offset : {0.0f, 30.0f}) {
        CAPTURE(TestType::name(), to_string(shape), static_cast<int>(weighting), offset);
        compare_standardized<TestType>(shape, weighting, offset);
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Scores of views over a tile equal the reference", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  std::size_t index = 0;
  for (const Shape<2>& tile : {Shape<2>{1, 1}, {7, 5}, {31, 31}, {40, 23}}) {
    for (const Index channels : {1, 3, 24, 40}) {
      for (const Shape<2>& view : {Shape<2>{1, 1}, {3, 5}, {15, 15}}) {
        const Weighting weighting = kWeightings[index % std::size(kWeightings)];
        const Index k = index++ % 2 == 0 ? 3 : 1;
        CAPTURE(TestType::name(), to_string(tile), to_string(view), channels, k,
                static_cast<int>(weighting));
        compare_scores<TestType>({tile[0], tile[1], channels}, {k, view[0], view[1], channels},
                                 weighting);
      }
    }
  }
  for (const Weighting weighting : kWeightings) {
    CAPTURE(TestType::name(), static_cast<int>(weighting));
    compare_scores<TestType>({9, 20, 7}, {5, 5, 19, 7}, weighting);
    // Below the least energy.
    compare_scores<TestType>({9, 10, 7}, {2, 5, 5, 7}, weighting, 1e-3f);
    compare_scores<TestType>({9, 10, 7}, {2, 5, 5, 7}, weighting, 0.0f);
  }
}

TEMPLATE_LIST_TEST_CASE("A view of the ground refuses what does not fit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  const auto refuses = [&](const Tensor<std::uint8_t, 3>& panorama, const View& view,
                           const Shape<4>& shape, const Pose& pose = {2.0f, 0.0f}) {
    Memory<TestType, Element, 4> y(target, shape);
    const std::vector<Pose> poses{pose};
    REQUIRE_THROWS_AS(
        TestType::Backend::sample_ground(context, panorama, view, poses, kMean, kStd, y.view()),
        ShapeError);
  };
  const auto panorama = image("panorama", 4, 8);
  const View view{.side = 5, .metres_per_pixel = 1};
  refuses(panorama, view, {1, 5, 4, 3});
  refuses(panorama, view, {1, 3, 3, 3});
  refuses(panorama, view, {1, 5, 5, 4});
  refuses(panorama, view, {2, 5, 5, 3});
  refuses(image("low", 1, 8), view, {1, 5, 5, 3});
  refuses(image("narrow", 4, 1), view, {1, 5, 5, 3});
  refuses(Tensor<std::uint8_t, 3>({4, 8, 4}), view, {1, 5, 5, 3});
  refuses(panorama, {.side = 4, .metres_per_pixel = 1}, {1, 4, 4, 3});
  refuses(panorama, {.side = -1, .metres_per_pixel = 1}, {1, 1, 1, 3});
  refuses(panorama, {.side = 5, .metres_per_pixel = 0}, {1, 5, 5, 3});
  refuses(panorama, view, {1, 5, 5, 3}, {2.0f, std::nanf("")});
  refuses(panorama, view, {1, 5, 5, 3}, {HUGE_VALF, 0.0f});

  const std::vector<Pose> poses{{2.0f, 0.0f}};
  const camera::BasicCamera<float> larger(
      camera::camera_of_field_of_view(camera::Model::kPinhole, 4, 9, 90));
  Memory<TestType, Element, 4> of_camera(target, Shape<4>{1, 5, 5, 3});
  REQUIRE_THROWS_AS(TestType::Backend::sample_ground(context, panorama, larger, view, poses, kMean,
                                                     kStd, of_camera.view()),
                    ShapeError);
  Memory<TestType, Element, 4> wide(target, Shape<4>{1, 5, 5, 4});
  REQUIRE_THROWS_AS(TestType::Backend::sample_ground(context, panorama, view, poses, kMean, kStd,
                                                     wide.view().slice(3, 0, 3)),
                    ShapeError);
  Memory<TestType, Element, 4> y(target, Shape<4>{1, 5, 5, 3});
  const Tensor<std::uint8_t, 3> four({4, 8, 4});
  REQUIRE_THROWS_AS(TestType::Backend::sample_ground(context, four.view().slice(2, 0, 3), view,
                                                     poses, kMean, kStd, y.view()),
                    ShapeError);
}

TEMPLATE_LIST_TEST_CASE("Standardizing refuses what does not fit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  Memory<TestType, Element, 3> x(target, Shape<3>{4, 5, 8});
  Memory<TestType, Element, 3> y(target, Shape<3>{4, 5, 8});
  Memory<TestType, Element, 3> other(target, Shape<3>{4, 5, 7});
  Memory<TestType, Element, 3> wide(target, Shape<3>{4, 5, 9});
  const auto even = weights_of(Weighting::even, 4, 5);
  const auto refuses = [&](auto in, const Tensor<float, 2>& weights, auto out) {
    REQUIRE_THROWS_AS(TestType::Backend::standardize(context, in, weights, out), ShapeError);
  };
  refuses(x.const_view(), even, other.view());
  refuses(x.const_view(), weights_of(Weighting::even, 5, 4), y.view());
  refuses(wide.const_view().slice(2, 0, 8), even, y.view());
  refuses(x.const_view(), even, wide.view().slice(2, 0, 8));
  refuses(x.const_view(), Tensor<float, 2>({4, 5}), y.view());
}

TEMPLATE_LIST_TEST_CASE("Scores refuse what does not fit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const auto target = TestType::target();
  const auto bytes = TestType::Backend::correlate_scratch_bytes(target, {6, 7, 4}, {2, 3, 5, 4});
  typename TestType::Backend::Context context(target, 2 * bytes);
  const auto refuses = [&](const Shape<3>& tile, const Shape<4>& views,
                           const Tensor<float, 2>& weights, const Shape<3>& scores) {
    Memory<TestType, Element, 3> t(target, tile);
    Memory<TestType, Element, 4> v(target, views);
    Memory<TestType, float, 3> s(target, scores);
    REQUIRE_THROWS_AS(
        TestType::Backend::correlate(context, t.const_view(), v.const_view(), weights, s.view()),
        ShapeError);
  };
  const auto even = [](Index h, Index w) { return weights_of(Weighting::even, h, w); };
  refuses({6, 7, 4}, {2, 4, 5, 4}, even(4, 5), {2, 6, 7});
  refuses({6, 7, 4}, {2, 3, 4, 4}, even(3, 4), {2, 6, 7});
  refuses({6, 7, 4}, {2, 3, 5, 3}, even(3, 5), {2, 6, 7});
  refuses({6, 7, 4}, {2, 3, 5, 4}, even(5, 3), {2, 6, 7});
  refuses({6, 7, 4}, {2, 3, 5, 4}, even(3, 5), {1, 6, 7});
  refuses({6, 7, 4}, {2, 3, 5, 4}, even(3, 5), {2, 7, 6});
  refuses({6, 0, 4}, {2, 3, 5, 4}, even(3, 5), {2, 6, 0});
  refuses({6, 7, 4}, {0, 3, 5, 4}, even(3, 5), {0, 6, 7});
  // No weight at all, or a negative one.
  refuses({6, 7, 4}, {2, 3, 5, 4}, Tensor<float, 2>({3, 5}), {2, 6, 7});
  auto negative = even(3, 5);
  negative(1, 2) = -0.5f;
  refuses({6, 7, 4}, {2, 3, 5, 4}, negative, {2, 6, 7});

  Memory<TestType, Element, 3> wide(target, Shape<3>{6, 7, 5});
  Memory<TestType, Element, 4> v(target, Shape<4>{2, 3, 5, 4});
  Memory<TestType, float, 3> s(target, Shape<3>{2, 6, 7});
  REQUIRE_THROWS_AS(TestType::Backend::correlate(context, wide.const_view().slice(2, 0, 4),
                                                 v.const_view(), even(3, 5), s.view()),
                    ShapeError);
}

}  // namespace crossfix::test::ground_test
