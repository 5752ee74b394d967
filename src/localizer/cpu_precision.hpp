#pragma once

#include <string>

#include "crossfix/cpu/context.hpp"
#include "crossfix/localizer.hpp"

/// What all engines on the CPU have in common.
namespace crossfix {

/// Whether a precision that was asked for is bf16 here. Throws DeviceError for one that the CPU
/// lacks.
bool cpu_computes_in_bf16(Precision asked);

/// Threads, instruction set and library, for people.
std::string describe_cpu(const cpu::Target& target);

}  // namespace crossfix
