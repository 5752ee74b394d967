#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/geometry.hpp"
#include "crossfix/core/image_view.hpp"
#include "crossfix/model/configuration.hpp"

namespace crossfix {

/// Which device a localizer runs on. `automatic`: CUDA where the build and the machine have it,
/// else the CPU.
enum class Device { automatic, cpu, cuda };

/// What options and files call a device: "auto", "cpu" or "cuda".
constexpr std::string_view name_of(Device device) {
  switch (device) {
    case Device::cpu:
      return "cpu";
    case Device::cuda:
      return "cuda";
    default:
      return "auto";
  }
}

/// Element type of weights and activations; sums are always in float. `automatic`: bf16 on a GPU
/// and where the CPU has instructions for it, else f32.
enum class Precision { automatic, f32, bf16, f16 };

/// What options and files call a precision: "auto", "f32", "bf16" or "f16".
constexpr std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return name_of(Dtype::f32);
    case Precision::bf16:
      return name_of(Dtype::bf16);
    case Precision::f16:
      return name_of(Dtype::f16);
    default:
      return "auto";
  }
}

/// Largest relative difference from the scale trained at that a tile may have without a word.
inline constexpr double kScaleTolerance = 0.10;

/// What weights that match on the ground plane take: sides of a tile, metres, and the coarsest
/// scale, metres a pixel.
inline constexpr double kMatchedSide[2] = {15, 400};
inline constexpr double kCoarsestMatched = 0.6;

/// How a localizer is set up.
struct LocalizerOptions {
  Device device = Device::automatic;
  Precision precision = Precision::f32;
  int threads = 0;  ///< CPU threads; 0: as many as the process may use
  int gpu = 0;      ///< number of the GPU, where there are several
  Index batch = 1;  ///< pairs that go through the network together, at most; memory is for as many
  /// Show the network the trained scale: a tile of known scale that is more than `kScaleTolerance`
  /// off is cut about its centre, or framed in grey, to the side trained at.
  bool rescale = false;
  /// Keep the posterior over headings and positions in each Fix, of weights that match on the
  /// ground plane.
  bool pose_probability = false;
};

/// What is known of a satellite tile beside its pixels.
struct TileInfo {
  std::optional<double> metres_per_pixel;  ///< ground sampling distance, metres per tile pixel
  std::optional<GeoBounds> bounds;         ///< of a north-up tile; gives the scale too where absent
};

/// What is known of a ground image beside its pixels.
struct GroundInfo {
  /// What the centre column of a panorama looks at, degrees clockwise from north; empty where that
  /// is unknown, which only weights that match on the ground plane take. For the others the
  /// panorama is rolled so that its centre looks north, to whole columns.
  std::optional<double> heading_degrees = 0.0;
};

/// One pair to locate, its images in one kind of memory.
template <MemorySpace Space>
struct PairIn {
  GroundImageIn<Space> ground;
  SatelliteImageIn<Space> satellite;
  TileInfo tile = {};
  GroundInfo camera = {};
};
using Pair = PairIn<HostSpace>;

/// A pair whose images lie in the memory of the localizer's GPU; whatever writes them must be done.
/// They are neither rolled nor framed: a heading, or a tile that `rescale` would frame, is refused.
using DevicePair = PairIn<DeviceSpace>;

/// A rectangle in a satellite image, continuous pixels; it may reach beyond the image.
struct PixelWindow {
  double row = 0;  ///< of the upper edge
  double col = 0;  ///< of the left edge
  double height = 0;
  double width = 0;
};

/// A position where the camera may have stood.
struct Hypothesis {
  PixelPoint pixel;                  ///< in the satellite image's own pixels
  std::optional<GeoPoint> position;  ///< where the tile's bounds are known
  /// As of a Fix: as it was given, or the most likely one of a camera at this position.
  std::optional<double> heading_degrees;
  double share = 0;  ///< of the posterior, within the hypothesis' radius
};

