#include "emulator/products.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "emulator/descriptor.hpp"

namespace crossfix::emulator {
namespace {

constexpr std::uint32_t kPoisonWord = 0xffffffffu;
constexpr std::size_t kChunk = 8;  // elements of 16 bytes

bool same_product(const ProductRequest& one, const ProductRequest& other) {
  return one.descriptor_a == other.descriptor_a && one.descriptor_b == other.descriptor_b &&
         one.accumulate == other.accumulate && one.n == other.n &&
         (one.a == nullptr) == (other.a == nullptr) && one.to_float == other.to_float;
}

const ProductRequest& request_of(const void* lane) {
  return *static_cast<const ProductRequest*>(lane);
}

}  // namespace

Products::Products(Block& block)
    : block_(block),
      warps_((block.threads() + kWarpThreads - 1) / kWarpThreads),
      warpgroups_((warps_.size() + kWarps - 1) / kWarps) {}

void Products::fence() {
  char present = 0;
  const unsigned warp = block_.running() / kWarpThreads;
  meet_whole_warp("wgmma.fence", &present, [&](const Lanes&) { warps_[warp].fenced = true; });
}

void Products::issue(const ProductRequest& request) {
  ProductRequest mine = request;
  const unsigned warp = block_.running() / kWarpThreads;
  meet_whole_warp("wgmma.mma_async", &mine, [&](const Lanes& lanes) { begin(warp, lanes); });
}

void Products::begin(unsigned index, const Lanes& lanes) {
  Warp& warp = warps_[index];
  Product product;
  product.request = request_of(lanes[0]);
  for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
    if (!same_product(product.request, request_of(lanes[lane]))) {
      block_.fail("wgmma for which the lanes of a warp pass different operands");
    }
    product.a[lane] = request_of(lanes[lane]).a;
  }
  if (!warp.fenced) block_.fail("wgmma without wgmma.fence at first or after a wait");
  register_issue(index, product);
  product.accumulator = &capture(warp, lanes);
  ++product.accumulator->users;
  product.a_bits = a_of(index, product);
  product.b_bits = b_of(product);
  warp.open.push_back(std::move(product));
}

/// Counts the warp's share of the product of its warpgroup, and compares it with those of the other
/// warps.
void Products::register_issue(unsigned index, Product& product) {
  Warpgroup& group = warpgroups_[index / kWarps];
  product.index = warps_[index].issued++;
  if (product.index == group.products.size()) group.products.push_back({product.request, 0});
  Issued& issued = group.products[product.index];
  if (!same_product(issued.request, product.request)) {
    block_.fail("wgmma for which the warps of a warpgroup pass different operands");
  }
  if (++issued.warps < kWarps) return;
  for (const unsigned stalled : std::exchange(group.stalled, {})) {
    block_.defer(Work::product, [this, stalled] { retire(stalled); });
  }
}

/// The accumulator of these registers: the one in use, or a new one with the contents of the
/// registers.
Products::Accumulator& Products::capture(Warp& warp, const Lanes& lanes) {
  const auto n = static_cast<unsigned>(request_of(lanes[0]).n);
  const unsigned count = n / 2;
  for (Accumulator& other : warp.accumulators) {
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      const float* own = request_of(lanes[lane]).d;
      const float* theirs = other.registers[lane];
      const bool same = own == theirs && other.n == n;
      if (!same && own < theirs + other.n / 2 && theirs < own + count) {
        block_.fail("wgmma into some of the accumulators of a product under way");
      }
      if (same && lane + 1 == kWarpThreads) return other;
    }
  }
  Accumulator& accumulator = warp.accumulators.emplace_back();
  accumulator.n = n;
  accumulator.tile.resize(std::size_t{kRows} * n);
  for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
    float* d = request_of(lanes[lane]).d;
    accumulator.registers[lane] = d;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned row = lane / 4 + 8 * (i / 2 % 2);
      const unsigned column = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
      accumulator.tile[row * n + column] = d[i];
      d[i] = std::bit_cast<float>(kPoisonWord);
    }
  }
  return accumulator;
}

Products::Bits Products::a_of(unsigned warp, const Product& product) const {
  Bits bits(kRows * kDepth);
  if (product.request.a == nullptr) {
    const Descriptor a(block_, product.request.descriptor_a);
    const std::size_t first = warp % kWarps * kRows;
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t chunk = 0; chunk < kDepth / kChunk; ++chunk) {
        a.read_k_major(first + row, chunk, &bits[row * kDepth + chunk * kChunk]);
      }
    }
    return bits;
  }
  for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
    for (unsigned i = 0; i < 4; ++i) {
      const std::size_t at =
          (lane / 4 + 8 * (i % 2)) * kDepth + 2 * (lane % 4) + 8 * std::size_t{i / 2};
      bits[at] = static_cast<std::uint16_t>(product.a[lane][i] & 0xffffu);
      bits[at + 1] = static_cast<std::uint16_t>(product.a[lane][i] >> 16);
    }
  }
  return bits;
}

