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

/// A network on some backend at some precision, behind one interface without template parameters.
/// One thread may use it at a time.
class Engine {
 public:
  /// The images of a pair as input of the network, of any size.
  template <MemorySpace Space>
  struct ImagesIn {
    GroundImageIn<Space> ground;
    SatelliteImageIn<Space> satellite;
    /// For networks that work on the ground plane: the scale of the satellite image, and the
    /// heading of the ground image's centre column, empty if unknown.
    double metres_per_pixel = 0;
    std::optional<double> heading_degrees = {};
    double heading_sigma_degrees = 0;
    const camera::MountedCamera* mounted = nullptr;
  };
  using Images = ImagesIn<HostSpace>;
  using DeviceImages = ImagesIn<DeviceSpace>;

  virtual ~Engine() = default;

  /// Another engine over the same weights, with its own working memory.
  virtual std::unique_ptr<Engine> share() const = 0;

  /// The largest number of pairs of one run.
  virtual Index batch() const = 0;

  /// The network's outputs for 1 to `batch()` pairs. Rows are in the order of the pairs; rows
  /// beyond them have no meaning. The images are read before the call returns. The views are valid
  /// until the next run.
  virtual ops::HeadOutputs<HostSpace> run(std::span<const Images> pairs) = 0;

  /// The same for images in device memory. Throws DeviceError if they are not on the engine's
  /// device.
  virtual ops::HeadOutputs<HostSpace> run(std::span<const DeviceImages> pairs) = 0;

  /// The area of the satellite image, in its pixels, that the grid of the last run covers. Empty if
  /// it is the whole image.
  virtual std::optional<PixelWindow> window() const { return {}; }

  /// The posterior over headings of the last run, at even steps clockwise from north. It has one
  /// element if the heading was known, and is empty for networks that do not search headings.
  virtual std::span<const float> heading_probability() const { return {}; }

  /// The posterior of the last run over the same headings and positions, [K, grid, grid], sums to
  /// 1. Empty for networks that do not search headings.
  virtual void pose_probability(std::vector<float>& probability) { probability.clear(); }

  /// Adds that posterior, where headings were searched for, to sums that were started for it.
  virtual void add_poses(ops::PoseSums&) {}

  /// Logarithm of the sum over poses of the last run's prior, which the logits include at every
  /// position; and the share of the ground that was seen (ops::Evidence::seen).
  virtual double log_prior() const { return 0; }
  virtual double seen() const { return 1; }

  virtual Device device() const = 0;
  virtual Precision precision() const = 0;
  virtual Index parameter_count() const = 0;
  virtual std::string description() const = 0;
};

/// The precision that corresponds to an activation type.
template <class Element>
constexpr Precision precision_of() {
  return dtype_of<Element> == Dtype::bf16  ? Precision::bf16
         : dtype_of<Element> == Dtype::f16 ? Precision::f16
                                           : Precision::f32;
}

/// Prepares the network for the device, precision and batch in `options`. Throws WeightsError if
/// parameters do not match the configuration, DeviceError if the build or the machine lacks
/// something, ShapeError if the batch size is below 1.
std::unique_ptr<Engine> make_engine(const TensorRecords& records,
                                    const model::Configuration& configuration,
                                    const LocalizerOptions& options);

/// The same on the CPU, whatever device is in the options.
std::unique_ptr<Engine> make_cpu_engine(const TensorRecords& records,
                                        const model::Configuration& configuration,
                                        const LocalizerOptions& options);

/// The same on the GPU in the options. Returns null if the options leave the device open and there
/// is no usable GPU. Throws DeviceError if the options request a GPU.
std::unique_ptr<Engine> make_cuda_engine(const TensorRecords& records,
                                         const model::Configuration& configuration,
                                         const LocalizerOptions& options);

}  // namespace crossfix
