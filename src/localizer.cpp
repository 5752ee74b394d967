#include "crossfix/localizer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "crossfix/core/tensor.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/georeference.hpp"
#include "crossfix/io/safetensors.hpp"
#include "crossfix/model/posterior.hpp"
#include "engine.hpp"

namespace crossfix {
namespace {

/// Aspect ratios are compared to this relative difference.
constexpr double kAspectTolerance = 0.01;
/// A frame about a rescaled tile is at most this many times the tile's side.
constexpr double kLargestFrame = 4.0;
/// Share of the posterior that `radius68_px` holds.
constexpr double kRadiusShare = 0.68;
/// What surrounds a tile that is smaller than the side trained at: mid-grey.
constexpr std::uint8_t kFrameGrey = 128;

std::string size_text(const HostImageView& image) {
  return std::to_string(image.extent(1)) + "x" + std::to_string(image.extent(0));
}

void check_image(const HostImageView& image, const char* what) {
  if (image.empty() || image.extent(2) != 3) {
    throw ImageError(std::string("the ") + what + " image has shape " + to_string(image.shape()) +
                     "; expected [height, width, 3] with at least one pixel");
  }
}

/// Columns rolled so that the centre looks north, to whole columns.
void roll(const HostImageView& panorama, double heading_degrees, Tensor<std::uint8_t, 3>& out) {
  if (out.shape() != panorama.shape()) out = Tensor<std::uint8_t, 3>(panorama.shape());
  const Index width = panorama.extent(1);
  const auto shift = static_cast<Index>(
      std::llround(std::remainder(heading_degrees, 360.0) / 360.0 * static_cast<double>(width)));
  // Column c looks at heading + (c - width / 2) 360 / width: north lies `shift` columns to the left.
  const Index first = ((-shift) % width + width) % width;
  for (Index row = 0; row < panorama.extent(0); ++row) {
    const std::uint8_t* source = &panorama(row, 0, 0);
    std::uint8_t* target = &out(row, 0, 0);
    std::copy(source + 3 * first, source + 3 * width, target);
    std::copy(source, source + 3 * first, target + 3 * (width - first));
  }
}

}  // namespace

struct Localizer::Impl {
  model::Configuration configuration;
  LocalizerOptions options;
  std::unique_ptr<Engine> engine;
  Tensor<std::uint8_t, 3> rolled;
  Tensor<std::uint8_t, 3> framed;

  /// The tile's scale: as given, or from its bounds.
  static std::optional<double> metres_per_pixel(const TileInfo& tile,
                                                const HostImageView& satellite) {
    if (tile.metres_per_pixel) return tile.metres_per_pixel;
    if (!tile.bounds) return std::nullopt;
    return io::metres_per_pixel(*tile.bounds, satellite.extent(0), satellite.extent(1));
  }

  std::optional<double> scale_ratio(const TileInfo& tile, const HostImageView& satellite) const {
    const auto scale = metres_per_pixel(tile, satellite);
    if (!scale || !configuration.metres_per_network_pixel) return std::nullopt;
    const double side = static_cast<double>(satellite.extent(0)) * *scale;
    const double trained =
        *configuration.metres_per_network_pixel * static_cast<double>(configuration.satellite_size);
    return side / trained;
  }

  void check(const Pair& pair) const {
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
    if (configuration.ground_projection == model::GroundProjection::equirectangular) {
      if (std::abs(ground_width - 2 * ground_height) > kAspectTolerance * ground_width) {
        throw ImageError("the ground image is " + size_text(pair.ground) +
                         " pixels; these weights expect an equirectangular panorama, twice as wide "
                         "as high: give a full panorama, or weights trained on pinhole images");
      }
    } else if (pair.camera.heading_degrees != 0) {
      throw ImageError(
          "a heading rolls a panorama, and these weights expect pinhole images: rotate the tile to "
          "the camera's heading instead");
    }
    if (!std::isfinite(pair.camera.heading_degrees)) {
      throw ImageError("the heading must be a finite number of degrees");
    }
    if (pair.tile.metres_per_pixel &&
        !(*pair.tile.metres_per_pixel > 0 && std::isfinite(*pair.tile.metres_per_pixel))) {
      throw ImageError("the ground sampling distance is " +
                       std::to_string(*pair.tile.metres_per_pixel) +
                       "; expected metres per pixel above 0");
    }
  }

