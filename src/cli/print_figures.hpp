#pragma once

#include <iosfwd>
#include <vector>

#include "eval/mode_figures.hpp"

namespace crossfix::cli {

/// Prints figures as tables, in the shape of the published ones. `runs`: the groups are runs, which
/// are averaged, and errors are given along and across the vehicle.
void print_figures(std::ostream& out, const std::vector<eval::ModeFigures>& modes, bool runs);

}  // namespace crossfix::cli
