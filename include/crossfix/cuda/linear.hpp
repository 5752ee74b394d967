#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cuda {

/// Matrix products by cuBLASLt (contract: ops/backend.hpp), with table and activation fused.
/// `Element` is float, bfloat16 or float16; `Out` is `Element` or float. Sums are float; float
/// elements do not use TF32. The table is stored as `Out`.
///
/// Rows of x and y may be strided. Pointers and strides must be multiples of 16 bytes, or of the
/// alignment that rows without gaps have if that is less. Throws ShapeError otherwise.
template <class Element, class Out = Element>
class Linear {
 public:
  /// Copies the weights to the device and waits for the copy. Throws ShapeError if shapes do not
  /// match, DeviceError if cuBLASLt cannot compute the product.
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
