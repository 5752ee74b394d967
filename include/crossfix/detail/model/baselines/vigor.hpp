#pragma once

#include <algorithm>

#include "crossfix/detail/model/baselines/baseline_network.hpp"
#include "crossfix/detail/model/baselines/spatial_attention.hpp"
#include "crossfix/model/backbone/vgg.hpp"
#include "crossfix/model/linear.hpp"

namespace crossfix::model {

/// The VIGOR baseline (Zhu et al., CVPR 2021) between images and decoding: one descriptor per view,
/// and two linear maps from both descriptors to the camera's position. Its posterior has a single
/// cell, the tile. The offset in this cell is the position, which is not limited to the tile.
template <ops::Backend B>
class VigorBaselineBody {
 public:
  struct Buffers {
    typename Vgg16<B>::Buffers backbone;
    float* descriptors = nullptr;  ///< [batch, 2 heads x channels]: the tile's, the panorama's
    typename B::Element* rounded = nullptr;  ///< the same, rounded
    typename B::Element* hidden = nullptr;
  };

  VigorBaselineBody(const typename B::Target& target, Parameters& parameters,
                    const Configuration& configuration, Index batch)
      : ground_(Vgg16<B>::of_ground(target, parameters, configuration, batch)),
        satellite_(Vgg16<B>::of_satellite(target, parameters, configuration, batch)),
        ground_attention_(attention(target, parameters, "grd_attention", ground_)),
        satellite_attention_(attention(target, parameters, "sat_attention", satellite_)),
        length_(kSpatialHeads * satellite_.shape()[3]),
        hidden_(8 * configuration.backbone.planes),
        first_(read_linear<typename B::Linear>(
            target, parameters, "offset1", {batch, 2 * length_, hidden_, ops::Activation::relu})),
        second_(position(target, parameters, hidden_)) {}

  std::size_t scratch_bytes() const {
    return std::max({ground_.scratch_bytes(), satellite_.scratch_bytes(),
                     ground_attention_.scratch_bytes(), satellite_attention_.scratch_bytes(),
                     first_.scratch_bytes()});
  }

  void lay_out(Layout& layout, Buffers& buffers) const {
    const Index batch = satellite_.shape()[0];
    Vgg16<B>::lay_out(layout, buffers.backbone, ground_, satellite_);
    layout.take(buffers.descriptors, batch * 2 * length_);
    layout.take(buffers.rounded, batch * 2 * length_);
    layout.take(buffers.hidden, batch * hidden_);
  }

  void run(typename B::Context& context, GroundImages<B> ground, SatelliteImages<B> satellite,
           const Buffers& buffers, const ops::HeadOutputs<typename B::Space>& outputs) const {
    const Index batch = satellite.extent(0);
    const TensorView<float, 2, typename B::Space> both(buffers.descriptors, {batch, 2 * length_});
    const ops::ActivationView<B, 2> rounded(buffers.rounded, both.shape());
    const ops::ActivationView<B, 2> hidden(buffers.hidden, {batch, hidden_});
    satellite_attention_(context, satellite_.run_and_pool(context, satellite, buffers.backbone),
                         both.slice(1, 0, length_));
    ground_attention_(context, ground_.run_and_pool(context, ground, buffers.backbone),
                      both.slice(1, length_, 2 * length_));
    B::round(context, both, rounded);
    first_(context, rounded, hidden);
    // The logit of the only cell stays 0, as the memory was initialised.
    second_(context, hidden, outputs.offsets().template reshape<2>({batch, 2}));
  }

 private:
  static typename B::SpatialAttention attention(const typename B::Target& target,
                                                Parameters& parameters, const std::string& name,
                                                const Vgg16<B>& backbone) {
    const Shape<4> shape = backbone.pooled_shape();
    return read_spatial_attention<typename B::SpatialAttention>(
        target, parameters, name,
        {.rows = shape[1],
         .cols = shape[2],
         .summary = ops::SpatialAttentionSpecification::Summary::maximum});
  }

  /// `offset2` gives VIGOR's deltas in units of half the tile's side: rows downwards from the
  /// centre, columns to the left. As (row, column) in tiles this is 0.5 + 0.5 (1, -1) delta.
  static typename B::Projection position(const typename B::Target& target, Parameters& parameters,
                                         Index hidden) {
    auto weight = parameters.get<2>("offset2.weight", {2, hidden});
    auto bias = parameters.get<1>("offset2.bias", {2});
    for (Index axis = 0; axis < 2; ++axis) {
      const float half = axis == 0 ? 0.5F : -0.5F;
      for (Index c = 0; c < hidden; ++c) weight(axis, c) *= half;
      bias(axis) = 0.5F + half * bias(axis);
    }
    return typename B::Projection(target, weight, bias);
  }

  Vgg16<B> ground_;
  Vgg16<B> satellite_;
  typename B::SpatialAttention ground_attention_;
  typename B::SpatialAttention satellite_attention_;
  Index length_;
  Index hidden_;
  typename B::Linear first_;
  typename B::Projection second_;
};

template <ops::Backend B>
using VigorBaselineNetwork = BaselineNetwork<B, VigorBaselineBody>;

}  // namespace crossfix::model
