#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/scalar.cuh"
#include "emulator/fault_of.hpp"

namespace crossfix::emulator::language_test {
namespace {

constexpr std::uint64_t kSeeds = 4;

TEST_CASE("Emulator: every thread of every block runs once, in an order that the seed changes") {
  std::vector<std::vector<unsigned>> orders;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    std::vector<unsigned> order;
    launch(dim3(3, 2, 2), 33, 0, "kernel", [&] {
      REQUIRE(blockDim.x == 33);
      REQUIRE(gridDim.z == 2);
      order.push_back(((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) *
                          blockDim.x +
                      threadIdx.x);
    });
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(sorted.size() == 12 * 33);
    for (unsigned i = 0; i < sorted.size(); ++i) REQUIRE(sorted[i] == i);
    for (const auto& other : orders) CHECK(order != other);
    orders.push_back(order);
  }
}

TEST_CASE("Emulator: shared memory starts as NaN and is seen by all after __syncthreads") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    std::vector<float> reversed(96, 0.0f);
    launch(2, 96, 96 * sizeof(float), "kernel", [&] {
      auto* shared = reinterpret_cast<float*>(device::shared_memory());
      REQUIRE(reinterpret_cast<std::uintptr_t>(shared) % 1024 == 0);
      const unsigned i = threadIdx.x;
      REQUIRE(std::isnan(shared[i]));
      shared[i] = static_cast<float>(i);
      __syncthreads();
      reversed[i] = shared[95 - i];
    });
    for (unsigned i = 0; i < 96; ++i) CHECK(reversed[i] == static_cast<float>(95 - i));
  }
}

TEST_CASE("Emulator: without __syncthreads some thread reads before the other wrote") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    unsigned poisoned = 0;
    launch(1, 96, 96 * sizeof(float), "kernel", [&] {
      auto* shared = reinterpret_cast<float*>(device::shared_memory());
      shared[threadIdx.x] = 1.0f;
      if (std::isnan(shared[95 - threadIdx.x])) ++poisoned;
    });
    CHECK(poisoned > 0);
  }
}

TEST_CASE("Emulator: some order lets a warp overtake the others") {
  // Each warp's sum goes through one slot twice: the second is written while slow threads still
  // read the first.
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    set_seed(seed);
    launch(1, 128, 4 * sizeof(int), "kernel", [&] {
      auto* shared = reinterpret_cast<int*>(device::shared_memory());
      const unsigned warp = threadIdx.x / 32;
      for (int round = 0; round < 2; ++round) {
        const int own = __shfl_sync(0xffffffffu, 10 * round + static_cast<int>(warp), 0);
        if (threadIdx.x % 32 == 0) shared[warp] = own;
        if (round == 0) __syncthreads();
        __syncwarp();
        if (round == 0 && shared[3 - warp] != static_cast<int>(3 - warp)) ++wrong;
      }
    });
  }
  CHECK(wrong > 0);
}

TEST_CASE("Emulator: shuffles and votes within a warp, and within parts of it") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    launch(1, 64, 0, "kernel", [] {
      constexpr unsigned kAll = 0xffffffffu;
      const int lane = static_cast<int>(threadIdx.x % 32);
      CHECK(__shfl_sync(kAll, lane * 10, 5) == 50);
      CHECK(__shfl_sync(kAll, lane, 1, 8) == (lane & ~7) + 1);
      CHECK(__shfl_xor_sync(kAll, static_cast<float>(lane), 3) == static_cast<float>(lane ^ 3));
      CHECK(__shfl_xor_sync(kAll, lane, 9, 8) == ((lane ^ 9) < (lane & ~7) + 8 ? lane ^ 9 : lane));
      CHECK(__shfl_down_sync(kAll, lane, 4u) == (lane < 28 ? lane + 4 : lane));
      CHECK(__shfl_up_sync(kAll, lane, 1u, 4) == (lane % 4 == 0 ? lane : lane - 1));
      CHECK(__ballot_sync(kAll, lane < 3) == 7u);
      CHECK(__any_sync(kAll, lane == 31) == 1);
      CHECK(__any_sync(kAll, 0) == 0);
      CHECK(__all_sync(kAll, lane >= 0) == 1);
      CHECK(__all_sync(kAll, lane != 7) == 0);
      if (lane < 16) {
        CHECK(__shfl_xor_sync(0x0000ffffu, static_cast<double>(lane), 1) == (lane ^ 1));
      } else {
        CHECK(__ballot_sync(0xffff0000u, 1) == 0xffff0000u);
      }
      __syncwarp();
    });
  }
}

TEST_CASE("Emulator: threads that returned are not waited for") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    int after = 0;
    launch(1, 96, 0, "kernel", [&] {
      if (threadIdx.x % 3 == 0) return;
      __syncthreads();
      __syncwarp();
      CHECK(__ballot_sync(0xffffffffu, 1) != 0xffffffffu);
      ++after;
    });
    CHECK(after == 64);
    CHECK_THAT(fault_of(32, 0,
                        [] {
                          if (threadIdx.x == 7) return;
                          __shfl_sync(0xffffffffu, 1, 7);
                        }),
               Catch::Contains("__shfl_sync reads lane 7"));
  }
}

