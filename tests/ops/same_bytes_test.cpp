/// A pair's results must not depend on which others go through the network with it, or on the
/// number of threads: ranks and an interrupted run divide the work in other ways (docs/scale.md).
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "ops/subjects.hpp"

namespace crossfix::test::same_bytes_test {
namespace {

using ops::Activation;

constexpr Index kMostImages = 8;
constexpr int kMostThreads = 4;

/// The images of a batch, all different; image i is the same in every batch.
template <std::size_t Rank>
Tensor<float, Rank> batch_of(const Tensor<float, Rank>& all, Index images) {
  Shape<Rank> shape = all.shape();
  shape[0] = shape[0] / kMostImages * images;
  Tensor<float, Rank> some(shape);
  std::copy_n(all.data(), some.size(), some.data());
  return some;
}

/// Checks that `run(images, threads)`, whose first dimension is that of the images, gives each
/// image the same bytes.
void check_same_bytes(const auto& run) {
  const auto expected = run(kMostImages, 1);
  for (int threads = 1; threads <= kMostThreads; ++threads) {
    for (Index images = 1; images <= kMostImages; ++images) {
      const auto y = run(images, threads);
      const auto bytes = static_cast<std::size_t>(y.size()) * sizeof(float);
      INFO(images << " images, " << threads << " threads");
      CHECK(std::memcmp(y.data(), expected.data(), bytes) == 0);
    }
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("A convolution gives the same bytes in any batch, on any threads", "[ops]",
                        MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const std::pair<ops::ConvolutionSpecification, Shape<2>> cases[] = {
      {{.in_channels = 3, .out_channels = 32, .kernel = 7, .stride = 2, .padding = 3}, {40, 24}},
      {{.in_channels = 64, .out_channels = 64, .kernel = 3, .padding = 1}, {16, 16}},
      {{.in_channels = 64, .out_channels = 64, .kernel = 3, .padding = 1}, {32, 16}},
      {{.in_channels = 128, .out_channels = 128, .kernel = 3, .padding = 1}, {16, 32}},
      {{.in_channels = 64, .out_channels = 64, .kernel = 3, .padding = 1}, {10, 20}},
      {{.in_channels = 32, .out_channels = 32, .kernel = 3, .padding = 2, .dilation = 2}, {16, 16}},
      {{.in_channels = 64, .out_channels = 128, .kernel = 3, .stride = 2, .padding = 1}, {20, 12}},
      {{.in_channels = 512, .out_channels = 128}, {16, 16}},
      {{.in_channels = 128, .out_channels = 512, .residual = true}, {10, 20}},
      {{.in_channels = 1024, .out_channels = 256, .activation = Activation::relu}, {8, 8}},
      {{.in_channels = 128, .out_channels = 256, .stride = 2}, {20, 40}},
      {{.in_channels = 24, .out_channels = 40, .activation = Activation::relu6}, {13, 7}},
  };
  for (const auto& [spec, size] : cases) {
    CAPTURE(TestType::name(), spec.in_channels, spec.out_channels, spec.kernel, spec.stride,
            size[0], size[1]);
    const auto weights = features_of<Element, 4>(
        "weights", {spec.out_channels, spec.in_channels, spec.kernel, spec.kernel}, 0.1F);
    const auto bias = features("bias", Shape<1>{spec.out_channels});
    const auto all =
        features_of<Element, 4>("x", {kMostImages, size[0], size[1], spec.in_channels});
    const auto residual = features_of<Element, 4>("r", spec.output_shape(all.shape()));
    check_same_bytes([&, &spec = spec](Index images, int threads) {
      const auto target = TestType::target(threads);
      const auto x = batch_of(all, images);
      const Shape<4> shape = spec.output_shape(x.shape());
      const typename Backend::Convolution convolution(target, spec, weights, bias, x.shape());
      typename Backend::Context context(target, convolution.scratch_bytes());
      const Memory<TestType, Element, 4> in(target, x);
      Memory<TestType, Element, 4> out(target, shape);
      if (spec.residual) {
        const Memory<TestType, Element, 4> added(target, batch_of(residual, images));
        convolution(context, in.const_view(), added.const_view(), out.view());
      } else {
        convolution(context, in.const_view(), out.view());
      }
      return out.read(context);
    });
  }
}

TEMPLATE_LIST_TEST_CASE("A matrix product gives the same bytes in any batch, on any threads",
                        "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  if (TestType::target().library == onednn && cpu::best_instruction_set() < avx512) {
    WARN("skipped: without AVX-512 oneDNN divides sums by the number of threads");
    return;
  }
  struct Case {
    Index tokens, in, out;
    bool positions;  ///< a table with a row for each token
  };
  const Case cases[] = {{1, 256, 512, false},  {16, 512, 64, false},   {64, 128, 128, false},
                        {200, 128, 384, true}, {256, 128, 512, false}, {256, 512, 128, false},
                        {121, 600, 40, false}, {256, 1024, 256, false}};
  for (const auto& [tokens, in, out, positions] : cases) {
    CAPTURE(TestType::name(), tokens, in, out, positions);
    const auto weights = features_of<Element, 2>("weights", {out, in}, 0.1F);
    const auto table = features("table", Shape<2>{positions ? tokens : 1, out});
    const auto all = features_of<Element, 2>("x", {kMostImages * tokens, in});
    check_same_bytes([&, tokens = tokens, in = in, out = out](Index images, int threads) {
      const auto target = TestType::target(threads);
      const typename Backend::FloatLinear linear(
          target, {images * tokens, in, out, Activation::relu}, weights, table);
      typename Backend::Context context(target, linear.scratch_bytes());
      const Memory<TestType, Element, 2> x(target, batch_of(all, images));
      Memory<TestType, float, 2> y(target, Shape<2>{images * tokens, out});
      linear(context, x.const_view(), y.view());
      return y.read(context);
    });
  }
}

}  // namespace crossfix::test::same_bytes_test
