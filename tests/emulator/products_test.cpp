#include <catch2/catch.hpp>
#include <cmath>
#include <tuple>

#include "emulator/hopper_fixture.hpp"

namespace crossfix::emulator::products_test {
namespace {

constexpr std::uint64_t kSeeds = 3;
constexpr unsigned kThreads = 128;
using device::Swizzle;

template <class E>
double value(const std::vector<E>& elements, std::size_t at) {
  return static_cast<double>(device::to_float(elements[at]));
}

/// Row and column of accumulator i of the calling thread.
std::size_t row_of(unsigned i) {
  return threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + 8 * (i / 2 % 2);
}
std::size_t column_of(unsigned i) { return 8 * (i / 4) + 2 * (threadIdx.x % 4) + i % 2; }

/// d = a b', a [64, depth], b [kN, depth], both K-major, in copies of rows of one swizzle span.
template <class E, int kN, Swizzle kSwizzle>
struct KMajor {
  static constexpr std::size_t kSpan = static_cast<std::size_t>(kSwizzle);
  static constexpr std::size_t kDepth = kSpan / 2;
  static constexpr std::size_t kBytesA = 64 * kSpan;
  static constexpr std::size_t kBytesB = kN * kSpan;

  std::vector<E> a = random_elements<E>(64 * kDepth, 3);
  std::vector<E> b = random_elements<E>(kN * kDepth, 4);
  Swizzle read_as = kSwizzle;
  std::size_t step = 32;
  bool fence = true;
  bool wait = true;
  bool expect = true;
  std::vector<float> d = std::vector<float>(64 * kN, 7.0f);

  void run() {
    const auto map_a = matrix_map(a, kDepth, 64, kSwizzle);
    const auto map_b = matrix_map(b, kDepth, kN, kSwizzle);
    launch(1, kThreads, 1024 + kBytesA + kBytesB, "kernel", [&] {
      auto& barrier = first_barrier(1);
      unsigned char* shared_a = device::shared_memory() + 1024;
      unsigned char* shared_b = shared_a + kBytesA;
      if (threadIdx.x == 0) {
        device::barrier_arrive_expect(barrier, kBytesA + kBytesB);
        device::tensor_load_4d(shared_a, map_a, barrier, 0, 0, 0, 0);
        device::tensor_load_4d(shared_b, map_b, barrier, 0, 0, 0, 0);
      }
      if (expect) device::barrier_wait(barrier, 0);
      float sum[kN / 2];
      for (float& x : sum) x = 100.0f;
      if (fence) device::warpgroup_fence();
      for (std::size_t k = 0; k < kDepth / 16; ++k) {
        device::warpgroup_mma<E, kN>(sum, descriptor(shared_a + k * step, 0, 8 * kSpan, read_as),
                                     descriptor(shared_b + k * step, 0, 8 * kSpan, read_as), k > 0);
      }
      device::warpgroup_commit();
      CHECK(std::isnan(sum[0]));
      if (wait) device::warpgroup_wait<0>();
      for (unsigned i = 0; i < kN / 2; ++i) d[row_of(i) * kN + column_of(i)] = sum[i];
      if (!expect) device::barrier_wait(barrier, 0);
      device::warpgroup_wait<0>();
    });
  }

  /// The largest error; NaN if any result is.
  double error() const {
    double worst = 0.0;
    for (std::size_t row = 0; row < 64; ++row) {
      for (std::size_t column = 0; column < kN; ++column) {
        double expected = 0.0;
        for (std::size_t k = 0; k < kDepth; ++k) {
          expected += value(a, row * kDepth + k) * value(b, column * kDepth + k);
        }
        const double off = std::fabs(static_cast<double>(d[row * kN + column]) - expected);
        if (!(off <= worst)) worst = off;
      }
    }
    return worst;
  }
};

// Sums of at most 64 products below 1, in float.
constexpr double kRounding = 64 * 64 * 0x1p-24;

TEMPLATE_TEST_CASE("Device wgmma: both operands in shared memory", "",
                   (KMajor<bfloat16, 64, Swizzle::b64>), (KMajor<float16, 128, Swizzle::b64>),
                   (KMajor<bfloat16, 256, Swizzle::b128>), (KMajor<float16, 64, Swizzle::b32>)) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    TestType product;
    product.run();
    CHECK(product.error() <= kRounding);
  }
}

