#pragma once

#include <memory>

#include "ranks.hpp"

namespace crossfix::ranks {

/// Starts MPI, which ends with the object.
std::unique_ptr<Ranks> start_mpi(int argc, char** argv);

}  // namespace crossfix::ranks
