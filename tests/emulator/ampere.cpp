#include "emulator/ampere.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "emulator/block.hpp"
#include "emulator/collectives.hpp"

namespace crossfix::emulator {
namespace {

constexpr std::size_t kCopyBytes = 16;

struct Copy {
  void* to;
  const void* from;  // null: zeros
};

/// The copies of each thread that no wait has completed yet.
class Copies : public Part {
 public:
  static constexpr Slot kSlot = Slot::copies;

  explicit Copies(Block& block) : block_(block), queues_(block.threads()) {}

  void start(void* to, const void* from, bool valid) {
    if (!block_.shared().holds(to, kCopyBytes) || block_.shared().offset_of(to) % kCopyBytes != 0) {
      block_.fail("cp.async to shared offset " + std::to_string(block_.shared().offset_of(to)) +
                  " of " + std::to_string(block_.shared().bytes()));
    }
    if (valid && reinterpret_cast<std::uintptr_t>(from) % kCopyBytes != 0) {
      block_.fail("cp.async from an address that is no multiple of 16");
    }
    std::memset(to, SharedMemory::kPoison, kCopyBytes);
    own().open.push_back({to, valid ? from : nullptr});
  }

  void commit() {
    own().groups.push_back(std::move(own().open));
    own().open.clear();
  }

  void wait(std::size_t pending) {
    auto& groups = own().groups;
    for (; groups.size() > pending; groups.pop_front()) {
      for (const Copy& copy : groups.front()) {
        if (copy.from == nullptr) {
          std::memset(copy.to, 0, kCopyBytes);
        } else {
          std::memcpy(copy.to, copy.from, kCopyBytes);
        }
      }
    }
  }

 private:
  struct Queue {
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
  };
  Queue& own() { return queues_[block_.running()]; }

  Block& block_;
  std::vector<Queue> queues_;
};

/// Elements of 16 bits, two in a word.
template <class E>
float element_of(std::uint32_t word, unsigned half) {
  E element;
  element.bits = static_cast<std::uint16_t>(word >> (16 * half));
  return static_cast<float>(element);
}

}  // namespace

void start_copy_16(void* shared, const void* global, bool valid) {
  Block::current().part<Copies>().start(shared, global, valid);
}
void commit_copies() { Block::current().part<Copies>().commit(); }
void wait_for_copies(int pending) {
  Block::current().part<Copies>().wait(static_cast<std::size_t>(pending));
}

void load_matrices(std::uint32_t (&r)[4], const void* shared_row, bool transposed) {
  constexpr std::size_t kRowBytes = 16;
  struct Load {
    const void* row;
    std::uint32_t* result;
  };
  Block& block = Block::current();
  if (!block.shared().holds(shared_row, kRowBytes) ||
      block.shared().offset_of(shared_row) % kRowBytes != 0) {
    block.fail("ldmatrix of a row at shared offset " +
               std::to_string(block.shared().offset_of(shared_row)) + " of " +
               std::to_string(block.shared().bytes()));
  }
  Load mine{shared_row, r};
  meet_whole_warp(transposed ? "ldmatrix.trans" : "ldmatrix", &mine, [&](const Lanes& lanes) {
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
      std::uint16_t elements[8][8];
      for (unsigned row = 0; row < 8; ++row) {
        std::memcpy(elements[row], static_cast<Load*>(lanes[8 * matrix + row])->row, kRowBytes);
      }
      for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
        const unsigned g = lane / 4;
        const unsigned t = 2 * (lane % 4);
        const std::uint32_t low = transposed ? elements[t][g] : elements[g][t];
        const std::uint32_t high = transposed ? elements[t + 1][g] : elements[g][t + 1];
        static_cast<Load*>(lanes[lane])->result[matrix] = low | high << 16;
      }
    }
  });
}

template <class E>
void multiply_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                      std::uint32_t b1) {
  struct Product {
    float* d;
    const std::uint32_t* a;
    std::uint32_t b[2];
  };
  Product mine{d, a, {b0, b1}};
  meet_whole_warp("mma.m16n8k16", &mine, [](const Lanes& lanes) {
    float a_of[16][16];  // [row, k]
    float b_of[16][8];   // [k, column]
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      const auto& own = *static_cast<const Product*>(lanes[lane]);
      const unsigned g = lane / 4;
      const unsigned t = 2 * (lane % 4);
      for (unsigned half = 0; half < 2; ++half) {
        for (unsigned i = 0; i < 4; ++i) {
          a_of[g + 8 * (i % 2)][t + half + 8 * (i / 2)] = element_of<E>(own.a[i], half);
        }
        for (unsigned i = 0; i < 2; ++i) {
          b_of[t + half + 8 * i][g] = element_of<E>(own.b[i], half);
        }
      }
    }
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      const auto& own = *static_cast<const Product*>(lanes[lane]);
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned row = lane / 4 + 8 * (i / 2);
        const unsigned column = 2 * (lane % 4) + i % 2;
        float sum = own.d[i];
        for (unsigned k = 0; k < 16; ++k) sum += a_of[row][k] * b_of[k][column];
        own.d[i] = sum;
      }
    }
  });
}

template void multiply_16x8x16<bfloat16>(float (&)[4], const std::uint32_t (&)[4], std::uint32_t,
                                         std::uint32_t);
template void multiply_16x8x16<float16>(float (&)[4], const std::uint32_t (&)[4], std::uint32_t,
                                        std::uint32_t);

}  // namespace crossfix::emulator
