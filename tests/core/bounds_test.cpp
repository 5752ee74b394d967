/// Element access is checked in debug builds. This file is compiled without NDEBUG in every build.
#include <array>
#include <catch2/catch.hpp>

#include "crossfix/core/tensor.hpp"

#ifdef NDEBUG
#error "compile this file without NDEBUG"
#endif

using namespace crossfix;

TEST_CASE("an index out of range throws, with the index and the shape") {
  std::array<int, 6> values{};
  const TensorView<int, 2> view(values.data(), {2, 3});
  CHECK(view(1, 2) == 0);
  CHECK_THROWS_WITH(view(2, 0), "index [2, 0] out of range of a tensor of shape [2, 3]");
  CHECK_THROWS_AS(view(0, 3), ShapeError);
  CHECK_THROWS_AS(view(-1, 0), ShapeError);
  CHECK_THROWS_AS(view.slice(1, 1, 3)(0, 2), ShapeError);
  const TensorView<int, 1> none;
  CHECK_THROWS_AS(none(0), ShapeError);
  const Tensor<int, 1> tensor({4});
  CHECK_THROWS_AS(tensor(4), ShapeError);
}
