#include "crossfix/cuda/linear.hpp"

#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "alignment.hpp"
#include "crossfix/cuda/elementwise.hpp"
#include "crossfix/ops/checks.hpp"
#include "status.hpp"
#include "target_state.hpp"
#include "upload_as.hpp"

namespace crossfix::cuda {
namespace {

/// Largest workspace of a product, bytes: cuBLAS's own default on Hopper.
constexpr std::uint64_t kWorkspaceLimit = std::uint64_t{32} << 20;

/// The alignment, in bytes, that products are planned for if rows allow it: the widest load.
constexpr std::size_t kWidestLoad = 16;

template <class T>
constexpr cudaDataType_t kCudaType = CUDA_R_32F;
template <>
constexpr cudaDataType_t kCudaType<bfloat16> = CUDA_R_16BF;
template <>
constexpr cudaDataType_t kCudaType<float16> = CUDA_R_16F;

/// The largest power of two, up to the widest load, that divides the start addresses of rows of
/// `columns` without gaps, in bytes.
template <class T>
std::size_t row_alignment(Index columns) {
  const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(T);
  return std::min(kWidestLoad, bytes & (~bytes + 1));
}

void set(cublasLtMatmulDescOpaque_t& description, cublasLtMatmulDescAttributes_t attribute,
         const auto& value) {
  check(cublasLtMatmulDescSetAttribute(&description, attribute, &value, sizeof(value)),
        "describing a product");
}
void set(cublasLtMatrixLayoutOpaque_t& layout, cublasLtMatrixLayoutAttribute_t attribute,
         const auto& value) {
  check(cublasLtMatrixLayoutSetAttribute(&layout, attribute, &value, sizeof(value)),
        "describing a matrix");
}
void set(cublasLtMatmulPreferenceOpaque_t& preference,
         cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
  check(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof(value)),
        "describing a preference");
}

}  // namespace

/// y = act(x W^T + table) in cuBLASLt's terms. These are column-major, so that every matrix is
/// transposed: y [out, rows] = op(W [in, out]) x [in, rows] + C.
///
/// A table of one row is the epilogue's bias. A longer table is C: the product is then a batch of
/// products that each have the table's number of rows, and C's batch stride is 0.
template <class Element, class Out>
struct Linear<Element, Out>::State {
  ops::LinearSpecification specification;
  Index table_rows;
  DeviceBuffer weights;
  DeviceBuffer table;
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace_bytes = 0;

  bool table_is_bias() const { return table_rows == 1; }
  std::size_t x_alignment() const { return row_alignment<Element>(specification.in_features); }
  std::size_t y_alignment() const { return row_alignment<Out>(specification.out_features); }

  /// cuBLASLt's descriptors of the product. They are on the stack, so that a call allocates
  /// nothing.
  struct Layouts {
    cublasLtMatmulDescOpaque_t operation;
    cublasLtMatrixLayoutOpaque_t w;
    cublasLtMatrixLayoutOpaque_t x;
    cublasLtMatrixLayoutOpaque_t c;
    cublasLtMatrixLayoutOpaque_t y;
  };

