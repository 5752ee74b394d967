#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "crossfix/model/configuration.hpp"
#include "crossfix/model/fusion.hpp"
#include "crossfix/model/linear.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/model/trunk.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/decoder.hpp"

namespace crossfix::model {

/// The whole network on a backend: two trunks, projections, fusion and heads, prepared for one batch
/// size. Immutable after construction: any number of workspaces, one a thread, may run it.
template <ops::Backend B>
class Network {
  using Element = typename B::Element;
  struct Buffers {
    float* satellite_tokens = nullptr;
    float* ground_tokens = nullptr;
    Element* satellite_rounded = nullptr;
    Element* ground_rounded = nullptr;
    Element* satellite_image = nullptr;
    Element* ground_image = nullptr;
    typename Trunk<B>::Buffers trunk{};
    typename Fusion<B>::Workspace fusion;
    Element* head[2] = {};
    float* outputs = nullptr;  ///< of DecoderOutputs
  };

 public:
  /// The memory of one pass and how it is run. Everything is allocated here, once.
  class Workspace {
   public:
    /// On `target`, which may be another than the network was prepared on where the backend can run
    /// its operators there: a stream of the same device, as many threads.
    Workspace(const Network& network, const typename B::Target& target)
        : context_(target, network.scratch_bytes_),
          arena_(target, network.lay_out(nullptr).second),
          buffers_(network.lay_out(arena_.data()).first) {}

   private:
    friend class Network;
    typename B::Context context_;
    typename B::Arena arena_;
    Buffers buffers_;
  };

  /// Reads the parameters and prepares the operators on `target`. Throws WeightsError where they are
  /// not this configuration's.
  Network(const typename B::Target& target, Parameters parameters,
          const Configuration& configuration, Index batch)
      : configuration_(configuration),
        batch_(batch),
        satellite_trunk_(target, parameters, "sat_extractor", configuration.trunk,
                         satellite_shape()),
        ground_trunk_(target, parameters,
                      configuration.trunk.shared ? "sat_extractor" : "grd_extractor",
                      configuration.trunk, ground_shape()),
        satellite_projection_(
            projection(target, parameters, "sat_proj", configuration.satellite_tokens())),
        ground_projection_(
            projection(target, parameters, "grd_proj", configuration.ground_tokens())),
        fusion_(target, parameters, configuration, batch),
        location_(head(target, parameters, "location_head", 1)),
        coordinates_(head(target, parameters, "coordinator_head", 2)),
        parameter_count_(parameters.count()) {
    for (const std::size_t bytes :
         {satellite_trunk_.scratch_bytes(), ground_trunk_.scratch_bytes(),
          satellite_projection_.scratch_bytes(), ground_projection_.scratch_bytes(),
          fusion_.scratch_bytes(), location_.first.scratch_bytes(),
          location_.second.scratch_bytes(), coordinates_.first.scratch_bytes(),
          coordinates_.second.scratch_bytes()}) {
      scratch_bytes_ = std::max(scratch_bytes_, bytes);
    }
  }

  /// Elements of all parameters, each counted once.
  Index parameter_count() const { return parameter_count_; }
  Index batch() const { return batch_; }
  const Configuration& configuration() const { return configuration_; }

  /// Loads image `index` of the batch, 8-bit RGB [height, width, 3] of any size.
  void load_satellite(Workspace& work, Index index, TensorView<const std::uint8_t, 3> image) const {
    load(work, satellite_images(work)[index], image);
  }
  void load_ground(Workspace& work, Index index, TensorView<const std::uint8_t, 3> image) const {
    load(work, ground_images(work)[index], image);
  }

  /// Where the trunks read their images from, normalised: [batch, height, width, 3].
  ops::ActivationView<B, 4> satellite_images(Workspace& work) const {
    return {work.buffers_.satellite_image, satellite_shape()};
  }
  ops::ActivationView<B, 4> ground_images(Workspace& work) const {
    return {work.buffers_.ground_image, ground_shape()};
  }

