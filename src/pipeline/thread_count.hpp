#pragma once

#include <functional>
#include <string>

namespace crossfix::pipeline {

/// A warning if there are far more threads than cores, else empty.
std::string too_many_threads(int threads);

/// How many of the wanted threads to use. If not all can be started, half of those that can, with a
/// warning: their stacks are not all that needs memory.
int usable_threads(int wanted, const std::function<void(const std::string&)>& warn);

}  // namespace crossfix::pipeline
