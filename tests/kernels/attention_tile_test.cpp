#include <catch2/catch.hpp>
#include <cmath>

#include "crossfix/kernels/attention/ampere_launch.cuh"
#include "crossfix/kernels/attention/hopper_launch.cuh"
#include "kernels/machine.hpp"
#include "ops/compare.hpp"
#include "support/reference_backend.hpp"

namespace crossfix::test::attention_tile_test {
namespace {

using namespace kernels;

constexpr AmpereTile kSmall{
    .dim = 64, .warps = 2, .row_tiles = 2, .keys = 32, .blocks = 3, .keeps_queries = true};
constexpr HopperTile kNarrow{.dim = 64,
                             .consumers = 2,
                             .keys = 64,
                             .stages = 3,
                             .overlap = true,
                             .loader_registers = 24,
                             .consumer_registers = 240};

/// The relative error of attention on one sequence by `launch`, with a tile that the library does
/// not have.
template <class Launch>
double error(Index dim, const Launch& launch) {
  const Shape<4> shape{1, 150, 2, dim};
  const auto q = features_of<float16, 4>("q", shape);
  const auto k = features_of<float16, 4>("k", shape);
  const auto v = features_of<float16, 4>("v", shape);
  const Shape<4> strides = contiguous_strides(shape);
  const auto operand = [&](auto* data) {
    return AttentionOperand<std::remove_pointer_t<decltype(data)>>{data, strides[0], strides[1],
                                                                   strides[2]};
  };
  Machine::Memory<float16> a(stored_as<float16>(q)), b(stored_as<float16>(k)),
      c(stored_as<float16>(v));
  Tensor<float16, 4> o(shape);
  Machine::Memory<float16> d(o);
  launch(AttentionArguments<float16>{.q = operand(static_cast<const float16*>(a.data())),
                                     .k = operand(static_cast<const float16*>(b.data())),
                                     .v = operand(static_cast<const float16*>(c.data())),
                                     .o = operand(d.data()),
                                     .batch = 1,
                                     .heads = 2,
                                     .queries = 150,
                                     .keys = 150,
                                     .dim = static_cast<int>(dim),
                                     .scale = 0.2f});
  d.read(o);
  ReferenceBackend::Context plain;
  Tensor<float, 4> expected(shape);
  ReferenceBackend::attention(plain, q, k, v, expected, 0.2f);
  return relative_error<float16, 4>(o.view(), expected.view());
}

constexpr double kTolerance = 0x1p-11;  // as attention_subjects.hpp has it for float16

}  // namespace

TEST_CASE("Attention kernels take tiles and head dimensions that the library does not have",
          "[attention]") {
  for (const Index dim : {8, 40, 64}) {
    CAPTURE(dim);
    CHECK(error(dim, [](const auto& arguments) {
            launch_ampere<kSmall>(Machine::stream(), arguments);
          }) <= kTolerance);
  }
  CHECK(error(64, [](const auto& arguments) {
          launch_hopper<kNarrow>(Machine::stream(), Machine::device(), arguments);
        }) <= kTolerance);
}

TEST_CASE("Attention kernels refuse head dimensions that their tile does not take", "[attention]") {
  const auto ampere = [](const auto& arguments) {
    launch_ampere<kSmall>(Machine::stream(), arguments);
  };
  CHECK_THROWS_AS(error(12, ampere), ShapeError);
  CHECK_THROWS_AS(error(72, ampere), ShapeError);
  CHECK_THROWS_AS(error(32,
                        [](const auto& arguments) {
                          launch_hopper<kNarrow>(Machine::stream(), Machine::device(), arguments);
                        }),
                  ShapeError);
}

}  // namespace crossfix::test::attention_tile_test
