#pragma once

#include <array>
#include <cstddef>

#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/target.hpp"

struct CUevent_st;  // what cudaEvent_t points to

namespace crossfix::cuda {

/// Copies host memory to the device through two pinned buffers: one is filled while the device
/// copies from the other. The caller may reuse its memory as soon as `copy` returns.
class Staging {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{2} << 20;

  /// Throws DeviceError if memory is short.
  explicit Staging(const Target& target);
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  /// Copies `rows` rows of `row_bytes`, `stride` bytes apart in host memory, to `device` without
  /// gaps, in the order of the target's stream. Throws DeviceError.
  void copy(std::byte* device, const void* host, std::size_t rows, std::size_t row_bytes,
            std::size_t stride);
  void copy(std::byte* device, const void* host, std::size_t bytes) {
    copy(device, host, 1, bytes, bytes);
  }

 private:
  struct Piece {
    PinnedBuffer memory;
    CUevent_st* copied = nullptr;  // recorded after the last copy from this buffer
  };

  Target target_;
  std::array<Piece, 2> pieces_;
  std::size_t next_ = 0;
};

}  // namespace crossfix::cuda
