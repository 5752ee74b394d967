#pragma once

#include <utility>

#include "crossfix/detail/model/layout.hpp"
#include "crossfix/detail/model/pair_network.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/finite.hpp"

namespace crossfix::model {

/// A baseline on a backend, prepared for one batch size. `Body` is its network between the
/// normalised images and the decoding:
///
/// - `Body(target, parameters, configuration, batch)` reads its parameters;
/// - `Buffers`, and `lay_out(layout, buffers)`, which allocates them;
/// - `run(context, ground, satellite, buffers, outputs)` writes logits, and offsets in cells;
/// - `scratch_bytes()`.
template <ops::Backend B, template <ops::Backend> class Body>
class BaselineNetwork : public PairNetwork<B> {
  using Base = PairNetwork<B>;

 public:
  class Workspace : public PairWorkspace<B> {
   public:
    Workspace(const BaselineNetwork& network, const typename B::Target& target)
        : PairWorkspace<B>(target, network.within_limit(network.body_.scratch_bytes()),
                           network.within_limit(network.bytes())) {
      Layout layout(this->arena.data());
      network.lay_out(layout, *this, buffers_);
    }

   private:
    friend class BaselineNetwork;
    typename Body<B>::Buffers buffers_;
  };

  /// Throws WeightsError if the parameters do not match this configuration.
  BaselineNetwork(const typename B::Target& target, Parameters parameters,
                  const Configuration& configuration, Index batch)
      : Base(configuration, batch), body_(target, parameters, configuration, batch) {
    this->set_parameter_count(parameters.count());
  }

  /// Everything after loading the images. Does not synchronise. Throws as Network::run.
  void run(Workspace& work) const {
    const auto outputs = this->outputs(work);
    body_.run(work.context, this->ground_images(work), this->satellite_images(work), work.buffers_,
              outputs);
    ops::expect_finite(outputs.logits(), "network before the logits");
    ops::expect_finite(outputs.offsets(), "network before the offsets");
    ops::Decoding decoding = this->configuration().decoding;
    decoding.sigmoid = false;
    B::decode(work.context, outputs, decoding);
  }

 private:
  void lay_out(Layout& layout, PairBuffers<B>& pair, typename Body<B>::Buffers& buffers) const {
    layout.take(pair.ground_image, element_count(this->ground_shape()));
    layout.take(pair.satellite_image, element_count(this->satellite_shape()));
    body_.lay_out(layout, buffers);
    layout.take(pair.outputs, this->output_count());
  }

  std::size_t bytes() const {
    Layout layout(nullptr);
    PairBuffers<B> pair;
    typename Body<B>::Buffers buffers;
    lay_out(layout, pair, buffers);
    return layout.bytes();
  }

  Body<B> body_;
};

}  // namespace crossfix::model
