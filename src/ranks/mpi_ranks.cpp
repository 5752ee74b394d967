#include "mpi_ranks.hpp"

#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <thread>

namespace crossfix::ranks {

namespace {

using Clock = std::chrono::steady_clock;

/// How long a waiting rank sleeps between two looks: short compared with any batch, long compared
/// with a look.
constexpr std::chrono::microseconds kLook{500};
constexpr std::chrono::seconds kPatience{60};

/// Longer texts are sent in pieces, because MPI sizes are ints.
constexpr std::size_t kPieceBytes = std::size_t{1} << 24;

/// Messages: what `send` sends, the pieces of a text, its last piece, "exit code\nmessage".
enum Tag : int { kTold, kPiece, kLastPiece, kFailure };

/// mpirun reads the standard error of the ranks through a pipe, and passes it on to its own.
bool ends_at_terminal() {
  if (isatty(STDERR_FILENO) == 1) return true;
  const std::string launchers = "/proc/" + std::to_string(getppid()) + "/fd/2";
  const int descriptor = ::open(launchers.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  const bool terminal = isatty(descriptor) == 1;
  ::close(descriptor);
  return terminal;
}

/// The share of each rank in the CPUs that the ranks of its machine may use: its own CPUs if mpirun
/// bound every rank to different CPUs, an even part if they share them.
int cpu_share(MPI_Comm machine) {
  cpu_set_t mine;
  cpu_set_t all;
  CPU_ZERO(&mine);
  CPU_ZERO(&all);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) CPU_SET(0, &mine);
  MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BOR, machine);
  const int own = CPU_COUNT(&mine);
  int sum = 0;
  MPI_Allreduce(&own, &sum, 1, MPI_INT, MPI_SUM, machine);
  return std::max(1, own * CPU_COUNT(&all) / sum);
}

Topology find_topology() {
  Topology topology;
  MPI_Comm_rank(MPI_COMM_WORLD, &topology.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &topology.size);
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, topology.rank, MPI_INFO_NULL, &machine);
  MPI_Comm_rank(machine, &topology.local_rank);
  const int leads = topology.local_rank == 0 ? 1 : 0;
  MPI_Allreduce(&leads, &topology.machines, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  topology.cpus = cpu_share(machine);
  MPI_Comm_free(&machine);
  topology.terminal = ends_at_terminal();
  return topology;
}

/// All communication is by messages between rank 0 and the others. So rank 0 receives progress and
/// failures whatever it waits for.
class MpiRanks final : public Ranks {
 public:
  explicit MpiRanks(const Topology& topology)
      : Ranks(topology),
        arrived_(static_cast<std::size_t>(topology.size)),
        pieces_(arrived_.size()) {}

  ~MpiRanks() override {
    while (!all_sent()) std::this_thread::sleep_for(kLook);
    MPI_Finalize();
  }

  void send(std::string message) override {
    if (first()) {
      receive(message);
    } else {
      send(0, kTold, std::move(message));
    }
    attend();
  }

  std::vector<std::string> gather(std::string part) override {
    if (!first()) {
      send_text(0, part);
      wait([&] { return all_sent(); });
      return {};
    }
    std::vector<std::string> parts{std::move(part)};
    for (int rank = 1; rank < size(); ++rank) parts.push_back(receive_text(rank));
    return parts;
  }

  std::string broadcast(std::string text) override {
    if (!first()) return receive_text(0);
    for (int rank = 1; rank < size(); ++rank) send_text(rank, text);
    wait([&] { return all_sent(); });
    return text;
  }

  void send_failure(int code, const std::string& message) override {
    send(0, kFailure, std::to_string(code) + "\n" + message);
    const Clock::time_point end = Clock::now() + kPatience;
    while (Clock::now() < end) {
      all_sent();
      std::this_thread::sleep_for(kLook);
    }
  }

 private:
  void abort(int code) override {
    if (!alone()) MPI_Abort(MPI_COMM_WORLD, code);
  }

  struct Sent {
    std::string bytes;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  void send(int to, Tag tag, std::string bytes) {
    Sent& sent = sent_.emplace_back();
    sent.bytes = std::move(bytes);
    MPI_Isend(sent.bytes.data(), static_cast<int>(sent.bytes.size()), MPI_BYTE, to, tag,
              MPI_COMM_WORLD, &sent.request);
  }

  void send_text(int to, const std::string& text) {
    std::size_t at = 0;
    for (; text.size() - at > kPieceBytes; at += kPieceBytes) {
      send(to, kPiece, text.substr(at, kPieceBytes));
    }
    send(to, kLastPiece, text.substr(at));
  }

  std::string receive_text(int from) {
    auto& texts = arrived_[static_cast<std::size_t>(from)];
    wait([&] { return !texts.empty(); });
    std::string text = std::move(texts.front());
    texts.pop_front();
    return text;
  }

  template <class Condition>
  void wait(const Condition& condition) {
    for (attend(); !condition(); attend()) std::this_thread::sleep_for(kLook);
  }

  /// Forgets what has been sent; returns true if nothing is left to send.
  bool all_sent() {
    std::erase_if(sent_, [](Sent& sent) {
      int done = 0;
      MPI_Test(&sent.request, &done, MPI_STATUS_IGNORE);
      return done != 0;
    });
    return sent_.empty();
  }

  /// Receives everything that has come.
  void attend() {
    all_sent();
    while (true) {
      int there = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
      if (there == 0) return;
      int count = 0;
      MPI_Get_count(&status, MPI_BYTE, &count);
      std::string bytes(static_cast<std::size_t>(count), '\0');
      MPI_Recv(bytes.data(), count, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
      take(status.MPI_SOURCE, status.MPI_TAG, bytes);
    }
  }

  void take(int from, int tag, const std::string& bytes) {
    const auto source = static_cast<std::size_t>(from);
    if (tag == kTold) {
      receive(bytes);
    } else if (tag == kFailure) {
      const std::size_t end = bytes.find('\n');
      throw RankError(std::stoi(bytes.substr(0, end)),
                      "rank " + std::to_string(from) + ": " + bytes.substr(end + 1));
    } else {
      pieces_[source] += bytes;
      if (tag == kPiece) return;
      arrived_[source].push_back(std::move(pieces_[source]));
      pieces_[source].clear();
    }
  }

  std::list<Sent> sent_;  ///< a list: MPI reads the bytes at their addresses
  std::vector<std::deque<std::string>> arrived_;  ///< complete texts, by the rank that sent them
  std::vector<std::string> pieces_;               ///< texts that are not complete yet
};

}  // namespace

std::unique_ptr<Ranks> start_mpi(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  return std::make_unique<MpiRanks>(find_topology());
}

}  // namespace crossfix::ranks
