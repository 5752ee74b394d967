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

/// Memory of an accelerator. The host may hold its address but never dereferences it.
struct DeviceSpace {
  static constexpr bool kHostAccessible = false;
  static constexpr const char* kName = "device";
};

/// A tag type for the kind of memory.
template <class S>
concept MemorySpace = requires {
  { S::kHostAccessible } -> std::convertible_to<bool>;
  { S::kName } -> std::convertible_to<const char*>;
};

}  // namespace crossfix