  /// The part of the tile that the network sees. It lies in the tile, or in `framed`.
  HostImageView window_of(const Pair& pair, PixelWindow& window) {
    const HostImageView& tile = pair.satellite;
    window = {0, 0, static_cast<double>(tile.extent(0)), static_cast<double>(tile.extent(1))};
    const auto ratio = scale_ratio(pair.tile, tile);
    if (!options.rescale || !ratio || std::abs(*ratio - 1) <= kScaleTolerance) return tile;
    if (*ratio < 1 / kLargestFrame) {
      throw ImageError("the tile covers " + std::to_string(*ratio) +
                       " of the side that the weights were trained at, too little to rescale; give "
                       "a tile of a larger area");
    }
    const auto side = std::max<Index>(
        1, std::llround(static_cast<double>(std::min(tile.extent(0), tile.extent(1))) / *ratio));
    const Index row = (tile.extent(0) - side) / 2;
    const Index col = (tile.extent(1) - side) / 2;
    window = {static_cast<double>(row), static_cast<double>(col), static_cast<double>(side),
              static_cast<double>(side)};
    if (*ratio > 1) return tile.slice(0, row, row + side).slice(1, col, col + side);
    const Shape<3> shape{side, side, 3};
    if (framed.shape() != shape) framed = Tensor<std::uint8_t, 3>(shape);
    std::fill_n(framed.data(), framed.size(), kFrameGrey);
    for (Index r = 0; r < tile.extent(0); ++r) {
      std::copy_n(&tile(r, 0, 0), 3 * tile.extent(1), &framed(r - row, -col, 0));
    }
    return framed.view();
  }

  void finish(const Pair& pair, Fix& fix) const {
    const Index grid = configuration.grid;
    fix.grid = grid;
    model::softmax(fix.logits, configuration.temperature, fix.probability);
    fix.cell = std::max_element(fix.logits.begin(), fix.logits.end()) - fix.logits.begin();
    const auto at = static_cast<std::size_t>(2 * fix.cell);
    const double row = static_cast<double>(fix.cell / grid) + fix.offsets[at];
    const double col = static_cast<double>(fix.cell % grid) + fix.offsets[at + 1];
    const double cell_height = fix.window.height / static_cast<double>(grid);
    const double cell_width = fix.window.width / static_cast<double>(grid);
    const double cell_side = std::sqrt(cell_height * cell_width);
    fix.pixel = {fix.window.row + row * cell_height, fix.window.col + col * cell_width};
    const auto covariance = model::spread_of(fix.probability, grid).covariance;
    fix.covariance_px = {covariance[0] * cell_height * cell_height,
                         covariance[1] * cell_height * cell_width,
                         covariance[2] * cell_width * cell_width};
    fix.radius68_px = model::radius_of(fix.probability, grid, row, col, kRadiusShare) * cell_side;
    const auto scale = metres_per_pixel(pair.tile, pair.satellite);
    fix.radius68_m.reset();
    fix.position.reset();
    if (scale) fix.radius68_m = fix.radius68_px * *scale;
    if (pair.tile.bounds) {
      fix.position = io::position_of(*pair.tile.bounds, pair.satellite.extent(0),
                                     pair.satellite.extent(1), fix.pixel);
    }
  }

  void locate(const Pair& pair, Fix& fix) {
    check(pair);
    const auto cells = static_cast<std::size_t>(configuration.satellite_tokens());
    fix.logits.resize(cells);
    fix.offsets.resize(2 * cells);
    fix.probability.resize(cells);
    HostImageView ground = pair.ground;
    if (pair.camera.heading_degrees != 0) {
      roll(ground, pair.camera.heading_degrees, rolled);
      ground = rolled.view();
    }
    engine->run(window_of(pair, fix.window), ground, fix.logits, fix.offsets);
    finish(pair, fix);
  }
};

Localizer Localizer::load(const std::filesystem::path& weights, const LocalizerOptions& options) {
  auto impl = std::make_unique<Impl>();
  const auto file = io::Safetensors::open(weights);
  impl->configuration = io::read_configuration(file);
  impl->options = options;
  try {
    impl->engine = make_engine(file.tensors(), impl->configuration, options);
  } catch (const WeightsError& error) {
    throw WeightsError(weights.string() + ": " + error.what());
  }
  impl->options.device = impl->engine->device();
  impl->options.precision = impl->engine->precision();
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
  impl->engine = impl_->engine->share();
  return Localizer(std::move(impl));
}

Fix Localizer::locate(HostImageView ground, HostImageView satellite, const TileInfo& tile,
                      const GroundInfo& camera) {
  Fix fix;
  impl_->locate({ground, satellite, tile, camera}, fix);
  return fix;
}

void Localizer::locate(const Pair& pair, Fix& fix) { impl_->locate(pair, fix); }

void Localizer::locate(std::span<const Pair> pairs, std::vector<Fix>& fixes) {
  fixes.resize(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) impl_->locate(pairs[i], fixes[i]);
}

const model::Configuration& Localizer::configuration() const { return impl_->configuration; }
Device Localizer::device() const { return impl_->options.device; }
Precision Localizer::precision() const { return impl_->options.precision; }
Index Localizer::parameter_count() const { return impl_->engine->parameter_count(); }
std::string Localizer::description() const { return impl_->engine->description(); }

std::optional<double> Localizer::scale_ratio(const TileInfo& tile,
                                             const HostImageView& satellite) const {
  return impl_->scale_ratio(tile, satellite);
}

}  // namespace crossfix
