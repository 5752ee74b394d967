#pragma once

struct CUstream_st;  // what cudaStream_t points to

namespace crossfix::cuda {

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

}  // namespace crossfix::cuda
