#pragma once

#include <memory>

#include "ranks.hpp"

namespace crossfix::ranks {

/// Starts MPI. It ends when the object is destroyed.
std::unique_ptr<Ranks> start_mpi(int argc, char** argv);

}  // namespace crossfix::ranks
