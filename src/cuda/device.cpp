#include "crossfix/cuda/device.hpp"

#include "status.hpp"

namespace crossfix::cuda {
namespace {

/// Converts the runtime's 13000 to "13.0".
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

[[noreturn]] void refuse_driver() {
  int driver = 0;
  int runtime = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  static_cast<void>(cudaRuntimeGetVersion(&runtime));
  if (driver == 0) {
    throw DeviceError("no NVIDIA driver is installed here; install one for CUDA " +
                      version_text(runtime) + ", or use the CPU (--device cpu)");
  }
  throw DeviceError("the NVIDIA driver is for CUDA " + version_text(driver) +
                    ", too old for this build; install one for CUDA " + version_text(runtime) +
                    ", or use the CPU (--device cpu)");
}

int count_of_devices() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver) {
    static_cast<void>(cudaGetLastError());
    refuse_driver();
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    static_cast<void>(cudaGetLastError());
    throw DeviceError(
        "this machine has no NVIDIA GPU that the driver shows; use the CPU (--device "
        "cpu)");
  }
  check(status, "counting GPUs");
  return count;
}

int attribute(cudaDeviceAttr which, int ordinal) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, ordinal), "reading a GPU's properties");
  return value;
}

}  // namespace

Device::Device(int ordinal) : ordinal_(ordinal) {
  const int count = count_of_devices();
  if (ordinal < 0 || ordinal >= count) {
    throw DeviceError("GPU " + std::to_string(ordinal) + " asked for; this machine has " +
                      std::to_string(count) +
                      ", numbered from 0; name one of them, or use the CPU (--device cpu)");
  }
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, ordinal), "reading a GPU's properties");
  name_ = properties.name;
  memory_bytes_ = properties.totalGlobalMem;
  const int major = attribute(cudaDevAttrComputeCapabilityMajor, ordinal);
  const int minor = attribute(cudaDevAttrComputeCapabilityMinor, ordinal);
  traits_ = {.compute_capability = 10 * major + minor,
             .multiprocessors = attribute(cudaDevAttrMultiProcessorCount, ordinal),
             .shared_bytes_per_block = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal)};
  if (traits_.compute_capability < kOldestComputeCapability) {
    throw DeviceError(description() + " has compute capability " + std::to_string(major) + "." +
                      std::to_string(minor) +
                      "; crossfix needs 8.0 (Ampere) or newer: use "
                      "another GPU (--gpu) or the CPU (--device cpu)");
  }
}

std::string Device::description() const {
  return "GPU " + std::to_string(ordinal_) + " (" + name_ + ")";
}

DeviceScope::DeviceScope(const Device& device) {
  check(cudaGetDevice(&former_), "asking for the current GPU");
  if (former_ != device.ordinal()) {
    check(cudaSetDevice(device.ordinal()), "using " + device.description());
  }
}

DeviceScope::~DeviceScope() {
  int current = former_;
  static_cast<void>(cudaGetDevice(&current));
  if (current != former_) static_cast<void>(cudaSetDevice(former_));
}

}  // namespace crossfix::cuda
