#include "ranks.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#if CROSSFIX_HAS_MPI
#include "mpi_ranks.hpp"
#endif

namespace crossfix::ranks {

namespace {

class OneRank final : public Ranks {
 public:
  OneRank() : Ranks({.cpus = cpu_count(), .terminal = isatty(STDERR_FILENO) == 1}) {}
  void send(std::string message) override { receive(message); }
  std::vector<std::string> gather(std::string part) override { return {std::move(part)}; }
  std::string broadcast(std::string text) override { return text; }
  void send_failure(int, const std::string&) override {}

 private:
  void abort(int) override {}
};

/// Variables that the launchers of Open MPI, PMIx and MPICH set for the processes they start.
constexpr const char* kLauncherVariables[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};

}  // namespace

std::unique_ptr<Ranks> start([[maybe_unused]] int argc, [[maybe_unused]] char** argv) {
  const bool launched = std::any_of(std::begin(kLauncherVariables), std::end(kLauncherVariables),
                                    [](const char* name) { return std::getenv(name) != nullptr; });
  if (!launched) return std::make_unique<OneRank>();
#if CROSSFIX_HAS_MPI
  return start_mpi(argc, argv);
#else
  const char* size = std::getenv(kLauncherVariables[0]);
  if (size != nullptr && std::string(size) == "1") return std::make_unique<OneRank>();
  throw std::runtime_error(
      "started by mpirun, and built without MPI: every process would do all of the work; build "
      "where Open MPI is found, or start it without mpirun");
#endif
}

int cpu_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(CPU_COUNT(&set), 1);
}

}  // namespace crossfix::ranks
