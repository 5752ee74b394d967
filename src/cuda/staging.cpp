#include "crossfix/detail/cuda/staging.hpp"

#include <algorithm>
#include <cstring>

#include "status.hpp"

namespace crossfix::cuda {
namespace {

/// Copies bytes [begin, begin + count) of strided rows, counted as if the rows had no gaps.
void gather(std::byte* to, const std::byte* rows, std::size_t row_bytes, std::size_t stride,
            std::size_t begin, std::size_t count) {
  while (count > 0) {
    const std::size_t column = begin % row_bytes;
    const std::size_t part = std::min(row_bytes - column, count);
    std::memcpy(to, rows + begin / row_bytes * stride + column, part);
    to += part;
    begin += part;
    count -= part;
  }
}

}  // namespace

Staging::Staging(const Target& target) : target_(target) {
  const DeviceScope scope(target.device());
  for (Piece& piece : pieces_) piece.memory = PinnedBuffer(target.device(), kPieceBytes);
  try {
    for (Piece& piece : pieces_) {
      check(cudaEventCreateWithFlags(&piece.copied, cudaEventDisableTiming), "making an event");
    }
  } catch (...) {
    if (pieces_[0].copied != nullptr) static_cast<void>(cudaEventDestroy(pieces_[0].copied));
    throw;
  }
}

Staging::~Staging() {
  for (const Piece& piece : pieces_) {
    static_cast<void>(cudaEventSynchronize(piece.copied));
    static_cast<void>(cudaEventDestroy(piece.copied));
  }
}

void Staging::copy(std::byte* device, const void* host, std::size_t rows, std::size_t row_bytes,
                   std::size_t stride) {
  const DeviceScope scope(target_.device());
  const std::size_t total = rows * row_bytes;
  for (std::size_t begin = 0; begin < total; begin += kPieceBytes) {
    const Piece& piece = pieces_[next_];
    next_ = (next_ + 1) % pieces_.size();
    const std::size_t count = std::min(kPieceBytes, total - begin);
    check(cudaEventSynchronize(piece.copied), "waiting for a copy");
    gather(piece.memory.data(), static_cast<const std::byte*>(host), row_bytes, stride, begin,
           count);
    const auto stream = target_.stream().get();
    check(
        cudaMemcpyAsync(device + begin, piece.memory.data(), count, cudaMemcpyHostToDevice, stream),
        "copying to " + target_.device().description());
    check(cudaEventRecord(piece.copied, stream), "recording an event");
  }
}

}  // namespace crossfix::cuda
