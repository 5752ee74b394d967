#include "crossfix/localizer.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "content.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/detail/model/ground_match.hpp"
#include "crossfix/detail/model/heading_search.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/georeference.hpp"
#include "crossfix/io/safetensors.hpp"
#include "crossfix/ops/evidence.hpp"
#include "crossfix/ops/finite.hpp"
#include "crossfix/ops/heading.hpp"
#include "crossfix/ops/hypotheses.hpp"
#include "crossfix/ops/pose_sums.hpp"
#include "crossfix/ops/posterior.hpp"
#include "engine.hpp"

namespace crossfix {
namespace {

/// Aspect ratios are compared to this relative difference.
constexpr double kAspectTolerance = 0.01;
/// Largest difference of the logarithms of two scales that must agree.
constexpr double kBoundsTolerance = 0.05;
/// Largest ratio of a padded tile's side to the tile's own side, and of the side of the network's
/// input to what is left of a tile that is cut.
constexpr double kLargestFrame = 4.0;
/// Shorter side of a ground image that is least for weights that match on the ground plane, pixels.
constexpr Index kLeastGroundSide = 16;
/// Shorter side below which such an image is warned about, pixels.
constexpr Index kDoubtfulGroundSide = 32;
/// Padding of a tile that is smaller than the side used in training: mid-grey.
constexpr std::uint8_t kFrameGrey = 128;

template <MemorySpace Space>
std::string size_text(const TensorView<const std::uint8_t, 3, Space>& image) {
  return std::to_string(image.extent(1)) + "x" + std::to_string(image.extent(0));
}

template <MemorySpace Space>
void check_image(const TensorView<const std::uint8_t, 3, Space>& image, const char* what) {
  if (image.empty() || image.extent(2) != 3) {
    throw ImageError(std::string("the ") + what + " image has shape " + to_string(image.shape()) +
                     "; expected [height, width, 3] with at least one pixel");
  }
}

std::string number(double value) { return general_text(value, 5); }

/// Rolls the panorama by whole columns so that its centre looks north.
void roll(const HostImageView& panorama, double heading_degrees, Tensor<std::uint8_t, 3>& out) {
  if (out.shape() != panorama.shape()) out = Tensor<std::uint8_t, 3>(panorama.shape());
  const Index width = panorama.extent(1);
  const auto shift = static_cast<Index>(
      std::llround(std::remainder(heading_degrees, 360.0) / 360.0 * static_cast<double>(width)));
  // Column c looks at heading + (c - width / 2) 360 / width: north is `shift` columns to the left.
  const Index first = ((-shift) % width + width) % width;
  for (Index row = 0; row < panorama.extent(0); ++row) {
    const std::uint8_t* source = &panorama(row, 0, 0);
    std::uint8_t* target = &out(row, 0, 0);
    std::copy(source + 3 * first, source + 3 * width, target);
    std::copy(source, source + 3 * first, target + 3 * (width - first));
  }
}

/// Radius, pixels, of the smallest circle about `centre` that holds `ops::kRadiusShare` of a
/// window: what can be said of a camera that may stand anywhere in it.
double radius_of_even(const PixelWindow& window, const PixelPoint& centre) {
  const double top = window.row - centre.row;
  const double left = window.col - centre.col;
  const double share = ops::kRadiusShare * window.height * window.width;
  double inner = 0;
  double outer =
      std::hypot(std::max(-top, top + window.height), std::max(-left, left + window.width));
  for (int i = 0; i < 50; ++i) {
    const double radius = (inner + outer) / 2;
    const double area =
        ops::circle_rectangle_area(radius, left, left + window.width, top, top + window.height);
    (area < share ? inner : outer) = radius;
  }
  return outer;
}

/// The part of a window that lies in the satellite image.
template <MemorySpace Space>
PixelWindow within(const PixelWindow& window,
                   const TensorView<const std::uint8_t, 3, Space>& tile) {
  const double top = std::max(window.row, 0.0);
  const double left = std::max(window.col, 0.0);
  return {top, left,
          std::min(window.row + window.height, static_cast<double>(tile.extent(0))) - top,
          std::min(window.col + window.width, static_cast<double>(tile.extent(1))) - left};
}

/// Reuses the vector's memory if it is large enough.
template <std::size_t Rank>
void copy(const TensorView<float, Rank>& from, std::vector<float>& to) {
  to.assign(from.data(), from.data() + from.size());
}

}  // namespace

std::optional<std::string> flaw_of_tile_scale(double metres_per_pixel) {
  if (metres_per_pixel >= kTileScale[0] && metres_per_pixel <= kTileScale[1]) return {};
  return "is " + number(metres_per_pixel) + "; " + number(kTileScale[0]) + " to " +
         number(kTileScale[1]) + " metres per pixel are expected";
}

struct Localizer::Impl {
  model::Configuration configuration;
  LocalizerOptions options;
  std::unique_ptr<Engine> engine;
  /// Memory for the images of a pair that are changed before they go to the network.
  struct Room {
    Tensor<std::uint8_t, 3> rolled;
    Tensor<std::uint8_t, 3> framed;
  };
  std::vector<Room> rooms;  // one for each pair of a batch
  template <MemorySpace Space>
  using ImagesOf = std::vector<Engine::ImagesIn<Space>>;
  std::tuple<ImagesOf<HostSpace>, ImagesOf<DeviceSpace>> images;  // one for each pair of a batch
  ops::PoseSums poses;

