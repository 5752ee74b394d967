#include "crossfix/kernels/device/ampere.cuh"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "crossfix/kernels/device/memory.cuh"
#include "emulator/fault_of.hpp"

namespace crossfix::emulator::ampere_test {
namespace {

constexpr std::uint64_t kSeeds = 3;

template <class E>
std::vector<E> random_elements(std::size_t count) {
  std::mt19937 generator(17);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<E> elements;
  for (std::size_t i = 0; i < count; ++i) elements.push_back(E(uniform(generator)));
  return elements;
}

template <class E>
std::uint32_t word(E low, E high) {
  return static_cast<std::uint32_t>(low.bits) | static_cast<std::uint32_t>(high.bits) << 16;
}

TEMPLATE_TEST_CASE("Device mma: d += a b, registers as the PTX ISA lays them out", "", bfloat16,
                   float16) {
  const auto a = random_elements<TestType>(16 * 16);  // [row, k]
  const auto b = random_elements<TestType>(16 * 8);   // [k, column]
  std::vector<float> d(16 * 8, -1.0f);
  launch(1, 32, 0, "kernel", [&] {
    const unsigned g = threadIdx.x / 4;
    const unsigned t = 2 * (threadIdx.x % 4);
    const auto pair = [&](unsigned row, unsigned k) {
      return word(a[row * 16 + k], a[row * 16 + k + 1]);
    };
    const std::uint32_t operand[4] = {pair(g, t), pair(g + 8, t), pair(g, t + 8),
                                      pair(g + 8, t + 8)};
    float sum[4] = {0.5f, 0.5f, 0.5f, 0.5f};
    device::mma_16x8x16<TestType>(sum, operand, word(b[t * 8 + g], b[(t + 1) * 8 + g]),
                                  word(b[(t + 8) * 8 + g], b[(t + 9) * 8 + g]));
    for (unsigned i = 0; i < 4; ++i) d[(g + 8 * (i / 2)) * 8 + t + i % 2] = sum[i];
  });
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      double expected = 0.5;
      for (std::size_t k = 0; k < 16; ++k) {
        expected += static_cast<double>(static_cast<float>(a[row * 16 + k])) *
                    static_cast<double>(static_cast<float>(b[k * 8 + column]));
      }
      CHECK(d[row * 8 + column] == Approx(expected).epsilon(1e-5));  // 16 float additions
    }
  }
}

TEST_CASE("Device ldmatrix: rows, and columns where transposed") {
  constexpr std::size_t kPitch = 24;  // elements, of 4 matrices one below the other
  for (const bool transposed : {false, true}) {
    launch(1, 32, 32 * kPitch * 2, "kernel", [&] {
      auto* shared = reinterpret_cast<std::uint16_t*>(device::shared_memory());
      for (unsigned column = 0; column < 8; ++column) {
        shared[threadIdx.x * kPitch + column] =
            static_cast<std::uint16_t>(threadIdx.x * 8 + column);
      }
      __syncwarp();
      std::uint32_t r[4];
      if (transposed) {
        device::load_matrix_x4_transposed(r, shared + threadIdx.x * kPitch);
      } else {
        device::load_matrix_x4(r, shared + threadIdx.x * kPitch);
      }
      const unsigned g = threadIdx.x / 4;
      const unsigned t = 2 * (threadIdx.x % 4);
      for (unsigned matrix = 0; matrix < 4; ++matrix) {
        const unsigned first = 64 * matrix + (transposed ? t * 8 + g : g * 8 + t);
        CHECK(r[matrix] == (first | (first + (transposed ? 8u : 1u)) << 16));
      }
    });
  }
  CHECK_THAT(fault_of(32, 512,
                      [] {
                        std::uint32_t r[4];
                        device::load_matrix_x4(r, device::shared_memory() + threadIdx.x * 16 + 2);
                      }),
             Catch::Contains("ldmatrix of a row at shared offset"));
  CHECK_THAT(fault_of(32, 512,
                      [] {
                        std::uint32_t r[4];
                        device::load_matrix_x4(
                            r, device::shared_memory() + threadIdx.x * 17 / 16 * 16);
                      }),
             Catch::Contains("of 512"));
  CHECK_THAT(fault_of(32, 512,
                      [] {
                        std::uint32_t r[4];
                        if (threadIdx.x == 3) return;
                        device::load_matrix_x4(r, device::shared_memory());
                      }),
             Catch::Contains("ldmatrix where a lane has returned"));
}

TEST_CASE("Device cp.async: a group's bytes are there after the wait for it, and not before") {
  alignas(16) float source[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
  launch(1, 1, 64, "kernel", [&] {
    auto* shared = reinterpret_cast<float*>(device::shared_memory());
    for (int i = 0; i < 16; ++i) shared[i] = -1.0f;
    device::copy_async_16(shared, source[0], true);
    device::copy_async_commit();
    device::copy_async_16(shared + 4, source[1], true);
    device::copy_async_16(shared + 8, nullptr, false);
    device::copy_async_commit();
    device::copy_async_16(shared + 12, source[2], true);  // in no group
    for (int i = 0; i < 16; ++i) CHECK(std::isnan(shared[i]));
    device::copy_async_wait<1>();
    CHECK(shared[3] == 4.0f);
    CHECK(std::isnan(shared[4]));
    device::copy_async_wait<0>();
    CHECK(shared[7] == 8.0f);
    CHECK(shared[8] == 0.0f);
    CHECK(shared[11] == 0.0f);
    CHECK(std::isnan(shared[12]));
  });
  CHECK_THAT(
      fault_of(1, 64, [&] { device::copy_async_16(device::shared_memory() + 8, source, true); }),
      Catch::Contains("cp.async to shared offset 8"));
  CHECK_THAT(
      fault_of(1, 64, [&] { device::copy_async_16(device::shared_memory() + 64, source, true); }),
      Catch::Contains("offset 64 of 64"));
  CHECK_THAT(
      fault_of(1, 64, [&] { device::copy_async_16(device::shared_memory(), source[0] + 1, true); }),
      Catch::Contains("no multiple of 16"));
}

TEST_CASE("Device cp.async: another thread's copies need a barrier") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    alignas(16) float source[64][4] = {};
    for (const bool barrier : {false, true}) {
      int poisoned = 0;
      launch(1, 64, sizeof source, "kernel", [&] {
        auto* shared = reinterpret_cast<float*>(device::shared_memory());
        device::copy_async_16(shared + 4 * threadIdx.x, source[threadIdx.x], true);
        device::copy_async_commit();
        device::copy_async_wait<0>();
        if (barrier) __syncthreads();
        if (std::isnan(shared[4 * (63 - threadIdx.x)])) ++poisoned;
      });
      CHECK((poisoned > 0) == !barrier);
    }
  }
}

}  // namespace
}  // namespace crossfix::emulator::ampere_test