  /// For rows of x and y with these strides, in elements.
  Layouts layouts(Index x_stride, Index y_stride) const {
    Layouts l;
    const auto relu = specification.activation != ops::Activation::none;
    check(cublasLtMatmulDescInit(&l.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "describing a product");
    set(l.operation, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    if (table_is_bias()) {
      set(l.operation, CUBLASLT_MATMUL_DESC_EPILOGUE,
          relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
      set(l.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(table.data()));
    } else {
      set(l.operation, CUBLASLT_MATMUL_DESC_EPILOGUE,
          relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT);
    }
    const Index rows = table_is_bias() ? specification.rows : table_rows;
    const auto batch = static_cast<std::int32_t>(specification.rows / rows);
    const auto matrix = [batch](cublasLtMatrixLayoutOpaque_t& layout, cudaDataType_t type,
                                Index height, Index width, Index stride, Index batch_stride) {
      check(cublasLtMatrixLayoutInit(&layout, type, static_cast<std::uint64_t>(height),
                                     static_cast<std::uint64_t>(width), stride),
            "describing a matrix");
      if (batch == 1) return;
      set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, batch);
      set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
          static_cast<std::int64_t>(batch_stride));
    };
    const Index in = specification.in_features;
    const Index out = specification.out_features;
    matrix(l.w, kCudaType<Element>, in, out, in, 0);
    matrix(l.x, kCudaType<Element>, in, rows, x_stride, rows * x_stride);
    matrix(l.y, kCudaType<Out>, out, rows, y_stride, rows * y_stride);
    if (table_is_bias()) {
      l.c = l.y;
    } else {
      matrix(l.c, kCudaType<Out>, out, rows, out, 0);
    }
    return l;
  }

  /// Chooses the algorithm for rows without gaps. Other rows differ only in strides.
  void plan(const Target& target) {
    Layouts l = layouts(specification.in_features, specification.out_features);
    cublasLtMatmulPreferenceOpaque_t preference;
    check(cublasLtMatmulPreferenceInit(&preference), "describing a preference");
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceLimit);
    // Partial sums are combined in float, never in a 16-bit output.
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    const auto x_bytes = static_cast<std::uint32_t>(x_alignment());
    const auto y_bytes = static_cast<std::uint32_t>(y_alignment());
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, x_bytes);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, x_bytes);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, y_bytes);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, y_bytes);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(target.state().cublas.handle, &l.operation, &l.w, &l.x,
                                         &l.c, &l.y, &preference, 1, &found, &count),
          "no algorithm for a product of " + description());
    if (count == 0) {
      throw DeviceError("cuBLASLt: no algorithm for a product of " + description());
    }
    check(found.state, "no algorithm for a product of " + description());
    algorithm = found.algo;
    workspace_bytes = found.workspaceSize;
  }

  std::string description() const {
    return std::to_string(specification.rows) + " rows of " +
           std::to_string(specification.in_features) + " with " +
           std::to_string(specification.out_features) + " outputs, " +
           std::string(name_of(dtype_of<Element>));
  }

  void run(Context& context, TensorView<const Element, 2, DeviceSpace> x,
           TensorView<Out, 2, DeviceSpace> y) const {
    const DeviceScope scope(context.device());
    Layouts l = layouts(x.stride(0), y.stride(0));
    const float alpha = 1;
    const float beta = table_is_bias() ? 0.0F : 1.0F;
    const void* c = table_is_bias() ? static_cast<const void*>(y.data()) : table.data();
    check(
        cublasLtMatmul(context.target().state().cublas.handle, &l.operation, &alpha, weights.data(),
                       &l.w, x.data(), &l.x, &beta, c, &l.c, y.data(), &l.y, &algorithm,
                       context.scratch(workspace_bytes), workspace_bytes, context.stream().get()),
        "a product of " + description());
    // cuBLASLt's epilogues have no upper limit. Clipping after the rounding gives the same result.
    const float most = ops::limits_of(specification.activation).most;
    if (!std::isinf(most)) clip<Out>(context.stream(), context.traits(), y, most);
  }
};

template <class Element, class Out>
Linear<Element, Out>::Linear(const Target& target, const ops::LinearSpecification& spec,
                             TensorView<const float, 2> weights, TensorView<const float, 2> table) {
  ops::check_linear(spec, weights, table);
  const DeviceScope scope(target.device());
  auto state = std::make_unique<State>(
      State{spec, table.extent(0), upload_as<Element>(target, weights.data(), weights.size()),
            upload_as<Out>(target, table.data(), table.size())});
  state->plan(target);
  state_ = std::move(state);
}

template <class Element, class Out>
Linear<Element, Out>::Linear(Linear&&) noexcept = default;
template <class Element, class Out>
Linear<Element, Out>& Linear<Element, Out>::operator=(Linear&&) noexcept = default;
template <class Element, class Out>
Linear<Element, Out>::~Linear() = default;

template <class Element, class Out>
void Linear<Element, Out>::operator()(Context& context, TensorView<const Element, 2, DeviceSpace> x,
                                      TensorView<Out, 2, DeviceSpace> y) const {
  ops::check_linear_call(state_->specification, x, y);
  expect_aligned("linear input", x, state_->x_alignment());
  expect_aligned("linear output", y, state_->y_alignment());
  state_->run(context, x, y);
}

template <class Element, class Out>
std::size_t Linear<Element, Out>::scratch_bytes() const {
  return state_->workspace_bytes;
}

template class Linear<float>;
template class Linear<bfloat16>;
template class Linear<float16>;
template class Linear<bfloat16, float>;
template class Linear<float16, float>;

}  // namespace crossfix::cuda
