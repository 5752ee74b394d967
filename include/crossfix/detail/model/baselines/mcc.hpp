#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/detail/model/baselines/baseline_network.hpp"
#include "crossfix/detail/model/baselines/spatial_attention.hpp"
#include "crossfix/model/backbone/vgg.hpp"

namespace crossfix::model {

/// MCC (Xia et al., ECCV 2022) between images and decoding. The panorama's descriptor is matched
/// with those of 8 x 8 blocks of the tile, and a decoder computes a heat map from the result. Its
/// posterior has one cell per pixel of the tile, and the fix is the centre of the best cell.
///
/// Transposed convolutions run as 3x3 convolutions with four times the output channels, one set for
/// each pixel of a 2x2 block. More than half of their weights are 0. Channels are padded to
/// multiples of 8.
template <ops::Backend B>
class MccBody {
 public:
  static constexpr Index kGrid = 8;  ///< blocks along the tile's side

  struct Buffers {
    typename Vgg16<B>::Buffers backbone;
    float* blocks = nullptr;                ///< [batch x 64, heads x channels]
    float* panoramas = nullptr;             ///< [batch, heads x channels]
    typename B::Element* result = nullptr;  ///< output of a stage, read by the next one
    typename B::Element* upsampled = nullptr;
    typename B::Element* joined = nullptr;
    typename B::Element* inner = nullptr;
  };

  MccBody(const typename B::Target& target, Parameters& parameters,
          const Configuration& configuration, Index batch)
      : ground_(Vgg16<B>::of_ground(target, parameters, configuration, batch)),
        satellite_(Vgg16<B>::of_satellite(target, parameters, configuration, batch)),
        ground_attention_(attention(target, parameters, "grd_attention", ground_.pooled_shape()[1],
                                    ground_.pooled_shape()[2])),
        satellite_attention_(attention(target, parameters, "sat_attention",
                                       satellite_.shape()[1] / kGrid,
                                       satellite_.shape()[2] / kGrid)),
        logits_(constant(target, 1, 1.0F, 0.0F)),
        offsets_(constant(target, 2, 0.0F, 0.5F)) {
    const Index length = kSpatialHeads * satellite_.shape()[3];
    matched_ = {batch, kGrid, kGrid, padded(length + 1)};
    Join input{.first = 1,
               .second = length,
               .first_at = length,
               .second_at = 0,
               .channels = matched_[3]};  // the cosine comes first in the checkpoint, last here
    Shape<4> shape = matched_;
    while (shape[1] < configuration.satellite_size) {
      const std::string name = "decoder." + std::to_string(stages_.size());
      stages_.push_back(make_stage(target, parameters, name, configuration, shape, input));
    }
  }

  std::size_t scratch_bytes() const {
    std::size_t bytes =
        std::max({ground_.scratch_bytes(), satellite_.scratch_bytes(),
                  ground_attention_.scratch_bytes(), satellite_attention_.scratch_bytes()});
    for (const Stage& stage : stages_) {
      bytes = std::max({bytes, stage.upsample.scratch_bytes(), stage.first.scratch_bytes(),
                        stage.second.scratch_bytes()});
    }
    return bytes;
  }

  void lay_out(Layout& layout, Buffers& buffers) const {
    Vgg16<B>::lay_out(layout, buffers.backbone, ground_, satellite_);
    layout.take(buffers.blocks, matched_[0] * kGrid * kGrid * length());
    layout.take(buffers.panoramas, matched_[0] * length());
    Index result = element_count(matched_);
    Index upsampled = 0;
    Index joined = 0;
    Index inner = 0;
    for (const Stage& stage : stages_) {
      upsampled = std::max(upsampled, element_count(stage.upsampled));
      joined = std::max(joined, element_count(stage.joined));
      inner = std::max(inner, element_count(stage.inner));
      result = std::max(result, element_count(stage.result));
    }
    layout.take(buffers.result, result);
    layout.take(buffers.upsampled, upsampled);
    layout.take(buffers.joined, joined);
    layout.take(buffers.inner, inner);
  }