/// Where the camera stood. Reusing one Fix for many pairs allocates nothing after the first.
struct Fix {
  PixelPoint pixel;                       ///< in the satellite image's own pixels
  std::array<double, 3> covariance_px{};  ///< of the posterior: row-row, row-col, col-col, px^2
  /// Of a circle about `pixel` that holds 68 % of the truths: the smallest with 68 % of the
  /// posterior (`ops::kCellMassSide`), times the weights' `radius_scale`.
  double radius68_px = 0;
  std::optional<double> radius68_m;
  std::optional<GeoPoint> position;
  /// What the panorama's centre column looks at, degrees clockwise from north within [0, 360): as
  /// it was given, or as it was found; and the standard deviation of that, 0 where it was given.
  /// Empty where the weights' images have no heading.
  std::optional<double> heading_degrees;
  std::optional<double> heading_sigma_degrees;
  /// How the heading varies with the position: row-heading and col-heading, px degrees, and
  /// heading-heading, degrees^2, the square of `heading_sigma_degrees`. With `covariance_px` the
  /// symmetric 3 x 3 covariance of (row, col, heading), of the posterior over poses. A heading
  /// counts as how far it is off `heading_degrees`, clockwise, within half a turn. Zeros where it
  /// was given, or there is none.
  std::array<double, 3> heading_covariance{};
  /// Up to five positions where the camera may have stood, by falling share of the posterior over
  /// positions; none of a posterior of NaN. ops/hypotheses.hpp says how they are found. Each lies
  /// at the mean over some metres about a peak, while `pixel` follows the weights' rule from the
  /// most likely cell: the first, which has the most mass, may be another position than `pixel`,
  /// and need not be quite the same where it is not.
  std::vector<Hypothesis> hypotheses;
  /// [K], sums to 1: of headings that were searched for, at even steps clockwise from north; else
  /// empty.
  std::vector<float> heading_probability;
  /// What the grid covers: the whole tile, unless rescaled; of weights that match on the ground
  /// plane it begins and ends within a cell of the tile.
  PixelWindow window;
  Index grid = 0;  ///< N; of weights that match on the ground plane by the tile's size
  std::vector<float> probability;  ///< [N, N], row-major over the tile, sums to 1
  /// [K, N, N], sums to 1: over the same headings (one where it was given) and positions. Empty
  /// unless the localizer was loaded with `LocalizerOptions::pose_probability`.
  std::vector<float> pose_probability;
  Index cell = 0;              ///< argmax of the logits, row * N + column; the first maximum
  std::vector<float> logits;   ///< [N * N], raw
  std::vector<float> offsets;  ///< [N * N, 2], (row, col) in cells, after the sigmoid
};

/// Finds the camera of a ground image inside a satellite tile.
///
/// A localizer is used by one thread at a time. `share` makes another one, with its own working
/// memory, over the same weights. After the first call `locate(pair, fix)` allocates nothing, as
/// long as the images' sizes repeat. It is synchronous.
class Localizer {
 public:
  /// Reads and prepares weights (safetensors). Throws WeightsError for a file that does not hold a
  /// network, DeviceError where the device or its instructions are absent, ShapeError for a batch
  /// of none.
  static Localizer load(const std::filesystem::path& weights, const LocalizerOptions& options = {});

  Localizer(Localizer&&) noexcept;
  Localizer& operator=(Localizer&&) noexcept;
  ~Localizer();

  /// Another localizer over the same weights, for another thread.
  Localizer share() const;

  /// One pair. Throws ImageError for an image that is not what the weights expect: a ground image
  /// that is no 2:1 panorama where the weights want one, a tile that is not square (both to 1 %), a
  /// heading for a camera that is no panorama, an unknown heading where the weights need one; of
  /// weights that match on the ground plane, a tile of unknown scale or of a side or scale beyond
  /// `kMatchedSide` and `kCoarsestMatched`.
  Fix locate(GroundImage ground, SatelliteImage satellite, const TileInfo& tile = {},
             const GroundInfo& camera = {});

  /// One pair, into a Fix to be used again. Throws as above.
  void locate(const Pair& pair, Fix& fix);

  /// Many pairs, `batch()` of them at a time; `fixes` is resized to as many. Throws before any work
  /// where one is not what the weights expect, saying which; `check` says so beforehand. A group of
  /// fewer may take as long as a full one.
  void locate(std::span<const Pair> pairs, std::vector<Fix>& fixes);

  /// The same of images in the GPU's memory. Throws besides DeviceError where they are not, or
  /// where the localizer runs on the CPU.
  Fix locate(DeviceGroundImage ground, DeviceSatelliteImage satellite, const TileInfo& tile = {});
  void locate(const DevicePair& pair, Fix& fix);
  void locate(std::span<const DevicePair> pairs, std::vector<Fix>& fixes);

  /// Throws what `locate` would throw of this pair, without locating it.
  void check(const Pair& pair) const;
  void check(const DevicePair& pair) const;

  const model::Configuration& configuration() const;
  Device device() const;        ///< never `automatic`
  Precision precision() const;  ///< never `automatic`
  Index batch() const;          ///< pairs that go through the network together, at most
  Index parameter_count() const;
  std::string description() const;  ///< device, instruction set and libraries, for people

  /// How far the tile's scale is from the scale trained at: 1.0 equal, 1.2 a tile 20 % coarser;
  /// empty where either is unknown.
  std::optional<double> scale_ratio(const TileInfo& tile, const HostImageView& satellite) const;

 private:
  struct Impl;
  explicit Localizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace crossfix
