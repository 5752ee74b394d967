#include <crossfix/core/tensor.hpp>

// Uses only the tensors, as an author of kernels would.
int main() {
  crossfix::Tensor<float, 2> tensor({2, 3});
  tensor(1, 2) = 5;
  const crossfix::TensorView<const float, 2> view = tensor;
  return view.slice(0, 1, 2)(0, 2) == 5 ? 0 : 1;
}