TEST_CASE("Emulator: named barriers count threads") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    int first = 0;
    int second = 0;
    launch(1, 128, 0, "kernel", [&] {
      int& count = threadIdx.x < 64 ? first : second;
      const int barrier = threadIdx.x < 64 ? 1 : 2;
      ++count;
      device::named_barrier_sync(barrier, 64);
      CHECK(count == 64);
    });
    CHECK_THAT(
        fault_of(64, 0, [] { device::named_barrier_sync(3, threadIdx.x < 32 ? 32 : 64); }) +
            fault_of(64, 0, [] { device::named_barrier_sync(3, threadIdx.x % 2 == 0 ? 32 : 64); }),
        Catch::Contains("where others came for"));
    CHECK_THAT(fault_of(32, 0, [] { device::named_barrier_sync(16, 32); }),
               Catch::Contains("barrier 16"));
    CHECK_THAT(fault_of(32, 0, [] { device::named_barrier_sync(1, 33); }),
               Catch::Contains("barrier for 33 threads"));
  }
}

TEST_CASE("Emulator: whoever never comes is a deadlock that says who waits where") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    CHECK_THAT(fault_of(64, 0,
                        [] {
                          if (threadIdx.x == 40) {
                            device::named_barrier_sync(4, 64);
                          } else {
                            __syncthreads();
                          }
                        }),
               Catch::Contains("threads 40 wait at barrier 4, where 1 of 64 have come") &&
                   Catch::Contains("threads 0-39, 41-63 wait at __syncthreads"));
    CHECK_THAT(fault_of(32, 0,
                        [] {
                          if (threadIdx.x == 9) {
                            __syncthreads();
                          } else {
                            __syncwarp();
                          }
                        }),
               Catch::Contains("deadlock") && Catch::Contains("__syncwarp for lanes 9"));
    CHECK_THAT(fault_of(32, 0,
                        [] {
                          if (threadIdx.x == 9) {
                            __any_sync(0xffffffffu, 1);
                          } else {
                            __syncwarp();
                          }
                        }),
               Catch::Contains("while other lanes of the same mask are at"));
  }
}

TEST_CASE("Emulator: what a thread throws reaches the caller, and the next launch works") {
  const auto kernel = [] {
    const std::vector<int> held(100);  // freed, although the thread is never resumed
    if (threadIdx.x == 5) throw ShapeError("thread 5");
    __syncthreads();
  };
  CHECK_THROWS_AS(launch(2, 64, 64, "kernel", kernel), ShapeError);
  CHECK(fault_of(64, 0, [] { __syncthreads(); }).empty());
}

TEST_CASE("Emulator: launches that a device refuses") {
  CHECK_THAT(fault_of(0, 0, [] {}), Catch::Contains("0 threads"));
  CHECK_THAT(fault_of(1025, 0, [] {}), Catch::Contains("1025 threads"));
  CHECK_THAT(fault_of(1, 300000, [] {}), Catch::Contains("300000 bytes"));
  CHECK_THROWS_AS(launch(dim3(0), 1, 0, "kernel", [] {}), Fault);
  CHECK_THROWS_AS(launch(dim3(1, 70000), 1, 0, "kernel", [] {}), Fault);
  CHECK_THROWS_AS(__syncthreads(), Fault);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("Emulator: a store just past the end of shared memory is found") {
  CHECK_THAT(fault_of(1, 100, [] { device::shared_memory()[100] = 1; }),
             Catch::Contains("past the end of shared memory"));
}
#endif

TEST_CASE("Device scalars: 2^x, packing and rounding") {
  CHECK(device::exp2_approx(-INFINITY) == 0.0f);
  CHECK(device::exp2_approx(-127.0f) == 0.0f);
  CHECK(std::isnan(device::exp2_approx(NAN)));
  CHECK(device::exp2_approx(3.0f) == 8.0f);
  CHECK(device::pack2<bfloat16>(1.0f, -2.0f) == 0xc0003f80u);
  CHECK(device::pack2<float16>(1.0f, -2.0f) == 0xc0003c00u);
  CHECK(device::unpack2<float16>(0xc0003c00u).y == -2.0f);
  CHECK(device::unpack2<bfloat16>(0xc0003f80u).x == 1.0f);
  CHECK(device::from_float<bfloat16>(1.0f + 0x1p-8f).bits == 0x3f80);
  CHECK(device::to_float(device::from_float<float16>(0.1f)) == static_cast<float>(float16(0.1f)));
  CHECK(device::from_float<float>(0.1f) == 0.1f);
}

}  // namespace
}  // namespace crossfix::emulator::language_test
