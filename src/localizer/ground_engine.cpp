#include <memory>
#include <utility>

#include "cpu_precision.hpp"
#include "crossfix/cpu/backend.hpp"
#include "crossfix/model/ground_match.hpp"
#include "engine.hpp"

namespace crossfix {
namespace {

template <class Element>
class GroundEngine final : public Engine {
  using Match = model::GroundMatch<cpu::Backend<Element>>;

 public:
  GroundEngine(const cpu::Target& target, std::shared_ptr<const Match> match)
      : target_(target), match_(std::move(match)), workspace_(*match_, target) {}

  std::unique_ptr<Engine> share() const override {
    return std::make_unique<GroundEngine>(target_, match_);
  }

  Index batch() const override { return 1; }

  ops::DecoderOutputs<HostSpace> run(std::span<const Images> pairs) override {
    const Images& images = pairs.front();
    return (*match_)(workspace_, {images.satellite, images.ground, images.metres_per_pixel,
                                  images.heading_degrees});
  }
  ops::DecoderOutputs<HostSpace> run(std::span<const DeviceImages>) override {
    throw DeviceError(
        "images in a GPU's memory were given to weights that match on the CPU: give them in host "
        "memory");
  }
  std::span<const float> heading_probability() const override {
    return match_->heading_probability(workspace_);
  }

  Device device() const override { return Device::cpu; }
  Precision precision() const override {
    return dtype_of<Element> == Dtype::bf16 ? Precision::bf16 : Precision::f32;
  }
  Index parameter_count() const override { return match_->parameter_count(); }
  std::string description() const override { return describe_cpu(target_); }

 private:
  cpu::Target target_;
  std::shared_ptr<const Match> match_;
  typename Match::Workspace workspace_;
};

template <class Element>
std::unique_ptr<Engine> make(const TensorRecords& records,
                             const model::Configuration& configuration,
                             const LocalizerOptions& options) {
  const cpu::Target target{.threads = options.threads, .instruction_set = {}};
  return std::make_unique<GroundEngine<Element>>(
      target, std::make_shared<const model::GroundMatch<cpu::Backend<Element>>>(
                  target, model::Parameters(model::source_of(records)), configuration));
}

}  // namespace

std::unique_ptr<Engine> make_ground_engine(const TensorRecords& records,
                                           const model::Configuration& configuration,
                                           const LocalizerOptions& options) {
  if (options.device == Device::cuda) {
    throw DeviceError(
        "these weights match on the ground plane, on the CPU so far: use --device cpu");
  }
  if (cpu_computes_in_bf16(options.precision)) {
    return make<bfloat16>(records, configuration, options);
  }
  return make<float>(records, configuration, options);
}

}  // namespace crossfix
