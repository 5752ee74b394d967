#pragma once

#include <utility>

struct CUstream_st;  // what cudaStream_t points to

namespace crossfix::cuda {

class Device;

/// A non-owning view of a CUDA stream. Work enqueued on it runs in order, without the caller
/// waiting. There is no default stream, and no view of a null stream.
class StreamView {
 public:
  constexpr explicit StreamView(CUstream_st* stream) : stream_(stream) {}

  /// The handle, a cudaStream_t.
  constexpr CUstream_st* get() const { return stream_; }

 private:
  CUstream_st* stream_;
};

/// An owning CUDA stream, which does not synchronise with the default stream.
class Stream {
 public:
  /// Throws DeviceError.
  explicit Stream(const Device& device);
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  /// Waits for work that is still running.
  ~Stream();

  StreamView view() const { return StreamView(stream_); }

 private:
  CUstream_st* stream_ = nullptr;
};

}  // namespace crossfix::cuda
