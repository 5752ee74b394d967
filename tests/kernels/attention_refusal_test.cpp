#include <catch2/catch.hpp>
#include <functional>

#include "crossfix/core/error.hpp"
#include "crossfix/cuda/attention.hpp"
#include "kernels/machine.hpp"

namespace crossfix::test::attention_refusal_test {
namespace {

using cuda::AttentionKernel;

constexpr cuda::DeviceTraits kTuring{75, 72, 64 * 1024};
constexpr cuda::DeviceTraits kA100{80, 108, 163 * 1024};

/// A valid call, in which a test changes one thing. No kernel runs, so addresses need not be real.
template <class T>
struct Call {
  alignas(16) static inline T memory[64] = {};
  static T* at(Index elements) { return memory + elements; }

  struct Operand {
    T* data = memory;
    Shape<4> shape, strides;
    Operand(const Shape<4>& s) : shape(s), strides(contiguous_strides(s)) {}  // NOLINT
  };
  Operand q = Shape<4>{2, 3, 4, 32};
  Operand k = Shape<4>{2, 5, 4, 32};
  Operand v = Shape<4>{2, 5, 4, 32};
  Operand o = Shape<4>{2, 3, 4, 32};

  void run(const cuda::DeviceTraits& device,
           AttentionKernel kernel = AttentionKernel::automatic) const {
    using In = TensorView<const T, 4, DeviceSpace>;
    cuda::attention<T>(Machine::stream(), device, In(q.data, q.shape, q.strides),
                       In(k.data, k.shape, k.strides), In(v.data, v.shape, v.strides),
                       {o.data, o.shape, o.strides}, 1.0f, kernel);
  }
};

/// The message of the Error that the changed call throws.
template <class Error, class T>
std::string refusal(const std::function<void(Call<T>&)>& change,
                    AttentionKernel kernel = AttentionKernel::automatic,
                    const cuda::DeviceTraits& device = kA100) {
  Call<T> call;
  change(call);
  try {
    call.run(device, kernel);
  } catch (const Error& error) {
    return error.what();
  }
  return "(taken)";
}

template <class T>
void unchanged(Call<T>&) {}

using Catch::Contains;

}  // namespace

TEST_CASE("Attention refuses extents that disagree", "[attention]") {
  using C = Call<bfloat16>;
  CHECK_THAT((refusal<ShapeError, bfloat16>([](C& c) { c.k.shape[3] = c.v.shape[3] = 16; })),
             Contains("keys has shape [2, 5, 4, 16], expected [2, 5, 4, 32]"));
  CHECK_THAT((refusal<ShapeError, bfloat16>([](C& c) { c.v.shape[1] = 4; })),
             Contains("values has shape"));
  CHECK_THAT((refusal<ShapeError, bfloat16>([](C& c) { c.o.shape[1] = 4; })),
             Contains("output has shape"));
  CHECK_THAT((refusal<ShapeError, bfloat16>([](C& c) { c.k.strides[3] = 2; })),
             Contains("keys") && Contains("contiguous along their last axis"));
}

TEST_CASE("Attention refuses a log-sum-exp of another shape", "[attention]") {
  const Call<bfloat16> call;
  using In = TensorView<const bfloat16, 4, DeviceSpace>;
  float lse[64];
  for (const Shape<3>& shape : {Shape<3>{2, 3, 3}, Shape<3>{2, 4, 3}, Shape<3>{1, 3, 4}}) {
    CHECK_THROWS_AS(
        cuda::attention<bfloat16>(Machine::stream(), kA100, In(call.q.data, call.q.shape),
                                  In(call.k.data, call.k.shape), In(call.v.data, call.v.shape),
                                  {call.o.data, call.o.shape}, {lse, shape}, 1.0f),
        ShapeError);
  }
}

TEST_CASE("Attention refuses head dimensions that its kernel does not take", "[attention]") {
  const auto of_dim = [](Index dim) {
    return [dim](auto& c) {
      for (auto* operand : {&c.q, &c.k, &c.v, &c.o}) {
        operand->shape[3] = dim;
        operand->strides = contiguous_strides(operand->shape);
      }
    };
  };
  for (Index dim : {8, 40, 256}) {
    CHECK_THAT((refusal<ShapeError, bfloat16>(of_dim(dim))),
               Contains("16, 32, 64 and 128") && Contains(std::to_string(dim)));
    CHECK_THAT((refusal<ShapeError, float16>(of_dim(dim))), Contains("16, 32, 64 and 128"));
  }
  CHECK_THAT((refusal<ShapeError, float>(of_dim(129))), Contains("up to 128"));
}

TEST_CASE("Attention says which view is misaligned, and how", "[attention]") {
  using C = Call<bfloat16>;
  const auto message = [](const std::function<void(C&)>& change) {
    return refusal<ShapeError, bfloat16>(change);
  };
  CHECK_THAT(message([](C& c) { c.q.data = C::at(4); }),
             Contains("queries have an address that is no multiple of 16 bytes"));
  CHECK_THAT(message([](C& c) { c.k.strides[1] = 129; }),
             Contains("keys have a token stride") && Contains("129"));
  CHECK_THAT(message([](C& c) { c.v.strides[2] = 36; }), Contains("values have a head stride"));
  CHECK_THAT(message([](C& c) { c.v.strides[0] = 641; }), Contains("values have a batch stride"));
}

TEST_CASE("Attention refuses what no grid holds", "[attention]") {
  using C = Call<float>;
  constexpr Index kHuge = Index{1} << 40;
  CHECK_THAT((refusal<ShapeError, float>([](C& c) { c.q.shape[1] = c.o.shape[1] = kHuge; })),
             Contains("queries; at most"));
  CHECK_THAT((refusal<ShapeError, float>([](C& c) { c.k.shape[1] = c.v.shape[1] = kHuge; })),
             Contains("keys; at most"));
  CHECK_THAT((refusal<ShapeError, float>([](C& c) {
               for (auto* operand : {&c.q, &c.k, &c.v, &c.o}) operand->shape[0] = kHuge;
             })),
             Contains("blocks"));
}

TEST_CASE("Attention refuses a kernel for another element or device", "[attention]") {
  CHECK_THAT(
      (refusal<DeviceError, bfloat16>(unchanged<bfloat16>, AttentionKernel::automatic, kTuring)),
      Contains("8.0 or above") && Contains("7.5"));
  CHECK_THAT((refusal<DeviceError, float>(unchanged<float>, AttentionKernel::exact, kTuring)),
             Contains("8.0 or above"));
  CHECK_THAT((refusal<ShapeError, bfloat16>(unchanged<bfloat16>, AttentionKernel::exact)),
             Contains("takes f32, not bf16"));
  for (AttentionKernel kernel : {AttentionKernel::ampere, AttentionKernel::hopper}) {
    CHECK_THAT((refusal<ShapeError, float>(unchanged<float>, kernel, kH200)), Contains("not f32"));
  }
}

TEST_CASE("Attention over no queries does nothing", "[attention]") {
  Call<bfloat16> call;
  call.q.shape[1] = call.o.shape[1] = 0;
  CHECK_NOTHROW(call.run(kA100));
}

}  // namespace crossfix::test::attention_refusal_test
