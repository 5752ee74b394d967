#include "crossfix/cuda/read.hpp"

#include <cstring>
#include <type_traits>

#include "crossfix/ops/checks.hpp"
#include "status.hpp"

namespace crossfix::cuda {

template <class Element>
void read(Context& context, TensorView<const Element, 2, DeviceSpace> x, float* out) {
  expect_contiguous_rows("a view to read", x);
  if (x.empty()) return;
  const DeviceScope scope(context.device());
  const auto rows = static_cast<std::size_t>(x.extent(0));
  const std::size_t row_bytes = static_cast<std::size_t>(x.extent(1)) * sizeof(Element);
  std::byte* pinned = context.pinned(rows * row_bytes);
  // The row stride of a view with a single row may have any value and is not a valid pitch.
  const std::size_t pitch =
      rows == 1 ? row_bytes : static_cast<std::size_t>(x.stride(0)) * sizeof(Element);
  check(cudaMemcpy2DAsync(pinned, row_bytes, x.data(), pitch, row_bytes, rows,
                          cudaMemcpyDeviceToHost, context.stream().get()),
        "copying from " + context.device().description());
  context.target().synchronize();
  if constexpr (std::is_same_v<Element, float>) {
    std::memcpy(out, pinned, rows * row_bytes);
  } else {
    const auto* values = reinterpret_cast<const Element*>(pinned);
    for (Index i = 0; i < x.size(); ++i) out[i] = static_cast<float>(values[i]);
  }
}

template void read<float>(Context&, TensorView<const float, 2, DeviceSpace>, float*);
template void read<bfloat16>(Context&, TensorView<const bfloat16, 2, DeviceSpace>, float*);
template void read<float16>(Context&, TensorView<const float16, 2, DeviceSpace>, float*);

}  // namespace crossfix::cuda
