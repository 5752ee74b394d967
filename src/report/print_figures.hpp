#pragma once

#include <iosfwd>
#include <vector>

#include "eval/mode_figures.hpp"

namespace crossfix::report {

/// Prints figures as tables, in the form of the published ones. `runs`: the groups are runs. Then
/// they are averaged, and errors are also given along and across the vehicle.
void print_figures(std::ostream& out, const std::vector<eval::ModeFigures>& modes, bool runs);

}  // namespace crossfix::report
