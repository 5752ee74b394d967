#pragma once

#include <string>

#include "crossfix/cpu/context.hpp"
#include "crossfix/localizer.hpp"

/// The common part of all engines on the CPU.
namespace crossfix {

/// Whether the requested precision is bf16 on this machine. Throws DeviceError if the CPU lacks it.
bool cpu_computes_in_bf16(Precision asked);

/// Threads, instruction set and library, as text for people.
std::string describe_cpu(const cpu::Target& target);

}  // namespace crossfix
