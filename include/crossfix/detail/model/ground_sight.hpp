#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/camera/camera.hpp"
#include "crossfix/camera/panorama.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/ops/ground.hpp"

/// What a camera sees of the ground around it, and in how many ways it may stand.
namespace crossfix::model {

/// A way in which the camera may stand: its height as a ratio of the nominal one, its tilt, and the
/// logarithm of its probability, up to a constant that all share.
struct MountVariant {
  double height_ratio = 1;
  double roll_degrees = 0;
  double pitch_degrees = 0;
  double log_weight = 0;
};

/// Whether the image shows the whole sphere, so that its lowest rows show the ground below the
/// camera.
inline bool is_whole_panorama(const camera::Camera& camera) {
  return camera.model() == camera::Model::kEquirectangular && camera.wraps() &&
         camera.field_of_view().vertical >= 180;
}

/// Height of the camera above the ground, metres: the mount's, or the one that the weights assume.
inline double nominal_height(const Configuration::GroundMatch& settings,
                             const camera::MountedCamera* mounted) {
  return mounted != nullptr ? mounted->mount.height : settings.height;
}

/// Side of a tile of height x width pixels as the backbone sees it, in pixels.
inline Index matched_side(const Configuration& configuration, Index height, Index width,
                          double metres_per_pixel) {
  const double side = std::sqrt(static_cast<double>(height * width));
  return static_cast<Index>(
      std::llround(side * metres_per_pixel / *configuration.metres_per_network_pixel));
}

/// Distance from the camera at which the ground that is used begins, metres: where the ground
/// becomes visible, but not less than the setting. Greater than `farthest` if no ground is used.
inline double nearest_used(const Configuration::GroundMatch& settings,
                           const TensorView<const std::uint8_t, 3>& image,
                           const camera::MountedCamera* mounted) {
  if (mounted != nullptr && !is_whole_panorama(mounted->camera)) return settings.nearest;
  return std::max(settings.nearest,
                  camera::nearest_ground(image, nominal_height(settings, mounted)));
}

/// The error for a panorama none of whose ground is used.
inline ImageError no_ground(const Configuration::GroundMatch& settings) {
  return ImageError("the panorama shows no ground within " +
                    std::to_string(static_cast<int>(settings.farthest)) +
                    " m of the camera: its lower part is of one colour");
}

/// The ways in which the camera may stand. Without a mount: the settings' ratios of height. With
/// one, for each of its standard deviations that is above 0 the three points of Gauss-Hermite
/// quadrature (mean and mean +- sqrt(3) sigma, with weights 2/3, 1/6 and 1/6), which integrate
/// polynomials of degree 5 exactly; a height of 0 or less has no variant. A mount that is told is
/// taken as told, so its image has no ratios.
inline void mount_variants(const Configuration::GroundMatch& settings,
                           const camera::MountedCamera* mounted,
                           std::vector<MountVariant>& variants) {
  variants.clear();
  if (mounted == nullptr) {
    for (Index i = 0; i < settings.ratios; ++i)
      variants.push_back({.height_ratio = settings.ratio(i)});
    return;
  }
  const camera::Mount& mount = mounted->mount;
  variants.push_back({.roll_degrees = mount.roll_degrees, .pitch_degrees = mount.pitch_degrees});
  const auto marginalise = [&](double sigma, double MountVariant::*field) {
    if (!(sigma > 0)) return;
    const std::size_t count = variants.size();
    for (std::size_t i = 0; i < count; ++i) {
      for (const double side : {-1.0, 1.0}) {
        MountVariant moved = variants[i];
        moved.*field += side * std::sqrt(3.0) * sigma;
        moved.log_weight += std::log(1.0 / 6);
        if (moved.height_ratio > 0) variants.push_back(moved);
      }
      variants[i].log_weight += std::log(2.0 / 3);
    }
  };
  marginalise(mount.height_sigma / mount.height, &MountVariant::height_ratio);
  marginalise(mount.roll_sigma_degrees, &MountVariant::roll_degrees);
  marginalise(mount.pitch_sigma_degrees, &MountVariant::pitch_degrees);
}

/// The settings' weight for ground that is visible and used, at the middles of cells of `cell`
/// metres; `weights` [cells, cells], the camera above the middle one. With distance, an image shows
/// a square metre in fewer pixels, and an error in the height moves it farther. Returns the sum.
inline double weigh_ground(const Configuration::GroundMatch& settings, double nearest, double cell,
                           Tensor<float, 2>& weights) {
  const Index middle = weights.extent(0) / 2;
  double total = 0;
  for (Index i = 0; i < weights.extent(0); ++i) {
    for (Index j = 0; j < weights.extent(1); ++j) {
      const double distance =
          cell * std::hypot(static_cast<double>(i - middle), static_cast<double>(j - middle));
      const bool used = distance >= nearest && distance <= settings.farthest;
      weights(i, j) = used ? static_cast<float>(settings.weight(distance)) : 0.0F;
      total += static_cast<double>(weights(i, j));
    }
  }
  return total;
}

/// Sets to 0 the weights of cells that a camera at a pose does not see whole: one of their corners
/// is outside of the image. Returns the sum of what is left.
inline double keep_seen(const ops::PosedCamera& camera, double cell, Tensor<float, 2>& weights,
                        std::vector<std::uint8_t>& corners) {
  const Index side = weights.extent(0);
  const auto at = [&](Index i) {
    return static_cast<float>((static_cast<double>(i) - static_cast<double>(side) / 2) * cell);
  };
  corners.resize(static_cast<std::size_t>((side + 1) * (side + 1)));
  for (Index i = 0; i <= side; ++i) {
    for (Index j = 0; j <= side; ++j) {
      corners[static_cast<std::size_t>(i * (side + 1) + j)] =
          camera.project(at(i), at(j)).inside ? 1 : 0;
    }
  }
  double total = 0;
  for (Index i = 0; i < side; ++i) {
    for (Index j = 0; j < side; ++j) {
      const auto* corner = &corners[static_cast<std::size_t>(i * (side + 1) + j)];
      const bool seen = corner[0] && corner[1] && corner[side + 1] && corner[side + 2];
      if (!seen) weights(i, j) = 0;
      total += static_cast<double>(weights(i, j));
    }
  }
  return total;
}

}  // namespace crossfix::model
