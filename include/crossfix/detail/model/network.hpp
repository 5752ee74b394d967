#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "crossfix/core/ground_satellite.hpp"
#include "crossfix/detail/model/layout.hpp"
#include "crossfix/detail/model/pair_network.hpp"
#include "crossfix/model/backbone/resnet.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/model/fusion.hpp"
#include "crossfix/model/heads.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/decode.hpp"
#include "crossfix/ops/finite.hpp"

namespace crossfix::model {

/// The whole network on a backend: two backbones, projections, fusion and heads, prepared for one
/// batch size. Immutable after construction. Any number of workspaces may run it, each in one
/// thread.
template <ops::Backend B>
class Network : public PairNetwork<B> {
  using Base = PairNetwork<B>;
  using Element = typename B::Element;
  using Tokens = TensorView<float, 2, typename B::Space>;
  struct Buffers {
    float* ground_tokens = nullptr;
    float* satellite_tokens = nullptr;
    Element* ground_rounded = nullptr;
    Element* satellite_rounded = nullptr;
    typename ResNet<B>::Buffers backbone{};
    typename Fusion<B>::Workspace fusion;
    typename Heads<B>::Workspace heads;
    PairBuffers<B> pair;
  };

 public:
  /// The memory and the context of a pass. Everything is allocated here, once.
  class Workspace : public PairWorkspace<B> {
   public:
    /// `target` may differ from the target that the network was prepared on, if the backend can run
    /// its operators there: a stream of the same device, or the same number of threads.
    Workspace(const Network& network, const typename B::Target& target)
        : PairWorkspace<B>(target, network.within_limit(network.scratch_bytes_),
                           network.within_limit(network.lay_out(nullptr).second)),
          buffers_(network.lay_out(this->arena.data()).first) {
      static_cast<PairBuffers<B>&>(*this) = buffers_.pair;
    }

   private:
    friend class Network;
    Buffers buffers_;
  };

  /// Reads the parameters and prepares the operators on `target`. Throws WeightsError if they do
  /// not match this configuration.
  Network(const typename B::Target& target, Parameters parameters,
          const Configuration& configuration, Index batch)
      : Base(configuration, batch),
        ground_backbone_(target, parameters,
                         configuration.backbone.shared ? "sat_extractor" : "grd_extractor",
                         configuration.backbone, this->ground_shape()),
        satellite_backbone_(target, parameters, "sat_extractor", configuration.backbone,
                            this->satellite_shape()),
        ground_projection_(
            projection(target, parameters, "grd_proj", configuration.ground_tokens())),
        satellite_projection_(
            projection(target, parameters, "sat_proj", configuration.satellite_tokens())),
        fusion_(target, parameters, configuration, batch),
        heads_(target, parameters, configuration, batch) {
    this->set_parameter_count(parameters.count());
    scratch_bytes_ =
        std::max({ground_backbone_.scratch_bytes(), satellite_backbone_.scratch_bytes(),
                  ground_projection_.scratch_bytes(), satellite_projection_.scratch_bytes(),
                  fusion_.scratch_bytes(), heads_.scratch_bytes()});
  }

  /// Compute the tokens of one view from the loaded images, by backbone and projection, inside
  /// `work`.
  void extract_ground(Workspace& work) const {
    const auto features =
        ground_backbone_(work.context, this->ground_images(work), work.buffers_.backbone);
    project(work, ground_projection_, features, ground_tokens(work));
  }
  void extract_satellite(Workspace& work) const {
    const Shape<4> pooled{this->batch(), this->configuration().grid, this->configuration().grid,
                          this->configuration().backbone_channels()};
    const auto& buffers = work.buffers_.backbone;
    auto features = satellite_backbone_(work.context, this->satellite_images(work), buffers);
    if (features.shape() != pooled) {
      // Any buffer except the one that holds the features.
      const ops::ActivationView<B, 4> smaller(
          features.data() == buffers[1] ? buffers[2] : buffers[1], pooled);
      B::adaptive_max_pool(work.context, features, smaller);
      features = smaller;
    }
    project(work, satellite_projection_, features, satellite_tokens(work));
  }

  /// [batch * ground tokens, d] and [batch * N * N, d]: the inputs of the fusion network. After
  /// `fuse` the satellite tokens are its output.
  Ground<Tokens> ground_tokens(Workspace& work) const {
    return Ground<Tokens>({work.buffers_.ground_tokens,
                           {this->batch() * this->configuration().ground_tokens(),
                            this->configuration().model_width}});
  }
  Satellite<Tokens> satellite_tokens(Workspace& work) const {
    return Satellite<Tokens>({work.buffers_.satellite_tokens,
                              {this->batch() * this->configuration().satellite_tokens(),
                               this->configuration().model_width}});
  }
  void fuse(Workspace& work) const {
    fusion_(work.context, rounded_ground(work), rounded_satellite(work), work.buffers_.fusion);
  }

  /// Runs only fusion layer `index`, in place on the tokens of both views.
  void encode_layer(Workspace& work, Index index) const {
    fusion_.encode(work.context, index, rounded_ground(work), rounded_satellite(work),
                   work.buffers_.fusion);
  }

