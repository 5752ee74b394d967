#pragma once

#include <string>

namespace crossfix::cuda {

/// Versions of the NVIDIA libraries that the backend uses, "cuBLASLt 13.1.0, cuDNN 9.19.0". Loads
/// them; needs no device. Throws DeviceError if one is not found.
std::string library_versions();

}  // namespace crossfix::cuda
