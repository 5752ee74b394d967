#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "crossfix/camera/ground.hpp"
#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/ops/checks.hpp"

/// Flat ground around a camera: where a panorama shows it, and how well it matches a position of a
/// tile.
namespace crossfix::ops {

/// Views of the ground, north up, as images of side x side pixels.
struct GroundViewSpecification {
  Index side = 0;  ///< pixels, odd: the camera stands at the centre of the middle pixel
  float metres_per_pixel = 0;
};

/// Pose of a camera. A panorama that is sampled without a camera model is level.
struct CameraPose {
  float height = 0;  ///< metres above the ground
  /// Heading of its forward axis, a panorama's centre column, degrees clockwise from north.
  float heading_degrees = 0;
  float roll_degrees = 0;   ///< clockwise as seen from behind the camera is positive
  float pitch_degrees = 0;  ///< up is positive
};

/// A point in a panorama, in pixels from the centre of its first pixel.
struct PanoramaPoint {
  float row = 0;
  float col = 0;
};

/// The point of a whole equirectangular panorama of `height` x `width` pixels, taken by a level
/// camera, that shows the ground at (south, east) metres from the point below the camera: inverse
/// perspective mapping. `col` is in [-0.5, width - 0.5] and columns wrap; `row` is in [0, height -
/// 1].
CROSSFIX_HOST_DEVICE inline PanoramaPoint panorama_point(float south, float east,
                                                         float camera_height, float heading_degrees,
                                                         Index height, Index width) {
  constexpr float kPi = 3.14159265358979f;
  const float distance = sqrtf(south * south + east * east) + 1e-6f;
  const float turn = atan2f(east, -south) / (2.0f * kPi) - heading_degrees / 360.0f + 0.5f;
  const float down = atan2f(camera_height, distance) / kPi + 0.5f;
  const float row = down * static_cast<float>(height) - 0.5f;
  const float last = static_cast<float>(height - 1);
  return {row < 0.0f   ? 0.0f
          : row > last ? last
                       : row,
          (turn - floorf(turn)) * static_cast<float>(width) - 0.5f};
}

/// A camera over flat ground at one pose. It copies as bytes; the trigonometry of the pose is done
/// once, on the host.
class PosedCamera {
 public:
  PosedCamera(const camera::BasicCamera<float>& camera, const CameraPose& pose)
      : camera_(camera),
        tilt_(static_cast<double>(pose.roll_degrees), static_cast<double>(pose.pitch_degrees)),
        height_(pose.height) {
    const double heading = static_cast<double>(pose.heading_degrees) * camera::kRadians<double>;
    sine_ = static_cast<float>(std::sin(heading));
    cosine_ = static_cast<float>(std::cos(heading));
  }

  /// Where the image shows the ground at (south, east) metres from below the camera, continuous
  /// pixels from the outer corner of the first.
  CROSSFIX_HOST_DEVICE camera::BasicProjection<float> project(float south, float east) const {
    const float right = east * cosine_ + south * sine_;
    const float forward = east * sine_ - south * cosine_;
    return camera_.project(tilt_.camera({right, forward, -height_}));
  }

