/// The processes that share a program's work.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace crossfix::ranks {

/// Where one process stands among all of them.
struct Place {
  int rank = 0;
  int size = 1;
  int local_rank = 0;  ///< among the ranks of this machine
  int machines = 1;    ///< that the ranks run on
  int cpus = 1;        ///< this rank's share of those that the machine's ranks may use, at least 1
  bool terminal = false;  ///< standard error ends at a terminal
};

/// What ended another rank, thrown on rank 0 in its stead.
class RankError : public std::runtime_error {
 public:
  RankError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

/// The ranks of one run, all of which call the collective functions in the same order. To be used
/// by one thread. Nobody spins while waiting: a rank that waits leaves its CPU to the others.
///
/// Rank 0 learns of another rank's failure in any of these functions, which throw RankError then.
class Ranks {
 public:
  explicit Ranks(const Place& place) : place_(place) {}
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  virtual ~Ranks() = default;

  const Place& place() const { return place_; }
  int rank() const { return place_.rank; }
  int size() const { return place_.size; }
  bool first() const { return place_.rank == 0; }
  bool alone() const { return place_.size == 1; }

  using Listener = std::function<void(const std::string& message)>;

  /// What rank 0 does with messages: those of each rank in their order, during calls of `tell` and
  /// of the collective functions. Those of a rank come before its part of a later `gather`.
  void listen(Listener listener) { listener_ = std::move(listener); }

  /// Sends a message to rank 0's listener without waiting for it.
  virtual void tell(std::string message) = 0;

  /// Collective: every rank's part by rank, on rank 0; empty on the others.
  virtual std::vector<std::string> gather(std::string part) = 0;

  /// Collective: what rank 0 gives, on all.
  virtual std::string broadcast(std::string text) = 0;

  /// Collective: returns when all have come.
  void barrier() {
    gather({});
    broadcast({});
  }

  /// Not on rank 0: hands it what ended this one, for it to say so once and end all. Returns where
  /// it does not answer in a minute.
  virtual void hand_over(int code, const std::string& message) = 0;

  /// Collective: returns when all have come. After it nobody needs another rank: each ends by
  /// itself, whatever its exit code.
  void part() {
    barrier();
    parted_ = true;
  }

  /// Ends all ranks with this exit code. Returns where there are no others, or they have parted.
  void end(int code) {
    if (!parted_) abort(code);
  }

 protected:
  void hear(const std::string& message) const {
    if (listener_) listener_(message);
  }

 private:
  virtual void abort(int code) = 0;

  Place place_;
  Listener listener_;
  bool parted_ = false;
};

/// The ranks that `mpirun` or its like started, or this process alone. Throws std::runtime_error
/// where there are others and this build does without MPI.
std::unique_ptr<Ranks> start(int argc, char** argv);

/// CPUs that this process may run on.
int cpu_count();

}  // namespace crossfix::ranks
