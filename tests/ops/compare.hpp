#pragma once

#include <cmath>
#include <string_view>

#include "crossfix/core/tensor.hpp"
#include "support/counter_generator.hpp"

/// Inputs of the operators' tests, and functions that compare results.
namespace crossfix::test {

/// Values as an `Element` holds them.
template <class Element, std::size_t Rank>
Tensor<Element, Rank> stored_as(const Tensor<float, Rank>& values) {
  Tensor<Element, Rank> out(values.shape());
  for (Index i = 0; i < values.size(); ++i) out.data()[i] = Element(values.data()[i]);
  return out;
}

/// Unit-variance values, each of them exactly an `Element`, so that the reference computes from the
/// same numbers.
template <class Element, std::size_t Rank>
Tensor<float, Rank> features_of(std::string_view key, const Shape<Rank>& shape,
                                float factor = 1.0f) {
  Tensor<float, Rank> out = features(key, shape);
  for (Index i = 0; i < out.size(); ++i) {
    out.data()[i] = static_cast<float>(Element(out.data()[i] * factor));
  }
  return out;
}

template <class T, std::size_t Rank>
const T& element_at(const TensorView<const T, Rank>& view, Index flat) {
  Index offset = 0;
  for (std::size_t d = Rank; d-- > 0;) {
    offset += flat % view.extent(d) * view.stride(d);
    flat /= view.extent(d);
  }
  return view.data()[offset];
}

/// |a - b| / |b| over all elements; NaN if either holds one. `b` must not be all zero.
template <class A, std::size_t Rank>
double relative_error(const TensorView<const A, Rank>& a, const TensorView<const float, Rank>& b) {
  double difference = 0.0;
  double norm = 0.0;
  for (Index i = 0; i < b.size(); ++i) {
    const double x = static_cast<double>(static_cast<float>(element_at(a, i)));
    const double y = static_cast<double>(element_at(b, i));
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return std::sqrt(difference / norm);
}

template <std::size_t Rank>
double relative_error(const Tensor<float, Rank>& a, const Tensor<float, Rank>& b) {
  return relative_error<float, Rank>(a.view(), b.view());
}

}  // namespace crossfix::test
