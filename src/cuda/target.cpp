#include "crossfix/cuda/target.hpp"

#include <utility>

#include "status.hpp"
#include "target_state.hpp"

namespace crossfix::cuda {

Stream::Stream(const Device& device) {
  const DeviceScope scope(device);
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking),
        "making a stream on " + device.description());
}

Stream::~Stream() {
  if (stream_ == nullptr) return;
  static_cast<void>(cudaStreamSynchronize(stream_));
  static_cast<void>(cudaStreamDestroy(stream_));
}

Target::State::State(const Device& on, std::shared_ptr<MemoryResource> from)
    : device(on), memory(std::move(from)), stream(device), cudnn(stream.view()) {}

Target::State::CublasLt::CublasLt() { check(cublasLtCreate(&handle), "making a handle"); }
Target::State::CublasLt::~CublasLt() { static_cast<void>(cublasLtDestroy(handle)); }

Target::State::Cudnn::Cudnn(StreamView stream) {
  check(cudnnCreate(&handle), "making a handle");
  const cudnnStatus_t status = cudnnSetStream(handle, stream.get());
  if (status != CUDNN_STATUS_SUCCESS) {
    static_cast<void>(cudnnDestroy(handle));
    check(status, "setting a handle's stream");
  }
}
Target::State::Cudnn::~Cudnn() { static_cast<void>(cudnnDestroy(handle)); }

Target::Target(const Device& device) : Target(device, std::make_shared<PoolMemory>(device)) {}

Target::Target(const Device& device, std::shared_ptr<MemoryResource> memory) {
  const auto end = [](const State* state) {
    try {
      const DeviceScope ending(state->device);
      delete state;
    } catch (const DeviceError&) {
      delete state;  // the device is lost, but this memory is not
    }
  };
  const DeviceScope scope(device);
  state_.reset(new State(device, std::move(memory)), end);
}

Target Target::sibling() const { return Target(state_->device, state_->memory); }

const Device& Target::device() const { return state_->device; }
StreamView Target::stream() const { return state_->stream.view(); }
MemoryResource& Target::memory() const { return *state_->memory; }

void Target::synchronize() const {
  check(cudaStreamSynchronize(state_->stream.view().get()),
        "waiting for " + state_->device.description());
}

}  // namespace crossfix::cuda
