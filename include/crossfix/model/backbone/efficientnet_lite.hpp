#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/backend.hpp"

namespace crossfix::model {

/// Early layers of EfficientNet-Lite0 (inverted residuals with ReLU6, without squeeze and
/// excitation) in host memory, with BatchNorm folded in. Padding is symmetric, so that feature j of
/// an axis is centred near pixel stride * j, whatever the image's size. The last stride is removed
/// and the layers after it are dilated instead.
class EfficientNetLiteWeights {
 public:
  static constexpr Index kStem = 32;  ///< channels
  /// Pixels per feature: the stride of the stem times the first stride of the blocks.
  static constexpr Index kStride = 4;
  /// Largest number of blocks: up to the last one before the third stride among them.
  static constexpr Index kBlocks = 5;

  struct Block {
    Index inputs, outputs, expansion, kernel, stride, dilation;
    Index middle() const { return inputs * expansion; }
    bool residual() const { return stride == 1 && inputs == outputs; }
    std::optional<FoldedConvolution> expand =
        {};                           ///< [middle, inputs, 1, 1]; empty without expansion
    Tensor<float, 3> depthwise = {};  ///< [middle, kernel, kernel]
    Tensor<float, 1> depthwise_bias = {};
    FoldedConvolution project = {};  ///< [outputs, middle, 1, 1]
  };

  /// Largest number of adapters.
  static constexpr Index kAdapters = 8;

  /// Adapters: blocks of our own after those of the network, that keep its channels and stride.
  struct Adapters {
    std::string prefix = {};
    Index count = 0;
  };

  /// Reads PREFIX.stem.weight, PREFIX.blocks.0.depthwise.weight and so on, of `blocks` blocks; then
  /// those of the adapters: ADAPTERS.0.expand.weight and so on.
  EfficientNetLiteWeights(Parameters& parameters, const std::string& prefix, Index blocks,
                          const Adapters& adapters)
      : stem_(plain(parameters, prefix + ".stem", {kStem, 3, 3, 3})) {
    static constexpr std::array<std::array<Index, 6>, kBlocks> kPlan{{
        // inputs, outputs, expansion, kernel, stride, dilation
        {32, 16, 1, 3, 1, 1},
        {16, 24, 6, 3, 2, 1},
        {24, 24, 6, 3, 1, 1},
        {24, 40, 6, 5, 1, 1},  // stride 2 as published
        {40, 40, 6, 5, 1, 2},
    }};
    for (Index i = 0; i < blocks; ++i) {
      const auto& [inputs, outputs, expansion, kernel, stride, dilation] =
          kPlan[static_cast<std::size_t>(i)];
      add(parameters, prefix + ".blocks." + std::to_string(i),
          {inputs, outputs, expansion, kernel, stride, dilation, {}, {}, {}, {}});
    }
    for (Index i = 0; i < adapters.count; ++i) {
      add(parameters, adapters.prefix + "." + std::to_string(i),
          {channels(), channels(), 2, 5, 1, 1, {}, {}, {}, {}});
    }
  }

  const FoldedConvolution& stem() const { return stem_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  Index channels() const { return blocks_.back().outputs; }

  /// Number of features along an axis of `pixels`.
  static constexpr Index extent(Index pixels) { return ((pixels + 1) / 2 + 1) / 2; }

 private:
  static FoldedConvolution plain(Parameters& parameters, const std::string& name,
                                 const Shape<4>& shape) {
    return {parameters.get<4>(name + ".weight", shape),
            parameters.get<1>(name + ".bias", {shape[0]})};
  }

  /// Reads a block's tensors.
  void add(Parameters& parameters, const std::string& name, Block block) {
    const Index middle = block.middle();
    if (block.expansion > 1) {
      block.expand = plain(parameters, name + ".expand", {middle, block.inputs, 1, 1});
    }
    block.depthwise =
        parameters.get<3>(name + ".depthwise.weight", {middle, block.kernel, block.kernel});
    block.depthwise_bias = parameters.get<1>(name + ".depthwise.bias", {middle});
    block.project = plain(parameters, name + ".project", {block.outputs, middle, 1, 1});
    blocks_.push_back(std::move(block));
  }

  FoldedConvolution stem_;
  std::vector<Block> blocks_;
};

/// The same layers prepared on a backend for images of one shape: [batch, H, W, 3] to features
/// [batch, extent(H), extent(W), channels].
template <ops::Backend B>
class EfficientNetLite {
 public:
  /// Number of buffers that a pass needs, each of `buffer_elements()`.
  static constexpr std::size_t kBuffers = 4;
  using Buffers = std::array<typename B::Element*, kBuffers>;

