#pragma once

#include <type_traits>

#include "crossfix/core/dtype.hpp"
#include "crossfix/cpu/instruction_set.hpp"
#include "kernels.hpp"

namespace crossfix::cpu::kernels {

/// The type that kernels use for an activation element.
template <class Element>
using Stored = std::conditional_t<std::is_same_v<Element, bfloat16>, std::uint16_t, Element>;

/// The kernels of an instruction set. Throws DeviceError if it has none for `Element`.
template <class Element>
const ElementKernels<Stored<Element>>& select(InstructionSet set);

template <>
const FloatKernels& select<float>(InstructionSet set);
template <>
const Bfloat16Kernels& select<bfloat16>(InstructionSet set);

CorrelationFunction select_correlation(InstructionSet set);
const LogSumFunctions& select_log_sums(InstructionSet set);

}  // namespace crossfix::cpu::kernels