  /// Takes the engine and allocates memory for its batches.
  void set(std::unique_ptr<Engine> made) {
    engine = std::move(made);
    options.device = engine->device();
    options.precision = engine->precision();
    rooms.resize(static_cast<std::size_t>(engine->batch()));
    std::get<0>(images).resize(rooms.size());
    std::get<1>(images).resize(rooms.size());
  }

  /// The tile's scale: as given, or from its bounds.
  static std::optional<double> metres_per_pixel(const TileInfo& tile, const Shape<3>& satellite) {
    if (tile.metres_per_pixel) return tile.metres_per_pixel;
    if (!tile.bounds) return std::nullopt;
    return io::metres_per_pixel(*tile.bounds, satellite[0], satellite[1]);
  }

  std::optional<double> scale_ratio(const TileInfo& tile, const Shape<3>& satellite) const {
    const auto scale = metres_per_pixel(tile, satellite);
    // Networks that match on the ground plane resample tiles to their own scale.
    if (!scale || !configuration.metres_per_network_pixel || matches_ground()) return std::nullopt;
    const double side = static_cast<double>(satellite[0]) * *scale;
    const double trained =
        *configuration.metres_per_network_pixel * static_cast<double>(configuration.satellite_size);
    return side / trained;
  }

  /// Whether an image shows nothing. What is in a GPU's memory is not looked at.
  template <MemorySpace Space>
  static bool is_blank(const TensorView<const std::uint8_t, 3, Space>& image) {
    if constexpr (Space::kHostAccessible) return content_of(image) < kLeastContent;
    return false;
  }

  bool matches_ground() const { return configuration.family == model::Family::ground_match; }

  /// The shorter side of an image against that of the network's input, if that has one size.
  template <MemorySpace Space>
  static double enlargement(const TensorView<const std::uint8_t, 3, Space>& image, Index height,
                            Index width) {
    return std::max(static_cast<double>(height) / static_cast<double>(image.extent(0)),
                    static_cast<double>(width) / static_cast<double>(image.extent(1)));
  }

  template <MemorySpace Space>
  double enlargement(const GroundImageIn<Space>& image) const {
    if (matches_ground()) return 1;
    return enlargement(image, configuration.ground_size[0], configuration.ground_size[1]);
  }

  template <MemorySpace Space>
  double enlargement(const SatelliteImageIn<Space>& image) const {
    if (matches_ground()) return 1;
    return enlargement(image, configuration.satellite_size, configuration.satellite_size);
  }

  /// Images must have pixels enough for the network's input.
  template <MemorySpace Space>
  void check_sizes(const PairIn<Space>& pair) const {
    const auto refuse = [](const char* what, const std::string& size, Index height, Index width) {
      throw ImageError(std::string("the ") + what + " is " + size +
                       " pixels, and the network's input has " + std::to_string(width) + "x" +
                       std::to_string(height) + ": give a larger one");
    };
    if (enlargement(pair.ground) > kLargestEnlargement) {
      refuse("ground image", size_text(pair.ground), configuration.ground_size[0],
             configuration.ground_size[1]);
    }
    if (enlargement(pair.satellite) > kLargestEnlargement) {
      refuse("satellite tile", size_text(pair.satellite), configuration.satellite_size,
             configuration.satellite_size);
    }
  }

