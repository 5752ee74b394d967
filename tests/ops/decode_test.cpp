#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <utility>
#include <vector>

#include "crossfix/ops/posterior.hpp"
#include "ops/subjects.hpp"

namespace crossfix::test::decode_test {
namespace {

using Outputs = ops::HeadOutputs<HostSpace>;

/// Outputs of the heads in host memory; every other value is poisoned.
struct Heads {
  Heads(Index batch, Index grid, float factor)
      : block({Index{1}, Outputs::element_count(batch, grid)}), outputs(block.data(), batch, grid) {
    std::fill_n(block.data(), block.size(), std::numeric_limits<float>::quiet_NaN());
    const auto logits = features("logits", outputs.logits().shape());
    const auto offsets = features("offsets", outputs.offsets().shape());
    std::transform(logits.data(), logits.data() + logits.size(), outputs.logits().data(),
                   [factor](float logit) { return factor * logit; });
    std::copy_n(offsets.data(), offsets.size(), outputs.offsets().data());
  }

  /// Decodes them with `Subject`.
  template <class Subject>
  void decode(const ops::Decoding& decoding) {
    const auto target = Subject::target();
    typename Subject::Backend::Context context(target, 0);
    Memory<Subject, float, 2> stored(target, block);
    Subject::Backend::decode(context,
                             ops::HeadOutputs<typename Subject::Backend::Space>(
                                 stored.view().data(), outputs.batch(), outputs.grid()),
                             decoding);
    const auto decoded = stored.read(context);
    std::copy_n(decoded.data(), decoded.size(), block.data());
  }

