#pragma once

#include <utility>

struct CUstream_st;  // what cudaStream_t points to

namespace crossfix::cuda {

class Device;

/// A CUDA stream of somebody else's: work handed to it runs in order, without the caller waiting.
/// There is no default one; a view of a null stream is not made.
class StreamView {
 public:
  constexpr explicit StreamView(CUstream_st* stream) : stream_(stream) {}

  /// The handle, a cudaStream_t.
  constexpr CUstream_st* get() const { return stream_; }

 private:
  CUstream_st* stream_;
};

/// A stream of our own, which does not wait for the default stream.
class Stream {
 public:
  /// Throws DeviceError.
  explicit Stream(const Device& device);
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  /// Waits for the work under way.
  ~Stream();

  StreamView view() const { return StreamView(stream_); }

 private:
  CUstream_st* stream_ = nullptr;
};

}  // namespace crossfix::cuda
