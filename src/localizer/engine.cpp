#include "engine.hpp"

namespace crossfix {

std::unique_ptr<Engine> make_engine(const TensorRecords& records,
                                    const model::Configuration& configuration,
                                    const LocalizerOptions& options) {
  if (options.batch < 1) {
    throw ShapeError("a batch of " + std::to_string(options.batch) + " pairs; expected at least 1");
  }
#if CROSSFIX_HAS_CUDA_BACKEND
  if (options.device != Device::cpu) {
    if (auto engine = make_cuda_engine(records, configuration, options)) return engine;
  }
#else
  if (options.device == Device::cuda) {
    throw DeviceError("this build of crossfix has no CUDA backend; use the CPU (--device cpu)");
  }
#endif
  return make_cpu_engine(records, configuration, options);
}

}  // namespace crossfix
