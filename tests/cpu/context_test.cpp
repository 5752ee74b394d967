#include <omp.h>

#include <catch2/catch.hpp>
#include <iostream>

#include "crossfix/cpu/backend.hpp"

namespace crossfix::test {

using cpu::InstructionSet;
using enum cpu::InstructionSet;

TEST_CASE("Instruction sets have names and an order", "[cpu]") {
  for (const auto set : {baseline, avx2, avx512, avx512_bf16}) {
    REQUIRE(cpu::instruction_set_of(cpu::name_of(set)) == set);
  }
  REQUIRE(!cpu::instruction_set_of("sse9"));
  REQUIRE(cpu::supports_bf16() == (cpu::best_instruction_set() == avx512_bf16));
}

TEST_CASE("A context runs the best instruction set, or the one asked for", "[cpu]") {
  const InstructionSet best = cpu::best_instruction_set();
  std::cout << "kernels of ours run on: " << cpu::name_of(best) << "\n";
  REQUIRE(cpu::ElementContext<float>({}, 0).instruction_set() == best);
  for (const auto set : {baseline, avx2, avx512, avx512_bf16}) {
    const cpu::Target target{.threads = 1, .instruction_set = set};
    if (set <= best) {
      REQUIRE(cpu::ElementContext<float>(target, 0).instruction_set() == set);
    } else {
      REQUIRE_THROWS_AS(cpu::ElementContext<float>(target, 0), DeviceError);
    }
  }
}

TEST_CASE("bf16 without the instructions is refused with a word on what to do", "[cpu]") {
  for (const auto set : {baseline, avx2, avx512}) {
    if (set > cpu::best_instruction_set()) continue;
    REQUIRE_THROWS_AS(cpu::ElementContext<bfloat16>({.instruction_set = set}, 0), DeviceError);
    REQUIRE_THROWS_WITH(cpu::ElementContext<bfloat16>({.instruction_set = set}, 0),
                        Catch::Contains("f32"));
  }
  if (cpu::supports_bf16()) {
    REQUIRE(cpu::ElementContext<bfloat16>({}, 0).instruction_set() == avx512_bf16);
  } else {
    REQUIRE_THROWS_AS(cpu::ElementContext<bfloat16>({}, 0), DeviceError);
  }
}

TEST_CASE("Threads: 0 means all, and the caller's own number is left alone", "[cpu]") {
  const int before = omp_get_max_threads();
  const ops::LinearSpecification spec{.rows = 8, .in_features = 4, .out_features = 2};
  const Tensor<float, 2> weights({2, 4});
  const Tensor<float, 2> bias({1, 2});
  const cpu::Target target{.threads = before + 3};
  const cpu::Backend<float>::Linear linear(target, spec, weights, bias);
  REQUIRE(omp_get_max_threads() == before);
  cpu::ElementContext<float> context(target, linear.scratch_bytes());
  const Tensor<float, 2> x({8, 4});
  Tensor<float, 2> y({8, 2});
  linear(context, x, y);
  REQUIRE(omp_get_max_threads() == before);
  REQUIRE_THROWS_AS(cpu::Backend<float>::Linear({.threads = -1}, spec, weights, bias), DeviceError);
  REQUIRE(cpu::ElementContext<float>({}, 0).threads() == cpu::available_threads());
  REQUIRE(cpu::ElementContext<float>({.threads = 3}, 0).threads() == 3);
  REQUIRE_THROWS_AS(cpu::ElementContext<float>({.threads = -1}, 0), DeviceError);
}

TEST_CASE("Scratch memory is aligned and its size is kept to", "[cpu]") {
  cpu::ElementContext<float> context({}, 1000);
  REQUIRE(reinterpret_cast<std::uintptr_t>(context.scratch(1000)) % 64 == 0);
  REQUIRE_THROWS_AS(context.scratch(1001), ShapeError);
  cpu::Arena arena({}, 100);
  REQUIRE(reinterpret_cast<std::uintptr_t>(arena.data()) % 64 == 0);
  for (int i = 0; i < 100; ++i) REQUIRE(arena.data()[i] == std::byte{0});
}

}  // namespace crossfix::test
