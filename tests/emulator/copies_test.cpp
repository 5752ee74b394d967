#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "emulator/hopper_fixture.hpp"

namespace crossfix::emulator::copies_test {
namespace {

constexpr std::uint64_t kSeeds = 3;
using device::Swizzle;

TEST_CASE("Device tensor copy: a box with its swizzle, zero outside the tensor") {
  constexpr Index kColumns = 72, kRows = 5, kHeads = 3, kBatch = 2;
  const auto tensor = random_elements<bfloat16>(kColumns * kRows * kHeads * kBatch, 1);
  // Axes: column, row, head, batch; heads lie inside a row's stride, as in a fused projection.
  const std::array<Index, 4> strides = {1, kColumns * kHeads, kColumns, kColumns * kHeads * kRows};
  const std::array<Index, 4> corner =
      GENERATE(std::array<Index, 4>{0, 0, 0, 0}, std::array<Index, 4>{0, 3, 1, 1},
               std::array<Index, 4>{-3, -2, 2, 0}, std::array<Index, 4>{64, 4, 2, 1},
               std::array<Index, 4>{0, 0, 3, 0}, std::array<Index, 4>{0, 0, 0, 2});
  const Swizzle swizzle = GENERATE(Swizzle::b32, Swizzle::b64, Swizzle::b128);
  const int columns = static_cast<int>(swizzle) / 2;
  constexpr int kBoxRows = 4, kBoxHeads = 2;
  const auto map = device::make_tensor_map({.base = tensor.data(),
                                            .dtype = Dtype::bf16,
                                            .extents = {kColumns, kRows, kHeads, kBatch},
                                            .strides = strides,
                                            .box = {columns, kBoxRows, kBoxHeads, 1},
                                            .swizzle = swizzle});
  const auto bytes = static_cast<std::uint32_t>(columns * kBoxRows * kBoxHeads * 2);
  launch(1, 32, 1024 + bytes, "kernel", [&] {
    auto& barrier = first_barrier(1);
    unsigned char* box = device::shared_memory() + 1024;
    if (threadIdx.x == 0) {
      device::barrier_arrive_expect(barrier, bytes);
      device::tensor_load_4d(box, map, barrier, static_cast<int>(corner[0]),
                             static_cast<int>(corner[1]), static_cast<int>(corner[2]),
                             static_cast<int>(corner[3]));
      CHECK(std::isnan(device::to_float(*reinterpret_cast<bfloat16*>(box))));
    }
    device::barrier_wait(barrier, 0);
    for (int i = static_cast<int>(threadIdx.x); i < columns * kBoxRows * kBoxHeads; i += 32) {
      const int c = i % columns;
      const std::array<Index, 4> at = {corner[0] + c, corner[1] + i / columns % kBoxRows,
                                       corner[2] + i / columns / kBoxRows, corner[3]};
      float expected = 0.0f;
      if (at[0] >= 0 && at[0] < kColumns && at[1] >= 0 && at[1] < kRows && at[2] < kHeads &&
          at[3] < kBatch) {
        const Index index = at[0] + at[1] * strides[1] + at[2] * strides[2] + at[3] * strides[3];
        expected = device::to_float(tensor[static_cast<std::size_t>(index)]);
      }
      // Rows of `span` bytes, whose 16-byte chunks are permuted by the number of the 128-byte row.
      const int span = 2 * columns;
      const int row = i / columns;
      const int key = row * span / 128 % (span / 16);
      const int byte = row * span + ((c * 2 / 16) ^ key) * 16 + c * 2 % 16;
      CHECK(device::to_float(*reinterpret_cast<bfloat16*>(box + byte)) == expected);
    }
  });
}

TEST_CASE("Device mbarrier: phases alternate, and a ring of stages keeps its order") {
  constexpr int kRounds = 6, kStages = 2;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    set_seed(seed);
    std::vector<int> taken;
    launch(1, 64, 1024, "kernel", [&] {
      auto* full = reinterpret_cast<device::Barrier*>(device::shared_memory());
      auto* empty = full + kStages;
      auto* values = reinterpret_cast<int*>(device::shared_memory() + 512);
      if (threadIdx.x == 0) {
        for (int i = 0; i < kStages; ++i) {
          device::barrier_init(full[i], 1);
          device::barrier_init(empty[i], 32);
        }
        device::fence_barrier_init();
      }
      __syncthreads();
      for (int round = 0; round < kRounds; ++round) {
        const int stage = round % kStages;
        const unsigned parity = static_cast<unsigned>(round / kStages) % 2;
        if (threadIdx.x == 0) {
          device::barrier_wait(empty[stage], parity ^ 1u);
          values[stage] = round;
          device::barrier_arrive(full[stage]);
        } else if (threadIdx.x >= 32) {
          device::barrier_wait(full[stage], parity);
          CHECK(values[stage] == round);
          if (threadIdx.x == 32) taken.push_back(values[stage]);
          device::barrier_arrive(empty[stage]);
        }
      }
    });
    CHECK(taken == std::vector<int>{0, 1, 2, 3, 4, 5});
  }
}

TEST_CASE("Device mbarrier: misuse is a fault") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    const auto barrier = [] { return reinterpret_cast<device::Barrier*>(device::shared_memory()); };
    CHECK_THAT(fault_of(32, 64, [&] { device::barrier_wait(*barrier(), 0); }),
               Catch::Contains("not initialised"));
    CHECK_THAT(fault_of(32, 64, [&] { device::barrier_wait(first_barrier(1), 0); }),
               Catch::Contains("deadlock") && Catch::Contains("lacks 1 arrivals and 0 bytes"));
    CHECK_THAT(fault_of(32, 64,
                        [&] {
                          device::barrier_arrive(first_barrier(32));
                          device::barrier_wait(*barrier(), 1);  // of the phase before: too early
                          device::barrier_wait(*barrier(), 0);
                          device::barrier_wait(*barrier(), 1);
                        }),
               Catch::Contains("deadlock") && Catch::Contains("end of phase 1"));
    CHECK_THAT(fault_of(32, 64,
                        [&] {
                          if (threadIdx.x < 2) device::barrier_init(*barrier(), 1);
                        }),
               Catch::Contains("second initialisation"));
    CHECK_THAT(fault_of(1, 64,
                        [&] {
                          auto& own = first_barrier(1);
                          own.state = 0;
                          device::barrier_arrive(own);
                        }),
               Catch::Contains("written over"));
    CHECK_THAT(fault_of(1, 64,
                        [&] {
                          auto& own = first_barrier(1);
                          device::barrier_arrive_expect(own, 16);
                          device::barrier_arrive(own);
                        }),
               Catch::Contains("one arrival too many"));
    CHECK_THAT(fault_of(1, 64, [&] { device::barrier_init(barrier()[8], 1); }),
               Catch::Contains("outside shared memory"));
  }
}