 private:
  camera::BasicCamera<float> camera_;
  camera::BasicTilt<float> tilt_;
  float height_;
  float sine_ = 0;
  float cosine_ = 1;
};

/// The four pixels about a point of an image, and their weights.
struct Neighbours {
  Index row = 0;       ///< of the upper ones
  Index next_row = 0;  ///< of the lower ones
  Index left = 0;
  Index right = 0;
  float below = 0;   ///< weight of the lower ones
  float beside = 0;  ///< weight of the right ones
};

/// Of a continuous pixel within the image; its border repeats, columns of a whole turn wrap.
CROSSFIX_HOST_DEVICE inline Neighbours neighbours_of(float row, float col, Index height,
                                                     Index width, bool wraps) {
  const float down = row - 0.5f < 0.0f ? 0.0f : row - 0.5f;
  const float across = col - 0.5f;
  const float left_edge = floorf(across);
  Neighbours n;
  n.row = static_cast<Index>(down) < height - 1 ? static_cast<Index>(down) : height - 1;
  n.next_row = n.row + 1 < height ? n.row + 1 : n.row;
  n.below = down - static_cast<float>(n.row) < 1.0f ? down - static_cast<float>(n.row) : 1.0f;
  n.left = static_cast<Index>(left_edge);
  n.right = n.left + 1;
  n.beside = across - left_edge;
  if (n.left < 0) n.left = wraps ? width - 1 : 0;
  if (n.right >= width) n.right = wraps ? 0 : width - 1;
  if (n.left >= width) n.left = wraps ? 0 : width - 1;
  return n;
}

/// Added to a standard deviation before dividing by it.
inline constexpr float kDeviationFloor = 1e-6f;
/// Lower limit of the energies in a match score.
inline constexpr float kLeastEnergy = 1e-3f;

/// The score of a view at a position of a tile: their correlation divided by the root of the
/// product of both energies, times the root of the share of the view, by weight, that lies in the
/// tile.
CROSSFIX_HOST_DEVICE inline float match_score(float product, float tile_energy, float view_energy,
                                              float share) {
  const float energy = (tile_energy > kLeastEnergy ? tile_energy : kLeastEnergy) *
                       (view_energy > kLeastEnergy ? view_energy : kLeastEnergy);
  return product / (sqrtf(energy) + 1e-6f) * sqrtf(share > 0.0f ? share : 0.0f);
}

/// Checks of the arguments of sampling: a panorama [height, width, 3] of at least 2 x 2 pixels with
/// rows without gaps, a specification, poses, and the views y [poses, side, side, 3]. Throws
/// ShapeError.
template <class Element, MemorySpace From, MemorySpace Space>
void check_ground_views(const TensorView<const std::uint8_t, 3, From>& panorama,
                        const GroundViewSpecification& spec, std::span<const CameraPose> poses,
                        const TensorView<Element, 4, Space>& y) {
  if (panorama.extent(0) < 2 || panorama.extent(1) < 2 || panorama.extent(2) != 3) {
    throw ShapeError("a panorama has shape " + to_string(panorama.shape()) +
                     ", expected [height, width, 3] of at least 2 x 2 pixels");
  }
  if (panorama.stride(2) != 1 || panorama.stride(1) != 3) {
    throw ShapeError("a panorama has gaps within its rows");
  }
  if (spec.side < 1 || spec.side % 2 == 0) {
    throw ShapeError("a view of the ground of side " + std::to_string(spec.side) +
                     " has no middle: its side must be odd");
  }
  // A NaN or infinite coordinate would read from an arbitrary address.
  bool finite = spec.metres_per_pixel > 0 && std::isfinite(spec.metres_per_pixel);
  for (const CameraPose& pose : poses) {
    finite = finite && std::isfinite(pose.height) && std::isfinite(pose.heading_degrees) &&
             std::isfinite(pose.roll_degrees) && std::isfinite(pose.pitch_degrees);
  }
  if (!finite) {
    throw ShapeError(
        "a view of the ground needs metres per pixel above 0, a height and angles that are finite");
  }
  expect_shape("ground views", y.shape(),
               {static_cast<Index>(poses.size()), spec.side, spec.side, 3});
  expect_contiguous("ground views", y);
}

/// The same of an image that a camera took; it has the size that the camera is for.
template <class Element, MemorySpace From, MemorySpace Space>
void check_ground_views(const TensorView<const std::uint8_t, 3, From>& image,
                        const camera::BasicCamera<float>& camera,
                        const GroundViewSpecification& spec, std::span<const CameraPose> poses,
                        const TensorView<Element, 4, Space>& y) {
  check_ground_views(image, spec, poses, y);
  expect_shape("a camera's image", Shape<2>{image.extent(0), image.extent(1)},
               {camera.height(), camera.width()});
}

/// Throws ShapeError unless weights, contiguous, are at least 0 and some above.
inline void check_weights(const char* what, const TensorView<const float, 2>& weights) {
  bool some = false;
  for (Index i = 0; i < weights.size(); ++i) {
    const float weight = weights.data()[i];
    if (!(weight >= 0) || !std::isfinite(weight)) {
      throw ShapeError(std::string(what) + " hold " + std::to_string(weight) +
                       "; at least 0 is expected");
    }
    some = some || weight > 0;
  }
  if (!some) throw ShapeError(std::string(what) + " are all 0");
}

/// Checks of the arguments of standardizing: x and y [h, w, c], weights [h, w]. The values of the
/// weights are checked if they are in host memory. Throws ShapeError.
template <class Element, MemorySpace Space, MemorySpace Weights>
void check_standardize_shapes(const TensorView<const Element, 3, Space>& x,
                              const TensorView<const float, 2, Weights>& weights,
                              const TensorView<Element, 3, Space>& y) {
  expect_shape("standardized output", y.shape(), x.shape());
  expect_shape("weights of positions", weights.shape(), {x.extent(0), x.extent(1)});
  expect_contiguous("standardize input", x);
  expect_contiguous("standardized output", y);
  expect_contiguous("weights of positions", weights);
}
template <class Element, MemorySpace Space>
void check_standardize(const TensorView<const Element, 3, Space>& x,
                       const TensorView<const float, 2>& weights,
                       const TensorView<Element, 3, Space>& y) {
  check_standardize_shapes(x, weights, y);
  check_weights("weights of positions", weights);
}

/// Checks of the arguments of correlating: tile [height, width, c], views [k, h, w, c] with h and w
/// odd, weights [h, w], scores [k, height, width]. Throws ShapeError.
template <class Element, MemorySpace Space, MemorySpace Weights>
void check_correlation_shapes(const TensorView<const Element, 3, Space>& tile,
                              const TensorView<const Element, 4, Space>& views,
                              const TensorView<const float, 2, Weights>& weights,
                              const TensorView<float, 3, Space>& scores) {
  expect_shape("views' channels", Shape<1>{views.extent(3)}, {tile.extent(2)});
  expect_shape("weights of a view", weights.shape(), {views.extent(1), views.extent(2)});
  expect_shape("scores", scores.shape(), {views.extent(0), tile.extent(0), tile.extent(1)});
  for (const Index side : {views.extent(1), views.extent(2)}) {
    if (side % 2 == 0) {
      throw ShapeError("a view of " + to_string(views.shape()) +
                       " has no middle: its sides must be odd");
    }
  }
  if (tile.empty() || views.empty()) throw ShapeError("a tile or a view without features");
  expect_contiguous("tile", tile);
  expect_contiguous("views", views);
  expect_contiguous("scores", scores);
  expect_contiguous("weights of a view", weights);
}
template <class Element, MemorySpace Space>
void check_correlation(const TensorView<const Element, 3, Space>& tile,
                       const TensorView<const Element, 4, Space>& views,
                       const TensorView<const float, 2>& weights,
                       const TensorView<float, 3, Space>& scores) {
  check_correlation_shapes(tile, views, weights, scores);
  check_weights("weights of a view", weights);
}

}  // namespace crossfix::ops