  /// The tokens of one view after trunk and projection, from the loaded images, inside `work`.
  void extract_satellite(Workspace& work) const {
    const Shape<4> pooled{batch_, configuration_.grid, configuration_.grid,
                          configuration_.trunk_channels()};
    auto features = satellite_trunk_(work.context_, satellite_images(work), work.buffers_.trunk);
    if (features.shape() != pooled) {
      // Any buffer but the one the features lie in.
      Element* free = features.data() == work.buffers_.trunk[1] ? work.buffers_.trunk[2]
                                                                : work.buffers_.trunk[1];
      const ops::ActivationView<B, 4> smaller(free, pooled);
      B::adaptive_max_pool(work.context_, features, smaller);
      features = smaller;
    }
    project(work, satellite_projection_, features, satellite_tokens(work));
  }
  void extract_ground(Workspace& work) const {
    const auto features = ground_trunk_(work.context_, ground_images(work), work.buffers_.trunk);
    project(work, ground_projection_, features, ground_tokens(work));
  }

  /// [batch * N * N, d] and [batch * ground tokens, d]: the fusion network's inputs; after `fuse` the
  /// satellite's are its output.
  TensorView<float, 2, typename B::Space> satellite_tokens(Workspace& work) const {
    return {work.buffers_.satellite_tokens,
            {batch_ * configuration_.satellite_tokens(), configuration_.model_width}};
  }
  TensorView<float, 2, typename B::Space> ground_tokens(Workspace& work) const {
    return {work.buffers_.ground_tokens,
            {batch_ * configuration_.ground_tokens(), configuration_.model_width}};
  }
  void fuse(Workspace& work) const {
    fusion_(work.context_, rounded_satellite(work), rounded_ground(work), work.buffers_.fusion);
  }

  /// Fusion layer `index` alone, in place on both views' tokens.
  void encode_layer(Workspace& work, Index index) const {
    fusion_.encode(work.context_, index, rounded_satellite(work), rounded_ground(work),
                   work.buffers_.fusion);
  }

  /// Both heads over the fused tokens, and what they say: `outputs(work)`.
  void decode(Workspace& work) const {
    const auto out = outputs(work);
    const Index rows = satellite_tokens(work).extent(0);
    run_head(work, location_, out.logits().template reshape<2>({rows, 1}));
    run_head(work, coordinates_, out.offsets().template reshape<2>({rows, 2}));
    B::decode(work.context_, out, configuration_.decoding);
  }

  /// Everything after loading the images, without waiting for it.
  void run(Workspace& work) const {
    extract_satellite(work);
    extract_ground(work);
    fuse(work);
    decode(work);
  }

  /// Where `decode` leaves its results, in the backend's memory.
  ops::DecoderOutputs<typename B::Space> outputs(Workspace& work) const {
    return {work.buffers_.outputs, batch_, configuration_.grid};
  }

  /// Copies tokens, or rows of them, to `host`, of as many floats. Synchronises.
  void read(Workspace& work, TensorView<const float, 2, typename B::Space> tokens,
            float* host) const {
    B::read(work.context_, tokens, host);
  }

  /// Floats that `read` of the results fills.
  Index output_count() const {
    return ops::DecoderOutputs<HostSpace>::element_count(batch_, configuration_.grid);
  }

  /// Copies the results to `host`, `output_count()` floats, and gives views into them. Synchronises.
  ops::DecoderOutputs<HostSpace> read(Workspace& work, float* host) const {
    B::read(work.context_, TensorView<const float, 2, typename B::Space>(outputs(work).block()),
            host);
    return {host, batch_, configuration_.grid};
  }

 private:
  struct Head {
    typename B::Linear first;
    typename B::Linear second;
    typename B::Projection last;
  };

  Shape<4> satellite_shape() const {
    return {batch_, configuration_.satellite_size, configuration_.satellite_size, 3};
  }
  Shape<4> ground_shape() const {
    return {batch_, configuration_.ground_size[0], configuration_.ground_size[1], 3};
  }

  /// The 1x1 convolution `name`, a matrix product over tokens.
  typename B::FloatLinear projection(const typename B::Target& target, Parameters& parameters,
                                     const std::string& name, Index tokens) const {
    const Index in = configuration_.trunk_channels();
    const Index out = configuration_.model_width;
    const auto weight = parameters.get<4>(name + ".weight", {out, in, 1, 1});
    const auto bias = parameters.get<1>(name + ".bias", {out});
    return typename B::FloatLinear(target, {batch_ * tokens, in, out},
                                   weight.view().template reshape<2>({out, in}),
                                   bias.view().template reshape<2>({1, out}));
  }

