#pragma once

#include <functional>
#include <string>

namespace crossfix::pipeline {

/// How many threads to use: those that were asked for or, for 0, one for each of `cores`. If not
/// all can be started, half of those that can, with a warning: their stacks are not all that needs
/// memory. Far more threads than the machine has cores are a warning too.
int usable_threads(int asked, int cores, const std::function<void(const std::string&)>& warn);

}  // namespace crossfix::pipeline
