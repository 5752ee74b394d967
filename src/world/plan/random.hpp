/// Counter-based random numbers: a value depends only on its key and counter, never on the order in
/// which threads ask.
#pragma once

#include <cstdint>

namespace crossfix::world {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection on 64 bits.
constexpr std::uint64_t mix64(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

/// A stream of numbers; `child` opens independent streams by number.
class Random {
 public:
  explicit constexpr Random(std::uint64_t key) : key_(mix64(key)) {}

  [[nodiscard]] constexpr Random child(std::uint64_t stream) const {
    return Random(key_ ^ mix64(stream + 0x51ED270B35A9ULL));
  }
  constexpr std::uint64_t bits() { return mix64(key_ + 0xD1B54A32D192ED03ULL * ++counter_); }
  /// Uniform in [0, 1), 24 bits.
  constexpr float uniform() { return static_cast<float>(bits() >> 40) * 0x1p-24F; }
  /// Uniform in [low, high).
  constexpr float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Uniform in {0, ..., count - 1}; count > 0.
  constexpr int index(int count) {
    return static_cast<int>((bits() >> 32) * static_cast<std::uint64_t>(count) >> 32);
  }
  constexpr bool chance(float probability) { return uniform() < probability; }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

/// A 32-bit hash of a lattice point.
constexpr std::uint32_t hash_lattice(int x, int y, std::uint32_t seed) {
  std::uint32_t h = seed * 0x9E3779B1U + static_cast<std::uint32_t>(x) * 0x85EBCA77U +
                    static_cast<std::uint32_t>(y) * 0xC2B2AE3DU;
  h = (h ^ (h >> 15)) * 0x2C1B3C6DU;
  h = (h ^ (h >> 12)) * 0x297A2D39U;
  return h ^ (h >> 15);
}

/// Uniform in [0, 1) at a lattice point.
constexpr float lattice_uniform(int x, int y, std::uint32_t seed) {
  return static_cast<float>(hash_lattice(x, y, seed) >> 8) * 0x1p-24F;
}

/// floor as an integer, for |value| < 2^31. (std::floor is a library call on baseline x86-64.)
constexpr int floor_int(float value) {
  const int truncated = static_cast<int>(value);
  return truncated - (static_cast<float>(truncated) > value ? 1 : 0);
}

/// Value noise in [0, 1), smooth between the points of the unit lattice.
constexpr float value_noise(float x, float y, std::uint32_t seed) {
  constexpr std::uint32_t kStepX = 0x85EBCA77U;
  constexpr std::uint32_t kStepY = 0xC2B2AE3DU;
  const auto finish = [](std::uint32_t h) {
    h = (h ^ (h >> 15)) * 0x2C1B3C6DU;
    return static_cast<float>(static_cast<int>((h ^ (h >> 12)) >> 8)) * 0x1p-24F;
  };
  const int ix = floor_int(x);
  const int iy = floor_int(y);
  float fx = x - static_cast<float>(ix);
  float fy = y - static_cast<float>(iy);
  fx = fx * fx * (3.0F - 2.0F * fx);
  fy = fy * fy * (3.0F - 2.0F * fy);
  const std::uint32_t h = (seed + 1U) * 0x9E3779B1U + static_cast<std::uint32_t>(ix) * kStepX +
                          static_cast<std::uint32_t>(iy) * kStepY;
  const float low = finish(h) * (1.0F - fx) + finish(h + kStepX) * fx;
  const float high = finish(h + kStepY) * (1.0F - fx) + finish(h + kStepX + kStepY) * fx;
  return low * (1.0F - fy) + high * fy;
}

}  // namespace crossfix::world
