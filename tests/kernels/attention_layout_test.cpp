#include <array>
#include <catch2/catch.hpp>
#include <set>

#include "crossfix/kernels/attention/schedule.hpp"
#include "crossfix/kernels/attention/swizzle.hpp"

using namespace crossfix;
using namespace crossfix::kernels;

namespace {

constexpr int kBankBytes = 128;  // the 32 banks once
constexpr int kPhaseLanes = 8;   // of 16 bytes each, served at once

/// True if 8 accesses of 16 bytes touch each bank once.
bool free_of_conflicts(const std::array<int, kPhaseLanes>& offsets) {
  std::set<int> banks;
  for (int offset : offsets) banks.insert(offset % kBankBytes);
  return banks.size() == kPhaseLanes;
}

/// Checks an ldmatrix of 16 rows from `first_row` on, at chunk mask 2 `step`: no conflicts, and the
/// rows and chunks that `expected(matrix, row of the matrix)` gives.
template <class Rows, class ChunkOf, class Expected>
void check_operand(ChunkOf chunk_of, int first_row, int step, Expected expected) {
  for (int matrix = 0; matrix < 4; ++matrix) {
    std::array<int, kPhaseLanes> offsets{};
    for (int row = 0; row < kPhaseLanes; ++row) {
      const int lane = 8 * matrix + row;
      const int offset =
          Rows::flip(Rows::offset(chunk_of(lane)), 2 * step) + first_row * Rows::kRowBytes;
      TileChunk at = expected(matrix, row);
      at.row += first_row;
      at.chunk += 2 * step;
      CAPTURE(lane, first_row, step);
      REQUIRE(offset == Rows::offset(at));
      offsets[static_cast<std::size_t>(row)] = offset;
    }
    REQUIRE(free_of_conflicts(offsets));
  }
}

}  // namespace

TEMPLATE_TEST_CASE_SIG("Swizzled rows hold every chunk once, each in its row", "[layout]",
                       ((int kDim), kDim), 32, 64, 128) {
  using Rows = SwizzledRows<kDim>;
  std::set<int> offsets;
  for (int row = 0; row < 64; ++row) {
    for (int chunk = 0; chunk < Rows::kChunks; ++chunk) {
      const int offset = Rows::offset({row, chunk});
      REQUIRE(offset % Rows::kChunkBytes == 0);
      REQUIRE(offset / Rows::kRowBytes == row);
      offsets.insert(offset);
      // The copies of the kernel rely on this: the permutation repeats.
      REQUIRE(Rows::offset({row + Rows::kPeriod, chunk}) ==
              offset + Rows::kPeriod * Rows::kRowBytes);
      for (int mask = 0; mask < Rows::kChunks; ++mask) {
        const int base = 6 * 64 * Rows::kRowBytes;  // a tile with others before it
        REQUIRE(Rows::flip(base + offset, mask) == base + Rows::offset({row, chunk ^ mask}));
      }
    }
  }
  REQUIRE(offsets.size() == 64u * Rows::kChunks);
}

TEMPLATE_TEST_CASE_SIG("Copies and ldmatrix touch every bank once", "[layout]", ((int kDim), kDim),
                       32, 64, 128) {
  using Rows = SwizzledRows<kDim>;
  for (int first = 0; first < 64 * Rows::kChunks; first += kPhaseLanes) {
    std::array<int, kPhaseLanes> offsets{};
    for (int i = 0; i < kPhaseLanes; ++i) {
      const int at = first + i;
      offsets[static_cast<std::size_t>(i)] = Rows::offset({at / Rows::kChunks, at % Rows::kChunks});
    }
    REQUIRE(free_of_conflicts(offsets));
  }
  for (int first_row = 0; first_row < 64; first_row += 16) {
    for (int step = 0; step < kDim / 16; ++step) {
      // Matrices in the order a0 to a3: rows 0 and 8 of the first columns, then of the next
      // columns.
      check_operand<Rows>(left_operand_chunk, first_row, step, [](int matrix, int row) {
        return TileChunk{8 * (matrix % 2) + row, matrix / 2};
      });
      // b0, b1 of 8 keys: two chunks of dims; then of the next 8 keys.
      check_operand<Rows>(key_operand_chunk, first_row, step, [](int matrix, int row) {
        return TileChunk{8 * (matrix / 2) + row, matrix % 2};
      });
      // b0, b1 of 8 dims: two runs of 8 keys; then of the next 8 dims.
      check_operand<Rows>(value_operand_chunk, first_row, step, [](int matrix, int row) {
        return TileChunk{8 * (matrix % 2) + row, matrix / 2};
      });
    }
  }
}

TEST_CASE("The lanes of a warp own each element of a product once", "[layout]") {
  std::set<std::pair<int, int>> elements;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) elements.insert({product_row(lane, i), product_column(lane, i)});
  }
  REQUIRE(elements.size() == 16u * 8u);
  REQUIRE(elements.begin()->first == 0);
  REQUIRE(elements.rbegin()->first == 15);
  REQUIRE(elements.rbegin()->second == 7);
}

TEST_CASE("Blocks cover every query of every head once, a head's together", "[layout]") {
  for (int queries : {1, 7, 127, 128, 129, 600}) {
    AttentionArguments<float> arguments{};
    arguments.batch = 3;
    arguments.heads = 5;
    arguments.queries = queries;
    std::set<std::array<Index, 3>> seen;
    std::array<Index, 2> head_before{-1, -1};
    std::set<std::array<Index, 2>> heads;
    for (Index block = 0; block < work_count(arguments, 128); ++block) {
      const AttentionWork work = work_of(arguments, static_cast<unsigned>(block), 128);
      REQUIRE(work.batch < 3);
      REQUIRE(work.head < 5);
      REQUIRE(work.first_query < queries);
      REQUIRE(work.first_query % 128 == 0);
      REQUIRE(seen.insert({work.batch, work.head, work.first_query}).second);
      const std::array<Index, 2> head{work.batch, work.head};
      if (head != head_before) REQUIRE(heads.insert(head).second);
      head_before = head;
    }
    REQUIRE(static_cast<Index>(seen.size()) == 15 * ((queries + 127) / 128));
  }
}
