#include "crossfix/cpu/ground.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace crossfix::cpu {

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                   const ops::GroundViewSpecification& spec, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 3> y) {
  ops::check_ground_view(panorama, spec, y);
  const Index height = panorama.extent(0);
  const Index width = panorama.extent(1);
  const Index middle = spec.side / 2;
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index i = 0; i < spec.side; ++i) {
    Element* out = y.data() + i * spec.side * 3;
    const float south = static_cast<float>(i - middle) * spec.metres_per_pixel;
    for (Index j = 0; j < spec.side; ++j) {
      const float east = static_cast<float>(j - middle) * spec.metres_per_pixel;
      const ops::PanoramaPlace place =
          ops::ground_place(south, east, spec.camera_height, spec.heading_degrees, height, width);
      const auto row = std::min(static_cast<Index>(place.row), height - 2);
      const float below = place.row - static_cast<float>(row);
      const float left_edge = std::floor(place.col);
      const auto left = (static_cast<Index>(left_edge) + width) % width;
      const Index right = (left + 1) % width;
      const float beside = place.col - left_edge;
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
void standardize(Context& context, TensorView<const Element, 3> x,
                 TensorView<const float, 2> weights, TensorView<Element, 3> y) {
  ops::check_standardize(x, weights, y);
  const Index positions = weights.size();
  const Index channels = x.extent(2);
  // The sums of few channels over many positions: channels lie together, so that a pass takes all.
  std::vector<double> mean(static_cast<std::size_t>(channels));
  std::vector<double> square(mean.size());
  double total = 0;
  for (Index p = 0; p < positions; ++p) total += static_cast<double>(weights.data()[p]);
  const auto each = [&](auto&& visit) {
    for (Index p = 0; p < positions; ++p) {
      const auto weight = static_cast<double>(weights.data()[p]);
      if (weight == 0) continue;
      const Element* values = x.data() + p * channels;
      for (Index c = 0; c < channels; ++c) {
        visit(static_cast<std::size_t>(c), weight,
              static_cast<double>(static_cast<float>(values[c])));
      }
    }
  };
  each([&](std::size_t c, double weight, double value) { mean[c] += weight * value; });
  for (double& value : mean) value /= total;
  each([&](std::size_t c, double weight, double value) {
    square[c] += weight * (value - mean[c]) * (value - mean[c]);
  });
  std::vector<float> shift(mean.size());
  std::vector<float> inverse(mean.size());
  for (std::size_t c = 0; c < mean.size(); ++c) {
    shift[c] = static_cast<float>(mean[c]);
    inverse[c] = 1.0f / (static_cast<float>(std::sqrt(square[c] / total)) + ops::kSpreadFloor);
  }
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index p = 0; p < positions; ++p) {
    const Element* from = x.data() + p * channels;
    Element* to = y.data() + p * channels;
    for (Index c = 0; c < channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      to[c] = Element((static_cast<float>(from[c]) - shift[i]) * inverse[i]);
    }
  }
}

#define CROSSFIX_GROUND(Element)                                                               \
  template void sample_ground<Element>(Context&, TensorView<const std::uint8_t, 3>,            \
                                       const ops::GroundViewSpecification&, const float(&)[3], \
                                       const float(&)[3], TensorView<Element, 3>);             \
  template void standardize<Element>(Context&, TensorView<const Element, 3>,                   \
                                     TensorView<const float, 2>, TensorView<Element, 3>);
CROSSFIX_GROUND(float)
CROSSFIX_GROUND(bfloat16)
#undef CROSSFIX_GROUND

}  // namespace crossfix::cpu
