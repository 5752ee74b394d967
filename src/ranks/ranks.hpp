/// The processes that share the work of a program.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace crossfix::ranks {

/// One process, and its position among all of them.
struct Topology {
  int rank = 0;
  int size = 1;
  int local_rank = 0;     ///< among the ranks of this machine
  int machines = 1;       ///< that the ranks run on
  int cpus = 1;           ///< share of those that the ranks of its machine may use, at least 1
  bool terminal = false;  ///< standard error ends at a terminal
};

/// The error that ended another rank, thrown on rank 0.
class RankError : public std::runtime_error {
 public:
  RankError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

/// The ranks of one run. All of them call the collective functions in the same order. One thread
/// may use it. No rank spins while it waits: a waiting rank leaves its CPU to the others.
///
/// Rank 0 learns of another rank's failure in any of these functions; they throw RankError then.
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

  /// Sets what rank 0 does with messages. It receives those of each rank in order, during calls of
  /// `send` and of the collective functions. Messages of a rank come before its part of a later
  /// `gather`.
  void on_receive(Receiver receiver) { receiver_ = std::move(receiver); }

  /// Sends a message to rank 0 without waiting for it.
  virtual void send(std::string message) = 0;

  /// Collective: rank 0 gets the parts of all ranks, by rank; the others get an empty list.
  virtual std::vector<std::string> gather(std::string part) = 0;

  /// Collective: all ranks get the text that rank 0 passes.
  virtual std::string broadcast(std::string text) = 0;

  /// Collective: returns when all ranks have called it.
  void barrier() {
    gather({});
    broadcast({});
  }

  /// Not on rank 0: sends rank 0 the error that ended this rank, so that rank 0 reports it once and
  /// ends all. Returns if rank 0 does not answer within a minute.
  virtual void send_failure(int code, const std::string& message) = 0;

  /// Collective: returns when all ranks have called it. After it no rank needs another: each ends
  /// by itself, with any exit code.
  void part() {
    barrier();
    parted_ = true;
  }

  /// Ends all ranks with this exit code. Returns if there are no others, or if they have parted.
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

/// The ranks that `mpirun` or a similar launcher started, or this process alone. Throws
/// std::runtime_error if there are others and this build has no MPI.
std::unique_ptr<Ranks> start(int argc, char** argv);

/// The number of CPUs that this process may run on.
int cpu_count();

}  // namespace crossfix::ranks
