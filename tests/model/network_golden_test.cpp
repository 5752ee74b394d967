#include "network_golden.hpp"

#include "baseline_golden.hpp"
#include "crossfix/cpu/backend.hpp"

namespace crossfix::test {
namespace {

template <class Element>
struct Cpu {
  using Backend = cpu::Backend<Element>;
  static cpu::Target target() { return {}; }
  static bool available() { return dtype_of<Element> != Dtype::bf16 || cpu::supports_bf16(); }
  static void write(const cpu::Target&, const TensorView<float, 2>& to, const float* from) {
    std::copy_n(from, to.size(), to.data());
  }
};

/// Leaves a test, with a message, if this machine lacks its precision.
#define CROSSFIX_NEED_PRECISION(Subject)                                  \
  if (!Subject::available()) {                                            \
    WARN("skipped: golden outputs in bf16: this CPU has no AVX512_BF16"); \
    return;                                                               \
  }

}  // namespace

TEMPLATE_TEST_CASE("a small network equals the reference in PyTorch", "[golden]", Cpu<float>,
                   Cpu<bfloat16>) {
  CROSSFIX_NEED_PRECISION(TestType);
  for (const Index batch : {1, 3, 32}) check_golden<TestType>(golden_tiny(), batch);
}

TEMPLATE_TEST_CASE("the network at VIGOR size equals the reference in PyTorch", "[golden][large]",
                   Cpu<float>, Cpu<bfloat16>) {
  CROSSFIX_NEED_PRECISION(TestType);
  for (const Index batch : {1, 3}) check_golden<TestType>(golden_vigor(), batch);
}

TEMPLATE_TEST_CASE("the network at RobotCar size equals the reference in PyTorch",
                   "[golden][large]", Cpu<float>, Cpu<bfloat16>) {
  CROSSFIX_NEED_PRECISION(TestType);
  check_golden<TestType>(golden_robotcar(), 1);
}

TEMPLATE_TEST_CASE("small baselines equal their twins in PyTorch", "[golden]", Cpu<float>,
                   Cpu<bfloat16>) {
  CROSSFIX_NEED_PRECISION(TestType);
  for (const Index batch : {1, 3}) check_baselines<TestType>(batch);
}

TEST_CASE("the small baselines have as many parameters as their twins", "[network]") {
  using Backend = cpu::Backend<float>;
  model::Configuration c = baseline_configuration(model::Family::mcc);
  c.backbone.planes = 16;
  c.satellite_size = c.grid = 256;
  c.ground_size = {80, 160};
  CHECK(model::MccNetwork<Backend>({}, generated_parameters(), c, 1).parameter_count() == 2679637);
  c.satellite_size = 128;
  CHECK(model::VigorBaselineNetwork<Backend>({}, generated_parameters(), c, 1).parameter_count() ==
        2108194);
}

TEST_CASE("the reference network has 27.09 million parameters", "[network]") {
  const model::Network<cpu::Backend<float>> network({}, generated_parameters(), {}, 1);
  CHECK(network.parameter_count() == 27093123);
}

}  // namespace crossfix::test
