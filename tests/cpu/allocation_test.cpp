#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <vector>

#include "ops/subjects.hpp"
#include "support/allocation_counter.hpp"

namespace crossfix::test {
namespace {

/// Runs every operator once. `Element` views are made before.
template <class Subject>
struct EveryOperator {
  using Element = typename Subject::Element;
  using Backend = typename Subject::Backend;

  ops::ConvolutionSpecification spec{.in_channels = 64,
                                     .out_channels = 96,
                                     .kernel = 3,
                                     .padding = 1,
                                     .activation = ops::Activation::relu,
                                     .residual = true};
  typename Backend::Convolution convolution{Subject::target(),
                                            spec,
                                            features("w", Shape<4>{96, 64, 3, 3}),
                                            features("b", Shape<1>{96}),
                                            {1, 24, 24, 64}};
  typename Backend::DepthwiseConvolution depthwise{
      Subject::target(),
      {.channels = 64, .kernel = 3, .padding = 2, .dilation = 2},
      features("w", Shape<3>{64, 3, 3}),
      features("b", Shape<1>{64}),
      {1, 24, 24, 64}};
  typename Backend::Linear linear{Subject::target(),
                                  {.rows = 300, .in_features = 64, .out_features = 192},
                                  features("w", Shape<2>{192, 64}),
                                  features("t", Shape<2>{300, 192})};
  typename Backend::Projection projection{Subject::target(), features("w", Shape<2>{2, 64}),
                                          features("b", Shape<1>{2})};
  typename Backend::LayerNorm norm{Subject::target(), features("s", Shape<1>{64}),
                                   features("t", Shape<1>{64}), 1e-5f};
  typename Backend::Context context{
      Subject::target(),
      std::max({convolution.scratch_bytes(), depthwise.scratch_bytes(), linear.scratch_bytes(),
                Backend::attention_scratch_bytes(Subject::target(), 300, 300, 2, 32)})};
  Tensor<Element, 4> x = stored_as<Element>(features("x", Shape<4>{1, 24, 24, 64}));
  Tensor<Element, 4> y{{1, 24, 24, 96}};
  Tensor<Element, 4> filtered{{1, 24, 24, 64}};
  Tensor<Element, 4> pooled{{1, 12, 12, 64}};
  Tensor<Element, 2> tokens = stored_as<Element>(features("t", Shape<2>{300, 64}));
  Tensor<float, 2> exact = features("t", Shape<2>{300, 64});
  Tensor<Element, 2> fused{{300, 192}};
  Tensor<float, 2> values{{300, 2}};
  std::vector<float> outputs = std::vector<float>(
      static_cast<std::size_t>(ops::HeadOutputs<HostSpace>::element_count(2, 8)));
  Tensor<std::uint8_t, 3> picture = image("picture", 100, 70);
  Tensor<Element, 3> loaded{{32, 32, 3}};

  void run() {
    convolution(context, x, y, y);
    depthwise(context, x, filtered);
    linear(context, tokens, fused);
    projection(context, tokens, values);
    norm(context, exact, exact, exact, tokens);
    Backend::round(context, exact, tokens);
    Backend::decode(context, {outputs.data(), 2, 8}, {});
    const auto part = [this](Index which) {
      return TensorView<const Element, 4>(fused.data() + 64 * which, {1, 300, 2, 32},
                                          {300 * 192, 192, 32, 1});
    };
    const TensorView<Element, 4> out(tokens.data(), {1, 300, 2, 32});
    Backend::attention(context, part(0), part(1), part(2), out, 0.2f);
    Backend::max_pool(context, ops::PoolWindow::three, x, pooled);
    Backend::adaptive_max_pool(context, x, pooled);
    const float mean[3] = {0.5f, 0.5f, 0.5f};
    Backend::load_image(context, picture, mean, mean, loaded);
    Backend::read(context, tokens.view(), values_of_tokens.data());
  }
  std::vector<float> values_of_tokens = std::vector<float>(300 * 64);
};

}  // namespace

TEST_CASE("The allocation counter counts each function", "[cpu]") {
  if (!allocations_are_counted()) {
    WARN("skipped: a sanitizer brings its own allocator");
    return;
  }
  std::array<void*, 6> blocks{};
  std::size_t counted = 0;
  {
    const AllocationCounter counter;
    blocks[0] = std::malloc(10);
    blocks[1] = std::calloc(2, 10);
    blocks[2] = std::realloc(nullptr, 10);
    blocks[3] = std::aligned_alloc(64, 128);
    static_cast<void>(!posix_memalign(&blocks[4], 64, 128));
    blocks[5] = ::operator new(10);
    counted = counter.counts().own;
  }
  REQUIRE(counted == 6);
  ::operator delete(blocks[5]);
  for (std::size_t i = 0; i < 5; ++i) std::free(blocks[i]);
}

TEMPLATE_LIST_TEST_CASE("After the first pass no operator allocates", "[cpu]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  if (!allocations_are_counted()) {
    WARN("skipped: a sanitizer brings its own allocator");
    return;
  }
  EveryOperator<TestType> operators;
  operators.run();
  const AllocationCounter counter;
  operators.run();
  const AllocationCounts counts = counter.counts();
  CAPTURE(TestType::name(), counts.library);
  REQUIRE(counts.own == 0);
}

}  // namespace crossfix::test
