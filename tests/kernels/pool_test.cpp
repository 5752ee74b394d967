#include "crossfix/cuda/pool.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "kernels/machine.hpp"
#include "support/counter_generator.hpp"
#include "support/reference_backend.hpp"

namespace crossfix::test::pool_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;

/// NHWC activations, `start` elements into marked memory.
template <class Element>
struct Activations {
  static constexpr Index kGuard = 32;
  Shape<4> shape;
  Index first;
  Tensor<Element, 1> memory;

  Activations(const Shape<4>& s, Index start)
      : shape(s), first(kGuard + start), memory({first + element_count(s) + kGuard}) {
    for (Index i = 0; i < memory.size(); ++i) memory.data()[i] = Element(42.0f);
  }
  TensorView<Element, 4> view() { return {memory.data() + first, shape}; }
  bool marks_hold() const {
    bool hold = true;
    for (Index i = 0; i < memory.size(); ++i) {
      const bool inside = i >= first && i < first + element_count(shape);
      hold = hold && (inside || static_cast<float>(memory.data()[i]) == 42.0f);
    }
    return hold;
  }
};

template <class Element>
bool same(const TensorView<Element, 4>& y, const Tensor<float, 4>& expected) {
  for (Index i = 0; i < expected.size(); ++i) {
    const auto a = static_cast<float>(y.data()[i]);
    const float b = expected.data()[i];
    if (a != b && !(std::isnan(a) && std::isnan(b))) return false;
  }
  return true;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("Pool kernels: equal to the reference to the bit", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  ReferenceBackend::Context plain({}, 0);
  std::uint64_t seed = 0;
  for (const Shape<4>& shape : {Shape<4>{1, 1, 1, 1}, Shape<4>{2, 7, 13, 24},
                                Shape<4>{1, 16, 8, 64}, Shape<4>{3, 5, 6, 113}}) {
    for (const Index start : {0, 1}) {
      CAPTURE(to_string(shape), start);
      Machine::set_seed(++seed);
      auto values = features("x", shape);
      for (Index i = 0; i < values.size(); ++i) {
        values.data()[i] = static_cast<float>(TestType(values.data()[i]));
      }
      values.data()[values.size() / 2] = std::numeric_limits<float>::quiet_NaN();
      values.data()[values.size() - 1] = -std::numeric_limits<float>::infinity();
      Activations<TestType> x(shape, start);
      for (Index i = 0; i < values.size(); ++i) x.view().data()[i] = TestType(values.data()[i]);
      Machine::Memory<TestType> placed_x(x.memory);
      const TensorView<const TestType, 4, DeviceSpace> device_x(placed_x.data() + x.first, shape);

      const Shape<4> halved{shape[0], ops::max_pool_extent(shape[1]),
                            ops::max_pool_extent(shape[2]), shape[3]};
      const Shape<4> fitted{shape[0], (shape[1] + 2) / 3, (shape[2] + 1) / 2, shape[3]};
      for (const bool adaptive : {false, true}) {
        const auto window = start == 0 ? ops::PoolWindow::three : ops::PoolWindow::two;
        const Shape<4>& to = adaptive ? fitted : halved;
        Tensor<float, 4> expected(to);
        Activations<TestType> y(to, start);
        Machine::Memory<TestType> placed_y(y.memory);
        const TensorView<TestType, 4, DeviceSpace> device_y(placed_y.data() + y.first, to);
        if (adaptive) {
          ReferenceBackend::adaptive_max_pool(plain, values, expected);
          cuda::adaptive_max_pool(Machine::stream(), Machine::device(), device_x, device_y);
        } else {
          ReferenceBackend::max_pool(plain, window, values, expected);
          cuda::max_pool(Machine::stream(), Machine::device(), window, device_x, device_y);
        }
        placed_y.read(y.memory);
        REQUIRE(same(y.view(), expected));
        REQUIRE(y.marks_hold());
      }
    }
  }
}

TEST_CASE("Pool kernels: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  float memory[256] = {};
  const auto x = [&](const Shape<4>& s) {
    return TensorView<const float, 4, DeviceSpace>(memory, s);
  };
  const auto y = [&](const Shape<4>& s) { return TensorView<float, 4, DeviceSpace>(memory, s); };
  const auto stream = Machine::stream();
  CHECK_THROWS_AS(
      cuda::max_pool(stream, kH200, ops::PoolWindow::two, x({1, 4, 4, 4}), y({1, 3, 2, 4})),
      ShapeError);
  CHECK_THROWS_AS(
      cuda::max_pool(stream, kH200, ops::PoolWindow::two, x({1, 4, 4, 4}), y({1, 2, 2, 3})),
      ShapeError);
  CHECK_THROWS_AS(cuda::adaptive_max_pool(stream, kH200, x({1, 2, 2, 4}), y({1, 3, 2, 4})),
                  ShapeError);
  CHECK_THROWS_AS(
      cuda::adaptive_max_pool(stream, kH200, x({1, 4, 4, 4}).slice(3, 0, 2), y({1, 2, 2, 2})),
      ShapeError);
}

}  // namespace crossfix::test::pool_test