  /// Runs both heads on the fused tokens, and decodes their outputs to the posterior:
  /// `outputs(work)`.
  void run_heads(Workspace& work) const {
    const auto out = this->outputs(work);
    const Shape<2> shape = satellite_tokens(work).shape();
    heads_(work.context, ops::ActivationView<B, 2>(work.buffers_.satellite_rounded, shape),
           work.buffers_.heads, out.logits().template reshape<2>({shape[0], 1}),
           out.offsets().template reshape<2>({shape[0], 2}));
    ops::expect_finite(out.logits(), "head of the logits");
    ops::expect_finite(out.offsets(), "head of the offsets");
    B::decode(work.context, out, this->configuration().decoding);
  }

  /// Everything after loading the images. Does not synchronise. Throws NumberError, where the
  /// memory is the host's, if a stage's results are not finite.
  void run(Workspace& work) const {
    extract_ground(work);
    ops::expect_finite(Tokens(ground_tokens(work)), "ground backbone");
    extract_satellite(work);
    ops::expect_finite(Tokens(satellite_tokens(work)), "satellite backbone");
    fuse(work);
    ops::expect_finite(Tokens(satellite_tokens(work)), "fusion");
    run_heads(work);
  }

  using Base::read;
  /// Copies tokens, or rows of them, to `host`, which has the same number of floats. Synchronises.
  void read(Workspace& work, TensorView<const float, 2, typename B::Space> tokens,
            float* host) const {
    B::read(work.context, tokens, host);
  }

 private:
  /// The 1x1 convolution `name`, as a matrix product over tokens.
  typename B::FloatLinear projection(const typename B::Target& target, Parameters& parameters,
                                     const std::string& name, Index tokens) const {
    const Index in = this->configuration().backbone_channels();
    const Index out = this->configuration().model_width;
    const auto weight = parameters.get<4>(name + ".weight", {out, in, 1, 1});
    const auto bias = parameters.get<1>(name + ".bias", {out});
    return typename B::FloatLinear(target, {this->batch() * tokens, in, out},
                                   weight.view().template reshape<2>({out, in}),
                                   bias.view().template reshape<2>({1, out}));
  }

  void project(Workspace& work, const typename B::FloatLinear& linear,
               ops::ConstActivationView<B, 4> features, Tokens tokens) const {
    linear(
        work.context,
        features.template reshape<2>({tokens.extent(0), this->configuration().backbone_channels()}),
        tokens);
  }

  /// A view's tokens, together with a new copy rounded to the backend's element.
  typename Fusion<B>::Tokens rounded(Workspace& work, Tokens exact, Element* twin) const {
    const ops::ActivationView<B, 2> rounded(twin, exact.shape());
    B::round(work.context, exact, rounded);
    return {exact, rounded};
  }
  typename Fusion<B>::GroundTokens rounded_ground(Workspace& work) const {
    return typename Fusion<B>::GroundTokens(
        rounded(work, ground_tokens(work), work.buffers_.ground_rounded));
  }
  typename Fusion<B>::SatelliteTokens rounded_satellite(Workspace& work) const {
    return typename Fusion<B>::SatelliteTokens(
        rounded(work, satellite_tokens(work), work.buffers_.satellite_rounded));
  }

  /// Lays out a workspace's buffers from `base` on; returns the buffers and their total bytes.
  /// Images and activations of the backbones are not needed once the tokens exist, and the buffers
  /// of the fusion network are not needed before. Therefore they share memory.
  std::pair<Buffers, std::size_t> lay_out(std::byte* base) const {
    Layout layout(base);
    const Configuration& c = this->configuration();
    const Index ground = this->batch() * c.ground_tokens();
    const Index satellite = this->batch() * c.satellite_tokens();
    const Index larger = std::max(ground, satellite);
    Buffers buffers;
    layout.take(buffers.ground_tokens, ground * c.model_width);
    layout.take(buffers.satellite_tokens, satellite * c.model_width);
    layout.take(buffers.ground_rounded, ground * c.model_width);
    layout.take(buffers.satellite_rounded, satellite * c.model_width);
    const std::size_t shared = layout.used();
    layout.take(buffers.pair.ground_image, element_count(this->ground_shape()));
    layout.take(buffers.pair.satellite_image, element_count(this->satellite_shape()));
    for (Element*& buffer : buffers.backbone) {
      layout.take(buffer, std::max(ground_backbone_.buffer_elements(),
                                   satellite_backbone_.buffer_elements()));
    }
    layout.rewind(shared);
    layout.take(buffers.fusion.ground_projected, ground * 3 * c.model_width);
    layout.take(buffers.fusion.satellite_projected, satellite * 3 * c.model_width);
    layout.take(buffers.fusion.attended, larger * c.model_width);
    layout.take(buffers.fusion.branch, larger * c.model_width);
    layout.take(buffers.fusion.hidden, larger * c.ffn_width);
    layout.take(buffers.heads.first, satellite * c.model_width);
    layout.take(buffers.heads.second, satellite * c.model_width);
    layout.take(buffers.pair.outputs, this->output_count());
    return {buffers, layout.bytes()};
  }

  ResNet<B> ground_backbone_;
  ResNet<B> satellite_backbone_;
  typename B::FloatLinear ground_projection_;
  typename B::FloatLinear satellite_projection_;
  Fusion<B> fusion_;
  Heads<B> heads_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace crossfix::model
