#pragma once

#include "crossfix/detail/model/baselines/mcc.hpp"
#include "crossfix/detail/model/baselines/vigor.hpp"
#include "crossfix/detail/model/network.hpp"

namespace crossfix::model {

/// Calls `make.template operator()<Network>()` with the network type of a family on backend `B`.
template <ops::Backend B, class Make>
auto with_network(Family family, Make&& make) {
  switch (family) {
    case Family::mcc:
      return make.template operator()<MccNetwork<B>>();
    case Family::vigor_baseline:
      return make.template operator()<VigorBaselineNetwork<B>>();
    default:
      return make.template operator()<Network<B>>();
  }
}

}  // namespace crossfix::model