  /// Rescaling must neither frame nor cut a tile too much. `ratio`: of its side, metres, to the one
  /// trained at.
  void check_rescaling(double ratio, const Shape<3>& satellite) const {
    if (ratio < 1 / kLargestFrame) {
      throw ImageError("the tile covers " + number(ratio) +
                       " of the side that the weights were trained at, too little to rescale; give "
                       "a tile of a larger area");
    }
    const double trained =
        *configuration.metres_per_network_pixel * static_cast<double>(configuration.satellite_size);
    const double left = static_cast<double>(std::min(satellite[0], satellite[1])) / ratio;
    const double least = static_cast<double>(configuration.satellite_size) / kLargestFrame;
    if (left < least && ratio > 1) {
      throw ImageError("the tile is " + number(ratio * trained) + " m wide, and cut to the " +
                       number(trained) + " m that the weights were trained at it would keep " +
                       number(left) + " pixels a side, of at least " + number(least) +
                       ": give finer imagery, or check the tile's scale");
    }
  }

  /// Bounds must be those of a tile of square pixels, and agree with a scale that is also given.
  static void check_bounds(const TileInfo& tile, const Shape<3>& satellite) {
    const GeoBounds& bounds = *tile.bounds;
    const double aspect = io::pixel_aspect(bounds, satellite[0], satellite[1]);
    if (std::abs(std::log(aspect)) > kBoundsTolerance) {
      const std::string found = "by its bounds a pixel of the satellite tile is " + number(aspect) +
                                " times as high as wide";
      if (io::is_square_in_degrees(bounds, satellite[0], satellite[1], kBoundsTolerance)) {
        throw ImageError(found +
                         ": it is square in degrees (EPSG:4326), not in metres; reproject the tile "
                         "to Web Mercator, or give west,south,east,north of one that is square in "
                         "metres");
      }
      if (io::would_fit_swapped(bounds, satellite[0], satellite[1], kBoundsTolerance)) {
        throw ImageError(found +
                         ", and square with latitude and longitude swapped: give them as "
                         "west,south,east,north");
      }
      throw ImageError(found +
                       "; expected square ones: give the bounds of this tile, north up in Web "
                       "Mercator");
    }
    const double scale = io::metres_per_pixel(*tile.bounds, satellite[0], satellite[1]);
    if (tile.metres_per_pixel &&
        std::abs(std::log(scale / *tile.metres_per_pixel)) > kBoundsTolerance) {
      throw ImageError("a pixel of the satellite tile covers " + number(*tile.metres_per_pixel) +
                       " m as given, " + number(scale) + " m by its bounds: give one of them");
    }
  }

  /// Checks what weights that match on the ground plane need: a known scale, a side within their
  /// limits, and ground in the ground image, unless that shows nothing at all.
  template <MemorySpace Space>
  void check_matched(const PairIn<Space>& pair) const {
    const auto scale = metres_per_pixel(pair.tile, pair.satellite.shape());
    if (!scale) {
      throw ImageError(
          "these weights match on the ground, in metres, and the tile's scale is unknown: give it "
          "(--gsd or "
          "--bounds)");
    }
    const double side =
        *scale * static_cast<double>(std::min(pair.satellite.extent(0), pair.satellite.extent(1)));
    const auto metres = [](double value) { return number(value) + " m"; };
    if (!(side >= kMatchedSide[0] && side <= kMatchedSide[1])) {
      throw ImageError("the satellite tile is " + metres(side) + " wide; these weights take " +
                       metres(kMatchedSide[0]) + " to " + metres(kMatchedSide[1]) +
                       ": cut or join tiles");
    }
    if (*scale > kCoarsestMatched) {
      throw ImageError("a pixel of the satellite tile covers " + metres(*scale) +
                       "; these weights see nothing at more than " + metres(kCoarsestMatched) +
                       ": give finer imagery");
    }
    if constexpr (Space::kHostAccessible) {
      const auto& settings = configuration.ground_match;
      const auto* mounted = pair.camera.mounted ? &*pair.camera.mounted : nullptr;
      if ((options.match_blank || !is_blank(pair.ground)) &&
          model::nearest_used(settings, pair.ground, mounted) > settings.farthest) {
        throw model::no_ground(settings);
      }
    }
  }

  /// The camera of a ground image, and how sure its heading is.
  template <MemorySpace Space>
  void check_camera(const PairIn<Space>& pair) const {
    const GroundInfo& camera = pair.camera;
    if (!(camera.heading_sigma_degrees >= 0 && camera.heading_sigma_degrees <= 180)) {
      throw ImageError("the heading's standard deviation is " +
                       number(camera.heading_sigma_degrees) + "; 0 to 180 degrees are expected");
    }
    if (!matches_ground() && camera.heading_sigma_degrees > 0) {
      throw ImageError(
          "these weights take the heading as it is given; weights that match on the ground plane "
          "search about one that is not exact");
    }
    const Index side = std::min(pair.ground.extent(0), pair.ground.extent(1));
    if (matches_ground() && side < kLeastGroundSide) {
      throw ImageError("the ground image is " + size_text(pair.ground) + " pixels; " +
                       std::to_string(kLeastGroundSide) + " a side at least are expected");
    }
    if (!camera.mounted) return;
    if (!matches_ground()) {
      throw ImageError(
          "these weights take the images of the camera that they were trained with; weights that "
          "match on the ground plane take any camera");
    }
    try {
      const auto& settings = configuration.ground_match;
      camera::check_image_size(camera.mounted->camera, pair.ground.extent(0),
                               pair.ground.extent(1));
      camera::check_sees_ground(camera.mounted->camera, camera.mounted->mount, settings.nearest,
                                settings.farthest);
    } catch (const DataError& error) {
      throw ImageError(error.what());
    }
  }

