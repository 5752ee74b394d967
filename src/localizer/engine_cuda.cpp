#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/cuda/backend.hpp"
#include "crossfix/cuda/graph.hpp"
#include "crossfix/detail/cuda/image_slot.hpp"
#include "crossfix/detail/model/families.hpp"
#include "engine.hpp"
#include "ground_engine.hpp"

namespace crossfix {
namespace {

std::string describe(const cuda::Target& target) {
  return target.device().description() + ", cuDNN, cuBLASLt";
}

/// The images of one view in a batch. The descriptions that the kernels read are in device memory,
/// so that a recorded launch can process images of other sizes and at other addresses.
class ImageBatch {
 public:
  ImageBatch(const cuda::Target& target, Index batch, const Shape<2>& size)
      : target_(target),
        host_(target.device(), static_cast<std::size_t>(batch) * sizeof(cuda::ImageSource)),
        device_(target, host_.size()) {
    for (Index i = 0; i < batch; ++i) slots_.emplace_back(target, size);
  }

  /// Prepares image `slot`, whose pixels are in host or device memory.
  template <MemorySpace Space>
  void set(cuda::Staging& staging, std::size_t slot,
           const TensorView<const std::uint8_t, 3, Space>& image) {
    sources()[slot] = slots_[slot].prepare(staging, image);
  }
  /// Fills the slots from `count` on with the first image, because the network runs a whole batch.
  void fill_from(std::size_t count) {
    for (std::size_t i = count; i < slots_.size(); ++i) sources()[i] = sources()[0];
  }

  /// Enqueues the copy of the descriptions, resizing and normalising on the stream.
  template <class Element>
  void load(const model::Configuration::Normalization& normalization,
            TensorView<Element, 4, DeviceSpace> y) const {
    const auto& mean = normalization.mean;
    const auto& std = normalization.std;
    const float mean_rgb[3] = {mean[0], mean[1], mean[2]};
    const float std_rgb[3] = {std[0], std[1], std[2]};
    cuda::copy_to_device(target_, device_.data(), host_, host_.size());
    const TensorView<const cuda::ImageSource, 1, DeviceSpace> sources(
        reinterpret_cast<const cuda::ImageSource*>(device_.data()),
        {static_cast<Index>(slots_.size())});
    cuda::load_images<Element>(target_.stream(), target_.traits(), sources, mean_rgb, std_rgb, y);
  }

 private:
  cuda::ImageSource* sources() const { return reinterpret_cast<cuda::ImageSource*>(host_.data()); }

  cuda::Target target_;
  cuda::PinnedBuffer host_;
  cuda::DeviceBuffer device_;
  std::vector<cuda::ImageSlot> slots_;
};

/// The network on a GPU. All work from the images' pixels to the outputs in pinned host memory is
/// one graph. The first run records it, and later runs launch it.
template <class Network, class Element>
class CudaEngine final : public Engine {
 public:
  CudaEngine(const cuda::Target& target, std::shared_ptr<const Network> network)
      : target_(target),
        network_(std::move(network)),
        workspace_(*network_, target),
        staging_(target),
        grounds_(target, network_->batch(),
                 {configuration().ground_size[0], configuration().ground_size[1]}),
        satellites_(target, network_->batch(),
                    {configuration().satellite_size, configuration().satellite_size}),
        outputs_(target.device(),
                 static_cast<std::size_t>(network_->output_count()) * sizeof(float)) {
    target_.synchronize();
  }
  ~CudaEngine() override { drain(); }
  CudaEngine(const CudaEngine&) = delete;
  CudaEngine& operator=(const CudaEngine&) = delete;

  std::unique_ptr<Engine> share() const override {
    return std::make_unique<CudaEngine>(target_.sibling(), network_);
  }

  Index batch() const override { return network_->batch(); }

  ops::HeadOutputs<HostSpace> run(std::span<const Images> pairs) override { return locate(pairs); }
  ops::HeadOutputs<HostSpace> run(std::span<const DeviceImages> pairs) override {
    for (const DeviceImages& images : pairs) {
      cuda::expect_on_device(target_, "the ground image", images.ground.data());
      cuda::expect_on_device(target_, "the satellite image", images.satellite.data());
    }
    return locate(pairs);
  }

