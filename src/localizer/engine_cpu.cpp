#include <utility>
#include <vector>

#include "cpu_precision.hpp"
#include "crossfix/cpu/backend.hpp"
#include "crossfix/detail/model/families.hpp"
#include "engine.hpp"
#include "ground_engine.hpp"

namespace crossfix {
namespace {

template <class Network, class Element>
class CpuEngine final : public Engine {
 public:
  CpuEngine(const cpu::Target& target, std::shared_ptr<const Network> network)
      : target_(target),
        network_(std::move(network)),
        workspace_(*network_, target),
        outputs_(static_cast<std::size_t>(network_->output_count())) {}

  std::unique_ptr<Engine> share() const override {
    return std::make_unique<CpuEngine>(target_, network_);
  }

  Index batch() const override { return network_->batch(); }

  // The network always runs a whole batch; slots without a pair take the first one's images. Their
  // previous content could be what made the network fail.
  ops::HeadOutputs<HostSpace> run(std::span<const Images> pairs) override {
    Index slot = 0;
    for (const Images& images : pairs) {
      network_->load_ground(workspace_, slot, images.ground);
      network_->load_satellite(workspace_, slot++, images.satellite);
    }
    for (; slot < network_->batch(); ++slot) {
      network_->load_ground(workspace_, slot, pairs.front().ground);
      network_->load_satellite(workspace_, slot, pairs.front().satellite);
    }
    network_->run(workspace_);
    return network_->read(workspace_, outputs_.data());
  }

  ops::HeadOutputs<HostSpace> run(std::span<const DeviceImages>) override {
    throw DeviceError(
        "images in a GPU's memory were given to a localizer on the CPU: load it with "
        "Device::cuda, or give it images in host memory");
  }

  Device device() const override { return Device::cpu; }
  Precision precision() const override { return precision_of<Element>(); }
  Index parameter_count() const override { return network_->parameter_count(); }
  std::string description() const override { return describe_cpu(target_); }

 private:
  cpu::Target target_;
  std::shared_ptr<const Network> network_;
  typename Network::Workspace workspace_;
  std::vector<float> outputs_;
};

template <class Element>
std::unique_ptr<Engine> make(const TensorRecords& records,
                             const model::Configuration& configuration,
                             const LocalizerOptions& options) {
  const cpu::Target target{.threads = options.threads, .instruction_set = {}};
  if (configuration.family == model::Family::ground_match) {
    return make_ground_engine<cpu::Backend<Element>>(target, records, configuration,
                                                     describe_cpu(target));
  }
  return model::with_network<cpu::Backend<Element>>(
      configuration.family, [&]<class Network>() -> std::unique_ptr<Engine> {
        return std::make_unique<CpuEngine<Network, Element>>(
            target,
            std::make_shared<const Network>(target, model::Parameters(model::source_of(records)),
                                            configuration, options.batch));
      });
}

}  // namespace

std::unique_ptr<Engine> make_cpu_engine(const TensorRecords& records,
                                        const model::Configuration& configuration,
                                        const LocalizerOptions& options) {
  if (cpu_computes_in_bf16(options.precision)) {
    return make<bfloat16>(records, configuration, options);
  }
  return make<float>(records, configuration, options);
}

}  // namespace crossfix
