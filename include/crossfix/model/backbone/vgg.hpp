#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/model/configuration.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/finite.hpp"

namespace crossfix::model {

/// The convolutions of VGG-16, the backbone of the baselines: 3x3 with bias and ReLU, and a 2x2 max
/// pool before every stage except the first. Images are [batch, H, W, 3], RGB; features of stage s
/// are [batch, H / 2^s, W / 2^s, widening planes], extents rounded up.
template <ops::Backend B>
class Vgg16 {
 public:
  static constexpr std::size_t kStages = 5;
  static constexpr std::array<Index, kStages> kConvolutions{2, 2, 3, 3, 3};
  static constexpr std::array<Index, kStages> kWidening{1, 2, 4, 8, 8};

  /// Features of all stages, and two buffers for intermediate results.
  struct Buffers {
    std::array<typename B::Element*, kStages> features{};
    std::array<typename B::Element*, 2> between{};
  };

  /// Reads `prefix`.stages.0.0.weight and so on for inputs [batch, height, width, 3].
  Vgg16(const typename B::Target& target, Parameters& parameters, const std::string& prefix,
        Index planes, const Shape<4>& input)
      : stage_(backbone_called(prefix)) {
    Shape<4> shape = input;
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      if (stage > 0) {
        shape = pooled(shape);
        grow(shape);
      }
      for (Index i = 0; i < kConvolutions[stage]; ++i) {
        const std::string name =
            prefix + ".stages." + std::to_string(stage) + "." + std::to_string(i);
        const ops::ConvolutionSpecification spec{.in_channels = shape[3],
                                                 .out_channels = kWidening[stage] * planes,
                                                 .kernel = 3,
                                                 .padding = 1,
                                                 .activation = ops::Activation::relu};
        auto weight = parameters.get<4>(name + ".weight", {spec.out_channels, shape[3], 3, 3});
        if (stage == 0 && i == 0) bgr_to_rgb(weight);
        const auto bias = parameters.get<1>(name + ".bias", {spec.out_channels});
        stages_[stage].emplace_back(target, spec, weight, bias, shape);
        scratch_bytes_ = std::max(scratch_bytes_, stages_[stage].back().scratch_bytes());
        shape = spec.output_shape(shape);
        grow(shape);
      }
      shapes_[stage] = shape;
    }
  }

  /// The backbones of the two views, for a baseline's configuration.
  static Vgg16 of_ground(const typename B::Target& target, Parameters& parameters,
                         const Configuration& c, Index batch) {
    return {target,
            parameters,
            "grd_extractor",
            c.backbone.planes,
            {batch, c.ground_size[0], c.ground_size[1], 3}};
  }
  static Vgg16 of_satellite(const typename B::Target& target, Parameters& parameters,
                            const Configuration& c, Index batch) {
    return {target,
            parameters,
            "sat_extractor",
            c.backbone.planes,
            {batch, c.satellite_size, c.satellite_size, 3}};
  }

  const Shape<4>& shape(std::size_t stage) const { return shapes_[stage]; }
  /// Shape of the last stage's features, and their shape after one more pool.
  const Shape<4>& shape() const { return shapes_[kStages - 1]; }
  Shape<4> pooled_shape() const { return pooled(shape()); }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// Allocates `buffers` for two backbones, `one` and `other`, that run one after the other in the
  /// same buffers. `layout.take(pointer, elements)` gives each buffer its memory.
  template <class Layout>
  static void lay_out(Layout& layout, Buffers& buffers, const Vgg16& one, const Vgg16& other) {
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      layout.take(buffers.features[stage],
                  std::max(element_count(one.shapes_[stage]), element_count(other.shapes_[stage])));
    }
    for (auto*& buffer : buffers.between) {
      layout.take(buffer, std::max(one.largest_, other.largest_));
    }
  }

  /// Runs on `x` [batch, H, W, 3]. The features of each stage are stored in `buffers.features`.
  void operator()(typename B::Context& context, ops::ConstActivationView<B, 4> x,
                  const Buffers& buffers) const {
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      std::size_t free = 0;
      if (stage > 0) {
        const ops::ActivationView<B, 4> smaller(buffers.between[free], pooled(x.shape()));
        B::max_pool(context, ops::PoolWindow::two, x, smaller);
        x = smaller;
        free = 1;
      }
      for (std::size_t i = 0; i < stages_[stage].size(); ++i) {
        const bool last = i + 1 == stages_[stage].size();
        const ops::ActivationView<B, 4> y(last ? buffers.features[stage] : buffers.between[free],
                                          shapes_[stage]);
        stages_[stage][i](context, x, y);
        x = y;
        ops::expect_moderate(x, stage_);
        free = 1 - free;
      }
    }
  }

  /// Runs, and pools the last features once more.
  ops::ActivationView<B, 4> run_and_pool(typename B::Context& context,
                                         ops::ConstActivationView<B, 4> x,
                                         const Buffers& buffers) const {
    (*this)(context, x, buffers);
    const ops::ActivationView<B, 4> smaller(buffers.between[0], pooled_shape());
    B::max_pool(context, ops::PoolWindow::two,
                ops::ActivationView<B, 4>(buffers.features.back(), shape()), smaller);
    return smaller;
  }

 private:
  static Shape<4> pooled(const Shape<4>& shape) {
    return {shape[0], ops::max_pool_extent(shape[1]), ops::max_pool_extent(shape[2]), shape[3]};
  }

  /// The published weights expect input channels in the order blue, green, red.
  static void bgr_to_rgb(Tensor<float, 4>& weight) {
    const Index taps = weight.extent(2) * weight.extent(3);
    for (Index out = 0; out < weight.extent(0); ++out) {
      float* blue = &weight(out, 0, 0, 0);
      std::swap_ranges(blue, blue + taps, blue + 2 * taps);
    }
  }

  void grow(const Shape<4>& shape) { largest_ = std::max(largest_, element_count(shape)); }

  std::string stage_;
  std::array<std::vector<typename B::Convolution>, kStages> stages_;
  std::array<Shape<4>, kStages> shapes_{};
  Index largest_ = 0;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace crossfix::model