  void run(typename B::Context& context, GroundImages<B> ground, SatelliteImages<B> satellite,
           const Buffers& buffers, const ops::HeadOutputs<typename B::Space>& outputs) const {
    const Index batch = matched_[0];
    const TensorView<float, 2, typename B::Space> blocks(buffers.blocks,
                                                         {batch * kGrid * kGrid, length()});
    const TensorView<float, 2, typename B::Space> panoramas(buffers.panoramas, {batch, length()});
    const auto features = [&](std::size_t stage) {
      return ops::ActivationView<B, 4>(buffers.backbone.features[stage], satellite_.shape(stage));
    };
    ground_attention_(context, ground_.run_and_pool(context, ground, buffers.backbone), panoramas);
    satellite_(context, satellite, buffers.backbone);  // overwrites the ground's features
    satellite_attention_(context, features(Vgg16<B>::kStages - 1), blocks);

    ops::ActivationView<B, 4> x(buffers.result, matched_);
    B::match(context, blocks, panoramas, x);
    for (const Stage& stage : stages_) {
      const ops::ActivationView<B, 4> upsampled(buffers.upsampled, stage.upsampled);
      const ops::ActivationView<B, 4> joined(buffers.joined, stage.joined);
      const ops::ActivationView<B, 4> inner(buffers.inner, stage.inner);
      stage.upsample(context, x, upsampled);
      depth_to_space(context, upsampled, joined);
      if (stage.skip) {
        B::copy(context, features(*stage.skip),
                joined.slice(3, stage.upsampled[3] / 4, stage.joined[3]));
      }
      stage.first(context, joined, inner);
      x = ops::ActivationView<B, 4>(buffers.result, stage.result);
      stage.second(context, inner, x);
    }
    const Index pixels = batch * outputs.cells();
    const auto heat = x.template reshape<2>({pixels, x.extent(3)});
    logits_(context, heat, outputs.logits().template reshape<2>({pixels, 1}));
    offsets_(context, heat, outputs.offsets().template reshape<2>({pixels, 2}));
  }

 private:
  /// Positions, among the channels here, of the two parts of a convolution's input in the
  /// checkpoint's order.
  struct Join {
    Index first = 0;
    Index second = 0;
    Index first_at = 0;
    Index second_at = 0;
    Index channels = 0;

    Index at(Index channel) const {
      return channel < first ? first_at + channel : second_at + channel - first;
    }
  };
  struct Stage {
    typename B::Convolution upsample;
    typename B::Convolution first;
    typename B::Convolution second;
    Shape<4> upsampled;  ///< [batch, h, w, 4 x channels]
    Shape<4> joined;     ///< [batch, 2 h, 2 w, channels plus those of the skip connection]
    Shape<4> inner;
    Shape<4> result;
    std::optional<std::size_t> skip;  ///< stage of the backbone
  };

  static Index padded(Index channels) { return (channels + 7) / 8 * 8; }
  Index length() const { return kSpatialHeads * satellite_.shape()[3]; }

  static typename B::SpatialAttention attention(const typename B::Target& target,
                                                Parameters& parameters, const std::string& name,
                                                Index rows, Index cols) {
    return read_spatial_attention<typename B::SpatialAttention>(
        target, parameters, name, {.rows = rows, .cols = cols, .normalized = true});
  }

  /// Each of `outputs` is `factor` times channel 0 of the heat map, plus `value`.
  static typename B::Projection constant(const typename B::Target& target, Index outputs,
                                         float factor, float value) {
    Tensor<float, 2> weight({outputs, padded(1)});
    Tensor<float, 1> bias({outputs});
    for (Index i = 0; i < outputs; ++i) {
      weight(i, 0) = factor;
      bias(i) = value;
    }
    return typename B::Projection(target, weight, bias);
  }

  /// Channels of the published decoder at (the tile's side) / `ratio`, in quarters of planes: of
  /// the transposed convolution, and of the others.
  static std::pair<Index, Index> widths(Index ratio) {
    switch (ratio) {
      case 32:
        return {64, 32};
      case 16:
        return {16, 16};
      case 8:
        return {8, 8};
      case 4:
        return {4, 4};
      case 2:
        return {2, 2};
      default:
        return {1, 1};
    }
  }

  /// `shape` and `input` describe the stage's input, and are set to describe its output.
  Stage make_stage(const typename B::Target& target, Parameters& parameters,
                   const std::string& name, const Configuration& configuration, Shape<4>& shape,
                   Join& input) {
    const Index side = 2 * shape[1];
    const Index batch = shape[0];
    const auto [up_quarters, out_quarters] = widths(configuration.satellite_size / side);
    const Index up = up_quarters * configuration.backbone.planes / 4;
    const Index out = out_quarters * configuration.backbone.planes / 4;
    const Index end = side == configuration.satellite_size ? 1 : out;
    std::optional<std::size_t> skip;
    for (std::size_t stage = 0; stage < Vgg16<B>::kStages; ++stage) {
      if (satellite_.shape(stage)[1] == side) skip = stage;
    }
    const Index beside = skip ? satellite_.shape(*skip)[3] : 0;
    const Join both{up, beside, 0, padded(up), padded(up) + beside};
    const Join inner{out, 0, 0, 0, padded(out)};
    Stage stage{upsample(target, parameters, name + ".up", shape, input, up),
                convolve(target, parameters, name + ".conv1", {batch, side, side, 0}, both, out,
                         ops::Activation::relu),
                convolve(target, parameters, name + ".conv2", {batch, side, side, 0}, inner, end,
                         end == 1 ? ops::Activation::none : ops::Activation::relu),
                {batch, side / 2, side / 2, 4 * padded(up)},
                {batch, side, side, both.channels},
                {batch, side, side, inner.channels},
                {batch, side, side, padded(end)},
                skip};
    shape = stage.result;
    input = {end, 0, 0, 0, padded(end)};
    return stage;
  }

