#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

struct CUstream_st;

/// Stands in for the CUDA runtime, cuBLASLt and cuDNN, for the calls that crossfix makes. It is
/// compiled against the real headers and linked instead of the real libraries, so the backend runs
/// on the CPU.
///
/// Device memory is host memory of exactly the size asked for, poisoned. A stream does its work
/// only when it is waited for. In capture it records, and launching a graph gives the record to the
/// stream again. Everything that the real libraries leave undefined is refused: memory out of
/// bounds; attributes that are unknown, missing or of the wrong type; descriptors that were not
/// finished.
namespace crossfix::fake {

struct Gpu {
  std::string name = "stand-in";
  int compute_capability = 90;
  std::size_t memory_bytes = std::size_t{1} << 32;
};

/// The machine that the runtime sees. It may be changed while no object is alive.
struct Machine {
  int driver = 13000;  ///< newest CUDA that the driver supports, 13000 is 13.0; 0: no driver
  std::vector<Gpu> gpus{Gpu{}};
};
Machine& machine();

/// Replaces the current machine by another one within a scope.
class MachineScope {
 public:
  explicit MachineScope(Machine changed) : former_(machine()) { machine() = std::move(changed); }
  ~MachineScope() { machine() = former_; }
  MachineScope(const MachineScope&) = delete;
  MachineScope& operator=(const MachineScope&) = delete;

 private:
  Machine former_;
};

/// How many objects are alive, and how many were ever made.
struct Counts {
  std::size_t device_allocations = 0;
  std::size_t device_bytes = 0;
  std::size_t pinned_allocations = 0;
  std::size_t objects = 0;      ///< streams, pools, graphs, handles and descriptors
  std::size_t allocations = 0;  ///< of either kind, since the program began
  std::size_t launches = 0;     ///< submitted to streams; a graph counts as one
  std::size_t graph_launches = 0;

  bool nothing_alive() const {
    return device_allocations == 0 && pinned_allocations == 0 && objects == 0;
  }
};
Counts counts();

/// Makes the n-th allocation from now on (1: the next), of device or pinned memory, fail; 0: none
/// fails.
void fail_allocation(std::size_t n);

/// Work of the libraries: queued on the stream, or recorded in capture. Throws if the stream does
/// not belong to the current device of the calling thread.
void submit(CUstream_st* stream, std::function<void()> work);

/// Throws unless [memory, memory + bytes) lies in one live piece of device memory.
void expect_device_memory(const char* what, const void* memory, std::size_t bytes);

/// Counts a live object.
class Alive {
 public:
  Alive();
  ~Alive();
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
};

}  // namespace crossfix::fake