  template <MemorySpace Space>
  void check(const PairIn<Space>& pair) const {
    check_image(pair.ground, "ground");
    check_image(pair.satellite, "satellite");
    const auto height = static_cast<double>(pair.satellite.extent(0));
    const auto width = static_cast<double>(pair.satellite.extent(1));
    if (std::abs(width - height) > kAspectTolerance * height) {
      throw ImageError("the satellite tile is " + size_text(pair.satellite) +
                       " pixels; crossfix expects a square tile: crop it");
    }
    const auto ground_height = static_cast<double>(pair.ground.extent(0));
    const auto ground_width = static_cast<double>(pair.ground.extent(1));
    check_camera(pair);
    if (pair.camera.mounted) {
      // The camera says how the image is to be read.
    } else if (configuration.ground_projection == model::GroundProjection::equirectangular) {
      if (!matches_ground() && !pair.camera.heading_degrees) {
        throw ImageError(
            "these weights need the heading of the panorama's centre column (--heading DEGREES); "
            "weights that "
            "match on the ground plane find it");
      }
      if (std::abs(ground_width - 2 * ground_height) > kAspectTolerance * ground_width) {
        throw ImageError("the ground image is " + size_text(pair.ground) +
                         " pixels; these weights expect an equirectangular panorama, twice as wide "
                         "as high: give a full panorama, or weights trained on pinhole images");
      }
    } else if (pair.camera.heading_degrees != 0.0) {
      throw ImageError(
          "a heading rolls a panorama, and these weights expect pinhole images: rotate the tile to "
          "the camera's heading instead");
    }
    if (!(std::abs(pair.camera.heading_degrees.value_or(0)) <= 1e10)) {
      throw ImageError("the heading must be a number of degrees, at most 1e10 to either side");
    }
    if (pair.tile.bounds) check_bounds(pair.tile, pair.satellite.shape());
    if (const auto scale = metres_per_pixel(pair.tile, pair.satellite.shape())) {
      if (const auto flaw = flaw_of_tile_scale(*scale)) {
        throw ImageError("the ground sampling distance " + *flaw);
      }
    }
    if (matches_ground()) check_matched(pair);
    check_sizes(pair);
    const auto ratio = rescaling(pair);
    if (ratio) check_rescaling(*ratio, pair.satellite.shape());
    if constexpr (!Space::kHostAccessible) {
      if (pair.camera.heading_degrees != 0.0) {
        throw ImageError(
            "a panorama in a GPU's memory cannot be rolled to its heading: roll it "
            "before, or give it in host memory");
      }
      if (ratio && *ratio < 1) {
        throw ImageError(
            "a tile in a GPU's memory cannot be framed to the scale trained at: frame "
            "it before, or give it in host memory");
      }
    }
  }

  /// The pair's scale ratio if its tile must be cropped or padded, otherwise empty.
  template <MemorySpace Space>
  std::optional<double> rescaling(const PairIn<Space>& pair) const {
    if (!options.rescale) return std::nullopt;
    const auto ratio = scale_ratio(pair.tile, pair.satellite.shape());
    return ratio && std::abs(*ratio - 1) > kScaleTolerance ? ratio : std::nullopt;
  }

  /// The part of the tile that the network sees. It points into the tile, or into `framed`.
  template <MemorySpace Space>
  TensorView<const std::uint8_t, 3, Space> window_of(const PairIn<Space>& pair, PixelWindow& window,
                                                     Tensor<std::uint8_t, 3>& framed) const {
    const auto& tile = pair.satellite;
    window = {0, 0, static_cast<double>(tile.extent(0)), static_cast<double>(tile.extent(1))};
    if (matches_ground()) return tile;
    const auto ratio = rescaling(pair);
    if (!ratio) return tile;
    const auto side = std::max<Index>(
        1, std::llround(static_cast<double>(std::min(tile.extent(0), tile.extent(1))) / *ratio));
    const Index row = (tile.extent(0) - side) / 2;
    const Index col = (tile.extent(1) - side) / 2;
    window = {static_cast<double>(row), static_cast<double>(col), static_cast<double>(side),
              static_cast<double>(side)};
    if constexpr (Space::kHostAccessible) {
      if (*ratio < 1) {
        frame(tile, {side, side, 3}, row, col, framed);
        return framed.view();
      }
    }
    return tile.slice(0, row, row + side).slice(1, col, col + side);
  }

