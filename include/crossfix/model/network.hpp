#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "crossfix/model/configuration.hpp"
#include "crossfix/model/fusion.hpp"
#include "crossfix/model/layout.hpp"
#include "crossfix/model/linear.hpp"
#include "crossfix/model/pair_network.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/model/trunk.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/decoder.hpp"

namespace crossfix::model {

/// The whole network on a backend: two trunks, projections, fusion and heads, prepared for one batch
/// size. Immutable after construction: any number of workspaces, one a thread, may run it.
template <ops::Backend B>
class Network : public PairNetwork<B> {
  using Base = PairNetwork<B>;
  using Element = typename B::Element;
  struct Buffers {
    float* satellite_tokens = nullptr;
    float* ground_tokens = nullptr;
    Element* satellite_rounded = nullptr;
    Element* ground_rounded = nullptr;
    typename Trunk<B>::Buffers trunk{};
    typename Fusion<B>::Workspace fusion;
    Element* head[2] = {};
    PairBuffers<B> pair;
  };

 public:
  /// The memory of one pass and how it is run. Everything is allocated here, once.
  class Workspace : public PairWorkspace<B> {
   public:
    /// On `target`, which may be another than the network was prepared on where the backend can run
    /// its operators there: a stream of the same device, as many threads.
    Workspace(const Network& network, const typename B::Target& target)
        : PairWorkspace<B>(target, network.scratch_bytes_, network.lay_out(nullptr).second),
          buffers_(network.lay_out(this->arena.data()).first) {
      static_cast<PairBuffers<B>&>(*this) = buffers_.pair;
    }

   private:
    friend class Network;
    Buffers buffers_;
  };

  /// Reads the parameters and prepares the operators on `target`. Throws WeightsError where they are
  /// not this configuration's.
  Network(const typename B::Target& target, Parameters parameters,
          const Configuration& configuration, Index batch)
      : Base(configuration, batch),
        satellite_trunk_(target, parameters, "sat_extractor", configuration.trunk,
                         this->satellite_shape()),
        ground_trunk_(target, parameters,
                      configuration.trunk.shared ? "sat_extractor" : "grd_extractor",
                      configuration.trunk, this->ground_shape()),
        satellite_projection_(
            projection(target, parameters, "sat_proj", configuration.satellite_tokens())),
        ground_projection_(
            projection(target, parameters, "grd_proj", configuration.ground_tokens())),
        fusion_(target, parameters, configuration, batch),
        location_(head(target, parameters, "location_head", 1)),
        coordinates_(head(target, parameters, "coordinator_head", 2)) {
    this->set_parameter_count(parameters.count());
    for (const std::size_t bytes :
         {satellite_trunk_.scratch_bytes(), ground_trunk_.scratch_bytes(),
          satellite_projection_.scratch_bytes(), ground_projection_.scratch_bytes(),
          fusion_.scratch_bytes(), location_.first.scratch_bytes(),
          location_.second.scratch_bytes(), coordinates_.first.scratch_bytes(),
          coordinates_.second.scratch_bytes()}) {
      scratch_bytes_ = std::max(scratch_bytes_, bytes);
    }
  }

  /// The tokens of one view after trunk and projection, from the loaded images, inside `work`.
  void extract_satellite(Workspace& work) const {
    const Shape<4> pooled{this->batch(), this->configuration().grid, this->configuration().grid,
                          this->configuration().trunk_channels()};
    auto features =
        satellite_trunk_(work.context, this->satellite_images(work), work.buffers_.trunk);
    if (features.shape() != pooled) {
      // Any buffer but the one the features lie in.
      Element* free = features.data() == work.buffers_.trunk[1] ? work.buffers_.trunk[2]
                                                                : work.buffers_.trunk[1];
      const ops::ActivationView<B, 4> smaller(free, pooled);
      B::adaptive_max_pool(work.context, features, smaller);
      features = smaller;
    }
    project(work, satellite_projection_, features, satellite_tokens(work));
  }
  void extract_ground(Workspace& work) const {
    const auto features =
        ground_trunk_(work.context, this->ground_images(work), work.buffers_.trunk);
    project(work, ground_projection_, features, ground_tokens(work));
  }

  /// [batch * N * N, d] and [batch * ground tokens, d]: the fusion network's inputs; after `fuse` the
  /// satellite's are its output.
  TensorView<float, 2, typename B::Space> satellite_tokens(Workspace& work) const {
    return {work.buffers_.satellite_tokens,
            {this->batch() * this->configuration().satellite_tokens(),
             this->configuration().model_width}};
  }
  TensorView<float, 2, typename B::Space> ground_tokens(Workspace& work) const {
    return {
        work.buffers_.ground_tokens,
        {this->batch() * this->configuration().ground_tokens(), this->configuration().model_width}};
  }
  void fuse(Workspace& work) const {
    fusion_(work.context, rounded_satellite(work), rounded_ground(work), work.buffers_.fusion);
  }

  /// Fusion layer `index` alone, in place on both views' tokens.
  void encode_layer(Workspace& work, Index index) const {
    fusion_.encode(work.context, index, rounded_satellite(work), rounded_ground(work),
                   work.buffers_.fusion);
  }

  /// Both heads over the fused tokens, and what they say: `outputs(work)`.
  void decode(Workspace& work) const {
    const auto out = this->outputs(work);
    const Index rows = satellite_tokens(work).extent(0);
    run_head(work, location_, out.logits().template reshape<2>({rows, 1}));
    run_head(work, coordinates_, out.offsets().template reshape<2>({rows, 2}));
    B::decode(work.context, out, this->configuration().decoding);
  }

