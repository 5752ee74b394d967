#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "emulator/streams.hpp"
#include "fake.hpp"

namespace crossfix::fake {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr int kPoison = 0xff;  // NaN as float, bfloat16 and float16

struct Piece {
  std::size_t bytes = 0;
  int device = 0;
};

struct State {
  std::recursive_mutex mutex;
  Machine machine;
  Counts counts;
  std::size_t failing = 0;  // allocations until the one that fails
  std::map<const std::byte*, Piece> device;
  std::map<const std::byte*, Piece> pinned;
};
State& state() {
  static State one;
  return one;
}

thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t result(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

bool allocation_fails() {
  State& s = state();
  ++s.counts.allocations;
  return s.failing != 0 && --s.failing == 0;
}

std::byte* take(std::size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes) != 0) return nullptr;
  std::memset(memory, kPoison, bytes);
  return static_cast<std::byte*>(memory);
}

/// The piece that holds [memory, memory + bytes), or null.
const Piece* holder(const std::map<const std::byte*, Piece>& pieces, const void* memory,
                    std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(memory);
  auto found = pieces.upper_bound(at);
  if (found == pieces.begin()) return nullptr;
  --found;
  const bool within = at + bytes <= found->first + found->second.bytes;
  return within ? &found->second : nullptr;
}

}  // namespace

Machine& machine() { return state().machine; }

Counts counts() {
  const std::lock_guard lock(state().mutex);
  return state().counts;
}

void fail_allocation(std::size_t n) {
  const std::lock_guard lock(state().mutex);
  state().failing = n;
}

void expect_device_memory(const char* what, const void* memory, std::size_t bytes) {
  const std::lock_guard lock(state().mutex);
  if (holder(state().device, memory, bytes) == nullptr) {
    throw std::logic_error(std::string(what) + ": " + std::to_string(bytes) +
                           " bytes that are not all in device memory");
  }
}

Alive::Alive() {
  const std::lock_guard lock(state().mutex);
  ++state().counts.objects;
}
Alive::~Alive() {
  const std::lock_guard lock(state().mutex);
  --state().counts.objects;
}

}  // namespace crossfix::fake

using namespace crossfix::fake;

struct CUstream_st {
  Alive alive;
  int device = 0;
  bool capturing = false;
  std::vector<std::function<void()>> recorded;
  std::deque<std::function<void()>> pending;

  /// Does the work that was given to the stream until `enough`, or all of it. Returns false if some
  /// of it failed.
  bool finish(const std::function<bool()>& enough = [] { return false; }) {
    bool fine = true;
    while (!pending.empty() && !enough()) {
      const auto work = std::move(pending.front());
      pending.pop_front();
      try {
        work();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "work on a stream failed: %s\n", error.what());
        fine = false;
      }
    }
    return fine;
  }
};
struct CUevent_st {
  Alive alive;
  CUstream_st* stream = nullptr;
  std::shared_ptr<bool> passed;  // the latest record; null before the first
};
struct CUmemPoolHandle_st {
  Alive alive;
  int device = 0;
};
struct CUgraph_st {
  Alive alive;
  std::vector<std::function<void()>> work;
};
struct CUgraphExec_st {
  Alive alive;
  std::vector<std::function<void()>> work;
};

namespace crossfix::fake {

void submit(CUstream_st* stream, std::function<void()> work) {
  if (stream == nullptr) throw std::logic_error("work for the default stream");
  if (stream->device != current_device) {
    throw std::logic_error("work for a stream of another device than the current one");
  }
  if (stream->capturing) {
    stream->recorded.push_back(std::move(work));
    return;
  }
  {
    const std::lock_guard lock(state().mutex);
    ++state().counts.launches;
  }
  stream->pending.push_back(std::move(work));
}

namespace {
/// Kernels are submitted like the work of the libraries.
const bool kernels_follow = (crossfix::emulator::set_submit(submit), true);
}  // namespace

}  // namespace crossfix::fake

