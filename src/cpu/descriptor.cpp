#include "crossfix/cpu/descriptor.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {

using Summary = ops::SpatialAttentionSpecification::Summary;

template <class Element>
SpatialAttention<Element>::SpatialAttention(const Target& target,
                                            const ops::SpatialAttentionSpecification& specification,
                                            TensorView<const float, 3> weights,
                                            TensorView<const float, 2> bias)
    : threads_(thread_count(target)),
      specification_(specification),
      weights_(weights.shape()),
      bias_(bias.shape()) {
  check_spatial_attention(specification, weights, bias);
  std::copy_n(weights.data(), weights.size(), weights_.data());
  std::copy_n(bias.data(), bias.size(), bias_.data());
}

template <class Element>
void SpatialAttention<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                           TensorView<float, 2> y) const {
  const ops::SpatialAttentionSpecification& spec = specification_;
  check_spatial_attention_call(spec, x, y);
  const Index across = x.extent(2) / spec.cols;
  const Index blocks = x.extent(1) / spec.rows * across;
  auto* scratch = reinterpret_cast<float*>(context.scratch(scratch_bytes()));
#pragma omp parallel for schedule(static) num_threads(threads_)
  for (Index row = 0; row < y.extent(0); ++row) {
    const Index block = row % blocks;
    const Element* first = x.data() + x.offset(row / blocks, block / across * spec.rows,
                                               block % across * spec.cols, 0);
    describe(first, x.stride(1), x.extent(3), scratch + 2 * spec.positions() * omp_get_thread_num(),
             y.data() + row * y.stride(0));
  }
}

template <class Element>
std::size_t SpatialAttention<Element>::scratch_bytes() const {
  return static_cast<std::size_t>(2 * specification_.positions() * threads_) * sizeof(float);
}

template <class Element>
void SpatialAttention<Element>::describe(const Element* block, Index row_stride, Index channels,
                                         float* scratch, float* y) const {
  const ops::SpatialAttentionSpecification& spec = specification_;
  const Index positions = spec.positions();
  const auto features = [&](Index p) {
    return block + p / spec.cols * row_stride + p % spec.cols * channels;
  };
  float* summary = scratch;
  float* weight = scratch + positions;
  for (Index p = 0; p < positions; ++p) {
    const Element* x = features(p);
    float sum = 0.0f;
    float largest = -std::numeric_limits<float>::infinity();
    for (Index c = 0; c < channels; ++c) {
      sum += static_cast<float>(x[c]);
      largest = std::max(largest, static_cast<float>(x[c]));
    }
    summary[p] = spec.summary == Summary::mean ? sum / static_cast<float>(channels) : largest;
  }
  std::fill_n(y, spec.heads * channels, 0.0f);
  double squares = 0;
  for (Index h = 0; h < spec.heads; ++h) {
    std::copy_n(bias_.data() + h * positions, positions, weight);
    for (Index q = 0; q < positions; ++q) {
      const float* row = weights_.data() + (h * positions + q) * positions;
      const float m = summary[q];
      for (Index p = 0; p < positions; ++p) weight[p] += m * row[p];
    }
    float* out = y + h * channels;
    for (Index p = 0; p < positions; ++p) {
      const Element* x = features(p);
      const float w = weight[p];
      for (Index c = 0; c < channels; ++c) out[c] += w * static_cast<float>(x[c]);
    }
    for (Index c = 0; c < channels; ++c) squares += static_cast<double>(out[c]) * out[c];
  }
  if (!spec.normalized) return;
  const auto scale = static_cast<float>(1 / std::max(std::sqrt(squares), ops::kShortestDescriptor));
  for (Index c = 0; c < spec.heads * channels; ++c) y[c] *= scale;
}

template <class Element>
void match(Context& context, TensorView<const float, 2> blocks,
           TensorView<const float, 2> panoramas, TensorView<Element, 4> y) {
  check_match(blocks, panoramas, y);
  const Index length = blocks.extent(1);
  const Index cells = y.extent(1) * y.extent(2);
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index row = 0; row < blocks.extent(0); ++row) {
    const float* block = blocks.data() + row * length;
    const float* panorama = panoramas.data() + row / cells * length;
    Element* out = y.data() + row * y.extent(3);
    double dot = 0;
    for (Index c = 0; c < length; ++c) {
      dot += static_cast<double>(block[c]) * panorama[c];
      out[c] = Element(block[c]);
    }
    out[length] = Element(static_cast<float>(dot));
    std::fill(out + length + 1, out + y.extent(3), Element(0.0f));
  }
}

template class SpatialAttention<float>;
template class SpatialAttention<bfloat16>;
template void match<float>(Context&, TensorView<const float, 2>, TensorView<const float, 2>,
                           TensorView<float, 4>);
template void match<bfloat16>(Context&, TensorView<const float, 2>, TensorView<const float, 2>,
                              TensorView<bfloat16, 4>);

}  // namespace crossfix::cpu
