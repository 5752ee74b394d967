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
  REQUIRE(cpu::ElementContext<float>(0).instruction_set() == best);
  for (const auto set : {baseline, avx2, avx512, avx512_bf16}) {
    const cpu::ContextOptions options{.threads = 1, .instruction_set = set};
    if (set <= best) {
      REQUIRE(cpu::ElementContext<float>(0, options).instruction_set() == set);
    } else {
      REQUIRE_THROWS_AS(cpu::ElementContext<float>(0, options), DeviceError);
    }
  }
}

TEST_CASE("bf16 without the instructions is refused with a word on what to do", "[cpu]") {
  for (const auto set : {baseline, avx2, avx512}) {
    if (set > cpu::best_instruction_set()) continue;
    REQUIRE_THROWS_AS(cpu::ElementContext<bfloat16>(0, {.instruction_set = set}), DeviceError);
    REQUIRE_THROWS_WITH(cpu::ElementContext<bfloat16>(0, {.instruction_set = set}),
                        Catch::Contains("f32"));
  }
  if (cpu::supports_bf16()) {
    REQUIRE(cpu::ElementContext<bfloat16>(0).instruction_set() == avx512_bf16);
  } else {
    REQUIRE_THROWS_AS(cpu::ElementContext<bfloat16>(0), DeviceError);
  }
}

TEST_CASE("Threads: 0 means all, a scope puts the former number back", "[cpu]") {
  const int before = omp_get_max_threads();
  {
    const cpu::ThreadScope scope(before + 3);
    REQUIRE(omp_get_max_threads() == before + 3);
    const cpu::ThreadScope inner(0);
    REQUIRE(omp_get_max_threads() == cpu::available_threads());
  }
  REQUIRE(omp_get_max_threads() == before);
  REQUIRE(cpu::ElementContext<float>(0).threads() == cpu::available_threads());
  REQUIRE(cpu::ElementContext<float>(0, {.threads = 3}).threads() == 3);
  REQUIRE_THROWS_AS(cpu::ElementContext<float>(0, {.threads = -1}), DeviceError);
}

TEST_CASE("Scratch memory is aligned and its size is kept to", "[cpu]") {
  cpu::ElementContext<float> context(1000);
  REQUIRE(reinterpret_cast<std::uintptr_t>(context.scratch(1000)) % 64 == 0);
  REQUIRE_THROWS_AS(context.scratch(1001), ShapeError);
  cpu::Arena arena(100);
  REQUIRE(reinterpret_cast<std::uintptr_t>(arena.data()) % 64 == 0);
  for (int i = 0; i < 100; ++i) REQUIRE(arena.data()[i] == std::byte{0});
}

}  // namespace crossfix::test
