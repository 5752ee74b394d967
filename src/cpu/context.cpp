#include "crossfix/cpu/context.hpp"

#include <omp.h>

#include <string>
#include <type_traits>

namespace crossfix::cpu {
namespace {

int resolve_threads(int threads) {
  if (threads < 0) {
    throw DeviceError(std::to_string(threads) + " threads asked for; 0 means all cores");
  }
  return threads == 0 ? available_threads() : threads;
}

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

ThreadScope::ThreadScope(int threads) : former_(omp_get_max_threads()) {
  omp_set_num_threads(resolve_threads(threads));
}

ThreadScope::~ThreadScope() { omp_set_num_threads(former_); }

Context::Context(std::size_t scratch_bytes, const ContextOptions& options)
    : threads_(resolve_threads(options.threads)),
      instruction_set_(resolve_instruction_set(options.instruction_set)),
      scratch_({static_cast<Index>(scratch_bytes)}) {}

std::byte* Context::scratch(std::size_t bytes) {
  if (bytes > scratch_bytes()) {
    throw ShapeError("an operator needs " + std::to_string(bytes) +
                     " bytes of scratch memory; the context was made with " +
                     std::to_string(scratch_bytes()));
  }
  return scratch_.data();
}

template <class Element>
ElementContext<Element>::ElementContext(std::size_t scratch_bytes, const ContextOptions& options)
    : Context(scratch_bytes, options) {
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
