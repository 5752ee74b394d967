#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cuda {

/// Matrix products by cuBLASLt (contract: ops/backend.hpp), table and activation fused. `Element`
/// is float, bfloat16 or float16, `Out` is `Element` or float; sums are float, and of float
/// elements without TF32. The table is kept as `Out`.
///
/// Rows of x and y may be strided. Pointers and strides must be multiples of 16 bytes, or of what a
/// row without gaps allows where that is less: ShapeError otherwise.
template <class Element, class Out = Element>
class Linear {
 public:
  /// Copies the weights to the device and waits for that. Throws ShapeError for what does not fit,
  /// DeviceError where cuBLASLt has no way to compute it.
  Linear(const Target& target, const ops::LinearSpecification& specification,
         TensorView<const float, 2> weights, TensorView<const float, 2> table);
  Linear(Linear&&) noexcept;
  Linear& operator=(Linear&&) noexcept;
  ~Linear();

  void operator()(Context& context, TensorView<const Element, 2, DeviceSpace> x,
                  TensorView<Out, 2, DeviceSpace> y) const;
  std::size_t scratch_bytes() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

extern template class Linear<float>;
extern template class Linear<bfloat16>;
extern template class Linear<float16>;
extern template class Linear<bfloat16, float>;
extern template class Linear<float16, float>;

}  // namespace crossfix::cuda
