#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// y = act(x W^T + table) by the target's library (contract: ops/backend.hpp). `Element` is float
/// or bfloat16; `Out` is `Element` or float. Weights are packed at construction. Table and
/// activation are fused into the product.
template <class Element, class Out = Element>
class Linear {
 public:
  /// `weights` [out, in]; `table` [rows, out], where its number of rows divides that of the
  /// specification: 1 for a bias. Throws ShapeError if they do not match, DeviceError if the
  /// library is not part of this build or cannot prepare the product.
  Linear(const Target& target, const ops::LinearSpecification& specification,
         TensorView<const float, 2> weights, TensorView<const float, 2> table);
  Linear(Linear&&) noexcept;
  Linear& operator=(Linear&&) noexcept;
  ~Linear();

  /// x [rows, in] and y [rows, out]; rows may have any stride. Throws ShapeError.
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
