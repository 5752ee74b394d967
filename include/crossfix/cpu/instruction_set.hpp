#pragma once

#include <optional>
#include <string_view>

namespace crossfix::cpu {

/// Instruction sets that crossfix has kernels for. Each includes the ones before it.
enum class InstructionSet {
  baseline,     ///< x86-64: SSE2
  avx2,         ///< AVX2, FMA, F16C
  avx512,       ///< AVX-512 F, BW, DQ, VL
  avx512_bf16,  ///< and AVX512_BF16: bfloat16 dot products and conversions
};

/// "baseline", "avx2", "avx512", "avx512-bf16".
std::string_view name_of(InstructionSet set);

/// The set with that name; empty if there is none.
std::optional<InstructionSet> instruction_set_of(std::string_view name);

/// The best set that this machine and its operating system support.
InstructionSet best_instruction_set();

/// Whether the machine has instructions for bfloat16 (AVX512_BF16). Without them a bfloat16 context
/// cannot be made.
bool supports_bf16();

}  // namespace crossfix::cpu
