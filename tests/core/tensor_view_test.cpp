#include "crossfix/core/tensor_view.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <numeric>

#include "crossfix/core/eigen.hpp"

using namespace crossfix;

namespace {

std::array<int, 24> counted() {
  std::array<int, 24> values{};
  std::iota(values.begin(), values.end(), 0);
  return values;
}

}  // namespace

TEST_CASE("a view of a shape is row-major without gaps") {
  auto values = counted();
  const TensorView<int, 3> view(values.data(), {2, 3, 4});
  CHECK(view.strides() == Shape<3>{12, 4, 1});
  CHECK(view.size() == 24);
  CHECK(view.is_contiguous());
  CHECK(view(1, 2, 3) == 23);
  CHECK(view(1, 0, 2) == 14);
  view(0, 1, 1) = -1;
  CHECK(values[5] == -1);
}

TEST_CASE("a view's strides may be anything") {
  auto values = counted();
  const TensorView<const int, 2> transposed(values.data(), {4, 6}, {1, 4});
  CHECK(transposed(3, 5) == 23);
  CHECK_FALSE(transposed.is_contiguous());
  const TensorView<const int, 2> backwards(values.data() + 23, {4, 6}, {-6, -1});
  CHECK(backwards(0, 0) == 23);
  CHECK(backwards(3, 5) == 0);
  const TensorView<const int, 2> repeated(values.data() + 7, {5, 3}, {0, 1});
  CHECK(repeated(0, 2) == repeated(4, 2));
  const TensorView<const int, 3> thin(values.data(), {1, 6, 1}, {99, 1, 77});
  CHECK(thin.is_contiguous());
}

TEST_CASE("slices and rows share the elements") {
  auto values = counted();
  const TensorView<int, 3> view(values.data(), {2, 3, 4});
  const auto middle = view.slice(2, 1, 3).slice(1, 1, 3);
  CHECK(middle.shape() == Shape<3>{2, 2, 2});
  CHECK_FALSE(middle.is_contiguous());
  CHECK(middle(1, 0, 0) == 17);
  CHECK(middle(1, 1, 1) == 22);
  middle(0, 0, 0) = 100;
  CHECK(values[5] == 100);
  CHECK(view[1](2, 3) == 23);
  CHECK(view[1][2].shape() == Shape<1>{4});
  CHECK(view.slice(0, 1, 1).empty());
  CHECK_THROWS_AS(view.slice(3, 0, 1), ShapeError);
  CHECK_THROWS_AS(view.slice(0, -1, 1), ShapeError);
  CHECK_THROWS_AS(view.slice(0, 1, 3), ShapeError);
  CHECK_THROWS_AS(view.slice(0, 2, 1), ShapeError);
  CHECK_THROWS_AS(view[2], ShapeError);
  CHECK_THROWS_AS(view[-1], ShapeError);
}

TEST_CASE("a view without gaps may be seen under another shape") {
  auto values = counted();
  const TensorView<int, 3> view(values.data(), {2, 3, 4});
  CHECK(view.reshape<2>({6, 4})(5, 0) == 20);
  CHECK(view.reshape<1>({24})(23) == 23);
  CHECK(view.slice(0, 1, 2).reshape<2>({4, 3})(0, 0) == 12);
  CHECK_THROWS_AS(view.reshape<2>({5, 5}), ShapeError);
  CHECK_THROWS_WITH(view.slice(2, 0, 2).reshape<1>({12}), Catch::Contains("gaps"));
}

TEST_CASE("a view of a negative extent is refused") {
  auto values = counted();
  CHECK_THROWS_AS((TensorView<int, 1>(values.data(), {-1})), ShapeError);
}

TEST_CASE("an empty view") {
  const TensorView<float, 2> view;
  CHECK(view.empty());
  CHECK(view.data() == nullptr);
  CHECK(view.shape() == Shape<2>{0, 0});
}

TEST_CASE("views convert where that is safe only") {
  using Mutable = TensorView<float, 2>;
  using Const = TensorView<const float, 2>;
  using OnDevice = TensorView<float, 2, DeviceSpace>;
  STATIC_REQUIRE(std::is_convertible_v<Mutable, Const>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Mutable, Const>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<OnDevice, Mutable>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Mutable, OnDevice>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Const, TensorView<double, 2>>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Const, TensorView<float, 3>>);
  STATIC_REQUIRE(std::is_invocable_v<Mutable, int, int>);
  STATIC_REQUIRE_FALSE(std::is_invocable_v<Mutable, int>);
  STATIC_REQUIRE_FALSE(std::is_invocable_v<OnDevice, int, int>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<OnDevice>);
}

TEST_CASE("a device view counts and slices without touching memory") {
  const TensorView<float, 2, DeviceSpace> view(nullptr, {4, 6});
  CHECK(view.offset(2, 3) == 15);
  CHECK(view.slice(1, 0, 3).shape() == Shape<2>{4, 3});
}

TEST_CASE("a matrix view maps to Eigen without a copy") {
  std::array<float, 12> values{};
  std::iota(values.begin(), values.end(), 0.0F);
  const TensorView<float, 2> view(values.data(), {3, 4});
  auto map = as_eigen(view);
  CHECK(map.data() == values.data());
  CHECK(map.rows() == 3);
  CHECK(map.cols() == 4);
  CHECK(map(2, 1) == 9);
  as_eigen(view.slice(1, 1, 3)) *= 2.0F;
  CHECK(values[8] == 8);
  CHECK(values[9] == 18);
  CHECK(values[11] == 11);
  const TensorView<const float, 2> constant = view;
  CHECK((as_eigen(constant) * as_eigen(constant).transpose()).rows() == 3);
  STATIC_REQUIRE(std::is_const_v<std::remove_pointer_t<decltype(as_eigen(constant).data())>>);
  const TensorView<float, 2> gaps(values.data(), {3, 2}, {4, 2});
  CHECK_THROWS_AS(as_eigen(gaps), ShapeError);
}

TEST_CASE("shapes") {
  STATIC_REQUIRE(element_count(Shape<3>{2, 3, 4}) == 24);
  STATIC_REQUIRE(element_count(Shape<2>{0, 4}) == 0);
  STATIC_REQUIRE(contiguous_strides(Shape<3>{2, 3, 4}) == Shape<3>{12, 4, 1});
  CHECK(to_string(Shape<3>{2, 3, 4}) == "[2, 3, 4]");
  CHECK_NOTHROW(expect_shape("x", Shape<1>{2}, Shape<1>{2}));
  CHECK_THROWS_WITH(expect_shape("x", Shape<1>{2}, Shape<1>{3}), "x has shape [2], expected [3]");
}
