#include "crossfix/kernels/attention/hopper_layout.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

using namespace crossfix;
using namespace crossfix::kernels;

namespace {

/// Byte ranges in the shared memory of a block, in order.
template <class Tile>
std::vector<std::array<int, 2>> shared_map() {
  return {{Tile::kQueryAt, Tile::kQueryStages * Tile::kQueryBytes},
          {Tile::kKeyAt, Tile::kStages * Tile::kTileBytes},
          {Tile::kValueAt, Tile::kStages * Tile::kTileBytes},
          {Tile::kExchangeAt, Tile::kExchangeBytes},
          {Tile::kBarrierAt, 8 * Tile::kBarriers},
          {Tile::kFlagAt, 4}};
}

/// The address bits that a swizzle of rows of `span` bytes exchanges: the chunk within a row, with
/// the row.
int swizzled(int address, int span) { return address ^ (((address >> 7) & (span / 16 - 1)) << 4); }

}  // namespace

TEMPLATE_TEST_CASE("shared memory of the Hopper attention holds each part once", "[layout]", Wide32,
                   Medium32, Shared32, Tile64, Tile128) {
  int end = 0;
  for (const auto& [begin, bytes] : shared_map<TestType>()) {
    CHECK(begin >= end);
    CHECK(begin % 8 == 0);
    end = begin + bytes;
  }
  CHECK(end <= TestType::kSharedBytes);
  CHECK(TestType::kKeyAt % kSwizzlePeriod == 0);
  CHECK(TestType::kValueAt % kSwizzlePeriod == 0);
  CHECK(TestType::kBarrierAt % 8 == 0);
}

TEMPLATE_TEST_CASE("depth steps of a K-major tile cover each row's elements once", "[layout]",
                   Wide32, Medium32, Shared32, Tile64, Tile128) {
  for (const int rows : {TestType::kRows, TestType::kKeys}) {
    std::set<int> bytes;
    for (int step = 0; step < TestType::kDim / kDepth; ++step) {
      for (int byte = 0; byte < kDepth * kElementBytes; ++byte) {
        const int at = TestType::depth_offset(step, rows) + byte;
        // Within the first row of a panel, so that the hardware's row pitch finds the others.
        CHECK(at % (rows * TestType::kSpan) < TestType::kSpan);
        bytes.insert(at);
      }
    }
    CHECK(bytes.size() == static_cast<std::size_t>(TestType::kDim * kElementBytes));
  }
}

TEST_CASE("accumulator fragments cover a 64-row tile once, and are operand fragments once packed",
          "[layout]") {
  constexpr int kColumns = 128;
  std::set<std::array<int, 2>> seen;
  for (int thread = 0; thread < kWarpgroupThreads; ++thread) {
    for (int i = 0; i < kColumns / 2; ++i) {
      const int row = accumulator_row(thread, i / 2 % 2);
      const int column = accumulator_column(thread, i / 4, i % 2);
      seen.insert({row, column});
      // Operand A of m64k16 (PTX ISA): register r of depth step j, halves of it: row g (+8 for odd
      // r), columns 2t + {0, 1} (+8 for r of 2 and 3).
      const int step = i / 8;
      const int r = i / 2 % 4;
      const int group = thread % 32 / 4;
      CHECK(row == thread / 32 * 16 + group + 8 * (r % 2));
      CHECK(column == 16 * step + 2 * (thread % 4) + i % 2 + 8 * (r / 2));
    }
  }
  CHECK(seen.size() == kWarpgroupRows * kColumns);
}

TEST_CASE("a swizzled column of 16-byte chunks falls on all banks", "[layout]") {
  for (const int span : {64, 128}) {
    for (int chunk = 0; chunk < span / 16; ++chunk) {
      std::set<int> banks;
      for (int row = 0; row < 8; ++row) {  // what eight rows' chunks of a matrix occupy
        banks.insert(swizzled(row * span + chunk * 16, span) / 16 % 8);
      }
      CHECK(banks.size() == 8);
    }
  }
}

TEST_CASE("descriptors hold strides and swizzle where the instruction looks", "[layout]") {
  constexpr std::uint64_t kDescriptor = descriptor_base<64>(8192, 512) | descriptor_address(0x8420);
  CHECK((kDescriptor & 0x3fffu) == 0x842u);
  CHECK((kDescriptor >> 16 & 0x3fffu) == 8192u / 16);
  CHECK((kDescriptor >> 32 & 0x3fffu) == 512u / 16);
  CHECK(kDescriptor >> 62 == 2u);
  CHECK(descriptor_base<128>(0, 1024) >> 62 == 1u);
  // Offsets may be added: the last address of shared memory does not carry into the next field.
  CHECK(descriptor_address(kSharedLimit - 16) < 0x4000u);
}

TEST_CASE("persistent blocks cover every block of queries of every head once", "[layout]") {
  for (const int blocks : {1, 7, 132}) {
    constexpr int kBatch = 3, kHeads = 5, kQueryBlocks = 4;
    std::set<std::array<int, 3>> seen;
    int visits = 0;
    for (int block = 0; block < blocks; ++block) {
      for (int i = block; i < kBatch * kHeads * kQueryBlocks; i += blocks) {
        const WorkItem item = work_item(i, kHeads, kQueryBlocks);
        CHECK(item.batch < kBatch);
        CHECK(item.head < kHeads);
        CHECK(item.query_block < kQueryBlocks);
        seen.insert({item.batch, item.head, item.query_block});
        ++visits;
      }
    }
    CHECK(visits == kBatch * kHeads * kQueryBlocks);
    CHECK(seen.size() == static_cast<std::size_t>(visits));
  }
}

TEST_CASE("few queries are cut small, many large", "[layout]") {
  constexpr int kMultiprocessors = 132;
  CHECK(choose32(8, 1024, 1024, kMultiprocessors) == Choice32::shared);
  CHECK(choose32(8, 600, 1024, kMultiprocessors) == Choice32::shared);
  CHECK(choose32(8, 2048, 2048, kMultiprocessors) == Choice32::medium);
  CHECK(choose32(256, 2048, 2048, kMultiprocessors) == Choice32::wide);
  CHECK(choose32(256, 1024, 1024, kMultiprocessors) == Choice32::wide);
}