  /// Everything after loading the images, without waiting for it.
  void run(Workspace& work) const {
    extract_satellite(work);
    extract_ground(work);
    fuse(work);
    decode(work);
  }

  using Base::read;
  /// Copies tokens, or rows of them, to `host`, of as many floats. Synchronises.
  void read(Workspace& work, TensorView<const float, 2, typename B::Space> tokens,
            float* host) const {
    B::read(work.context, tokens, host);
  }

 private:
  struct Head {
    typename B::Linear first;
    typename B::Linear second;
    typename B::Projection last;
  };

  /// The 1x1 convolution `name`, a matrix product over tokens.
  typename B::FloatLinear projection(const typename B::Target& target, Parameters& parameters,
                                     const std::string& name, Index tokens) const {
    const Index in = this->configuration().trunk_channels();
    const Index out = this->configuration().model_width;
    const auto weight = parameters.get<4>(name + ".weight", {out, in, 1, 1});
    const auto bias = parameters.get<1>(name + ".bias", {out});
    return typename B::FloatLinear(target, {this->batch() * tokens, in, out},
                                   weight.view().template reshape<2>({out, in}),
                                   bias.view().template reshape<2>({1, out}));
  }

  Head head(const typename B::Target& target, Parameters& parameters, const std::string& name,
            Index outputs) const {
    const Index d = this->configuration().model_width;
    const ops::LinearSpecification spec{this->batch() * this->configuration().satellite_tokens(), d,
                                        d, ops::Activation::relu};
    const auto hidden = [&](const std::string& layer) {
      return read_linear<typename B::Linear>(target, parameters, layer, spec);
    };
    auto first = hidden(name + ".layers.0");
    auto second = hidden(name + ".layers.1");
    const auto weight = parameters.get<2>(name + ".layers.2.weight", {outputs, d});
    const auto bias = parameters.get<1>(name + ".layers.2.bias", {outputs});
    return {std::move(first), std::move(second), typename B::Projection(target, weight, bias)};
  }

  void project(Workspace& work, const typename B::FloatLinear& linear,
               ops::ConstActivationView<B, 4> features,
               TensorView<float, 2, typename B::Space> tokens) const {
    linear(work.context,
           features.template reshape<2>({tokens.extent(0), this->configuration().trunk_channels()}),
           tokens);
  }

  /// A view's tokens with their rounded twin made anew.
  typename Fusion<B>::Tokens rounded(Workspace& work, TensorView<float, 2, typename B::Space> exact,
                                     Element* twin) const {
    const ops::ActivationView<B, 2> rounded(twin, exact.shape());
    B::round(work.context, exact, rounded);
    return {exact, rounded};
  }
  typename Fusion<B>::Tokens rounded_satellite(Workspace& work) const {
    return rounded(work, satellite_tokens(work), work.buffers_.satellite_rounded);
  }
  typename Fusion<B>::Tokens rounded_ground(Workspace& work) const {
    return rounded(work, ground_tokens(work), work.buffers_.ground_rounded);
  }

  void run_head(Workspace& work, const Head& head,
                TensorView<float, 2, typename B::Space> y) const {
    const ops::ActivationView<B, 2> tokens(work.buffers_.satellite_rounded,
                                           satellite_tokens(work).shape());
    const ops::ActivationView<B, 2> first(work.buffers_.head[0], tokens.shape());
    const ops::ActivationView<B, 2> second(work.buffers_.head[1], tokens.shape());
    head.first(work.context, tokens, first);
    head.second(work.context, first, second);
    head.last(work.context, second, y);
  }

  /// Lays a workspace's buffers out from `base` on; returns them and their bytes. The trunks' images
  /// and activations are dead once the tokens are there, and the fusion network's buffers not yet
  /// born: they share one place.
  std::pair<Buffers, std::size_t> lay_out(std::byte* base) const {
    Layout layout(base);
    const Configuration& c = this->configuration();
    const Index satellite = this->batch() * c.satellite_tokens();
    const Index ground = this->batch() * c.ground_tokens();
    const Index larger = std::max(satellite, ground);
    Buffers buffers;
    layout.take(buffers.satellite_tokens, satellite * c.model_width);
    layout.take(buffers.ground_tokens, ground * c.model_width);
    layout.take(buffers.satellite_rounded, satellite * c.model_width);
    layout.take(buffers.ground_rounded, ground * c.model_width);
    const std::size_t shared = layout.used();
    layout.take(buffers.pair.satellite_image, element_count(this->satellite_shape()));
    layout.take(buffers.pair.ground_image, element_count(this->ground_shape()));
    for (Element*& buffer : buffers.trunk) {
      layout.take(buffer,
                  std::max(satellite_trunk_.buffer_elements(), ground_trunk_.buffer_elements()));
    }
    layout.rewind(shared);
    layout.take(buffers.fusion.satellite_projected, satellite * 3 * c.model_width);
    layout.take(buffers.fusion.ground_projected, ground * 3 * c.model_width);
    layout.take(buffers.fusion.attended, larger * c.model_width);
    layout.take(buffers.fusion.branch, larger * c.model_width);
    layout.take(buffers.fusion.hidden, larger * c.ffn_width);
    for (Element*& buffer : buffers.head) layout.take(buffer, satellite * c.model_width);
    layout.take(buffers.pair.outputs, this->output_count());
    return {buffers, layout.bytes()};
  }

  Trunk<B> satellite_trunk_;
  Trunk<B> ground_trunk_;
  typename B::FloatLinear satellite_projection_;
  typename B::FloatLinear ground_projection_;
  Fusion<B> fusion_;
  Head location_;
  Head coordinates_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace crossfix::model
