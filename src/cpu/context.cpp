#include "crossfix/cpu/context.hpp"

#include <omp.h>

#include <string>
#include <type_traits>

#include "crossfix/ops/checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {
namespace {

InstructionSet resolve_instruction_set(std::optional<InstructionSet> wish) {
  const InstructionSet best = best_instruction_set();
  if (wish && *wish > best) {
    throw DeviceError("instruction set " + std::string(name_of(*wish)) +
                      " asked for; this machine's best is " + std::string(name_of(best)));
  }
  return wish.value_or(best);
}

}  // namespace

int available_threads() { return omp_get_num_procs(); }

int thread_count(const Target& target) {
  if (target.threads < 0) {
    throw DeviceError(std::to_string(target.threads) + " threads asked for; 0 means all cores");
  }
  return target.threads == 0 ? available_threads() : target.threads;
}

ThreadScope::ThreadScope(int threads) : former_(omp_get_max_threads()) {
  omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() { omp_set_num_threads(former_); }

Context::Context(const Target& target, std::size_t scratch_bytes)
    : threads_(thread_count(target)),
      instruction_set_(resolve_instruction_set(target.instruction_set)),
      scratch_({static_cast<Index>(scratch_bytes)}) {}

std::byte* Context::scratch(std::size_t bytes) {
  ops::check_scratch(bytes, scratch_bytes());
  return scratch_.data();
}

template <class Element>
ElementContext<Element>::ElementContext(const Target& target, std::size_t scratch_bytes)
    : Context(target, scratch_bytes) {
  if constexpr (std::is_same_v<Element, bfloat16>) {
    if (instruction_set() < InstructionSet::avx512_bf16) {
      throw DeviceError("bf16 needs the instruction set avx512-bf16; here it is " +
                        std::string(name_of(instruction_set())) + ": use f32");
    }
  }
}

template class ElementContext<float>;
template class ElementContext<bfloat16>;

}  // namespace crossfix::cpu
