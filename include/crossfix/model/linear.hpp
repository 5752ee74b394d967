#pragma once

#include <string>

#include "crossfix/model/parameters.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::model {

/// Reads the linear layer `name`.weight [out, in], `name`.bias [out] as a backend's `Product`
/// (Linear or FloatLinear). Throws WeightsError as Parameters::get.
template <class Product, class Target>
Product read_linear(const Target& target, Parameters& parameters, const std::string& name,
                    const ops::LinearSpecification& spec) {
  const auto weight = parameters.get<2>(name + ".weight", {spec.out_features, spec.in_features});
  const auto bias = parameters.get<1>(name + ".bias", {spec.out_features});
  return Product(target, spec, weight, bias.view().template reshape<2>({1, spec.out_features}));
}

}  // namespace crossfix::model