  /// Copies the tile into a grey frame of `shape`, whose corner is at (row, col) of the tile.
  static void frame(const HostImageView& tile, const Shape<3>& shape, Index row, Index col,
                    Tensor<std::uint8_t, 3>& framed) {
    if (framed.shape() != shape) framed = Tensor<std::uint8_t, 3>(shape);
    std::fill_n(framed.data(), framed.size(), kFrameGrey);
    for (Index r = 0; r < tile.extent(0); ++r) {
      std::copy_n(&tile(r, 0, 0), 3 * tile.extent(1), &framed(r - row, -col, 0));
    }
  }

  /// Converts from cells of the grid over `fix.window` to pixels of the satellite image, and to the
  /// ground.
  template <MemorySpace Space>
  void finish(const PairIn<Space>& pair, const ops::HeadOutputs<HostSpace>& outputs, Index image,
              Fix& fix) {
    const Index grid = outputs.grid();
    const auto scale = metres_per_pixel(pair.tile, pair.satellite.shape());
    if (const auto window = engine->window()) fix.window = *window;
    fix.grid = grid;
    copy(outputs.logits()[image], fix.logits);
    copy(outputs.offsets()[image], fix.offsets);
    copy(outputs.probability()[image], fix.probability);
    const ops::DecodedFix decoded = outputs.fix()(image);
    ops::expect_finite(outputs.logits()[image], "network before the logits");
    ops::expect_finite(outputs.offsets()[image], "network before the offsets");
    ops::expect_finite(outputs.probability()[image], "posterior");
    for (const float value : {decoded.row, decoded.col, decoded.radius, decoded.covariance.row_row,
                              decoded.covariance.row_col, decoded.covariance.col_col}) {
      if (!std::isfinite(value)) ops::fail_overflow("decoding");
    }
    fix.cell = decoded.cell;
    const auto [row, col] = position(decoded, fix);
    const double cell_height = fix.window.height / static_cast<double>(grid);
    const double cell_width = fix.window.width / static_cast<double>(grid);
    fix.pixel = pixel_of(fix, row, col);
    fix.covariance_px = {decoded.covariance.row_row * cell_height * cell_height,
                         decoded.covariance.row_col * cell_height * cell_width,
                         decoded.covariance.col_col * cell_width * cell_width};
    fix.radius68_px =
        decoded.radius * std::sqrt(cell_height * cell_width) * configuration.radius_scale;
    fix.position = position_of(pair, fix.pixel);
    set_heading(pair.camera, fix);
    std::optional<double> metres_per_cell;
    if (scale) metres_per_cell = *scale * std::sqrt(cell_height * cell_width);
    set_hypotheses(pair, ops::hypothesis_radius(grid, metres_per_cell), fix);
    set_nowhere(pair, fix);
    fix.pose_probability.clear();
    if (options.pose_probability) engine->pose_probability(fix.pose_probability);
  }

  /// The answer where an image shows nothing: the camera may stand anywhere in the tile, or not.
  void finish_blank(const Pair& pair, Fix& fix) const {
    fix.grid = grid_of(pair);
    const auto cells = static_cast<std::size_t>(fix.grid * fix.grid);
    fix.logits.assign(cells, 0.0F);
    fix.offsets.assign(2 * cells, 0.5F);
    fix.probability.assign(cells, 1.0F / static_cast<float>(cells));
    fix.cell = 0;
    const PixelWindow seen = within(fix.window, pair.satellite);
    fix.pixel = {seen.row + seen.height / 2, seen.col + seen.width / 2};
    fix.covariance_px = {seen.height * seen.height / 12, 0, seen.width * seen.width / 12};
    fix.position = position_of(pair, fix.pixel);
    set_prior_heading(pair.camera, fix);
    fix.heading_covariance = {};
    fix.hypotheses.clear();
    fix.pose_probability.clear();
    if (options.pose_probability) {
      for (const float heading : fix.heading_probability) {
        fix.pose_probability.insert(fix.pose_probability.end(), cells,
                                    heading / static_cast<float>(cells));
      }
      if (fix.heading_probability.empty()) fix.pose_probability = fix.probability;
    }
    fix.evidence = {};
    fix.evidence.seen = 0;
    fix.nowhere = 1;
    fix.radius68_px = radius_of_even(seen, fix.pixel);
    set_radius_metres(pair, fix);
  }

