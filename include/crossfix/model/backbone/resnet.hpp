#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/model/configuration.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/finite.hpp"

namespace crossfix::model {

/// The ResNet backbone up to layer3: images [batch, H, W, 3] to features [batch, H/8, W/8, 16
/// planes]. Layer3 has stride 1, and dilation 2 only in the 3x3 convolution of its first block.
/// BatchNorm is folded in.
template <ops::Backend B>
class ResNet {
 public:
  /// Number of buffers that a pass needs, each of `buffer_elements()`.
  static constexpr std::size_t kBuffers = 4;
  using Buffers = std::array<typename B::Element*, kBuffers>;

  /// Reads `prefix`.conv1.weight and so on for inputs [batch, height, width, 3].
  ResNet(const typename B::Target& target, Parameters& parameters, const std::string& prefix,
         const Configuration::Backbone& backbone, const Shape<4>& input)
      : stage_(backbone_called(prefix)) {
    Shape<4> shape = input;
    stem_ = make(target, parameters, prefix + ".conv1", prefix + ".bn1",
                 {.in_channels = 3,
                  .out_channels = backbone.planes,
                  .kernel = 7,
                  .stride = 2,
                  .padding = 3,
                  .activation = ops::Activation::relu},
                 shape);
    pooled_shape_ = {shape[0], ops::max_pool_extent(shape[1]), ops::max_pool_extent(shape[2]),
                     shape[3]};
    shape = pooled_shape_;
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const Index planes = backbone.planes << layer;
      for (Index block = 0; block < backbone.blocks[layer]; ++block) {
        const std::string name =
            prefix + ".layer" + std::to_string(layer + 1) + "." + std::to_string(block);
        blocks_.push_back(make_block(target, parameters, name, planes,
                                     layer == 1 && block == 0 ? 2 : 1,
                                     layer == 2 && block == 0 ? 2 : 1, block == 0, shape));
      }
    }
    output_shape_ = shape;
  }

  const Shape<4>& output_shape() const { return output_shape_; }
  Index buffer_elements() const { return buffer_elements_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// Runs on `x` [batch, H, W, 3]. The returned features are stored in one of the buffers.
  ops::ActivationView<B, 4> operator()(typename B::Context& context,
                                       ops::ConstActivationView<B, 4> x, Buffers buffers) const {
    const auto run = [&](const Step& step, ops::ConstActivationView<B, 4> input,
                         typename B::Element* out) {
      ops::ActivationView<B, 4> y(out, step.output);
      step.convolution(context, input, y);
      return y;
    };
    const auto stem = run(*stem_, x, buffers[1]);
    ops::ActivationView<B, 4> current(buffers[0], pooled_shape_);
    B::max_pool(context, ops::PoolWindow::three, stem, current);
    for (const Block& block : blocks_) {
      const auto reduced = run(block.reduce, current, buffers[1]);
      const auto middle = run(block.middle, reduced, buffers[2]);
      if (block.downsample) {
        run(*block.downsample, current, buffers[3]);
        std::swap(buffers[0], buffers[3]);
      }
      const ops::ActivationView<B, 4> y(buffers[0], block.expand.output);
      block.expand.convolution(context, middle, y, y);
      current = y;
      ops::expect_moderate(current, stage_);
    }
    return current;
  }

 private:
  struct Step {
    typename B::Convolution convolution;
    Shape<4> output;
  };
  /// 1x1, 3x3 (with the stride or dilation), 1x1 plus the shortcut.
  struct Block {
    Step reduce;
    Step middle;
    Step expand;
    std::optional<Step> downsample;
  };

  /// Prepares a folded convolution for an input of `shape`, and sets `shape` to that of its output.
  Step make(const typename B::Target& target, Parameters& parameters, const std::string& conv,
            const std::string& norm, const ops::ConvolutionSpecification& spec, Shape<4>& shape) {
    const FoldedConvolution folded =
        parameters.folded(conv, norm, spec.out_channels, spec.in_channels, spec.kernel);
    Step step{typename B::Convolution(target, spec, folded.weight, folded.bias, shape),
              spec.output_shape(shape)};
    shape = step.output;
    buffer_elements_ = std::max(buffer_elements_, element_count(shape));
    scratch_bytes_ = std::max(scratch_bytes_, step.convolution.scratch_bytes());
    return step;
  }

  Block make_block(const typename B::Target& target, Parameters& parameters,
                   const std::string& name, Index planes, Index stride, Index dilation,
                   bool downsample, Shape<4>& shape) {
    using ops::Activation;
    const Index in = shape[3];
    const Index out = 4 * planes;
    Shape<4> inner = shape;
    Step reduce =
        make(target, parameters, name + ".conv1", name + ".bn1",
             {.in_channels = in, .out_channels = planes, .activation = Activation::relu}, inner);
    Step middle = make(target, parameters, name + ".conv2", name + ".bn2",
                       {.in_channels = planes,
                        .out_channels = planes,
                        .kernel = 3,
                        .stride = stride,
                        .padding = dilation,
                        .dilation = dilation,
                        .activation = Activation::relu},
                       inner);
    Step expand = make(target, parameters, name + ".conv3", name + ".bn3",
                       {.in_channels = planes,
                        .out_channels = out,
                        .activation = Activation::relu,
                        .residual = true},
                       inner);
    std::optional<Step> shortcut;
    if (downsample) {
      shortcut = make(target, parameters, name + ".downsample.0", name + ".downsample.1",
                      {.in_channels = in, .out_channels = out, .stride = stride}, shape);
    }
    shape = inner;
    return {std::move(reduce), std::move(middle), std::move(expand), std::move(shortcut)};
  }

  std::string stage_;
  Shape<4> pooled_shape_{};
  Shape<4> output_shape_{};
  std::optional<Step> stem_;
  std::vector<Block> blocks_;
  Index buffer_elements_ = 0;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace crossfix::model