TEST_CASE("Device wgmma: misuse with operands in shared memory") {
  using Product = KMajor<bfloat16, 64, Swizzle::b64>;
  const auto fault = [](Product product) -> std::string {
    try {
      product.run();
    } catch (const Fault& what) {
      return what.what();
    }
    return product.error() <= kRounding ? "" : "wrong";
  };
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    CHECK(fault({}).empty());
    Product swizzle;
    swizzle.read_as = Swizzle::b32;
    CHECK_FALSE(fault(swizzle).empty());
    Product step;
    step.step = 16;
    CHECK(fault(step) == "wrong");
    Product crossing;
    crossing.step = 48;
    CHECK_THAT(fault(crossing), Catch::Contains("cross the end of a row"));
    Product unfenced;
    unfenced.fence = false;
    CHECK_THAT(fault(unfenced), Catch::Contains("without wgmma.fence"));
    Product unread;
    unread.wait = false;
    CHECK(fault(unread) == "wrong");
    Product early;
    early.expect = false;
    CHECK_FALSE(fault(early).empty());
  }
}

/// d = a b, a [64, 32] in registers, b [32, kN] MN-major: kN columns in copies of one swizzle span.
template <class E, int kN, Swizzle kSwizzle>
void check_mn_major() {
  constexpr std::size_t kSpan = static_cast<std::size_t>(kSwizzle);
  constexpr std::size_t kDepth = 32;
  constexpr std::size_t kPart = kDepth * kSpan;  // bytes of a copy
  constexpr std::size_t kParts = 2 * kN / kSpan;
  const auto a = random_elements<E>(64 * kDepth, 5);
  const auto b = random_elements<E>(kDepth * kN, 6);
  const auto map = matrix_map(b, kN, kDepth, kSwizzle);
  std::vector<float> d(64 * kN);
  launch(1, kThreads, 1024 + kParts * kPart, "kernel", [&] {
    auto& barrier = first_barrier(1);
    unsigned char* shared = device::shared_memory() + 1024;
    if (threadIdx.x == 0) {
      device::barrier_arrive_expect(barrier, kParts * kPart);
      for (std::size_t part = 0; part < kParts; ++part) {
        device::tensor_load_4d(shared + part * kPart, map, barrier,
                               static_cast<int>(part * kSpan / 2), 0, 0, 0);
      }
    }
    std::uint32_t registers[2][4];
    for (std::size_t step = 0; step < 2; ++step) {
      for (unsigned i = 0; i < 4; ++i) {
        const std::size_t row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + 8 * (i % 2);
        const std::size_t k = 16 * step + 2 * (threadIdx.x % 4) + 8 * std::size_t{i / 2};
        registers[step][i] = device::pack2<E>(device::to_float(a[row * kDepth + k]),
                                              device::to_float(a[row * kDepth + k + 1]));
      }
    }
    device::barrier_wait(barrier, 0);
    float sum[kN / 2] = {};
    for (float& x : sum) x = 1.0f;
    device::warpgroup_fence();
    for (std::size_t step = 0; step < 2; ++step) {
      device::warpgroup_mma<E, kN>(
          sum, registers[step], descriptor(shared + step * 16 * kSpan, kPart, 8 * kSpan, kSwizzle),
          true);
    }
    device::warpgroup_commit();
    device::warpgroup_wait<0>();
    for (unsigned i = 0; i < kN / 2; ++i) d[row_of(i) * kN + column_of(i)] = sum[i];
  });
  for (std::size_t row = 0; row < 64; ++row) {
    for (std::size_t column = 0; column < kN; ++column) {
      double expected = 1.0;
      for (std::size_t k = 0; k < kDepth; ++k) {
        expected += value(a, row * kDepth + k) * value(b, k * kN + column);
      }
      CHECK(std::fabs(static_cast<double>(d[row * kN + column]) - expected) <= kRounding);
    }
  }
}

TEST_CASE("Device wgmma: A in registers, B transposed in shared memory") {
  check_mn_major<bfloat16, 32, Swizzle::b64>();
  check_mn_major<float16, 64, Swizzle::b64>();
  check_mn_major<bfloat16, 64, Swizzle::b128>();
  check_mn_major<float16, 128, Swizzle::b128>();
}

/// Shared memory that threads fill themselves: rows of 64 bytes, initially zero.
struct Filled {
  static constexpr std::size_t kBytes = 64 * 64;
  static std::uint64_t fill(bool fence) {
    for (std::size_t i = threadIdx.x; i < kBytes; i += kThreads) device::shared_memory()[i] = 0;
    if (fence) device::fence_proxy_async();
    __syncthreads();
    return descriptor(device::shared_memory(), 0, 512, Swizzle::b64);
  }
};