  /// N of a pair's posterior.
  Index grid_of(const Pair& pair) const {
    if (!matches_ground()) return configuration.grid;
    const Shape<3>& shape = pair.satellite.shape();
    const Index side =
        model::matched_side(configuration, shape[0], shape[1], *metres_per_pixel(pair.tile, shape));
    return model::EfficientNetLiteWeights::extent(side);
  }

  /// The heading where no image says anything of it: as given, with its deviation.
  void set_prior_heading(const GroundInfo& camera, Fix& fix) const {
    fix.heading_degrees.reset();
    fix.heading_sigma_degrees.reset();
    fix.heading_probability.clear();
    if (configuration.ground_projection != model::GroundProjection::equirectangular) return;
    if (camera.heading_degrees) {
      fix.heading_degrees = ops::wrapped_degrees(*camera.heading_degrees);
      fix.heading_sigma_degrees = camera.heading_sigma_degrees;
    }
    model::HeadingSearch search(configuration.ground_match.headings);
    search.start(camera.heading_degrees, 1, camera.heading_sigma_degrees);
    if (!search.searched()) return;
    std::vector<float> log_masses;
    for (Index row = 0; row < search.rows(); ++row) {
      log_masses.push_back(static_cast<float>(search.log_prior(row)));
    }
    search.posterior(log_masses, fix.heading_probability);
  }

  /// How likely it is that the camera does not stand in the tile at all, and a radius that keeps to
  /// it.
  template <MemorySpace Space>
  void set_nowhere(const PairIn<Space>& pair, Fix& fix) const {
    fix.evidence =
        ops::evidence_of(fix.logits, configuration.decoding.temperature * engine->log_prior(),
                         fix.hypotheses.empty() ? 0 : fix.hypotheses.front().share, engine->seen());
    fix.nowhere.reset();
    if (fix.grid > 1) fix.nowhere = configuration.nowhere.of(fix.evidence);
    if (fix.radius_of_tile()) {
      fix.radius68_px =
          std::max(fix.radius68_px, radius_of_even(within(fix.window, pair.satellite), fix.pixel));
    }
    set_radius_metres(pair, fix);
  }

  template <MemorySpace Space>
  static void set_radius_metres(const PairIn<Space>& pair, Fix& fix) {
    const auto scale = metres_per_pixel(pair.tile, pair.satellite.shape());
    fix.radius68_m.reset();
    if (scale) fix.radius68_m = fix.radius68_px * *scale;
  }

  /// (row, col) in cells of the fix's grid, in the satellite image's pixels.
  static PixelPoint pixel_of(const Fix& fix, double row, double col) {
    const auto grid = static_cast<double>(fix.grid);
    return {fix.window.row + row * (fix.window.height / grid),
            fix.window.col + col * (fix.window.width / grid)};
  }

  /// Longitude and latitude of a pixel of the pair's satellite image, where its bounds are known.
  template <MemorySpace Space>
  static std::optional<GeoPoint> position_of(const PairIn<Space>& pair, const PixelPoint& pixel) {
    if (!pair.tile.bounds) return std::nullopt;
    return io::position_of(*pair.tile.bounds, pair.satellite.extent(0), pair.satellite.extent(1),
                           pixel);
  }

  /// The camera's position, (row, col) in cells. It is computed in double from the raw outputs,
  /// because the record is in float. The matcher scales its outputs after decoding, so that its
  /// record is the correct one.
  std::array<double, 2> position(const ops::DecodedFix& decoded, const Fix& fix) const {
    if (matches_ground()) return {decoded.row, decoded.col};
    return ops::fix_position(fix.logits, fix.offsets, fix.grid, fix.cell,
                             configuration.decoding.fix);
  }

  /// The heading as given, or as found by the engine.
  void set_heading(const GroundInfo& camera, Fix& fix) const {
    fix.heading_degrees.reset();
    fix.heading_sigma_degrees.reset();
    fix.heading_probability.clear();
    if (configuration.ground_projection != model::GroundProjection::equirectangular) return;
    if (!model::HeadingSearch::searches(camera.heading_degrees, camera.heading_sigma_degrees)) {
      fix.heading_degrees = ops::wrapped_degrees(*camera.heading_degrees);
      fix.heading_sigma_degrees = camera.heading_sigma_degrees;
      return;
    }
    const auto probability = engine->heading_probability();
    fix.heading_probability.assign(probability.begin(), probability.end());
    const auto heading = ops::circular_mean(probability);
    fix.heading_degrees = heading.degrees;
    fix.heading_sigma_degrees = heading.sigma_degrees;
  }

