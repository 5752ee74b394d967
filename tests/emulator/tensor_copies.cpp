#include "emulator/tensor_copies.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "emulator/arrivals.hpp"
#include "emulator/swizzle.hpp"

namespace crossfix::emulator {
namespace {

constexpr std::size_t kAlignment = 128;  // of a copy's destination, bytes
constexpr std::size_t kChunkBytes = 16;

}  // namespace

void TensorCopies::load(void* shared, const device::TensorMapDescription& map,
                        std::uint64_t& barrier, const std::array<Index, 4>& corner) {
  block_.part<Arrivals>().expect_known_to_copies(barrier);
  const auto row = static_cast<std::size_t>(map.box[0]) * size_of(map.dtype);
  if (map.swizzle != device::Swizzle::none && row != static_cast<std::size_t>(map.swizzle)) {
    block_.fail("tensor copy of rows of " + std::to_string(row) +
                " bytes, fewer than the swizzle's span, which is not modelled");
  }
  const std::size_t bytes = row * static_cast<std::size_t>(map.box[1] * map.box[2] * map.box[3]);
  const std::size_t offset = block_.shared().offset_of(shared);
  if (!block_.shared().holds(shared, bytes) || offset % kAlignment != 0) {
    block_.fail("tensor copy of " + std::to_string(bytes) + " bytes to shared offset " +
                std::to_string(offset) + " of " + std::to_string(block_.shared().bytes()));
  }
  for (const Copy& other : under_way_) {
    if (offset < other.offset + other.bytes && other.offset < offset + bytes) {
      block_.fail("tensor copy to shared offset " + std::to_string(offset) +
                  ", where another is under way");
    }
  }
  std::memset(block_.shared().data() + offset, SharedMemory::kPoison, bytes);
  std::memset(block_.shared().asynchronous() + offset, SharedMemory::kPoison, bytes);
  const auto copy = under_way_.insert(under_way_.end(), Copy{offset, bytes, map, corner, &barrier});
  block_.defer(Work::copy, [this, copy] { finish(copy); });
}

void TensorCopies::finish(std::list<Copy>::iterator copy) {
  const unsigned char* data = block_.shared().data() + copy->offset;
  if (!std::all_of(data, data + copy->bytes,
                   [](unsigned char byte) { return byte == SharedMemory::kPoison; })) {
    block_.fail("a store to shared memory that a tensor copy was writing, from offset " +
                std::to_string(copy->offset) + " on");
  }
  const auto& box = copy->map.box;
  std::size_t offset = copy->offset;
  std::array<Index, 4> at = copy->corner;
  for (int i3 = 0; i3 < box[3]; ++i3) {
    for (int i2 = 0; i2 < box[2]; ++i2) {
      for (int i1 = 0; i1 < box[1]; ++i1) {
        at[1] = copy->corner[1] + i1;
        at[2] = copy->corner[2] + i2;
        at[3] = copy->corner[3] + i3;
        write_row(*copy, at, offset);
        offset += static_cast<std::size_t>(box[0]) * size_of(copy->map.dtype);
      }
    }
  }
  block_.part<Arrivals>().complete(*copy->barrier, copy->bytes);
  under_way_.erase(copy);
}

/// Writes the elements of the box along the innermost axis, from `at` on.
void TensorCopies::write_row(const Copy& copy, const std::array<Index, 4>& at, std::size_t offset) {
  const auto& map = copy.map;
  const std::size_t element = size_of(map.dtype);
  Index index = 0;
  bool inside = true;
  for (std::size_t axis = 1; axis < 4; ++axis) {
    inside = inside && at[axis] >= 0 && at[axis] < map.extents[axis];
    index += at[axis] * map.strides[axis];
  }
  const auto elements_per_chunk = static_cast<Index>(kChunkBytes / element);
  for (Index first = 0; first < map.box[0]; first += elements_per_chunk) {
    unsigned char chunk[kChunkBytes] = {};
    for (Index i = 0; inside && i < elements_per_chunk; ++i) {
      const Index column = at[0] + first + i;
      if (column < 0 || column >= map.extents[0]) continue;
      std::memcpy(chunk + static_cast<std::size_t>(i) * element,
                  static_cast<const unsigned char*>(map.base) +
                      (index + column) * static_cast<Index>(element),
                  element);
    }
    const std::size_t to = swizzled(offset + static_cast<std::size_t>(first) * element,
                                    static_cast<std::size_t>(map.swizzle));
    std::memcpy(block_.shared().data() + to, chunk, kChunkBytes);
    std::memcpy(block_.shared().asynchronous() + to, chunk, kChunkBytes);
  }
}

void TensorCopies::block_ended() {
  if (!under_way_.empty()) block_.fail("the block ended with a tensor copy under way");
}

}  // namespace crossfix::emulator