  Head head(const typename B::Target& target, Parameters& parameters, const std::string& name,
            Index outputs) const {
    const Index d = configuration_.model_width;
    const ops::LinearSpecification spec{batch_ * configuration_.satellite_tokens(), d, d,
                                        ops::Activation::relu};
    const auto hidden = [&](const std::string& layer) {
      return read_linear<typename B::Linear>(target, parameters, layer, spec);
    };
    auto first = hidden(name + ".layers.0");
    auto second = hidden(name + ".layers.1");
    const auto weight = parameters.get<2>(name + ".layers.2.weight", {outputs, d});
    const auto bias = parameters.get<1>(name + ".layers.2.bias", {outputs});
    return {std::move(first), std::move(second), typename B::Projection(target, weight, bias)};
  }

  void load(Workspace& work, ops::ActivationView<B, 3> target,
            TensorView<const std::uint8_t, 3> image) const {
    const auto& mean = configuration_.normalization.mean;
    const auto& std = configuration_.normalization.std;
    const float mean_rgb[3] = {mean[0], mean[1], mean[2]};
    const float std_rgb[3] = {std[0], std[1], std[2]};
    B::load_image(work.context_, image, mean_rgb, std_rgb, target);
  }

  void project(Workspace& work, const typename B::FloatLinear& linear,
               ops::ConstActivationView<B, 4> features,
               TensorView<float, 2, typename B::Space> tokens) const {
    linear(work.context_,
           features.template reshape<2>({tokens.extent(0), configuration_.trunk_channels()}),
           tokens);
  }

  /// A view's tokens with their rounded twin made anew.
  typename Fusion<B>::Tokens rounded(Workspace& work, TensorView<float, 2, typename B::Space> exact,
                                     Element* twin) const {
    const ops::ActivationView<B, 2> rounded(twin, exact.shape());
    B::round(work.context_, exact, rounded);
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
    head.first(work.context_, tokens, first);
    head.second(work.context_, first, second);
    head.last(work.context_, second, y);
  }

  /// Lays a workspace's buffers out from `base` on; returns them and their bytes. The trunks' images
  /// and activations are dead once the tokens are there, and the fusion network's buffers not yet
  /// born: they share one place.
  std::pair<Buffers, std::size_t> lay_out(std::byte* base) const {
    std::size_t used = 0;
    const auto take = [&]<class T>(T*& pointer, Index count) {
      constexpr std::size_t kLine = 64;
      const std::size_t at = (used + kLine - 1) / kLine * kLine;
      pointer = base == nullptr ? nullptr : reinterpret_cast<T*>(base + at);
      used = at + static_cast<std::size_t>(count) * sizeof(T);
    };
    const Configuration& c = configuration_;
    const Index satellite = batch_ * c.satellite_tokens();
    const Index ground = batch_ * c.ground_tokens();
    const Index larger = std::max(satellite, ground);
    Buffers buffers;
    take(buffers.satellite_tokens, satellite * c.model_width);
    take(buffers.ground_tokens, ground * c.model_width);
    take(buffers.satellite_rounded, satellite * c.model_width);
    take(buffers.ground_rounded, ground * c.model_width);
    const std::size_t shared = used;
    take(buffers.satellite_image, element_count(satellite_shape()));
    take(buffers.ground_image, element_count(ground_shape()));
    for (Element*& buffer : buffers.trunk) {
      take(buffer, std::max(satellite_trunk_.buffer_elements(), ground_trunk_.buffer_elements()));
    }
    const std::size_t first_use = used;
    used = shared;
    take(buffers.fusion.satellite_projected, satellite * 3 * c.model_width);
    take(buffers.fusion.ground_projected, ground * 3 * c.model_width);
    take(buffers.fusion.attended, larger * c.model_width);
    take(buffers.fusion.branch, larger * c.model_width);
    take(buffers.fusion.hidden, larger * c.ffn_width);
    for (Element*& buffer : buffers.head) take(buffer, satellite * c.model_width);
    take(buffers.outputs, output_count());
    return {buffers, std::max(first_use, used)};
  }

  Configuration configuration_;
  Index batch_;
  Trunk<B> satellite_trunk_;
  Trunk<B> ground_trunk_;
  typename B::FloatLinear satellite_projection_;
  typename B::FloatLinear ground_projection_;
  Fusion<B> fusion_;
  Head location_;
  Head coordinates_;
  Index parameter_count_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace crossfix::model
