#pragma once

#include <concepts>

#if defined(__CUDACC__)
#define CROSSFIX_HOST_DEVICE __host__ __device__
#else
#define CROSSFIX_HOST_DEVICE
#endif

namespace crossfix {

/// Ordinary memory of the process.
struct HostSpace {
  static constexpr bool kHostAccessible = true;
  static constexpr const char* kName = "host";
};

/// Memory of an accelerator; the host may hold its address and never reads through it.
struct DeviceSpace {
  static constexpr bool kHostAccessible = false;
  static constexpr const char* kName = "device";
};

/// A tag type that names where memory lives.
template <class S>
concept MemorySpace = requires {
  { S::kHostAccessible } -> std::convertible_to<bool>;
  { S::kName } -> std::convertible_to<const char*>;
};

}  // namespace crossfix