  static typename B::Convolution convolve(const typename B::Target& target, Parameters& parameters,
                                          const std::string& name, Shape<4> shape,
                                          const Join& input, Index out,
                                          ops::Activation activation) {
    const Index in = input.first + input.second;
    const auto weight = parameters.get<4>(name + ".weight", {out, in, 3, 3});
    const auto bias = parameters.get<1>(name + ".bias", {out});
    Tensor<float, 4> wide({padded(out), input.channels, 3, 3});
    Tensor<float, 1> wide_bias({padded(out)});
    for (Index o = 0; o < out; ++o) {
      wide_bias(o) = bias(o);
      for (Index i = 0; i < in; ++i) {
        std::copy_n(&weight(o, i, 0, 0), 9, &wide(o, input.at(i), 0, 0));
      }
    }
    return prepare(target, wide, wide_bias, shape, activation);
  }

  /// A 3x3 transposed convolution of stride 2, padding 1 and output padding 1: y[2 j] = x[j] w[1],
  /// y[2 j + 1] = x[j] w[2] + x[j + 1] w[0], along each axis.
  static typename B::Convolution upsample(const typename B::Target& target, Parameters& parameters,
                                          const std::string& name, const Shape<4>& shape,
                                          const Join& input, Index out) {
    const Index in = input.first + input.second;
    const auto weight = parameters.get<4>(name + ".weight", {in, out, 3, 3});
    const auto bias = parameters.get<1>(name + ".bias", {out});
    struct Tap {
      // Whether it is for odd outputs; the tap of the convolution, and of the transposed one.
      Index odd, ours, theirs;
    };
    constexpr Tap kTaps[] = {{0, 1, 1}, {1, 1, 2}, {1, 2, 0}};
    Tensor<float, 4> wide({4 * padded(out), input.channels, 3, 3});
    Tensor<float, 1> wide_bias({4 * padded(out)});
    for (const Tap& row : kTaps) {
      for (const Tap& col : kTaps) {
        const Index first = (2 * row.odd + col.odd) * padded(out);
        for (Index o = 0; o < out; ++o) {
          wide_bias(first + o) = bias(o);
          for (Index i = 0; i < in; ++i) {
            wide(first + o, input.at(i), row.ours, col.ours) = weight(i, o, row.theirs, col.theirs);
          }
        }
      }
    }
    return prepare(target, wide, wide_bias, shape, ops::Activation::relu);
  }

  static typename B::Convolution prepare(const typename B::Target& target,
                                         const Tensor<float, 4>& weight,
                                         const Tensor<float, 1>& bias, Shape<4> shape,
                                         ops::Activation activation) {
    shape[3] = weight.extent(1);
    return typename B::Convolution(target,
                                   {.in_channels = weight.extent(1),
                                    .out_channels = weight.extent(0),
                                    .kernel = 3,
                                    .padding = 1,
                                    .activation = activation},
                                   weight, bias, shape);
  }

  /// upsampled [n, h, w, 4 c] to the first c channels of y [n, 2 h, 2 w, ...].
  static void depth_to_space(typename B::Context& context, ops::ConstActivationView<B, 4> upsampled,
                             ops::ActivationView<B, 4> y) {
    const Index channels = upsampled.extent(3) / 4;
    for (Index pixel = 0; pixel < 4; ++pixel) {
      const ops::ActivationView<B, 4> every_other(
          y.data() + y.offset(0, pixel / 2, pixel % 2, 0),
          {upsampled.extent(0), upsampled.extent(1), upsampled.extent(2), channels},
          {y.stride(0), 2 * y.stride(1), 2 * y.stride(2), 1});
      B::copy(context, upsampled.slice(3, pixel * channels, (pixel + 1) * channels), every_other);
    }
  }

  Vgg16<B> ground_;
  Vgg16<B> satellite_;
  typename B::SpatialAttention ground_attention_;
  typename B::SpatialAttention satellite_attention_;
  typename B::Projection logits_;
  typename B::Projection offsets_;
  Shape<4> matched_{};
  std::vector<Stage> stages_;
};

template <ops::Backend B>
using MccNetwork = BaselineNetwork<B, MccBody>;

}  // namespace crossfix::model