  Device device() const override { return Device::cuda; }
  Precision precision() const override { return precision_of<Element>(); }
  Index parameter_count() const override { return network_->parameter_count(); }
  std::string description() const override { return describe(target_) + ", CUDA graph"; }

 private:
  const model::Configuration& configuration() const { return network_->configuration(); }

  template <MemorySpace Space>
  ops::HeadOutputs<HostSpace> locate(std::span<const ImagesIn<Space>> pairs) {
    const cuda::DeviceScope scope(target_.device());
    try {
      std::size_t slot = 0;
      for (const auto& images : pairs) {
        grounds_.set(staging_, slot, images.ground);
        satellites_.set(staging_, slot++, images.satellite);
      }
      grounds_.fill_from(slot);
      satellites_.fill_from(slot);
      if (graph_) {
        graph_->launch(target_);
        target_.synchronize();
      } else {
        // Run once before recording, because libraries load code at its first use.
        enqueue();
        target_.synchronize();
        graph_.emplace(target_, [this] { enqueue(); });
      }
    } catch (...) {
      drain();
      throw;
    }
    return {reinterpret_cast<float*>(outputs_.data()), batch(), configuration().grid};
  }

  /// Enqueues a pass on the stream, from the images' descriptions to the outputs in host memory.
  void enqueue() {
    grounds_.load(configuration().normalization, network_->ground_images(workspace_));
    satellites_.load(configuration().normalization, network_->satellite_images(workspace_));
    network_->run(workspace_);
    const auto block = network_->outputs(workspace_).block();
    cuda::copy_to_host(target_, outputs_, reinterpret_cast<const std::byte*>(block.data()),
                       outputs_.size());
  }

  /// Waits until nothing uses the engine's memory, whether the work succeeded or failed.
  void drain() noexcept {
    try {
      target_.synchronize();
    } catch (const Error&) {
      // The call that launched the work has already thrown, or the engine is being destroyed.
    }
  }

  cuda::Target target_;
  std::shared_ptr<const Network> network_;
  typename Network::Workspace workspace_;
  cuda::Staging staging_;
  ImageBatch grounds_;
  ImageBatch satellites_;
  cuda::PinnedBuffer outputs_;
  std::optional<cuda::Graph> graph_;
};

template <class Element>
std::unique_ptr<Engine> make(const cuda::Target& target, const TensorRecords& records,
                             const model::Configuration& configuration, Index batch) {
  if (configuration.family == model::Family::ground_match) {
    return make_ground_engine<cuda::Backend<Element>>(target, records, configuration,
                                                      describe(target));
  }
  return model::with_network<cuda::Backend<Element>>(
      configuration.family, [&]<class Network>() -> std::unique_ptr<Engine> {
        return std::make_unique<CudaEngine<Network, Element>>(
            target,
            std::make_shared<const Network>(target, model::Parameters(model::source_of(records)),
                                            configuration, batch));
      });
}

/// The target that the options request; empty if any device is acceptable and no GPU is usable.
std::optional<cuda::Target> target_for(const LocalizerOptions& options) {
  try {
    return cuda::Target(cuda::Device(options.gpu));
  } catch (const DeviceError&) {
    if (options.device == Device::cuda) throw;
    return std::nullopt;
  }
}

}  // namespace

std::unique_ptr<Engine> make_cuda_engine(const TensorRecords& records,
                                         const model::Configuration& configuration,
                                         const LocalizerOptions& options) {
  const auto target = target_for(options);
  if (!target) return nullptr;
  switch (options.precision) {
    case Precision::f32:
      return make<float>(*target, records, configuration, options.batch);
    case Precision::f16:
      return make<float16>(*target, records, configuration, options.batch);
    default:
      return make<bfloat16>(*target, records, configuration, options.batch);
  }
}

}  // namespace crossfix