  EfficientNetLite(const typename B::Target& target, const EfficientNetLiteWeights& weights,
                   const Shape<4>& input)
      : stem_(convolution(target, weights.stem(),
                          {.in_channels = 3,
                           .out_channels = EfficientNetLiteWeights::kStem,
                           .kernel = 3,
                           .stride = 2,
                           .padding = 1,
                           .activation = ops::Activation::relu6},
                          input)) {
    Shape<4> shape = stem_.output;
    for (const auto& block : weights.blocks()) blocks_.push_back(make(target, block, shape));
    output_shape_ = shape;
  }

  const Shape<4>& output_shape() const { return output_shape_; }
  Index buffer_elements() const { return buffer_elements_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// Runs on `x` [batch, H, W, 3]. The returned features are stored in one of the buffers.
  ops::ActivationView<B, 4> operator()(typename B::Context& context,
                                       ops::ConstActivationView<B, 4> x, Buffers buffers) const {
    ops::ActivationView<B, 4> current(buffers[0], stem_.output);
    stem_.operation(context, x, current);
    for (const Block& block : blocks_) {
      ops::ActivationView<B, 4> middle = current;
      if (block.expand) {
        middle = {buffers[2], block.expand->output};
        block.expand->operation(context, current, middle);
      }
      const ops::ActivationView<B, 4> filtered(buffers[3], block.depthwise.output);
      block.depthwise.operation(context, middle, filtered);
      if (block.residual) {
        block.project.operation(context, filtered, current, current);
      } else {
        current = {buffers[1], block.project.output};
        block.project.operation(context, filtered, current);
        std::swap(buffers[0], buffers[1]);
      }
    }
    return current;
  }

 private:
  template <class Operation>
  struct Step {
    Operation operation;
    Shape<4> output;
  };
  using Convolution = Step<typename B::Convolution>;
  using Depthwise = Step<typename B::DepthwiseConvolution>;
  struct Block {
    std::optional<Convolution> expand;
    Depthwise depthwise;
    Convolution project;
    bool residual;
  };

  template <class Operation>
  void count(const Step<Operation>& step) {
    buffer_elements_ = std::max(buffer_elements_, element_count(step.output));
    scratch_bytes_ = std::max(scratch_bytes_, step.operation.scratch_bytes());
  }

  Convolution convolution(const typename B::Target& target, const FoldedConvolution& weights,
                          const ops::ConvolutionSpecification& spec, const Shape<4>& input) {
    Convolution step{typename B::Convolution(target, spec, weights.weight, weights.bias, input),
                     spec.output_shape(input)};
    count(step);
    return step;
  }

  /// Prepares a block for an input of `shape`, and sets `shape` to that of its output.
  Block make(const typename B::Target& target, const EfficientNetLiteWeights::Block& block,
             Shape<4>& shape) {
    const Index middle = block.middle();
    std::optional<Convolution> expand;
    if (block.expand) {
      expand = convolution(target, *block.expand,
                           {.in_channels = block.inputs,
                            .out_channels = middle,
                            .activation = ops::Activation::relu6},
                           shape);
      shape = expand->output;
    }
    const ops::DepthwiseConvolutionSpecification spec{
        .channels = middle,
        .kernel = block.kernel,
        .stride = block.stride,
        .padding = block.dilation * (block.kernel / 2),
        .dilation = block.dilation,
        .activation = ops::Activation::relu6};
    Depthwise depthwise{typename B::DepthwiseConvolution(target, spec, block.depthwise,
                                                         block.depthwise_bias, shape),
                        spec.output_shape(shape)};
    count(depthwise);
    Convolution project = convolution(
        target, block.project,
        {.in_channels = middle, .out_channels = block.outputs, .residual = block.residual()},
        depthwise.output);
    shape = project.output;
    return {std::move(expand), std::move(depthwise), std::move(project), block.residual()};
  }

  Index buffer_elements_ = 0;
  std::size_t scratch_bytes_ = 0;
  Convolution stem_;
  std::vector<Block> blocks_;
  Shape<4> output_shape_{};
};

}  // namespace crossfix::model
