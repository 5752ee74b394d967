#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/core/ground_satellite.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/model/linear.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/model/position_encoding.hpp"
#include "crossfix/ops/backend.hpp"

namespace crossfix::model {

/// The fusion network: self- and cross-attention between satellite tokens s [batch, N*N, d] and
/// ground tokens g [batch, Tg, d], then one decoder layer. Tokens are kept in float, together with
/// a copy rounded to the backend's element that matrix products read. All attention inputs that are
/// computed from the same tokens share one matrix product. Position encodings are folded into its
/// table.
template <ops::Backend B>
class Fusion {
  using View2 = ops::ActivationView<B, 2>;
  using FloatView2 = TensorView<float, 2, typename B::Space>;

 public:
  static constexpr float kLayerNormEpsilon = 1e-5F;

  /// The tokens of a view, [batch * tokens, d].
  struct Tokens {
    FloatView2 exact = {};
    View2 rounded = {};  ///< the rounded copy that products read
  };
  using GroundTokens = Ground<Tokens>;
  using SatelliteTokens = Satellite<Tokens>;

  /// Working memory of a pass. Sizes are in elements.
  struct Workspace {
    typename B::Element* ground_projected = nullptr;     ///< [batch * Tg, 3 d]
    typename B::Element* satellite_projected = nullptr;  ///< [batch * Ts, 3 d]
    typename B::Element* attended = nullptr;             ///< [batch * max(Ts, Tg), d]
    float* branch = nullptr;                             ///< [batch * max(Ts, Tg), d]
    typename B::Element* hidden = nullptr;               ///< [batch * max(Ts, Tg), ffn]
  };

