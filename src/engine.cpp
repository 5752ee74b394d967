#include "engine.hpp"

#include <utility>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/model/network.hpp"

namespace crossfix {
namespace {

template <class Element>
class CpuEngine final : public Engine {
  using Backend = cpu::Backend<Element>;
  using Network = model::Network<Backend>;

 public:
  CpuEngine(const cpu::Target& target, std::shared_ptr<const Network> network)
      : target_(target),
        network_(std::move(network)),
        workspace_(*network_, target),
        outputs_(static_cast<std::size_t>(network_->output_count())) {}

  std::unique_ptr<Engine> share() const override {
    return std::make_unique<CpuEngine>(target_, network_);
  }

  ops::DecoderOutputs<HostSpace> run(HostImageView satellite, HostImageView ground) override {
    network_->load_satellite(workspace_, 0, satellite);
    network_->load_ground(workspace_, 0, ground);
    network_->run(workspace_);
    return network_->read(workspace_, outputs_.data());
  }

  Device device() const override { return Device::cpu; }
  Precision precision() const override {
    return dtype_of<Element> == Dtype::bf16 ? Precision::bf16 : Precision::f32;
  }
  Index parameter_count() const override { return network_->parameter_count(); }
  std::string description() const override {
    const int threads = target_.threads == 0 ? cpu::available_threads() : target_.threads;
    return "CPU, " + std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") +
           std::string(cpu::name_of(cpu::best_instruction_set())) + ", " + cpu::DefaultMath::kName;
  }

 private:
  cpu::Target target_;
  std::shared_ptr<const Network> network_;
  typename Network::Workspace workspace_;
  std::vector<float> outputs_;
};

template <class Element>
std::unique_ptr<Engine> make_cpu_engine(const TensorRecords& records,
                                        const model::Configuration& configuration, int threads) {
  using Network = model::Network<cpu::Backend<Element>>;
  const cpu::Target target{.threads = threads, .instruction_set = {}};
  return std::make_unique<CpuEngine<Element>>(
      target, std::make_shared<const Network>(target, model::Parameters(model::source_of(records)),
                                              configuration, 1));
}

}  // namespace

std::unique_ptr<Engine> make_engine(const TensorRecords& records,
                                    const model::Configuration& configuration,
                                    const LocalizerOptions& options) {
  if (options.device == Device::cuda) {
    throw DeviceError("this build of crossfix has no CUDA backend; use the CPU (--device cpu)");
  }
  switch (options.precision) {
    case Precision::f16:
      throw DeviceError("f16 needs a GPU; the CPU computes in f32 or bf16");
    case Precision::bf16:
      if (!cpu::supports_bf16()) {
        throw DeviceError(
            "this CPU has no bf16 instructions (AVX512_BF16); use f32, or auto for the best it "
            "has");
      }
      return make_cpu_engine<bfloat16>(records, configuration, options.threads);
    case Precision::f32:
      return make_cpu_engine<float>(records, configuration, options.threads);
    case Precision::automatic:
      break;
  }
  return cpu::supports_bf16() ? make_cpu_engine<bfloat16>(records, configuration, options.threads)
                              : make_cpu_engine<float>(records, configuration, options.threads);
}

}  // namespace crossfix
