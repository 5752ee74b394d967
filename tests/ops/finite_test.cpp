#include "crossfix/ops/finite.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/tensor.hpp"

namespace crossfix::test::finite_test {

TEMPLATE_TEST_CASE("values that are not finite are found wherever they stand", "[ops]", float,
                   bfloat16) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kInfinity, -kInfinity, std::nanf("")}) {
    for (const Index at : {0, 7, 16, 40}) {
      Tensor<TestType, 2> values({1, 41});
      for (Index i = 0; i < 41; ++i) values(0, i) = TestType(i % 2 == 0 ? -3e38F : 3e38F);
      CHECK_NOTHROW(ops::expect_finite(values.view(), "stage"));
      values(0, at) = TestType(bad);
      CHECK_THROWS_WITH(ops::expect_finite(values.view(), "stage"),
                        Catch::Matchers::Contains("the stage overflows"));
    }
  }
}

TEMPLATE_TEST_CASE("features that are far too large are found in any image", "[ops]", float,
                   bfloat16) {
  for (const Index image : {0, 1, 2}) {
    Tensor<TestType, 4> features({3, 4, 5, 8});
    CHECK_NOTHROW(ops::expect_moderate(features.view(), "features"));
    for (const float bad : {-1e9F, 1e9F, std::nanf("")}) {
      for (Index row = 0; row < 4; ++row) features(image, row, Index{2}, Index{3}) = TestType(bad);
      CHECK_THROWS_AS(ops::expect_moderate(features.view(), "features"), NumberError);
    }
    for (Index row = 0; row < 4; ++row) features(image, row, Index{2}, Index{3}) = TestType(1e7F);
    CHECK_NOTHROW(ops::expect_moderate(features.view(), "features"));
  }
}

}  // namespace crossfix::test::finite_test
