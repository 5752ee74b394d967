#pragma once

#include <array>
#include <cstdint>

namespace crossfix::emulator {

inline constexpr unsigned kWarpThreads = 32;
inline constexpr std::uint32_t kWholeWarp = 0xffffffffu;

/// What each lane of a warp passes to a collective; null for lanes that do not take part.
using Lanes = std::array<void*, kWarpThreads>;

/// What a collective does once all lanes have come: a reference to a callable, which must outlive
/// this object.
class LanesAction {
 public:
  template <class Callable>
  LanesAction(const Callable& callable)  // NOLINT(*-explicit-*)
      : callable_(&callable), call_([](const void* it, const Lanes& lanes) {
          (*static_cast<const Callable*>(it))(lanes);
        }) {}
  void operator()(const Lanes& lanes) const { call_(callable_, lanes); }

 private:
  const void* callable_;
  void (*call_)(const void*, const Lanes&);
};

/// Waits for the lanes of `mask` in the warp of the calling thread (those that have not returned).
/// Their calls must name the same operation and mask. When the last has come, `act` is called once
/// with what each passed, and all continue. Throws Fault if the lanes disagree.
void meet(const char* what, std::uint32_t mask, void* brought, LanesAction act);

/// The same for all 32 lanes, none of which may have returned: for instructions of the whole warp.
void meet_whole_warp(const char* what, void* brought, LanesAction act);

/// __syncwarp.
void meet_warp(std::uint32_t mask);

/// The lanes of `mask` that pass true.
std::uint32_t vote(const char* what, std::uint32_t mask, bool predicate);

/// Waits for every thread of the block that has not returned: __syncthreads.
void block_barrier();

/// Waits until `threads` threads have come to barrier `id`, 0 to 15; 0 is also that of
/// __syncthreads. Throws Fault if the calls disagree about `threads`.
void named_barrier(int id, int threads);

/// The lane of the calling thread in its warp.
int own_lane();

/// Throws Fault: lane `from` of a shuffle passed nothing.
[[noreturn]] void missing_lane(const char* what, int from);

/// The value of the lane that `from(own lane, first lane of the own part of `width` lanes)` gives.
template <class T, class From>
T shuffle(const char* what, std::uint32_t mask, T value, int width, const From& from) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  struct Exchange {
    T value;
    T result;
    int from;
  };
  const int own = own_lane();
  Exchange mine{value, value, from(own, own & -width)};
  meet(what, mask, &mine, [what](const Lanes& lanes) {
    for (void* lane : lanes) {
      if (lane == nullptr) continue;
      auto& exchange = *static_cast<Exchange*>(lane);
      const void* source = lanes[static_cast<unsigned>(exchange.from) % kWarpThreads];
      if (source == nullptr) missing_lane(what, exchange.from);
      exchange.result = static_cast<const Exchange*>(source)->value;
    }
  });
  return mine.result;
}

}  // namespace crossfix::emulator