cudaError_t cudaDriverGetVersion(int* version) {
  *version = machine().driver;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (machine().driver / 1000 < CUDART_VERSION / 1000) return result(cudaErrorInsufficientDriver);
  *count = static_cast<int>(machine().gpus.size());
  return result(*count == 0 ? cudaErrorNoDevice : cudaSuccess);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const Gpu& gpu = machine().gpus.at(static_cast<std::size_t>(device));
  std::memset(properties, 0, sizeof(*properties));
  std::snprintf(properties->name, sizeof(properties->name), "%s", gpu.name.c_str());
  properties->totalGlobalMem = gpu.memory_bytes;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  const Gpu& gpu = machine().gpus.at(static_cast<std::size_t>(device));
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = gpu.compute_capability / 10;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = gpu.compute_capability % 10;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = 4;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = 227 * 1024;
      return cudaSuccess;
    default:
      return result(cudaErrorInvalidValue);
  }
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= static_cast<int>(machine().gpus.size())) {
    return result(cudaErrorInvalidDevice);
  }
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    default:
      return "error of the stand-in";
  }
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = machine().gpus.at(static_cast<std::size_t>(current_device)).memory_bytes;
  *free = *total - std::min(*total, counts().device_bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags != cudaStreamNonBlocking) return result(cudaErrorInvalidValue);
  *stream = new CUstream_st;
  (*stream)->device = current_device;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const bool fine = stream->finish();
  delete stream;
  return result(fine ? cudaSuccess : cudaErrorLaunchFailure);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
  return result(stream->finish() ? cudaSuccess : cudaErrorLaunchFailure);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (flags != cudaEventDisableTiming) return result(cudaErrorInvalidValue);
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  // A recorded event could not be waited for in a graph.
  if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
  event->stream = stream;
  event->passed = std::make_shared<bool>(false);
  stream->pending.push_back([passed = event->passed] { *passed = true; });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->passed == nullptr || *event->passed) return cudaSuccess;
  const bool fine = event->stream->finish([event] { return *event->passed; });
  return result(fine ? cudaSuccess : cudaErrorLaunchFailure);
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  if (properties->allocType != cudaMemAllocationTypePinned ||
      properties->location.type != cudaMemLocationTypeDevice) {
    return result(cudaErrorInvalidValue);
  }
  *pool = new CUmemPoolHandle_st;
  (*pool)->device = properties->location.id;
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete pool;
  return cudaSuccess;
}
cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream) {
  const std::lock_guard lock(state().mutex);
  if (stream->capturing || bytes == 0) return result(cudaErrorInvalidValue);
  const Gpu& gpu = machine().gpus.at(static_cast<std::size_t>(pool->device));
  const bool fits = state().counts.device_bytes + bytes <= gpu.memory_bytes;
  if (allocation_fails() || !fits) return result(cudaErrorMemoryAllocation);
  std::byte* taken = take(bytes);
  if (taken == nullptr) return result(cudaErrorMemoryAllocation);
  state().device[taken] = {bytes, pool->device};
  ++state().counts.device_allocations;
  state().counts.device_bytes += bytes;
  *memory = taken;
  return cudaSuccess;
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (stream->capturing) return result(cudaErrorInvalidValue);
  stream->pending.push_back([memory] {
    const std::lock_guard lock(state().mutex);
    const auto found = state().device.find(static_cast<const std::byte*>(memory));
    if (found == state().device.end()) throw std::logic_error("freed what is not allocated");
    --state().counts.device_allocations;
    state().counts.device_bytes -= found->second.bytes;
    state().device.erase(found);
    std::free(memory);
  });
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  const std::lock_guard lock(state().mutex);
  if (allocation_fails()) return result(cudaErrorMemoryAllocation);
  std::byte* taken = take(bytes);
  if (taken == nullptr) return result(cudaErrorMemoryAllocation);
  state().pinned[taken] = {bytes, 0};
  ++state().counts.pinned_allocations;
  *memory = taken;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  const std::lock_guard lock(state().mutex);
  if (state().pinned.erase(static_cast<const std::byte*>(memory)) != 1) {
    return result(cudaErrorInvalidValue);
  }
  --state().counts.pinned_allocations;
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  const std::lock_guard lock(state().mutex);
  std::memset(attributes, 0, sizeof(*attributes));
  attributes->type = cudaMemoryTypeUnregistered;
  if (const Piece* piece = holder(state().device, memory, 1)) {
    attributes->type = cudaMemoryTypeDevice;
    attributes->device = piece->device;
  } else if (holder(state().pinned, memory, 1) != nullptr) {
    attributes->type = cudaMemoryTypeHost;
  }
  return cudaSuccess;
}

