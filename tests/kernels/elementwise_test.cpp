#include "crossfix/cuda/elementwise.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "kernels/rows.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test::elementwise_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Equal, or both NaN.
bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

TEMPLATE_LIST_TEST_CASE("Rounding kernel: rows of any length and layout", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index columns : {1, 7, 64, 113, 256, 5000}) {
    for (const auto& [padding, start] :
         {std::pair<Index, Index>{(8 - columns % 8) % 8, 0}, {3, 1}}) {
      CAPTURE(columns, padding, start);
      Machine::set_seed(++seed);
      Rows<float> x(5, columns, columns + padding, start);
      Rows<TestType> z(5, columns, columns + padding, start);
      const auto values = features("x", Shape<2>{5, columns});
      fill(x, [&](Index i, Index j) { return values(i, j); });
      x(1, 0) = 1e30f;  // infinite in float16
      x(2, columns - 1) = kNan;
      x(3, 0) = 1e-7f;  // subnormal in float16
      cuda::round(Machine::stream(), Machine::device(), x.const_device(), z.device());
      z.fetch();
      for (Index i = 0; i < 5; ++i) {
        for (Index j = 0; j < columns; ++j) {
          REQUIRE(same(static_cast<float>(z(i, j)), static_cast<float>(TestType(x(i, j)))));
        }
      }
      REQUIRE(z.marks_hold());
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Clip kernel: rows of any length and layout, in place", "[kernels]",
                        Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index columns : {1, 7, 64, 113, 5000}) {
    for (const auto& [padding, start] :
         {std::pair<Index, Index>{(8 - columns % 8) % 8, 0}, {3, 1}}) {
      CAPTURE(columns, padding, start);
      Machine::set_seed(++seed);
      Rows<TestType> y(5, columns, columns + padding, start);
      const auto values = features("y", Shape<2>{5, columns});
      fill(y, [&](Index i, Index j) { return 4.0f * values(i, j); });
      y(1, 0) = TestType(std::numeric_limits<float>::infinity());
      y(2, columns - 1) = TestType(kNan);
      Tensor<float, 2> before({5, columns});
      for (Index i = 0; i < 5; ++i) {
        for (Index j = 0; j < columns; ++j) before(i, j) = static_cast<float>(y(i, j));
      }
      cuda::clip<TestType>(Machine::stream(), Machine::device(), y.device(), 6.0f);
      y.fetch();
      for (Index i = 0; i < 5; ++i) {
        for (Index j = 0; j < columns; ++j) {
          const float limited = before(i, j) > 6.0f ? 6.0f : before(i, j);
          REQUIRE(same(static_cast<float>(y(i, j)), limited));
        }
      }
      REQUIRE(y.marks_hold());
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Epilogue kernel: bias, residual and activation", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index channels : {1, 7, 24, 64, 113, 2048}) {
    for (const Index start : {0, 1}) {
      for (const auto activation :
           {ops::Activation::none, ops::Activation::relu, ops::Activation::relu6}) {
        for (const int kind : {0, 1, 2, 3}) {  // plain, added, in place of x, of r
          CAPTURE(channels, start, static_cast<int>(activation), kind);
          Machine::set_seed(++seed);
          // More pixels than one pass of the grid at few channels.
          const Shape<4> shape{2, 3, 5, channels};
          const Index size = element_count(shape);
          Rows<TestType> x(1, size, size, start), r(1, size, size, start), y(1, size, size, start);
          Rows<float> bias(1, channels, channels, start);
          const auto values = features("x", Shape<2>{3, size});
          fill(x, [&](Index, Index j) { return 4.0f * values(0, j); });  // some lie above 6
          fill(r, [&](Index, Index j) { return values(1, j); });
          fill(bias, [&](Index, Index j) { return values(2, j); });
          x(0, size / 2) = TestType(kNan);
          Tensor<float, 1> expected({size});
          for (Index i = 0; i < size; ++i) {
            float sum = static_cast<float>(x(0, i)) + bias(0, i % channels);
            if (kind != 0) sum += static_cast<float>(r(0, i));
            if (activation != ops::Activation::none && sum < 0.0f) sum = 0.0f;
            if (activation == ops::Activation::relu6 && sum > 6.0f) sum = 6.0f;
            expected(i) = static_cast<float>(TestType(sum));
          }
          Rows<TestType>& out = kind == 2 ? x : kind == 3 ? r : y;
          const auto as_image = [&](auto view) { return view[0].reshape(shape); };
          auto device = Machine::device();
          device.multiprocessors = 1;
          if (kind == 0) {
            cuda::bias_activation(Machine::stream(), device, as_image(x.const_device()),
                                  bias.const_vector(), activation, as_image(out.device()));
          } else {
            cuda::bias_residual_activation(Machine::stream(), device, as_image(x.const_device()),
                                           as_image(r.const_device()), bias.const_vector(),
                                           activation, as_image(out.device()));
          }
          out.fetch();
          for (Index i = 0; i < size; ++i) {
            REQUIRE(same(static_cast<float>(out(0, i)), expected(i)));
          }
          REQUIRE(out.marks_hold());
        }
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Projection kernel: one to four outputs in float", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index in : {1, 7, 64, 113, 256, 1000}) {
    for (const Index out : {1, 2, 3, 4}) {
      for (const auto& [padding, start] : {std::pair<Index, Index>{(8 - in % 8) % 8, 0}, {3, 1}}) {
        CAPTURE(in, out, padding, start);
        Machine::set_seed(++seed);
        Rows<TestType> x(13, in, in + padding, start);
        Rows<float> weights(out, in, in, 0), bias(1, out, out, 1), y(13, out, out + 2, 1);
        const auto values = features("x", Shape<2>{13, in});
        const auto w = features("weights", Shape<2>{out, in});
        fill(x, [&](Index i, Index j) { return values(i, j); });
        fill(weights, [&](Index i, Index j) { return w(i, j); });
        fill(bias, [&](Index, Index j) { return values(j, 0); });
        cuda::projection(Machine::stream(), Machine::device(), x.const_device(),
                         weights.const_device(), bias.const_vector(), y.device());
        y.fetch();
        double worst = 0;
        for (Index i = 0; i < 13; ++i) {
          for (Index o = 0; o < out; ++o) {
            double sum = static_cast<double>(bias(0, o));
            double size = std::abs(sum);
            for (Index c = 0; c < in; ++c) {
              const double product = static_cast<double>(static_cast<float>(x(i, c))) *
                                     static_cast<double>(weights(o, c));
              sum += product;
              size += std::abs(product);
            }
            // A lane sums up to 32 products one after another, then a tree of six.
            worst = worse(worst, error_share(y(i, o), sum, 40 * 0x1p-24 * size));
          }
        }
        REQUIRE(worst <= 1.0);
        REQUIRE(y.marks_hold());
      }
    }
  }
}

TEST_CASE("Elementwise kernels: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  Rows<float> x(6, 8, 8, 0), tall(7, 8, 8, 0), c(1, 8, 8, 0), five(5, 8, 8, 0), y(6, 5, 5, 0);
  const auto stream = Machine::stream();
  CHECK_THROWS_AS(cuda::round<float>(stream, kH200, x.const_device(), tall.device()), ShapeError);
  CHECK_THROWS_AS(cuda::projection<float>(stream, kH200, x.const_device(), five.const_device(),
                                          c.const_vector(), y.device()),
                  ShapeError);
  CHECK_THROWS_AS(cuda::projection<float>(stream, kH200, x.const_device(), c.const_device(),
                                          c.const_vector(), y.device()),
                  ShapeError);
  const TensorView<float, 4, DeviceSpace> image(x.device().data(), {1, 2, 3, 8});
  const TensorView<float, 4, DeviceSpace> other(x.device().data(), {1, 2, 3, 4});
  CHECK_THROWS_AS(cuda::bias_activation<float>(stream, kH200, image, y.const_vector(),
                                               ops::Activation::none, image),
                  ShapeError);
  CHECK_THROWS_AS(cuda::bias_activation<float>(stream, kH200, image, c.const_vector(),
                                               ops::Activation::none, other),
                  ShapeError);
  CHECK_THROWS_AS(cuda::bias_residual_activation<float>(
                      stream, kH200, image, other, c.const_vector(), ops::Activation::none, image),
                  ShapeError);
}

}  // namespace crossfix::test::elementwise_test
