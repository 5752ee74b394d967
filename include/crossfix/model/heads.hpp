#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "crossfix/model/configuration.hpp"
#include "crossfix/model/linear.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/backend.hpp"

namespace crossfix::model {

/// The two heads over fused satellite tokens [batch * N*N, d]: classification, with one logit per
/// cell of the N x N grid, and regression, with the offset of the camera within each cell. Each has
/// three linear layers with ReLU between them. `ops::Backend::decode` computes a posterior and a
/// fix from their outputs.
template <ops::Backend B>
class Heads {
 public:
  /// Working memory of a pass, [batch * N*N, d] each.
  struct Workspace {
    typename B::Element* first = nullptr;
    typename B::Element* second = nullptr;
  };

  /// Reads `location_head`.layers.0.weight and so on, and the same of `coordinator_head`. Throws
  /// WeightsError if they do not match the configuration.
  Heads(const typename B::Target& target, Parameters& parameters,
        const Configuration& configuration, Index batch)
      : classification_(target, parameters, "location_head", configuration, batch, 1),
        regression_(target, parameters, "coordinator_head", configuration, batch, 2) {}

  /// Scratch memory that the context must have at least, bytes.
  std::size_t scratch_bytes() const {
    return std::max(classification_.scratch_bytes(), regression_.scratch_bytes());
  }

  /// Computes `logits` [batch * N*N, 1] and `offsets` [batch * N*N, 2], (row, col) before the
  /// sigmoid, from `tokens` [batch * N*N, d], rounded for products.
  void operator()(typename B::Context& context, ops::ConstActivationView<B, 2> tokens,
                  const Workspace& work, TensorView<float, 2, typename B::Space> logits,
                  TensorView<float, 2, typename B::Space> offsets) const {
    classification_(context, tokens, work, logits);
    regression_(context, tokens, work, offsets);
  }

 private:
  class Head {
   public:
    Head(const typename B::Target& target, Parameters& parameters, const std::string& name,
         const Configuration& configuration, Index batch, Index outputs)
        : first_(hidden(target, parameters, name + ".layers.0", configuration, batch)),
          second_(hidden(target, parameters, name + ".layers.1", configuration, batch)),
          last_(target,
                parameters.get<2>(name + ".layers.2.weight", {outputs, configuration.model_width}),
                parameters.get<1>(name + ".layers.2.bias", {outputs})) {}

    std::size_t scratch_bytes() const {
      return std::max(first_.scratch_bytes(), second_.scratch_bytes());
    }

    void operator()(typename B::Context& context, ops::ConstActivationView<B, 2> tokens,
                    const Workspace& work, TensorView<float, 2, typename B::Space> y) const {
      const ops::ActivationView<B, 2> first(work.first, tokens.shape());
      const ops::ActivationView<B, 2> second(work.second, tokens.shape());
      first_(context, tokens, first);
      second_(context, first, second);
      last_(context, second, y);
    }

   private:
    static typename B::Linear hidden(const typename B::Target& target, Parameters& parameters,
                                     const std::string& layer, const Configuration& configuration,
                                     Index batch) {
      const Index d = configuration.model_width;
      return read_linear<typename B::Linear>(
          target, parameters, layer,
          {batch * configuration.satellite_tokens(), d, d, ops::Activation::relu});
    }

    typename B::Linear first_;
    typename B::Linear second_;
    typename B::Projection last_;
  };

  Head classification_;
  Head regression_;
};

}  // namespace crossfix::model