TEST_CASE("Device wgmma: ordinary stores need a proxy fence") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    for (const bool fence : {false, true}) {
      launch(1, kThreads, Filled::kBytes, "kernel", [&] {
        const auto zeros = Filled::fill(fence);
        float d[32];
        device::warpgroup_fence();
        device::warpgroup_mma<bfloat16, 64>(d, zeros, zeros, false);
        device::warpgroup_commit();
        device::warpgroup_wait<0>();
        for (const float x : d) CHECK((fence ? x == 0.0f : std::isnan(x)));
      });
    }
  }
}

TEST_CASE("Device wgmma: groups end in order, chains of products too") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    launch(1, kThreads, Filled::kBytes, "kernel", [&] {
      const auto zeros = Filled::fill(true);
      float first[32];
      float second[32];
      for (float& x : second) x = 3.0f;
      device::warpgroup_fence();
      device::warpgroup_mma<bfloat16, 64>(first, zeros, zeros, false);
      device::warpgroup_commit();
      device::warpgroup_mma<bfloat16, 64>(second, zeros, zeros, true);
      device::warpgroup_commit();
      device::warpgroup_mma<bfloat16, 64>(second, zeros, zeros, true);
      device::warpgroup_commit();
      device::warpgroup_wait<2>();
      CHECK(first[5] == 0.0f);
      CHECK(std::isnan(second[5]));
      device::warpgroup_wait<1>();
      CHECK(std::isnan(second[5]));
      device::warpgroup_wait<0>();
      CHECK(second[5] == 3.0f);
    });
  }
}

TEST_CASE("Device wgmma: registers that change under way, and warps that stay away") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    const auto kernel = [](const std::function<void(float(&)[16], std::uint32_t(&)[4])>& act) {
      return fault_of(kThreads, Filled::kBytes, [&] {
        const auto zeros = Filled::fill(true);
        float d[16] = {};
        std::uint32_t a[4] = {};
        if (threadIdx.x < 96) device::warpgroup_fence();
        if (threadIdx.x >= 96) device::warpgroup_fence();
        device::warpgroup_mma<bfloat16, 32>(d, a, zeros, true);
        device::warpgroup_commit();
        act(d, a);
        device::warpgroup_wait<0>();
      });
    };
    CHECK(kernel([](auto&, auto&) {}).empty());
    CHECK_THAT(kernel([](auto&, auto& a) { a[2] = 5; }),
               Catch::Contains("A in registers of a wgmma"));
    CHECK_THAT(kernel([](auto& d, auto&) { d[2] = 5; }),
               Catch::Contains("accumulators of a wgmma were written before its wait"));
    CHECK_THAT(kernel([](auto& d, auto& a) {
                 device::warpgroup_wait<0>();
                 device::warpgroup_mma<bfloat16, 32>(
                     d, a, descriptor(device::shared_memory(), 0, 512, Swizzle::b64), true);
               }),
               Catch::Contains("without wgmma.fence"));
    CHECK_THAT(fault_of(kThreads, Filled::kBytes,
                        [] {
                          const auto zeros = Filled::fill(true);
                          float d[32];
                          if (threadIdx.x >= 96) return;
                          device::warpgroup_fence();
                          device::warpgroup_mma<bfloat16, 64>(d, zeros, zeros, false);
                          device::warpgroup_commit();
                          device::warpgroup_wait<0>();
                        }),
               Catch::Contains("deadlock") && Catch::Contains("not all four warps"));
    CHECK_THAT(fault_of(kThreads, Filled::kBytes,
                        [] {
                          const auto zeros = Filled::fill(true);
                          float d[32];
                          device::warpgroup_fence();
                          device::warpgroup_mma<bfloat16, 64>(d, zeros, zeros, threadIdx.x < 32);
                        }),
               Catch::Contains("the warps of a warpgroup pass different operands"));
    CHECK_THAT(fault_of(kThreads, Filled::kBytes,
                        [] {
                          const auto zeros = Filled::fill(true);
                          float d[64];
                          device::warpgroup_fence();
                          device::warpgroup_mma<bfloat16, 128>(d, zeros, zeros, false);
                        }),
               Catch::Contains("outside the block's shared memory"));
    CHECK_THAT(fault_of(kThreads, Filled::kBytes,
                        [] {
                          Filled::fill(true);
                          float d[32];
                          const auto inside =
                              descriptor(device::shared_memory() + 64, 0, 512, Swizzle::b64);
                          device::warpgroup_fence();
                          device::warpgroup_mma<bfloat16, 64>(d, inside, inside, false);
                        }),
               Catch::Contains("not in the first row of a swizzle atom"));
  }
}

}  // namespace
}  // namespace crossfix::emulator::products_test
