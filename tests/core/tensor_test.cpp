#include "crossfix/core/tensor.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>

#include "crossfix/core/dtype.hpp"

using namespace crossfix;

namespace {

template <class T>
bool is_aligned(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % kHostAlignment == 0;
}

float sum(TensorView<const float, 2> view) {
  float total = 0;
  for (Index i = 0; i < view.extent(0); ++i) {
    for (Index j = 0; j < view.extent(1); ++j) total += view(i, j);
  }
  return total;
}

}  // namespace

TEST_CASE("a tensor is zeroed and aligned to 64 bytes, whatever its size") {
  for (Index size : {1, 3, 64, 1000, 4097}) {
    const Tensor<std::uint8_t, 1> bytes({size});
    const Tensor<bfloat16, 2> halves({size, 3});
    CHECK(is_aligned(bytes.data()));
    CHECK(is_aligned(halves.data()));
    CHECK(std::all_of(bytes.data(), bytes.data() + size, [](auto value) { return value == 0; }));
    CHECK(halves.size() == 3 * size);
  }
}

TEST_CASE("a tensor moves its memory and leaves nothing behind") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Tensor<float, 2>>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Tensor<float, 2>>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Tensor<float, 2>>);
  Tensor<float, 2> first({2, 3});
  first(1, 2) = 7;
  const float* memory = first.data();
  Tensor<float, 2> second = std::move(first);
  CHECK(second.data() == memory);
  CHECK(first.data() == nullptr);  // NOLINT(bugprone-use-after-move): that is what is tested
  CHECK(first.size() == 0);
  CHECK(first.view().empty());
  Tensor<float, 2> third({5, 5});
  third = std::move(second);
  CHECK(third.data() == memory);
  CHECK(third.shape() == Shape<2>{2, 3});
  CHECK(third(1, 2) == 7);
}

TEST_CASE("a clone has the same elements in memory of its own") {
  Tensor<float, 2> original({2, 2});
  original(1, 1) = 5;
  Tensor<float, 2> copy = original.clone();
  copy(0, 0) = 1;
  CHECK(copy(1, 1) == 5);
  CHECK(original(0, 0) == 0);
}

TEST_CASE("a tensor goes where a view is asked for") {
  Tensor<float, 2> tensor({2, 2});
  TensorView<float, 2> view = tensor;
  view(0, 1) = 3;
  CHECK(sum(tensor) == 3);
  const Tensor<float, 2>& constant = tensor;
  CHECK(sum(constant) == 3);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<const Tensor<float, 2>&, TensorView<float, 2>>);
  STATIC_REQUIRE_FALSE(
      std::is_convertible_v<Tensor<float, 2>&, TensorView<const float, 2, DeviceSpace>>);
}

TEST_CASE("tensors without elements, and shapes that are none") {
  const Tensor<float, 2> none;
  CHECK(none.size() == 0);
  const Tensor<float, 2> flat({0, 4});
  CHECK(flat.size() == 0);
  CHECK(flat.extent(1) == 4);
  CHECK(flat.clone().extent(1) == 4);
  CHECK_THROWS_AS((Tensor<float, 1>({-1})), ShapeError);
}
