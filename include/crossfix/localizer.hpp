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

#include "crossfix/camera/camera.hpp"
#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/geometry.hpp"
#include "crossfix/core/image_view.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/ops/evidence.hpp"

namespace crossfix {

namespace io {
class Safetensors;
}

/// The device that a localizer runs on. `automatic`: CUDA if the build and the machine support it,
/// otherwise the CPU.
enum class Device { automatic, cpu, cuda };

/// Name of a device in options and files: "auto", "cpu" or "cuda".
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

/// Element type of weights and activations. Sums are always accumulated in float. `automatic`: bf16
/// on a GPU, and on a CPU that has bf16 instructions; otherwise f32.
enum class Precision { automatic, f32, bf16, f16 };

/// Name of a precision in options and files: "auto", "f32", "bf16" or "f16".
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

/// Largest relative difference between a tile's scale and the training scale that is accepted
/// without a warning.
inline constexpr double kScaleTolerance = 0.10;

/// Finest and coarsest scale of a tile, metres per pixel. What lies beyond is in another unit.
inline constexpr double kTileScale[2] = {0.001, 100};

/// What is wrong with a scale: "is 1e+09; 0.001 to 100 metres per pixel are expected".
std::optional<std::string> flaw_of_tile_scale(double metres_per_pixel);

/// Images that are enlarged more than this are warned about.
inline constexpr double kDoubtfulEnlargement = 3;
/// Images that would be enlarged more than this for the network are refused.
inline constexpr double kLargestEnlargement = 8;

/// Why an image of a pair makes a worse fix likely, one line each; empty where it does not.
struct ImageDoubts {
  std::optional<std::string> ground;
  std::optional<std::string> satellite;
};

/// Limits of weights that match on the ground plane: smallest and largest side of a tile in metres,
/// and the coarsest scale in metres per pixel.
inline constexpr double kMatchedSide[2] = {15, 400};
inline constexpr double kCoarsestMatched = 0.6;

/// Options of a localizer.
struct LocalizerOptions {
  Device device = Device::automatic;
  Precision precision = Precision::f32;
  int threads = 0;  ///< CPU threads; 0: all that the process may use
  int gpu = 0;      ///< index of the GPU, if there are several
  /// Largest number of pairs that go through the network together. Memory is allocated for this
  /// many.
  Index batch = 1;
  /// Show the network the training scale. A tile of known scale that differs from it by more than
  /// `kScaleTolerance` is cropped about its centre, or padded with grey, to the side used in
  /// training.
  bool rescale = false;
  /// Match images that show nothing as any others, to see what a network makes of them.
  bool match_blank = false;
  /// Keep the posterior over headings and positions in each Fix. Only for weights that match on the
  /// ground plane.
  bool pose_probability = false;
};

/// What is known about a satellite tile besides its pixels.
struct TileInfo {
  std::optional<double> metres_per_pixel = {};  ///< ground sampling distance, metres per tile pixel
  /// Bounds of a north-up tile. They also give the scale if `metres_per_pixel` is empty.
  std::optional<GeoBounds> bounds = {};
};

/// What is known about a ground image besides its pixels.
struct GroundInfo {
  /// Heading of the centre column of a panorama, degrees clockwise from north. Empty if it is
  /// unknown, which only weights that match on the ground plane accept. For other weights the
  /// panorama is rolled by whole columns so that its centre looks north.
  std::optional<double> heading_degrees = 0.0;
  /// Standard deviation of a heading that is given, degrees; 0: it is exact. Above 2 degrees the
  /// heading is searched for with this prior, which only weights that match on the ground plane do.
  /// Below, it is taken as given.
  double heading_sigma_degrees = 0;
  /// The camera and its mount, for weights that match on the ground plane. Empty: a whole level
  /// panorama from the height that the weights assume. The mount's own heading is not read.
  std::optional<camera::MountedCamera> mounted = {};
};

/// One pair to locate. Both images are in the same kind of memory.
template <MemorySpace Space>
struct PairIn {
  GroundImageIn<Space> ground = {};
  SatelliteImageIn<Space> satellite = {};
  TileInfo tile = {};
  GroundInfo camera = {};
};
using Pair = PairIn<HostSpace>;

/// A pair whose images are in the memory of the localizer's GPU. Work that writes them must have
/// finished. These images are neither rolled nor padded: a nonzero heading, or a tile that
/// `rescale` would pad, is an error.
using DevicePair = PairIn<DeviceSpace>;

/// A rectangle in a satellite image, in continuous pixels. It may extend beyond the image.
struct PixelWindow {
  double row = 0;  ///< upper edge
  double col = 0;  ///< left edge
  double height = 0;
  double width = 0;
};

/// A position where the camera may have stood.
struct Hypothesis {
  PixelPoint pixel = {};                  ///< in the satellite image's own pixels
  std::optional<GeoPoint> position = {};  ///< where the tile's bounds are known
  /// As of a Fix: as it was given, or the most likely one of a camera at this position.
  std::optional<double> heading_degrees = {};
  double share = 0;  ///< of the posterior, within the hypothesis' radius
};

/// The answer: where the camera stood. A Fix that is reused for many pairs allocates memory only
/// for the first.
struct Fix {
  PixelPoint pixel = {};  ///< in pixels of the original satellite image
  /// Covariance of the posterior: row-row, row-col, col-col, px^2.
  std::array<double, 3> covariance_px{};
  /// How likely it is that the camera does not stand in the tile, or that nothing can be told: 0 to
  /// 1, where wrong tiles are as common as the weights were calibrated for
  /// (model::Configuration::Nowhere). 1 if an image is blank. Everything else here, but for the
  /// radius, is what follows if the camera does stand there. Empty if the weights have no grid to
  /// judge by.
  std::optional<double> nowhere = {};
  ops::Evidence evidence = {};  ///< what `nowhere` is computed from
  /// The image shows nothing: one colour, or nearly. The posterior is then even over the tile, and
  /// there are no hypotheses. Images in a GPU's memory are not looked at.
  bool blank_ground = false;
  bool blank_satellite = false;
  static constexpr double kNotHere = 0.5;
  /// Whether `nowhere` is at least `kNotHere`.
  bool not_here() const { return nowhere.value_or(0) >= kNotHere; }
  /// Whether the camera may be elsewhere so likely that no circle within the tile can hold 68 % of
  /// the truths. The radius is then at least that of the tile.
  bool radius_of_tile() const { return nowhere.value_or(0) > 1 - ops::kRadiusShare; }
  /// Radius of a circle about `pixel` that holds 68 % of the truths. It is the smallest radius that
  /// holds 68 % of the posterior (`ops::kCellMassSide`), times the weights' `radius_scale`. Where
  /// `nowhere` is above 32 %, no circle can promise that: it is then at least the radius that holds
  /// 68 % of the tile.
  double radius68_px = 0;
  std::optional<double> radius68_m = {};
  std::optional<GeoPoint> position = {};
  /// Heading of the panorama's centre column, degrees clockwise from north in [0, 360), as given or
  /// as found, and its standard deviation, which is 0 if the heading was given. Empty if the images
  /// of these weights have no heading.
  std::optional<double> heading_degrees = {};
  std::optional<double> heading_sigma_degrees = {};
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
  std::vector<Hypothesis> hypotheses = {};
  /// [K], sums to 1: posterior over headings, at even steps clockwise from north. Empty unless the
  /// heading was searched for.
  std::vector<float> heading_probability = {};
  /// The area that the grid covers. This is the whole tile unless it was rescaled. For weights that
  /// match on the ground plane, its edges are within one cell of the tile's edges.
  PixelWindow window = {};
  Index grid = 0;  ///< N; for weights that match on the ground plane it depends on the tile's size
  std::vector<float> probability = {};  ///< [N, N], row-major over the tile, sums to 1
  /// [K, N, N], sums to 1: posterior over headings (one if it was given) and positions. Empty
  /// unless the localizer was loaded with `LocalizerOptions::pose_probability`.
  std::vector<float> pose_probability = {};
  Index cell = 0;  ///< argmax of the logits, row * N + column; the first if several are equal
  std::vector<float> logits = {};   ///< [N * N], raw
  std::vector<float> offsets = {};  ///< [N * N, 2], (row, col) in cells, after the sigmoid
};

/// Finds the camera of a ground image inside a satellite tile.
///
/// A localizer may be used by one thread at a time. `share` makes another localizer over the same
/// weights with its own working memory. Calls are synchronous. After the first call, `locate(pair,
/// fix)` allocates nothing as long as the image sizes do not change.
class Localizer {
 public:
  /// Reads and prepares weights (safetensors). Throws WeightsError if the file does not hold a
  /// network, DeviceError if the device or its instructions are missing, ShapeError if the batch
  /// size is below 1.
  static Localizer load(const std::filesystem::path& weights, const LocalizerOptions& options = {});