  /// The hypotheses, and how heading and position vary together: of a fix that has its posterior
  /// and its heading. `radius` in cells.
  template <MemorySpace Space>
  void set_hypotheses(const PairIn<Space>& pair, double radius, Fix& fix) {
    const ops::Posterior posterior{fix.probability, fix.offsets, fix.grid};
    const ops::GridHypotheses hypotheses(posterior, radius);
    const bool searched = !fix.heading_probability.empty();
    fix.heading_covariance = {};
    if (searched) {
      poses.start(posterior, hypotheses, static_cast<Index>(fix.heading_probability.size()));
      engine->add_poses(poses);
      const auto [row, col] = poses.covariance(*fix.heading_degrees);
      const double sigma = *fix.heading_sigma_degrees;
      const auto grid = static_cast<double>(fix.grid);
      fix.heading_covariance = {row * (fix.window.height / grid), col * (fix.window.width / grid),
                                sigma * sigma};
    }
    fix.hypotheses.clear();
    fix.hypotheses.reserve(ops::kMostHypotheses);
    for (std::size_t i = 0; i < hypotheses.found().size(); ++i) {
      const ops::GridHypothesis& found = hypotheses.found()[i];
      const PixelPoint pixel = pixel_of(fix, found.row, found.col);
      const auto heading = searched ? poses.heading(i) : fix.heading_degrees;
      const auto behind =
          std::find_if(fix.hypotheses.begin(), fix.hypotheses.end(),
                       [&](const auto& other) { return other.share < found.share; });
      fix.hypotheses.insert(behind, {pixel, position_of(pair, pixel), heading, found.share});
    }
  }

  /// Locates checked pairs, at most one batch.
  template <MemorySpace Space>
  void locate_group(std::span<const PairIn<Space>> pairs, std::span<Fix> fixes) {
    auto& of_pairs = std::get<ImagesOf<Space>>(images);
    bool nothing = true;  // to be seen in any of the pairs
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const PairIn<Space>& pair = pairs[i];
      fixes[i].blank_ground = !options.match_blank && is_blank(pair.ground);
      fixes[i].blank_satellite = !options.match_blank && is_blank(pair.satellite);
      nothing = nothing && (fixes[i].blank_ground || fixes[i].blank_satellite);
      of_pairs[i] = {pair.ground,
                     SatelliteImageIn<Space>(window_of(pair, fixes[i].window, rooms[i].framed)),
                     metres_per_pixel(pair.tile, pair.satellite.shape()).value_or(0),
                     pair.camera.heading_degrees,
                     pair.camera.heading_sigma_degrees,
                     pair.camera.mounted ? &*pair.camera.mounted : nullptr};
      if constexpr (Space::kHostAccessible) {
        if (!matches_ground() && pair.camera.heading_degrees.value_or(0) != 0) {
          roll(pair.ground, *pair.camera.heading_degrees, rooms[i].rolled);
          of_pairs[i].ground = GroundImage(rooms[i].rolled.view());
        }
      }
    }
    ops::HeadOutputs<HostSpace> outputs;
    if (!nothing) {
      outputs = engine->run(std::span<const Engine::ImagesIn<Space>>(of_pairs).first(pairs.size()));
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if constexpr (Space::kHostAccessible) {
        if (fixes[i].blank_ground || fixes[i].blank_satellite) {
          finish_blank(pairs[i], fixes[i]);
          continue;
        }
      }
      finish(pairs[i], outputs, static_cast<Index>(i), fixes[i]);
    }
  }

  template <MemorySpace Space>
  void locate(std::span<const PairIn<Space>> pairs, std::span<Fix> fixes) {
    while (!pairs.empty()) {
      const std::size_t count = std::min(pairs.size(), rooms.size());
      locate_group(pairs.first(count), fixes.first(count));
      pairs = pairs.subspan(count);
      fixes = fixes.subspan(count);
    }
  }

  /// Checks all pairs, then locates them.
  template <MemorySpace Space>
  void locate_all(std::span<const PairIn<Space>> pairs, std::vector<Fix>& fixes) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      try {
        check(pairs[i]);
      } catch (const ImageError& error) {
        throw ImageError("pair " + std::to_string(i + 1) + " of " + std::to_string(pairs.size()) +
                         ": " + error.what());
      }
    }
    fixes.resize(pairs.size());
    locate(pairs, std::span<Fix>(fixes));
  }
};