Products::Bits Products::b_of(const Product& product) const {
  const auto n = static_cast<std::size_t>(product.request.n);
  const Descriptor b(block_, product.request.descriptor_b);
  Bits bits(kDepth * n);
  if (product.request.a == nullptr) {
    for (std::size_t row = 0; row < n; ++row) {
      for (std::size_t chunk = 0; chunk < kDepth / kChunk; ++chunk) {
        b.read_k_major(row, chunk, &bits[row * kDepth + chunk * kChunk]);
      }
    }
  } else {
    for (std::size_t k = 0; k < kDepth; ++k) {
      for (std::size_t chunk = 0; chunk < n / kChunk; ++chunk) {
        b.read_mn_major(chunk, k, &bits[k * n + chunk * kChunk]);
      }
    }
  }
  return bits;
}

void Products::commit() {
  char present = 0;
  Warp& warp = warps_[block_.running() / kWarpThreads];
  meet_whole_warp("wgmma.commit_group", &present, [&](const Lanes&) {
    warp.groups.push_back(std::move(warp.open));
    warp.open.clear();
  });
}

void Products::wait(std::size_t pending) {
  char present = 0;
  const unsigned index = block_.running() / kWarpThreads;
  Warp& warp = warps_[index];
  meet_whole_warp("wgmma.wait_group", &present, [&](const Lanes&) {
    warp.fenced = false;
    warp.target = pending;
    if (warp.groups.size() > pending) block_.defer(Work::product, [this, index] { retire(index); });
  });
  while (warp.groups.size() > pending) {
    warp.waiting.push_back(block_.running());
    block_.wait(warp);
  }
}

/// Ends the groups that the warp waits for; or later, if other warps have not issued their share
/// yet.
void Products::retire(unsigned index) {
  Warp& warp = warps_[index];
  Warpgroup& group = warpgroups_[index / kWarps];
  for (; warp.groups.size() > warp.target; warp.groups.pop_front()) {
    for (const Product& product : warp.groups.front()) {
      if (group.products[product.index].warps < kWarps) {
        group.stalled.push_back(index);
        return;
      }
    }
    for (const Product& product : warp.groups.front()) {
      compute(index, product);
      if (--product.accumulator->users == 0) release(warp, *product.accumulator);
    }
  }
  for (const unsigned thread : std::exchange(warp.waiting, {})) block_.wake(thread);
}

void Products::compute(unsigned index, const Product& product) {
  const std::string whose = " of a wgmma of warp " + std::to_string(index) +
                            " changed while it could be read: between its issue and its wait";
  if (a_of(index, product) != product.a_bits) {
    block_.fail((product.request.a == nullptr ? "A in shared memory" : "A in registers") + whose);
  }
  if (b_of(product) != product.b_bits) block_.fail("B in shared memory" + whose);
  const auto n = static_cast<std::size_t>(product.request.n);
  const auto to_float = product.request.to_float;
  std::vector<float> b(kDepth * n);  // [k, column]
  for (std::size_t k = 0; k < kDepth; ++k) {
    for (std::size_t column = 0; column < n; ++column) {
      b[k * n + column] =
          to_float(product.request.a == nullptr ? product.b_bits[column * kDepth + k]
                                                : product.b_bits[k * n + column]);
    }
  }
  auto& tile = product.accumulator->tile;
  if (!product.request.accumulate) std::fill(tile.begin(), tile.end(), 0.0f);
  for (std::size_t row = 0; row < kRows; ++row) {
    float* const d = &tile[row * n];
    for (std::size_t k = 0; k < kDepth; ++k) {
      const float a = to_float(product.a_bits[row * kDepth + k]);
      const float* const b_row = &b[k * n];
      for (std::size_t column = 0; column < n; ++column) d[column] += a * b_row[column];
    }
  }
}

void Products::release(Warp& warp, Accumulator& accumulator) {
  const unsigned n = accumulator.n;
  for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
    float* d = accumulator.registers[lane];
    for (unsigned i = 0; i < n / 2; ++i) {
      if (std::bit_cast<std::uint32_t>(d[i]) != kPoisonWord) {
        block_.fail("accumulators of a wgmma were written before its wait");
      }
      const unsigned row = lane / 4 + 8 * (i / 2 % 2);
      const unsigned column = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
      d[i] = accumulator.tile[row * n + column];
    }
  }
  warp.accumulators.remove_if([&](const Accumulator& other) { return &other == &accumulator; });
}

void Products::block_ended() {
  for (const Warp& warp : warps_) {
    if (!warp.open.empty()) block_.fail("the block ended with a wgmma in no group");
    for (const auto& group : warp.groups) {
      if (!group.empty()) block_.fail("the block ended with a wgmma that nobody waited for");
    }
  }
}

}  // namespace crossfix::emulator