  /// The same from weights that were read already. They are not needed afterwards.
  static Localizer load(const io::Safetensors& weights, const LocalizerOptions& options = {});

  Localizer(Localizer&&) noexcept;
  Localizer& operator=(Localizer&&) noexcept;
  ~Localizer();

  /// Another localizer over the same weights, for another thread.
  Localizer share() const;

  /// Locates one pair. Throws ImageError if an image is not what the weights expect:
  /// - a ground image that is not a 2:1 panorama (to 1 %), for weights that need a panorama;
  /// - a tile that is not square (to 1 %);
  /// - a heading for a camera that is not a panorama;
  /// - an unknown heading, for weights that need one;
  /// - a tile of a scale outside `kTileScale`;
  /// - an image that is too small for the network's input (`kLargestEnlargement`), and a tile of
  ///   which a cut to the training scale leaves too little;
  /// - for weights that match on the ground plane, a tile of unknown scale, or of a side or scale
  ///   outside `kMatchedSide` and `kCoarsestMatched`.
  ///
  /// Throws NumberError, which names the stage, if the network gives numbers that are not finite.
  Fix locate(GroundImage ground, SatelliteImage satellite, const TileInfo& tile = {},
             const GroundInfo& camera = {});

  /// Locates one pair and writes into a reusable Fix. Throws like the overload above.
  void locate(const Pair& pair, Fix& fix);

