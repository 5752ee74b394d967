/// The processes that share a program's work.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace crossfix::ranks {

/// One process among all of them.
struct Topology {
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
/// by one thread. No rank spins while it waits: a rank that waits leaves its CPU to the others.
///
/// Rank 0 learns of another rank's failure in any of these functions, which throw RankError then.
class Ranks {
 public:
  explicit Ranks(const Topology& topology) : topology_(topology) {}
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  virtual ~Ranks() = default;

  const Topology& topology() const { return topology_; }
  int rank() const { return topology_.rank; }
  int size() const { return topology_.size; }
  bool first() const { return topology_.rank == 0; }
  bool alone() const { return topology_.size == 1; }

  using Receiver = std::function<void(const std::string& message)>;

  /// What rank 0 does with messages: those of each rank in their order, during calls of `send` and
  /// of the collective functions. Those of a rank come before its part of a later `gather`.
  void on_receive(Receiver receiver) { receiver_ = std::move(receiver); }

  /// Sends a message to rank 0 without waiting for it.
  virtual void send(std::string message) = 0;

  /// Collective: every rank's part by rank, on rank 0; empty on the others.
  virtual std::vector<std::string> gather(std::string part) = 0;

  /// Collective: what rank 0 gives, on all.
  virtual std::string broadcast(std::string text) = 0;

  /// Collective: returns when all have called it.
  void barrier() {
    gather({});
    broadcast({});
  }

  /// Not on rank 0: sends it what ended this one, so that it says so once and ends all. Returns
  /// where it does not answer in a minute.
  virtual void send_failure(int code, const std::string& message) = 0;

  /// Collective: returns when all have called it. After it no rank needs another: each ends by
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
  void receive(const std::string& message) const {
    if (receiver_) receiver_(message);
  }

 private:
  virtual void abort(int code) = 0;

  Topology topology_;
  Receiver receiver_;
  bool parted_ = false;
};

/// The ranks that `mpirun` or its like started, or this process alone. Throws std::runtime_error
/// where there are others and this build does without MPI.
std::unique_ptr<Ranks> start(int argc, char** argv);

/// CPUs that this process may run on.
int cpu_count();

}  // namespace crossfix::ranks
