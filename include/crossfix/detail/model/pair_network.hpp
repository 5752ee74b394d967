#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/core/ground_satellite.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::model {

/// The normalised images of a batch, as input of the backbones: [batch, height, width, 3].
template <ops::Backend B>
using GroundImages = Ground<ops::ActivationView<B, 4>>;
template <ops::Backend B>
using SatelliteImages = Satellite<ops::ActivationView<B, 4>>;

/// Where a pass reads the images and writes its results.
template <ops::Backend B>
struct PairBuffers {
  typename B::Element* ground_image = nullptr;
  typename B::Element* satellite_image = nullptr;
  float* outputs = nullptr;  ///< memory of HeadOutputs
};

/// The memory and the context of a pass, as far as all networks share them.
template <ops::Backend B>
struct PairWorkspace : PairBuffers<B> {
  PairWorkspace(const typename B::Target& target, std::size_t scratch_bytes,
                std::size_t arena_bytes)
      : context(target, scratch_bytes), arena(target, arena_bytes) {}

  typename B::Context context;
  typename B::Arena arena;
};

/// The common part of all networks that locate: images of a batch of pairs to HeadOutputs.
template <ops::Backend B>
class PairNetwork {
 public:
  /// Number of elements of all parameters, each counted once.
  Index parameter_count() const { return parameter_count_; }
  Index batch() const { return batch_; }
  const Configuration& configuration() const { return configuration_; }

  /// Loads image `index` of the batch, 8-bit RGB [height, width, 3] of any size.
  void load_ground(PairWorkspace<B>& work, Index index,
                   TensorView<const std::uint8_t, 3> image) const {
    load(work, ground_images(work)[index], image);
  }
  void load_satellite(PairWorkspace<B>& work, Index index,
                      TensorView<const std::uint8_t, 3> image) const {
    load(work, satellite_images(work)[index], image);
  }

  /// The normalised images that the backbones read: [batch, height, width, 3].
  GroundImages<B> ground_images(PairWorkspace<B>& work) const {
    return GroundImages<B>({work.ground_image, ground_shape()});
  }
  SatelliteImages<B> satellite_images(PairWorkspace<B>& work) const {
    return SatelliteImages<B>({work.satellite_image, satellite_shape()});
  }

  /// The results of a pass, in the backend's memory.
  ops::HeadOutputs<typename B::Space> outputs(PairWorkspace<B>& work) const {
    return {work.outputs, batch_, configuration_.grid};
  }

  /// Number of floats that `read` of the results writes.
  Index output_count() const {
    return ops::HeadOutputs<HostSpace>::element_count(batch_, configuration_.grid);
  }

  /// Copies the results to `host`, `output_count()` floats, and returns views into them.
  /// Synchronises.
  ops::HeadOutputs<HostSpace> read(PairWorkspace<B>& work, float* host) const {
    B::read(work.context, TensorView<const float, 2, typename B::Space>(outputs(work).block()),
            host);
    return {host, batch_, configuration_.grid};
  }

 protected:
  PairNetwork(const Configuration& configuration, Index batch)
      : configuration_(configuration), batch_(batch) {}

  Shape<4> ground_shape() const {
    return {batch_, configuration_.ground_size[0], configuration_.ground_size[1], 3};
  }
  Shape<4> satellite_shape() const {
    return {batch_, configuration_.satellite_size, configuration_.satellite_size, 3};
  }
  void set_parameter_count(Index count) { parameter_count_ = count; }
  /// `bytes`, before memory of that size is taken for a pass. A small file may claim images and
  /// grids of any size, for which it holds no tensors.
  std::size_t within_limit(std::size_t bytes) const {
    constexpr std::size_t kMostBytes = std::size_t{1} << 31;  // a pair
    if (bytes / static_cast<std::size_t>(batch_) > kMostBytes) {
      throw WeightsError("the sizes in the configuration ask for " + std::to_string(bytes >> 20) +
                         " MiB of memory for a batch of " + std::to_string(batch_) + "; at most " +
                         std::to_string(kMostBytes >> 20) + " MiB a pair are taken");
    }
    return bytes;
  }

 private:
  void load(PairWorkspace<B>& work, ops::ActivationView<B, 3> target,
            TensorView<const std::uint8_t, 3> image) const {
    const auto& mean = configuration_.normalization.mean;
    const auto& std = configuration_.normalization.std;
    const float mean_rgb[3] = {mean[0], mean[1], mean[2]};
    const float std_rgb[3] = {std[0], std[1], std[2]};
    B::load_image(work.context, image, mean_rgb, std_rgb, target);
  }

  Configuration configuration_;
  Index batch_;
  Index parameter_count_ = 0;
};

}  // namespace crossfix::model
