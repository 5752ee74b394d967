#pragma once

#include <cstdint>

namespace crossfix::emulator {

/// cp.async: the 16 bytes are poison from here until a wait of the same thread completes the copy,
/// which reads its source only then.
void start_copy_16(void* shared, const void* global, bool valid);
void commit_copies();
void wait_for_copies(int pending);

/// ldmatrix.x4, of rows or (`transposed`) columns. Throws Fault if a row is misaligned or outside.
void load_matrices(std::uint32_t (&r)[4], const void* shared_row, bool transposed);

/// mma.m16n8k16, for E = bfloat16 and float16.
template <class E>
void multiply_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                      std::uint32_t b1);

}  // namespace crossfix::emulator
