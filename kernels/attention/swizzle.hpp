#pragma once

namespace crossfix::kernels {

/// A position in a tile of 16-bit elements in shared memory: a row (a token) and a chunk of 8
/// elements (16 bytes) in it.
struct TileChunk {
  int row;
  int chunk;
};

/// The layout of a tile of 16-bit rows of kDim elements in shared memory. Rows are stored without
/// gaps. Within a row the chunks are permuted, so that 8 lanes access each of the 32 banks once,
/// both when they read the same chunk of 8 consecutive rows (ldmatrix) and when they write
/// consecutive chunks (cp.async). Each 128-byte line has its own permutation: an exclusive or with
/// the line's number.
template <int kDim>
struct SwizzledRows {
  static constexpr int kChunkBytes = 16;
  static constexpr int kChunkElements = 8;
  static constexpr int kChunks = kDim / kChunkElements;
  static constexpr int kRowBytes = kDim * 2;
  static_assert(kDim % 32 == 0 && (kChunks & (kChunks - 1)) == 0);

  static constexpr int kLineChunks = 8;  // all 32 banks once: 128 bytes
  static constexpr int kPermuted = kChunks < kLineChunks ? kChunks : kLineChunks;
  static constexpr int kRowsOfLine = kLineChunks / kPermuted;
  static constexpr int kPeriod = kRowsOfLine * kPermuted;  // rows after which permutations repeat

  /// Bytes from the start of the tile.
  static constexpr int offset(TileChunk at) {
    const int permuted = at.chunk ^ (at.row / kRowsOfLine % kPermuted);
    return at.row * kRowBytes + permuted * kChunkBytes;
  }

  /// Converts the offset of {row, chunk} to that of {row, chunk ^ mask}, also if a multiple of
  /// kRowBytes was added. This takes one instruction, whereas `offset` takes one register per
  /// chunk.
  static constexpr int flip(int offset, int mask) { return offset ^ (mask * kChunkBytes); }
};

// The chunk that each lane addresses in an x4 ldmatrix, so that the four registers are operands of
// mma.m16n8k16. This is for the first two chunks of 16 rows; flip by 2 n for those 16 n elements
// further on. Source: PTX ISA, "Matrix fragments for mma.m16n8k16" and "ldmatrix".

/// Left operand, 16 rows by 16 summed columns: registers a0 to a3.
constexpr TileChunk left_operand_chunk(int lane) { return {lane % 16, lane / 16}; }

/// Right operand of q k^T, stored as 16 keys (columns of the product) by 16 dims: b0, b1 of keys 0
/// to 7, then b0, b1 of keys 8 to 15.
constexpr TileChunk key_operand_chunk(int lane) {
  return {lane % 8 + 8 * (lane / 16), lane / 8 % 2};
}

/// Right operand of p v, stored as 16 keys by 16 dims (columns of the product) and transposed by
/// the load: b0, b1 of dims 0 to 7, then b0, b1 of dims 8 to 15.
constexpr TileChunk value_operand_chunk(int lane) { return {lane % 16, lane / 16}; }

/// The row and column, in a 16 by 8 product, of element `index` of a lane's four.
constexpr int product_row(int lane, int index) { return lane / 4 + 8 * (index / 2); }
constexpr int product_column(int lane, int index) { return 2 * (lane % 4) + index % 2; }

}  // namespace crossfix::kernels
