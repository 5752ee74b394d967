#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossfix/core/tensor_record.hpp"
#include "crossfix/localizer.hpp"
#include "crossfix/ops/decode.hpp"
#include "crossfix/ops/pose_sums.hpp"

namespace crossfix {

/// A network on some backend at some precision, behind one interface: where the localizer stops
/// knowing types. Used by one thread at a time.
class Engine {
 public:
  /// The images of a pair as the network is to see them, of any size.
  template <MemorySpace Space>
  struct ImagesIn {
    GroundImageIn<Space> ground;
    SatelliteImageIn<Space> satellite;
    /// For networks that work on the ground plane: of the satellite image, and of the ground
    /// image's centre column, unknown where absent.
    double metres_per_pixel = 0;
    std::optional<double> heading_degrees = {};
  };
  using Images = ImagesIn<HostSpace>;
  using DeviceImages = ImagesIn<DeviceSpace>;

  virtual ~Engine() = default;

  /// Another engine over the same weights, with its own working memory.
  virtual std::unique_ptr<Engine> share() const = 0;

  /// The largest number of pairs of one run.
  virtual Index batch() const = 0;

  /// What the network says of 1 to `batch()` pairs: rows of the outputs in the pairs' order, those
  /// beyond hold nothing of use. The images are read before it returns; the views hold until the
  /// next run.
  virtual ops::HeadOutputs<HostSpace> run(std::span<const Images> pairs) = 0;

  /// The same of images in device memory. Throws DeviceError where they are not on the engine's.
  virtual ops::HeadOutputs<HostSpace> run(std::span<const DeviceImages> pairs) = 0;

  /// What the grid of the last run covers of its satellite image, in that one's pixels; none where
  /// it is the whole image.
  virtual std::optional<PixelWindow> window() const { return {}; }

  /// The posterior over headings of the last run, at even steps from north; one where the heading
  /// was known, empty of networks that do not ask.
  virtual std::span<const float> heading_probability() const { return {}; }

  /// The posterior of the last run over the same headings and positions, [K, grid, grid], sums to
  /// 1; empty of networks that do not ask.
  virtual void pose_probability(std::vector<float>& probability) { probability.clear(); }

  /// Adds that posterior, where headings were searched for, to sums that were started for it.
  virtual void add_poses(ops::PoseSums&) {}

  virtual Device device() const = 0;
  virtual Precision precision() const = 0;
  virtual Index parameter_count() const = 0;
  virtual std::string description() const = 0;
};

/// The precision that activations of a type are.
template <class Element>
constexpr Precision precision_of() {
  return dtype_of<Element> == Dtype::bf16  ? Precision::bf16
         : dtype_of<Element> == Dtype::f16 ? Precision::f16
                                           : Precision::f32;
}

/// Prepares the network for the device, precision and batch that `options` ask for. Throws
/// WeightsError for parameters that do not fit the configuration, DeviceError for what the build or
/// machine lacks, ShapeError for a batch of none.
std::unique_ptr<Engine> make_engine(const TensorRecords& records,
                                    const model::Configuration& configuration,
                                    const LocalizerOptions& options);

/// The same on the CPU, whatever device the options name.
std::unique_ptr<Engine> make_cpu_engine(const TensorRecords& records,
                                        const model::Configuration& configuration,
                                        const LocalizerOptions& options);

/// The same on the GPU that the options name. Null where they leave the device open and there is no
/// GPU that can be used; throws DeviceError where they ask for one.
std::unique_ptr<Engine> make_cuda_engine(const TensorRecords& records,
                                         const model::Configuration& configuration,
                                         const LocalizerOptions& options);

}  // namespace crossfix
