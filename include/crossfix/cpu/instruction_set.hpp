#pragma once

#include <optional>
#include <string_view>

namespace crossfix::cpu {

/// Instruction sets that kernels of ours exist for; each includes the ones before it.
enum class InstructionSet {
  baseline,     ///< x86-64: SSE2
  avx2,         ///< AVX2, FMA, F16C
  avx512,       ///< AVX-512 F, BW, DQ, VL
  avx512_bf16,  ///< and AVX512_BF16: bfloat16 dot products and conversions
};

/// "baseline", "avx2", "avx512", "avx512-bf16".
std::string_view name_of(InstructionSet set);

/// The set of that name, or nothing.
std::optional<InstructionSet> instruction_set_of(std::string_view name);

/// The best set that this machine and its operating system run.
InstructionSet best_instruction_set();

/// Whether bfloat16 is computed by the machine's own instructions (AVX512_BF16). Without them a
/// bfloat16 context is refused.
bool supports_bf16();

}  // namespace crossfix::cpu
