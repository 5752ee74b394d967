#include <algorithm>
#include <catch2/catch.hpp>
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

/// Tokens [rows, d] of a workspace as floats.
template <class Element>
std::vector<float> to_floats(TensorView<Element, 2> view) {
  std::vector<float> values;
  for (Index r = 0; r < view.extent(0); ++r) {
    for (Index c = 0; c < view.extent(1); ++c) values.push_back(static_cast<float>(view(r, c)));
  }
  return values;
}

template <class Element>
void fill(TensorView<Element, 2> view, const std::string& key) {
  const auto values = test::features<2>(key, view.shape());
  for (Index i = 0; i < view.size(); ++i) view.data()[i] = static_cast<Element>(values.data()[i]);
}

template <class B>
void check_network(const Case& test_case) {
  using Element = typename B::Element;
  using Bound = Bounds<Element>;
  const model::Configuration& c = test_case.configuration;
  const model::Network<B> network(test::generated_parameters(), c, 1);
  typename model::Network<B>::Workspace work(
      network, cpu::ContextOptions{.threads = 0, .instruction_set = {}});
  const std::string name = test_case.name;
  CAPTURE(name);

  const test::Golden golden(name);
  network.load_satellite(work, 0,
                         test::image("image/satellite", c.satellite_size, c.satellite_size));
  network.load_ground(work, 0, test::image("image/ground", c.ground_size[0], c.ground_size[1]));
  network.extract_satellite(work);
  network.extract_ground(work);
  CHECK(golden.error("tokens.satellite", to_floats(network.satellite_tokens(work))) <= Bound::kRaw);
  CHECK(golden.error("tokens.ground", to_floats(network.ground_tokens(work))) <= Bound::kRaw);
  network.fuse(work);
  CHECK(golden.error("fused", to_floats(network.satellite_tokens(work))) <= Bound::kRaw);
  const auto cells = static_cast<std::size_t>(c.satellite_tokens());
  std::vector<float> logits(cells);
  std::vector<float> offsets(2 * cells);
  network.decode(work, logits, offsets);
  CHECK(golden.error("logits", logits) <= Bound::kRaw);
  CHECK(golden.error("logits", logits, true) <= Bound::kCentred);
  CHECK(golden.error("offsets", offsets) <= Bound::kRaw);

  // Random trunks give nearly constant tokens, on which fusion is blind: varied ones beside them.
  const test::Golden fusion(name + "_fusion");
  fill(network.satellite_tokens(work), "fusion/satellite");
  fill(network.ground_tokens(work), "fusion/ground");
  network.encode_layer(work, 0);
  CHECK(fusion.error("layer0.satellite", to_floats(network.satellite_tokens(work))) <=
        Bound::kFusion);
  CHECK(fusion.error("layer0.ground", to_floats(network.ground_tokens(work))) <= Bound::kFusion);
  fill(network.satellite_tokens(work), "fusion/satellite");
  fill(network.ground_tokens(work), "fusion/ground");
  network.fuse(work);
  CHECK(fusion.error("fused", to_floats(network.satellite_tokens(work))) <= Bound::kFusion);
}

}  // namespace

TEMPLATE_TEST_CASE("a small network equals the reference in PyTorch", "[golden]",
                   cpu::Backend<float>, cpu::Backend<bfloat16>) {
  if (!runs_here<TestType>()) return;
  check_network<TestType>({"tiny", test::tiny_configuration()});
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
  const model::Network<cpu::Backend<float>> network(test::generated_parameters(), {}, 1);
  CHECK(network.parameter_count() == 27093123);
}
