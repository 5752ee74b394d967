#include "select.hpp"

#include <string>

#include "crossfix/core/error.hpp"

namespace crossfix::cpu::kernels {

template <>
const FloatKernels& select<float>(InstructionSet set) {
#if CROSSFIX_X86_KERNELS
  if (set >= InstructionSet::avx512) return kAvx512;  // bfloat16 instructions add nothing for f32
  if (set == InstructionSet::avx2) return kAvx2;
#endif
  static_cast<void>(set);
  return kBaseline;
}

CorrelationFunction select_correlation(InstructionSet set) {
#if CROSSFIX_X86_KERNELS
  if (set >= InstructionSet::avx512) return kAvx512Correlation;
  if (set == InstructionSet::avx2) return kAvx2Correlation;
#endif
  static_cast<void>(set);
  return kBaselineCorrelation;
}

const LogSumFunctions& select_log_sums(InstructionSet set) {
#if CROSSFIX_X86_KERNELS
  if (set >= InstructionSet::avx512) return kAvx512LogSums;
  if (set == InstructionSet::avx2) return kAvx2LogSums;
#endif
  static_cast<void>(set);
  return kBaselineLogSums;
}

template <>
const Bfloat16Kernels& select<bfloat16>(InstructionSet set) {
#if CROSSFIX_X86_KERNELS
  if (set >= InstructionSet::avx512_bf16) return kAvx512Bf16;
#endif
  throw DeviceError("no bf16 kernels for the instruction set " + std::string(name_of(set)));
}

}  // namespace crossfix::cpu::kernels