Localizer Localizer::load(const std::filesystem::path& weights, const LocalizerOptions& options) {
  return load(io::Safetensors::open(weights), options);
}

Localizer Localizer::load(const io::Safetensors& weights, const LocalizerOptions& options) {
  auto impl = std::make_unique<Impl>();
  const std::string name = weights.path().string();
  impl->configuration = io::read_configuration(weights);
  impl->options = options;
  if (options.rescale && impl->configuration.family == model::Family::ground_match) {
    throw WeightsError(
        name +
        ": weights that match on the ground plane take a tile of any scale; leave out --rescale");
  }
  if (options.pose_probability && impl->configuration.family != model::Family::ground_match) {
    throw WeightsError(name +
                       ": these weights take the heading as it is given; a posterior over headings "
                       "takes weights that match on the ground plane");
  }
  try {
    impl->set(make_engine(weights.tensors(), impl->configuration, options));
  } catch (const WeightsError& error) {
    throw WeightsError(name + ": " + error.what());
  }
  return Localizer(std::move(impl));
}

Localizer::Localizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Localizer::Localizer(Localizer&&) noexcept = default;
Localizer& Localizer::operator=(Localizer&&) noexcept = default;
Localizer::~Localizer() = default;

Localizer Localizer::share() const {
  auto impl = std::make_unique<Impl>();
  impl->configuration = impl_->configuration;
  impl->options = impl_->options;
  impl->set(impl_->engine->share());
  return Localizer(std::move(impl));
}

Fix Localizer::locate(GroundImage ground, SatelliteImage satellite, const TileInfo& tile,
                      const GroundInfo& camera) {
  Fix fix;
  locate(Pair{ground, satellite, tile, camera}, fix);
  return fix;
}

Fix Localizer::locate(DeviceGroundImage ground, DeviceSatelliteImage satellite,
                      const TileInfo& tile) {
  Fix fix;
  locate(DevicePair{ground, satellite, tile}, fix);
  return fix;
}

void Localizer::locate(const Pair& pair, Fix& fix) {
  check(pair);
  impl_->locate(std::span(&pair, 1), {&fix, 1});
}
void Localizer::locate(const DevicePair& pair, Fix& fix) {
  check(pair);
  impl_->locate(std::span(&pair, 1), {&fix, 1});
}

void Localizer::locate(std::span<const Pair> pairs, std::vector<Fix>& fixes) {
  impl_->locate_all(pairs, fixes);
}
void Localizer::locate(std::span<const DevicePair> pairs, std::vector<Fix>& fixes) {
  impl_->locate_all(pairs, fixes);
}

void Localizer::check(const Pair& pair) const { impl_->check(pair); }
void Localizer::check(const DevicePair& pair) const { impl_->check(pair); }

const model::Configuration& Localizer::configuration() const { return impl_->configuration; }
Device Localizer::device() const { return impl_->options.device; }
Precision Localizer::precision() const { return impl_->options.precision; }
Index Localizer::batch() const { return impl_->engine->batch(); }
Index Localizer::parameter_count() const { return impl_->engine->parameter_count(); }
std::string Localizer::description() const { return impl_->engine->description(); }

ImageDoubts Localizer::doubts(const Pair& pair) const {
  const auto doubt = [](const HostImageView& image,
                        double enlargement) -> std::optional<std::string> {
    if (enlargement <= kDoubtfulEnlargement) return {};
    return size_text(image) + " pixels are enlarged " + number(enlargement) +
           " times for the network: expect a worse fix, or give a larger image";
  };
  ImageDoubts found{doubt(pair.ground, impl_->enlargement(pair.ground)),
                    doubt(pair.satellite, impl_->enlargement(pair.satellite))};
  const double content = content_of(pair.satellite);
  if (content >= kLeastContent && content < kCoveredContent) {
    found.satellite = number(std::round(100 * (1 - content))) +
                      " % of the tile shows nothing: a camera that stands there is not found";
  }
  if (impl_->matches_ground() &&
      std::min(pair.ground.extent(0), pair.ground.extent(1)) < kDoubtfulGroundSide) {
    found.ground = size_text(HostImageView(pair.ground)) +
                   " pixels show little of the ground: expect a worse fix, or give a larger image";
  }
  return found;
}

std::optional<double> Localizer::scale_ratio(const TileInfo& tile,
                                             const HostImageView& satellite) const {
  return impl_->scale_ratio(tile, satellite.shape());
}

}  // namespace crossfix
