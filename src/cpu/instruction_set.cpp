#include "crossfix/cpu/instruction_set.hpp"

namespace crossfix::cpu {

std::string_view name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline:
      return "baseline";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::avx512_bf16:
      return "avx512-bf16";
  }
  return "?";
}

std::optional<InstructionSet> instruction_set_of(std::string_view name) {
  for (auto set : {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512,
                   InstructionSet::avx512_bf16}) {
    if (name == name_of(set)) return set;
  }
  return std::nullopt;
}

// The compiler's run-time also checks that the operating system saves the wide registers.
InstructionSet best_instruction_set() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (!avx2) return InstructionSet::baseline;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (!avx512) return InstructionSet::avx2;
  return __builtin_cpu_supports("avx512bf16") ? InstructionSet::avx512_bf16
                                              : InstructionSet::avx512;
#else
  return InstructionSet::baseline;
#endif
}

bool supports_bf16() { return best_instruction_set() >= InstructionSet::avx512_bf16; }

}  // namespace crossfix::cpu
