#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"

namespace crossfix::cuda {

/// Copies x [rows, columns] to a contiguous float buffer of its size in host memory, through the
/// context's pinned memory. Rows of x may have any stride, columns are contiguous. Synchronises.
/// Throws ShapeError if columns have gaps, DeviceError.
template <class Element>
void read(Context& context, TensorView<const Element, 2, DeviceSpace> x, float* out);

extern template void read<float>(Context&, TensorView<const float, 2, DeviceSpace>, float*);
extern template void read<bfloat16>(Context&, TensorView<const bfloat16, 2, DeviceSpace>, float*);
extern template void read<float16>(Context&, TensorView<const float16, 2, DeviceSpace>, float*);

}  // namespace crossfix::cuda