  Fusion(const typename B::Target& target, Parameters& parameters,
         const Configuration& configuration, Index batch)
      : target_(target),
        batch_(batch),
        width_(configuration.model_width),
        heads_(configuration.heads),
        ffn_width_(configuration.ffn_width),
        satellite_tokens_(configuration.satellite_tokens()),
        ground_tokens_(configuration.ground_tokens()) {
    const Index stride = Configuration::kBackboneStride;
    const auto satellite_encoding =
        position_encoding(configuration.grid, configuration.grid, width_);
    const auto ground_encoding = position_encoding(configuration.ground_size[0] / stride,
                                                   configuration.ground_size[1] / stride, width_);
    const std::string network = "feature_fusion_network.";
    for (Index i = 0; i < configuration.encoder_layers; ++i) {
      layers_.push_back(make_layer(parameters,
                                   network + "encoder.layers." + std::to_string(i) + ".",
                                   satellite_encoding, ground_encoding));
    }
    const std::string name = network + "decoder.layers.0.";
    const Packed cross = packed(parameters, name + "cross_attn");
    decoder_.emplace(
        Decoder{project(satellite_encoding, {{&cross, kQuery}}),
                project(ground_encoding, {{&cross, kKey}, {&cross, kValue}}),
                residual(parameters, name + "cross_attn", name + "norm1", satellite_tokens_),
                feed_forward(parameters, name + "FFN", name + "norm2", satellite_tokens_),
                norm(parameters, network + "decoder.norm")});
    scratch_bytes_ = std::max(scratch_bytes_,
                              B::attention_scratch_bytes(
                                  target_, std::max(satellite_tokens_, ground_tokens_),
                                  std::max(satellite_tokens_, ground_tokens_), heads_, head_dim()));
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  Index head_dim() const { return width_ / heads_; }

  Index layer_count() const { return static_cast<Index>(layers_.size()); }

  /// Overwrites the tokens of both views. The satellite tokens become the fused tokens.
  void operator()(typename B::Context& context, const GroundTokens& g, const SatelliteTokens& s,
                  const Workspace& work) const {
    for (Index index = 0; index < layer_count(); ++index) encode(context, index, g, s, work);
    run_decoder(context, g, s, work);
  }

  /// Runs only fusion layer `index`, in place.
  void encode(typename B::Context& context, Index index, const GroundTokens& g,
              const SatelliteTokens& s, const Workspace& work) const {
    const Layer& layer = layers_[static_cast<std::size_t>(index)];
    const View2 s_projected = projected(work.satellite_projected, satellite_tokens_);
    const View2 g_projected = projected(work.ground_projected, ground_tokens_);
    layer.satellite_qkv(context, s.rounded, s_projected);
    attend(context, s_projected, 0, s_projected, 1, work);
    layer.satellite_self(*this, context, s, work);
    layer.ground_qkv(context, g.rounded, g_projected);
    attend(context, g_projected, 0, g_projected, 1, work);
    layer.ground_self(*this, context, g, work);

    layer.satellite_query(context, s.rounded, s_projected.slice(1, 0, width_));
    layer.ground_key_value_query(context, g.rounded, g_projected);
    attend(context, s_projected, 0, g_projected, 0, work);
    layer.satellite_cross(*this, context, s, work);
    layer.satellite_ffn(*this, context, s, work);
    // The ground view attends to satellite tokens that the lines above have already updated.
    layer.satellite_key_value(context, s.rounded, s_projected.slice(1, width_, 3 * width_));
    attend(context, g_projected, 2, s_projected, 1, work);
    layer.ground_cross(*this, context, g, work);
    layer.ground_ffn(*this, context, g, work);
  }

  /// Runs the decoder layer and its norm, in place on s.
  void run_decoder(typename B::Context& context, const GroundTokens& g, const SatelliteTokens& s,
                   const Workspace& work) const {
    const Decoder& decoder = *decoder_;
    const View2 s_projected = projected(work.satellite_projected, satellite_tokens_);
    const View2 g_projected = projected(work.ground_projected, ground_tokens_);
    decoder.satellite_query(context, s.rounded, s_projected.slice(1, 0, width_));
    decoder.ground_key_value(context, g.rounded, g_projected.slice(1, 0, 2 * width_));
    attend(context, s_projected, 0, g_projected, 0, work);
    decoder.cross(*this, context, s, work);
    decoder.ffn(*this, context, s, work);
    decoder.norm(context, s.exact, s.exact, s.rounded);
  }

 private:
  /// Blocks of d rows in a packed projection.
  enum Block : Index { kQuery = 0, kKey = 1, kValue = 2 };
  struct Packed {
    Tensor<float, 2> weight;  ///< [3 d, d]
    Tensor<float, 1> bias;    ///< [3 d]
  };
  struct Part {
    const Packed* from;
    Block block;
  };

  /// x = norm(x + out_proj(attended)).
  struct Residual {
    typename B::FloatLinear out;
    typename B::LayerNorm norm;
    void operator()(const Fusion& fusion, typename B::Context& context, const Tokens& x,
                    const Workspace& work) const {
      const View2 attended(work.attended, {x.exact.extent(0), fusion.width_});
      const FloatView2 branch(work.branch, x.exact.shape());
      out(context, attended, branch);
      norm(context, branch, x.exact, x.exact, x.rounded);
    }
  };
  /// x = norm(x + W2 relu(W1 x)).
  struct FeedForward {
    typename B::Linear expand;
    typename B::FloatLinear contract;
    typename B::LayerNorm norm;
    void operator()(const Fusion& fusion, typename B::Context& context, const Tokens& x,
                    const Workspace& work) const {
      const View2 hidden(work.hidden, {x.exact.extent(0), fusion.ffn_width_});
      const FloatView2 branch(work.branch, x.exact.shape());
      expand(context, x.rounded, hidden);
      contract(context, hidden, branch);
      norm(context, branch, x.exact, x.exact, x.rounded);
    }
  };
  struct Layer {
    typename B::Linear satellite_qkv;
    typename B::Linear ground_qkv;
    typename B::Linear satellite_query;
    typename B::Linear ground_key_value_query;
    typename B::Linear satellite_key_value;
    Residual satellite_self;
    Residual ground_self;
    Residual satellite_cross;
    Residual ground_cross;
    FeedForward satellite_ffn;
    FeedForward ground_ffn;
  };
  struct Decoder {
    typename B::Linear satellite_query;
    typename B::Linear ground_key_value;
    Residual cross;
    FeedForward ffn;
    typename B::LayerNorm norm;
  };

  Layer make_layer(Parameters& parameters, const std::string& name,
                   const Tensor<float, 2>& satellite, const Tensor<float, 2>& ground) {
    const Packed self_s = packed(parameters, name + "self_attn_source1");
    const Packed self_g = packed(parameters, name + "self_attn_source2");
    const Packed cross_s = packed(parameters, name + "cros_attn_source1");
    const Packed cross_g = packed(parameters, name + "cros_attn_source2");
    return {
        project(satellite, {{&self_s, kQuery}, {&self_s, kKey}, {&self_s, kValue}}),
        project(ground, {{&self_g, kQuery}, {&self_g, kKey}, {&self_g, kValue}}),
        project(satellite, {{&cross_s, kQuery}}),
        project(ground, {{&cross_s, kKey}, {&cross_s, kValue}, {&cross_g, kQuery}}),
        project(satellite, {{&cross_g, kKey}, {&cross_g, kValue}}),
        residual(parameters, name + "self_attn_source1", name + "sa_norm1", satellite_tokens_),
        residual(parameters, name + "self_attn_source2", name + "sa_norm2", ground_tokens_),
        residual(parameters, name + "cros_attn_source1", name + "ca_norm1_1", satellite_tokens_),
        residual(parameters, name + "cros_attn_source2", name + "ca_norm2_1", ground_tokens_),
        feed_forward(parameters, name + "source_1_FFN", name + "ca_norm1_2", satellite_tokens_),
        feed_forward(parameters, name + "source_2_FFN", name + "ca_norm2_2", ground_tokens_)};
  }

  Packed packed(Parameters& parameters, const std::string& attention) const {
    return {parameters.get<2>(attention + ".in_proj_weight", {3 * width_, width_}),
            parameters.get<1>(attention + ".in_proj_bias", {3 * width_})};
  }

  /// Increases `scratch_bytes_` to what a product needs; returns the product.
  template <class Product>
  Product counted(Product product) {
    scratch_bytes_ = std::max(scratch_bytes_, product.scratch_bytes());
    return product;
  }

  /// One product for several blocks. (x + pe) W^T + b = x W^T + T with T = pe W^T + b for queries
  /// and keys. Values have no position encoding, so that their part of T is only b.
  typename B::Linear project(const Tensor<float, 2>& encoding, std::initializer_list<Part> parts) {
    const Index tokens = encoding.extent(0);
    const auto blocks = static_cast<Index>(parts.size());
    Tensor<float, 2> weight({blocks * width_, width_});
    Tensor<float, 2> table({tokens, blocks * width_});
    Index at = 0;
    for (const Part& part : parts) {
      const Index first = part.block * width_;
      const auto rows = part.from->weight.view().slice(0, first, first + width_);
      as_eigen(weight.view().slice(0, at, at + width_)) = as_eigen(rows);
      auto target = as_eigen(table.view().slice(1, at, at + width_));
      if (part.block == kValue) {
        target.setZero();
      } else {
        target.noalias() = as_eigen(encoding.view()) * as_eigen(rows).transpose();
      }
      target.rowwise() +=
          Eigen::Map<const Eigen::RowVectorXf>(part.from->bias.data() + first, width_);
      at += width_;
    }
    return counted(
        typename B::Linear(target_, {batch_ * tokens, width_, blocks * width_}, weight, table));
  }

  template <class Product = typename B::Linear>
  Product linear(Parameters& parameters, const std::string& name,
                 const ops::LinearSpecification& spec) {
    return counted(read_linear<Product>(target_, parameters, name, spec));
  }

  typename B::LayerNorm norm(Parameters& parameters, const std::string& name) const {
    const auto scale = parameters.get<1>(name + ".weight", {width_});
    const auto shift = parameters.get<1>(name + ".bias", {width_});
    return typename B::LayerNorm(target_, scale, shift, kLayerNormEpsilon);
  }

  Residual residual(Parameters& parameters, const std::string& attention,
                    const std::string& norm_name, Index tokens) {
    return {linear<typename B::FloatLinear>(parameters, attention + ".out_proj",
                                            {batch_ * tokens, width_, width_}),
            norm(parameters, norm_name)};
  }

  FeedForward feed_forward(Parameters& parameters, const std::string& name,
                           const std::string& norm_name, Index tokens) {
    const Index rows = batch_ * tokens;
    return {linear(parameters, name + ".0", {rows, width_, ffn_width_, ops::Activation::relu}),
            linear<typename B::FloatLinear>(parameters, name + ".3", {rows, ffn_width_, width_}),
            norm(parameters, norm_name)};
  }

  View2 projected(typename B::Element* data, Index tokens) const {
    return {data, {batch_ * tokens, 3 * width_}};
  }

  /// Block `block` of a projected view [batch * tokens, 3 d] as [batch, token, head, dim].
  ops::ActivationView<B, 4> heads(View2 projected, Index block) const {
    const Index tokens = projected.extent(0) / batch_;
    const Index row = projected.stride(0);
    return {projected.data() + block * width_,
            {batch_, tokens, heads_, head_dim()},
            {tokens * row, row, head_dim(), 1}};
  }

  /// work.attended = attention of block `query_block` over keys in block `key_block` and values in
  /// the block after it.
  void attend(typename B::Context& context, View2 queries, Index query_block, View2 keys,
              Index key_block, const Workspace& work) const {
    const auto q = heads(queries, query_block);
    const ops::ActivationView<B, 4> out(work.attended, q.shape());
    B::attention(context, q, heads(keys, key_block), heads(keys, key_block + 1), out,
                 1.0F / std::sqrt(static_cast<float>(head_dim())));
  }

  typename B::Target target_;
  Index batch_;
  Index width_;
  Index heads_;
  Index ffn_width_;
  Index satellite_tokens_;
  Index ground_tokens_;
  std::size_t scratch_bytes_ = 0;
  std::vector<Layer> layers_;
  // never empty after construction; optional only to defer its construction
  std::optional<Decoder> decoder_;
};

}  // namespace crossfix::model
