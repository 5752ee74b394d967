#pragma once

#include <string>

namespace crossfix::cuda {

/// NVIDIA's libraries that the backend runs on, "cuBLASLt 13.1.0, cuDNN 9.19.0". Loads them; needs
/// no device. Throws DeviceError where one is not found.
std::string library_versions();

}  // namespace crossfix::cuda
