#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::model {

inline constexpr Index kSpatialHeads = 8;

/// Reads spatial attention `name` as a backend's operator. The two linear maps of the checkpoint
/// (`weight1` [heads, positions, hidden], `bias1` [heads, 1, hidden], `weight2` [heads, hidden,
/// positions], `bias2` [heads, 1, positions]; hidden is half of positions) have no activation
/// between them. They are therefore folded into one, in double.
template <class Attention, class Target>
Attention read_spatial_attention(const Target& target, Parameters& parameters,
                                 const std::string& name,
                                 ops::SpatialAttentionSpecification specification) {
  specification.heads = kSpatialHeads;
  const Index positions = specification.positions();
  const Index hidden = positions > 1 ? positions / 2 : 1;
  const auto weight1 = parameters.get<3>(name + ".weight1", {kSpatialHeads, positions, hidden});
  const auto bias1 = parameters.get<3>(name + ".bias1", {kSpatialHeads, 1, hidden});
  const auto weight2 = parameters.get<3>(name + ".weight2", {kSpatialHeads, hidden, positions});
  const auto bias2 = parameters.get<3>(name + ".bias2", {kSpatialHeads, 1, positions});
  Tensor<float, 3> weight({kSpatialHeads, positions, positions});
  Tensor<float, 2> bias({kSpatialHeads, positions});
  std::vector<double> row(static_cast<std::size_t>(positions));
  for (Index h = 0; h < kSpatialHeads; ++h) {
    // applies the second map to in [hidden]
    const auto through = [&](const float* in, auto&& out) {
      std::fill(row.begin(), row.end(), 0.0);
      for (Index k = 0; k < hidden; ++k) {
        for (Index p = 0; p < positions; ++p) {
          row[static_cast<std::size_t>(p)] += static_cast<double>(in[k]) * weight2(h, k, p);
        }
      }
      for (Index p = 0; p < positions; ++p) out(p, row[static_cast<std::size_t>(p)]);
    };
    for (Index q = 0; q < positions; ++q) {
      through(&weight1(h, q, 0),
              [&](Index p, double value) { weight(h, q, p) = static_cast<float>(value); });
    }
    through(&bias1(h, 0, 0), [&](Index p, double value) {
      bias(h, p) = static_cast<float>(value + bias2(h, 0, p));
    });
  }
  return Attention(target, specification, weight, bias);
}

}  // namespace crossfix::model