TEST_CASE("Device tensor copy: misuse is a fault") {
  const auto matrix = random_elements<bfloat16>(64 * 32, 2);
  const auto map = matrix_map(matrix, 32, 8, Swizzle::b64);
  constexpr std::uint32_t kBytes = 8 * 64;
  const auto with = [&](const std::function<void(device::Barrier&, unsigned char*)>& act) {
    return fault_of(1, 2048, [&] { act(first_barrier(1), device::shared_memory() + 1024); });
  };
  const auto load = [&](device::Barrier& barrier, void* to) {
    device::tensor_load_4d(to, map, barrier, 0, 0, 0, 0);
  };
  CHECK_THAT(with([&](auto& barrier, auto* box) {
               device::barrier_arrive_expect(barrier, kBytes + 16);
               load(barrier, box);
               device::barrier_wait(barrier, 0);
             }),
             Catch::Contains("lacks 0 arrivals and 16 bytes"));
  CHECK_THAT(with([&](auto& barrier, auto* box) {
               device::barrier_arrive_expect(barrier, kBytes);
               load(barrier, box);
             }),
             Catch::Contains("tensor copy under way"));
  CHECK_THAT(with([&](auto& barrier, auto* box) {
               load(barrier, box);
               load(barrier, box + 128);
             }),
             Catch::Contains("where another is under way"));
  CHECK_THAT(with([&](auto& barrier, auto* box) { load(barrier, box + 64); }),
             Catch::Contains("to shared offset 1088"));
  CHECK_THAT(with([&](auto& barrier, auto* box) { load(barrier, box + 1024 - 128); }),
             Catch::Contains("of 2048"));
  CHECK_THAT(with([&](auto& barrier, auto* box) {
               device::barrier_arrive_expect(barrier, kBytes);
               load(barrier, box);
               box[5] = 1;
               device::barrier_wait(barrier, 0);
             }),
             Catch::Contains("that a tensor copy was writing"));
  CHECK_THAT(fault_of(1, 2048,
                      [&] {
                        auto* own = reinterpret_cast<device::Barrier*>(device::shared_memory());
                        device::barrier_init(*own, 1);
                        load(*own, device::shared_memory() + 1024);
                      }),
             Catch::Contains("without a fence after its initialisation"));
  CHECK_THROWS_AS(matrix_map(random_elements<bfloat16>(64 * 36, 2), 36, 8, Swizzle::b64),
                  ShapeError);
}

TEST_CASE(
    "Device register limits: given back before they are taken, and never more than there are") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    // Three warpgroups: each starts with 65,536 / 384 = 168 registers a thread, rounded down to 8.
    const auto kernel = [](auto lower, auto increase) {
      return fault_of(384, 0, [&] {
        if (threadIdx.x < 128) {
          device::register_limit_decrease<decltype(lower)::value>();
        } else {
          device::register_limit_increase<decltype(increase)::value>();
        }
      });
    };
    using std::integral_constant;
    CHECK(kernel(integral_constant<int, 24>{}, integral_constant<int, 240>{}).empty());
    CHECK_THAT(kernel(integral_constant<int, 40>{}, integral_constant<int, 240>{}),
               Catch::Contains("deadlock") && Catch::Contains("setmaxnreg.inc"));
    CHECK_THAT(kernel(integral_constant<int, 176>{}, integral_constant<int, 168>{}),
               Catch::Contains("setmaxnreg.dec to 176 of a warp that has 168"));
    CHECK_THAT(kernel(integral_constant<int, 24>{}, integral_constant<int, 160>{}),
               Catch::Contains("setmaxnreg.inc to 160"));
    CHECK_THAT(kernel(integral_constant<int, 20>{}, integral_constant<int, 240>{}),
               Catch::Contains("no multiple of 8"));
    CHECK_THAT(fault_of(128, 0,
                        [] {
                          if (threadIdx.x < 32) device::register_limit_decrease<24>();
                        }),
               Catch::Contains("by some warps of a warpgroup alone"));
  }
}

}  // namespace
}  // namespace crossfix::emulator::copies_test
