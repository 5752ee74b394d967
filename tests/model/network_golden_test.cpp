#include <algorithm>
#include <catch2/catch.hpp>
#include <span>
#include <string>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/model/network.hpp"
#include "support/golden.hpp"
#include "support/model_files.hpp"

using namespace crossfix;

namespace {

/// Bounds on relative L2 errors against the float64 reference in PyTorch. f32: rounding of sums of
/// some thousand terms through some eighty layers, measured 1e-6 to 1e-5. bf16: 8 bits of fraction,
/// 2^-9 a rounding, some tens of which add up in squares.
template <class Element>
struct Bounds;
template <>
struct Bounds<float> {
  static constexpr double kRaw = 2e-5;
  static constexpr double kCentred = 1e-3;
  static constexpr double kFusion = 1e-5;
};
template <>
struct Bounds<bfloat16> {
  static constexpr double kRaw = 2e-2;
  static constexpr double kCentred = 1e-1;
  static constexpr double kFusion = 2e-2;
};

template <class B>
bool runs_here() {
  return dtype_of<typename B::Element> != Dtype::bf16 || cpu::supports_bf16();
}

struct Case {
  const char* name;
  model::Configuration configuration;
};

model::Configuration robotcar() {
  model::Configuration c;
  c.satellite_size = 512;
  c.ground_size = {160, 240};
  return c;
}

/// All values of a view without gaps.
template <std::size_t Rank>
std::span<const float> all_of(const TensorView<float, Rank>& view) {
  return {view.data(), static_cast<std::size_t>(view.size())};
}

void fill(TensorView<float, 2> view, const std::string& key) {
  const auto values = test::features<2>(key, view.shape());
  std::copy_n(values.data(), values.size(), view.data());
}

/// `slack` widens the bounds.
template <class B>
void check_network(const Case& test_case, double slack = 1.0) {
  using Bound = Bounds<typename B::Element>;
  const model::Configuration& c = test_case.configuration;
  const model::Network<B> network({}, test::generated_parameters(), c, 1);
  typename model::Network<B>::Workspace work(network, {});
  const std::string name = test_case.name;
  CAPTURE(name);

  const test::Golden golden(name);
  network.load_satellite(work, 0,
                         test::image("image/satellite", c.satellite_size, c.satellite_size));
  network.load_ground(work, 0, test::image("image/ground", c.ground_size[0], c.ground_size[1]));
  network.extract_satellite(work);
  network.extract_ground(work);
  CHECK(golden.error("tokens.satellite", all_of(network.satellite_tokens(work))) <=
        slack * Bound::kRaw);
  CHECK(golden.error("tokens.ground", all_of(network.ground_tokens(work))) <= slack * Bound::kRaw);
  network.fuse(work);
  CHECK(golden.error("fused", all_of(network.satellite_tokens(work))) <= slack * Bound::kRaw);
  network.decode(work);
  std::vector<float> block(static_cast<std::size_t>(network.output_count()));
  const auto outputs = network.read(work, block.data());
  const auto logits = all_of(outputs.logits());
  CHECK(golden.error("logits", logits) <= slack * Bound::kRaw);
  CHECK(golden.error("logits", logits, true) <= slack * Bound::kCentred);
  CHECK(golden.error("offsets", all_of(outputs.offsets())) <= slack * Bound::kRaw);

  // Random trunks give nearly constant tokens, on which fusion is blind: varied ones beside them.
  const test::Golden fusion(name + "_fusion");
  fill(network.satellite_tokens(work), "fusion/satellite");
  fill(network.ground_tokens(work), "fusion/ground");
  network.encode_layer(work, 0);
  CHECK(fusion.error("layer0.satellite", all_of(network.satellite_tokens(work))) <=
        slack * Bound::kFusion);
  CHECK(fusion.error("layer0.ground", all_of(network.ground_tokens(work))) <=
        slack * Bound::kFusion);
  fill(network.satellite_tokens(work), "fusion/satellite");
  fill(network.ground_tokens(work), "fusion/ground");
  network.fuse(work);
  CHECK(fusion.error("fused", all_of(network.satellite_tokens(work))) <= slack * Bound::kFusion);
}

}  // namespace

TEMPLATE_TEST_CASE("a small network equals the reference in PyTorch", "[golden]",
                   cpu::Backend<float>, cpu::Backend<bfloat16>) {
  if (!runs_here<TestType>()) return;
  // A quarter of the channels: sums average a quarter of the roundings, which doubles the error.
  check_network<TestType>({"tiny", test::tiny_configuration()}, 2.0);
}

TEMPLATE_TEST_CASE("the network at VIGOR size equals the reference in PyTorch", "[golden][large]",
                   cpu::Backend<float>, cpu::Backend<bfloat16>) {
  if (!runs_here<TestType>()) return;
  check_network<TestType>({"vigor", {}});
}

TEMPLATE_TEST_CASE("the network at RobotCar size equals the reference in PyTorch",
                   "[golden][large]", cpu::Backend<float>, cpu::Backend<bfloat16>) {
  if (!runs_here<TestType>()) return;
  check_network<TestType>({"robotcar", robotcar()});
}

TEST_CASE("the reference network has 27.09 million parameters", "[network]") {
  const model::Network<cpu::Backend<float>> network({}, test::generated_parameters(), {}, 1);
  CHECK(network.parameter_count() == 27093123);
}
