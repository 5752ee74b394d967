#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

namespace crossfix::emulator {

/// The dynamic shared memory of a block, of exactly the size asked for, at a 1024-byte boundary. It
/// is kept twice: as ordinary loads and stores see it, and as the asynchronous proxy (tensor
/// copies, wgmma) sees it. Ordinary stores reach the second copy only by a proxy fence.
class SharedMemory {
 public:
  /// Every byte of poison: a NaN in each floating-point type, -1 as an integer.
  static constexpr int kPoison = 0xff;
  static constexpr std::size_t kAlignment = 1024;

  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::size_t bytes() const { return bytes_; }
  unsigned char* data() { return data_.get(); }
  /// The memory as the asynchronous proxy sees it.
  unsigned char* asynchronous() { return asynchronous_.get(); }

  /// Fills both views with poison.
  void poison();
  /// Makes ordinary stores visible to the asynchronous proxy.
  void publish() { std::memcpy(asynchronous_.get(), data_.get(), bytes_); }
  /// True if `begin` and the bytes after it lie inside.
  bool holds(const void* begin, std::size_t bytes) const;
  /// Bytes from the start to `address`.
  std::size_t offset_of(const void* address) const;
  /// True if nothing was written just after the end.
  bool guard_intact() const;

 private:
  struct Release {
    void operator()(unsigned char* memory) const;
  };
  using Memory = std::unique_ptr<unsigned char[], Release>;
  static Memory allocate(std::size_t bytes);

  std::size_t bytes_;
  Memory data_;
  Memory asynchronous_;
};

}  // namespace crossfix::emulator