  Tensor<float, 2> block;
  Outputs outputs;
};

template <std::size_t Rank>
std::span<const float> row_of(const TensorView<float, Rank>& view, Index image) {
  const auto row = view[image];
  return {row.data(), static_cast<std::size_t>(row.size())};
}

}  // namespace

TEST_CASE("The decoder's outputs lie in one block without overlap", "[ops]") {
  const Heads heads(3, 5, 1.0f);
  const Outputs& o = heads.outputs;
  REQUIRE(o.block().size() == 3 * (8 + 4 * 25));
  const auto* fixes = reinterpret_cast<const float*>(o.fix().data());
  REQUIRE(fixes == o.block().data());
  REQUIRE(o.offsets().data() == fixes + 8 * o.fix().size());
  REQUIRE(o.logits().data() == o.offsets().data() + o.offsets().size());
  REQUIRE(o.probability().data() == o.logits().data() + o.logits().size());
  REQUIRE(o.probability().data() + o.probability().size() == o.block().data() + o.block().size());
}

TEMPLATE_LIST_TEST_CASE("The heads' outputs are decoded as the reference decodes them", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  ReferenceBackend::Context plain;
  for (const auto& [batch, grid] : {std::pair<Index, Index>{1, 1}, {3, 7}, {5, 8}}) {
    for (const float factor : {0.0f, 1.0f, 12.0f}) {
      for (const ops::Decoding& decoding : {ops::Decoding{1.0, ops::FixRule::best_cell, true},
                                            ops::Decoding{0.3, ops::FixRule::neighbourhood, true},
                                            ops::Decoding{0.3, ops::FixRule::best_cell, false}}) {
        CAPTURE(TestType::name(), batch, grid, factor, decoding.temperature, decoding.sigmoid);
        Heads heads(batch, grid, factor);
        Heads expected(batch, grid, factor);
        heads.decode<TestType>(decoding);
        ReferenceBackend::decode(plain, expected.outputs, decoding);
        const auto close = [](const auto& a, const auto& b, double margin) {
          bool all = true;
          for (Index i = 0; i < b.size(); ++i) {
            all = all && std::abs(a.data()[i] - b.data()[i]) <= static_cast<float>(margin);
          }
          return all;
        };
        // Floats of at most 1, after some operations in float; logits up to 40 / temperature.
        REQUIRE(close(heads.outputs.offsets(), expected.outputs.offsets(), 1e-6));
        REQUIRE(close(heads.outputs.probability(), expected.outputs.probability(), 1e-5));
        REQUIRE(close(heads.outputs.logits(), expected.outputs.logits(), 0.0));
        for (Index image = 0; image < batch; ++image) {
          const ops::DecodedFix fix = heads.outputs.fix()(image);
          const ops::DecodedFix expected_fix = expected.outputs.fix()(image);
          REQUIRE(fix.cell == expected_fix.cell);
          REQUIRE(std::abs(fix.row - expected_fix.row) <= 2e-6F);
          REQUIRE(std::abs(fix.col - expected_fix.col) <= 2e-6F);
          // Points 1/128 of a cell apart give a variance that is too small by (1/128)^2 / 12;
          // squares of a grid of 8, in float, leave 1e-5.
          const auto [row_row, row_col, col_col] = fix.covariance;
          REQUIRE(std::abs(row_row - expected_fix.covariance.row_row) <= 5e-5F);
          REQUIRE(std::abs(row_col - expected_fix.covariance.row_col) <= 5e-5F);
          REQUIRE(std::abs(col_col - expected_fix.covariance.col_col) <= 5e-5F);
          REQUIRE(fix.padding == 0);
          // If a circle grows through cells of little mass, its radius says little; the test
          // measures the mass that it holds. It must be the smallest circle: a slightly smaller one
          // holds too little.
          const ops::Posterior posterior{row_of(heads.outputs.probability(), image),
                                         row_of(heads.outputs.offsets(), image), grid};
          const auto held = [&](double radius) {
            return ops::mass_within(posterior, static_cast<double>(fix.row),
                                    static_cast<double>(fix.col), radius);
          };
          const auto radius = static_cast<double>(fix.radius);
          REQUIRE(held(radius + 1e-4) >= ops::kRadiusShare);
          REQUIRE(held(radius - 1e-4) <= ops::kRadiusShare);
          REQUIRE(std::abs(held(static_cast<double>(expected_fix.radius)) - ops::kRadiusShare) <=
                  5e-3);  // of points 1/64 of a square apart
        }
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Of several largest logits the first is the fix", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  Heads heads(2, 32, 1.0f);
  for (const Index cell : {700, 33, 1023}) heads.outputs.logits()(1, cell) = 50.0f;
  heads.decode<TestType>({});
  const auto fix = heads.outputs.fix();
  REQUIRE(fix(1).cell == 33);
  REQUIRE(fix(0).cell != 33);
  REQUIRE(fix(1).row == 1.0f + heads.outputs.offsets()(1, 33, 0));
  REQUIRE(fix(1).col == 1.0f + heads.outputs.offsets()(1, 33, 1));
}

TEMPLATE_LIST_TEST_CASE("A posterior of NaN is no narrow one, and stays in its image", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  Heads heads(2, 8, 1.0f);
  heads.outputs.logits()(0, 5) = std::numeric_limits<float>::quiet_NaN();
  heads.decode<TestType>({});
  const auto fix = heads.outputs.fix();
  REQUIRE(std::isnan(fix(0).covariance.row_row));
  REQUIRE(!(fix(0).radius < 4.0f));
  REQUIRE(fix(1).radius < 8.0f);
  for (const float p : row_of(heads.outputs.probability(), 0)) REQUIRE(std::isnan(p));
  for (const float p : row_of(heads.outputs.probability(), 1)) REQUIRE(p <= 1.0f);
}

TEMPLATE_LIST_TEST_CASE("A decoder refuses a batch or a grid of none", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  Memory<TestType, float, 2> memory(target, Shape<2>{1, 8});
  const auto decode = [&](Index batch, Index grid) {
    TestType::Backend::decode(
        context,
        ops::HeadOutputs<typename TestType::Backend::Space>(memory.view().data(), batch, grid), {});
  };
  REQUIRE_THROWS_AS(decode(0, 8), ShapeError);
  REQUIRE_THROWS_AS(decode(1, 0), ShapeError);
}

}  // namespace crossfix::test::decode_test
