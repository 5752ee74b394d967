#include "cpu_precision.hpp"

#include "crossfix/core/error.hpp"
#include "crossfix/cpu/backend.hpp"

namespace crossfix {

bool cpu_computes_in_bf16(Precision asked) {
  if (asked == Precision::f16) {
    throw DeviceError("f16 needs a GPU; the CPU computes in f32 or bf16");
  }
  if (asked == Precision::bf16 && !cpu::supports_bf16()) {
    throw DeviceError(
        "this CPU has no bf16 instructions (AVX512_BF16); use f32, or auto for the best it has");
  }
  return asked == Precision::bf16 || (asked == Precision::automatic && cpu::supports_bf16());
}

std::string describe_cpu(const cpu::Target& target) {
  const int threads = target.threads == 0 ? cpu::available_threads() : target.threads;
  return "CPU, " + std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") +
         std::string(cpu::name_of(cpu::best_instruction_set())) + ", " +
         cpu::name_of(target.library);
}

}  // namespace crossfix
