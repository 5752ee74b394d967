#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// y = act(x W^T + table) by the target's library (contract: ops/backend.hpp). `Element` is float
/// or bfloat16, `Out` is `Element` or float. Weights are packed at construction; table and
/// activation are fused into the product.
template <class Element, class Out = Element>
class Linear {
 public:
  /// `weights` [out, in]; `table` [rows, out] with a divisor of the specification's rows: 1 for a
  /// bias. Throws ShapeError where they do not fit, DeviceError for a library that this build has
  /// not or that cannot prepare it.
  Linear(const Target& target, const ops::LinearSpecification& specification,
         TensorView<const float, 2> weights, TensorView<const float, 2> table);
  Linear(Linear&&) noexcept;
  Linear& operator=(Linear&&) noexcept;
  ~Linear();

  /// x [rows, in] and y [rows, out], rows anywhere. Throws ShapeError.
  void operator()(Context& context, TensorView<const Element, 2> x, TensorView<Out, 2> y) const;
  std::size_t scratch_bytes() const;

 private:
  struct Implementation;
  std::unique_ptr<const Implementation> implementation_;
};

extern template class Linear<float>;
extern template class Linear<bfloat16>;
extern template class Linear<bfloat16, float>;

}  // namespace crossfix::cpu