  /// Locates many pairs, `batch()` at a time. `fixes` is resized to the number of pairs. Throws
  /// before any work if a pair is not what the weights expect; the message names the pair. Use
  /// `check` to find this out beforehand. A group smaller than `batch()` may take as long as a full
  /// one.
  void locate(std::span<const Pair> pairs, std::vector<Fix>& fixes);

  /// The same for images in the GPU's memory. Also throws DeviceError if the images are not in GPU
  /// memory, or if the localizer runs on the CPU.
  Fix locate(DeviceGroundImage ground, DeviceSatelliteImage satellite, const TileInfo& tile = {});
  void locate(const DevicePair& pair, Fix& fix);
  void locate(std::span<const DevicePair> pairs, std::vector<Fix>& fixes);

  /// Throws what `locate` would throw for this pair, without locating it.
  void check(const Pair& pair) const;
  void check(const DevicePair& pair) const;

  const model::Configuration& configuration() const;
  Device device() const;        ///< never `automatic`
  Precision precision() const;  ///< never `automatic`
  Index batch() const;          ///< largest number of pairs that go through the network together
  Index parameter_count() const;
  std::string description() const;  ///< device, instruction set and libraries, as text for people

  /// Ratio of the tile's scale to the training scale: 1.0 is equal, 1.2 is a tile 20 % coarser.
  /// Empty if either is unknown.
  std::optional<double> scale_ratio(const TileInfo& tile, const HostImageView& satellite) const;

  /// Why a worse fix is likely though the pair is taken: images of few pixels, tiles that are
  /// covered in part.
  ImageDoubts doubts(const Pair& pair) const;

 private:
  struct Impl;
  explicit Localizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace crossfix
