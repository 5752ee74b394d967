#include "crossfix/cpu/ground.hpp"

#include <algorithm>
#include <cmath>

namespace crossfix::cpu {

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                   const ops::GroundViewSpecification& spec, std::span<const ops::CameraPose> poses,
                   const float (&mean)[3], const float (&std)[3], TensorView<Element, 4> y) {
  ops::check_ground_views(panorama, spec, poses, y);
  const Index height = panorama.extent(0);
  const Index width = panorama.extent(1);
  const Index middle = spec.side / 2;
  const Index rows = y.extent(0) * spec.side;
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index line = 0; line < rows; ++line) {
    const ops::CameraPose& pose = poses[static_cast<std::size_t>(line / spec.side)];
    const Index i = line % spec.side;
    Element* out = y.data() + line * spec.side * 3;
    const float south = static_cast<float>(i - middle) * spec.metres_per_pixel;
    for (Index j = 0; j < spec.side; ++j) {
      const float east = static_cast<float>(j - middle) * spec.metres_per_pixel;
      const ops::PanoramaPoint point =
          ops::panorama_point(south, east, pose.height, pose.heading_degrees, height, width);
      const auto row = std::min(static_cast<Index>(point.row), height - 2);
      const float below = point.row - static_cast<float>(row);
      const float left_edge = std::floor(point.col);
      const auto left = (static_cast<Index>(left_edge) + width) % width;
      const Index right = (left + 1) % width;
      const float beside = point.col - left_edge;
      const auto pixel = [&](Index r, Index c, Index channel) {
        return static_cast<float>(panorama(r, c, channel));
      };
      for (Index c = 0; c < 3; ++c) {
        const float above = pixel(row, left, c) * (1 - beside) + pixel(row, right, c) * beside;
        const float under =
            pixel(row + 1, left, c) * (1 - beside) + pixel(row + 1, right, c) * beside;
        const float value = above * (1 - below) + under * below;
        *out++ = Element((value / 255.0f - mean[c]) / std[c]);
      }
    }
  }
}

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> image,
                   const camera::BasicCamera<float>& camera,
                   const ops::GroundViewSpecification& spec, std::span<const ops::CameraPose> poses,
                   const float (&mean)[3], const float (&std)[3], TensorView<Element, 4> y) {
  ops::check_ground_views(image, camera, spec, poses, y);
  const Index height = image.extent(0);
  const Index width = image.extent(1);
  const Index middle = spec.side / 2;
  const bool wraps = camera.wraps();
  for (std::size_t view = 0; view < poses.size(); ++view) {
    const ops::PosedCamera posed(camera, poses[view]);
    Element* first = y.data() + static_cast<Index>(view) * spec.side * spec.side * 3;
#pragma omp parallel for schedule(static) num_threads(context.threads())
    for (Index i = 0; i < spec.side; ++i) {
      Element* out = first + i * spec.side * 3;
      const float south = static_cast<float>(i - middle) * spec.metres_per_pixel;
      for (Index j = 0; j < spec.side; ++j, out += 3) {
        const float east = static_cast<float>(j - middle) * spec.metres_per_pixel;
        const camera::BasicProjection<float> seen = posed.project(south, east);
        if (!seen.inside) {
          std::fill_n(out, 3, Element(0.0f));
          continue;
        }
        const ops::Neighbours n = ops::neighbours_of(seen.row, seen.col, height, width, wraps);
        for (Index c = 0; c < 3; ++c) {
          const auto mix = [&](Index row) {
            return static_cast<float>(image(row, n.left, c)) * (1 - n.beside) +
                   static_cast<float>(image(row, n.right, c)) * n.beside;
          };
          const float value = mix(n.row) * (1 - n.below) + mix(n.next_row) * n.below;
          out[c] = Element((value / 255.0f - mean[c]) / std[c]);
        }
      }
    }
  }
}

namespace {

constexpr Index kChannelsOfATask = 8;

/// Standardizes `count` channels from `begin` on, at most kChannelsOfATask. They are adjacent in
/// memory, so that one pass covers all of them.
template <class Element>
void standardize_channels(TensorView<const Element, 3> x, TensorView<const float, 2> weights,
                          double total, Index begin, Index count, TensorView<Element, 3> y) {
  double mean[kChannelsOfATask] = {};
  double square[kChannelsOfATask] = {};
  const Index channels = x.extent(2);
  const auto each = [&](auto&& visit) {
    for (Index p = 0; p < weights.size(); ++p) {
      const auto weight = static_cast<double>(weights.data()[p]);
      if (weight == 0) continue;
      const Element* values = x.data() + p * channels + begin;
      for (Index c = 0; c < count; ++c) {
        visit(c, weight, static_cast<double>(static_cast<float>(values[c])));
      }
    }
  };
  each([&](Index c, double weight, double value) { mean[c] += weight * value; });
  for (double& value : mean) value /= total;
  each([&](Index c, double weight, double value) {
    square[c] += weight * (value - mean[c]) * (value - mean[c]);
  });
  float shift[kChannelsOfATask];
  float inverse[kChannelsOfATask];
  for (Index c = 0; c < count; ++c) {
    shift[c] = static_cast<float>(mean[c]);
    inverse[c] = 1.0f / (static_cast<float>(std::sqrt(square[c] / total)) + ops::kDeviationFloor);
  }
  for (Index p = 0; p < weights.size(); ++p) {
    const Element* from = x.data() + p * channels + begin;
    Element* to = y.data() + p * channels + begin;
    for (Index c = 0; c < count; ++c) {
      to[c] = Element((static_cast<float>(from[c]) - shift[c]) * inverse[c]);
    }
  }
}

}  // namespace

template <class Element>
void standardize(Context& context, TensorView<const Element, 3> x,
                 TensorView<const float, 2> weights, TensorView<Element, 3> y) {
  ops::check_standardize(x, weights, y);
  double total = 0;
  for (Index p = 0; p < weights.size(); ++p) total += static_cast<double>(weights.data()[p]);
  const Index channels = x.extent(2);
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index begin = 0; begin < channels; begin += kChannelsOfATask) {
    standardize_channels(x, weights, total, begin, std::min(kChannelsOfATask, channels - begin), y);
  }
}

#define CROSSFIX_GROUND(Element)                                                                \
  template void sample_ground<Element>(Context&, TensorView<const std::uint8_t, 3>,             \
                                       const ops::GroundViewSpecification&,                     \
                                       std::span<const ops::CameraPose>, const float(&)[3],     \
                                       const float(&)[3], TensorView<Element, 4>);              \
  template void sample_ground<Element>(                                                         \
      Context&, TensorView<const std::uint8_t, 3>, const camera::BasicCamera<float>&,           \
      const ops::GroundViewSpecification&, std::span<const ops::CameraPose>, const float(&)[3], \
      const float(&)[3], TensorView<Element, 4>);                                               \
  template void standardize<Element>(Context&, TensorView<const Element, 3>,                    \
                                     TensorView<const float, 2>, TensorView<Element, 3>);
CROSSFIX_GROUND(float)
CROSSFIX_GROUND(bfloat16)
#undef CROSSFIX_GROUND

}  // namespace crossfix::cpu