cudaError_t cudaMemset2DAsync(void* memory, std::size_t pitch, int value, std::size_t width,
                              std::size_t height, cudaStream_t stream) {
  if (height == 0 || width == 0) return cudaSuccess;
  submit(stream, [=] {
    expect_device_memory("memset", memory, (height - 1) * pitch + width);
    for (std::size_t row = 0; row < height; ++row) {
      std::memset(static_cast<std::byte*>(memory) + row * pitch, value, width);
    }
  });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  return cudaMemset2DAsync(memory, bytes, value, bytes, 1, stream);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  if (height == 0 || width == 0) return cudaSuccess;
  if (width > to_pitch || width > from_pitch) return result(cudaErrorInvalidValue);
  const std::size_t to_bytes = (height - 1) * to_pitch + width;
  const std::size_t from_bytes = (height - 1) * from_pitch + width;
  const auto copy = [=](const void* source) {
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(static_cast<std::byte*>(to) + row * to_pitch,
                  static_cast<const std::byte*>(source) + row * from_pitch, width);
    }
  };
  const auto pinned = [](const void* memory, std::size_t bytes) {
    const std::lock_guard lock(state().mutex);
    return holder(state().pinned, memory, bytes) != nullptr;
  };
  switch (kind) {
    case cudaMemcpyHostToDevice: {
      if (pinned(from, from_bytes)) {  // read when the copy is done
        submit(stream, [=] {
          expect_device_memory("copy to the device", to, to_bytes);
          copy(from);
        });
        return cudaSuccess;
      }
      // Memory that is not pinned is read before the call returns, so it cannot be recorded.
      if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
      const auto* begin = static_cast<const std::byte*>(from);
      auto snapshot = std::make_shared<std::vector<std::byte>>(begin, begin + from_bytes);
      submit(stream, [=] {
        expect_device_memory("copy to the device", to, to_bytes);
        copy(snapshot->data());
      });
      return cudaSuccess;
    }
    case cudaMemcpyDeviceToHost: {
      submit(stream, [=] {
        expect_device_memory("copy from the device", from, from_bytes);
        copy(from);
      });
      if (pinned(to, to_bytes)) return cudaSuccess;
      return cudaStreamSynchronize(stream);
    }
    case cudaMemcpyDeviceToDevice:
      submit(stream, [=] {
        expect_device_memory("copy on the device", from, from_bytes);
        expect_device_memory("copy on the device", to, to_bytes);
        copy(from);
      });
      return cudaSuccess;
    default:
      return result(cudaErrorInvalidMemcpyDirection);
  }
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (stream->capturing || mode != cudaStreamCaptureModeThreadLocal) {
    return result(cudaErrorInvalidValue);
  }
  stream->capturing = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->capturing) return result(cudaErrorInvalidValue);
  stream->capturing = false;
  *graph = new CUgraph_st;
  (*graph)->work = std::exchange(stream->recorded, {});
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new CUgraphExec_st;
  (*executable)->work = graph->work;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  submit(stream, [executable] {
    for (const auto& work : executable->work) work();
  });
  const std::lock_guard lock(state().mutex);
  ++state().counts.graph_launches;
  return cudaSuccess;
}
