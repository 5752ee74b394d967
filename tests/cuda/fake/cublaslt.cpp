#include <cublasLt.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "fake.hpp"
#include "numbers.hpp"

struct cublasLtContext {
  crossfix::fake::Alive alive;
};

namespace {

using crossfix::Dtype;
using crossfix::fake::load;
using crossfix::fake::store;

constexpr std::uint32_t kMade = 0x600d600d;
constexpr std::size_t kWorkspace = 4096;  // what every product asks for, so that it is given

struct Layout {
  std::uint32_t made;
  cudaDataType type;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t stride;
  std::int64_t batch_stride;
  std::int32_t batch;
};
struct Operation {
  std::uint32_t made;
  cublasOperation_t transposed_a;
  cublasOperation_t transposed_b;
  cublasLtEpilogue_t epilogue;
  const void* bias;
};
struct Preference {
  std::uint32_t made;
  std::uint32_t reduction_schemes;
  std::uint64_t workspace;
  std::uint32_t alignment[4];  // a, b, c, d
};
/// The problem that an algorithm was chosen for. A product that uses it must be the same, except
/// for its strides.
struct Algorithm {
  std::uint32_t made;
  std::uint32_t hash;
  std::uint32_t alignment[4];
};
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t));
static_assert(sizeof(Operation) <= sizeof(cublasLtMatmulDescOpaque_t));
static_assert(sizeof(Preference) <= sizeof(cublasLtMatmulPreferenceOpaque_t));
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

template <class T>
T read(const void* opaque) {
  T value;
  std::memcpy(&value, opaque, sizeof(T));
  return value;
}

/// Sets the member of `opaque` that an attribute names, if the sizes agree.
template <class T, class Member>
cublasStatus_t set(void* opaque, Member T::*member, const void* value, std::size_t bytes) {
  T held = read<T>(opaque);
  if (held.made != kMade || bytes != sizeof(Member)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&(held.*member), value, bytes);
  std::memcpy(opaque, &held, sizeof(T));
  return CUBLAS_STATUS_SUCCESS;
}

std::optional<Dtype> element(cudaDataType type) {
  switch (type) {
    case CUDA_R_32F:
      return Dtype::f32;
    case CUDA_R_16BF:
      return Dtype::bf16;
    case CUDA_R_16F:
      return Dtype::f16;
    default:
      return std::nullopt;
  }
}

std::size_t bytes_of(const Layout& layout) {
  const auto elements =
      (layout.batch - 1) * layout.batch_stride + (layout.columns - 1) * layout.stride + layout.rows;
  return static_cast<std::size_t>(elements) * crossfix::size_of(*element(layout.type));
}

struct Problem {
  Operation operation;
  Layout a, b, c, d;

  bool has_bias() const { return (operation.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0; }
  bool has_relu() const { return (operation.epilogue & CUBLASLT_EPILOGUE_RELU) != 0; }
  std::int64_t depth() const { return operation.transposed_a == CUBLAS_OP_T ? a.rows : a.columns; }

  /// The layouts that the real library takes, of those that crossfix asks for: float sums, inputs
  /// of one type, outputs of that type or float, one batch count, matrices whose columns do not
  /// overlap.
  bool is_valid() const {
    for (const Layout& layout : {a, b, c, d}) {
      if (layout.made != kMade || !element(layout.type) || layout.stride < layout.rows ||
          layout.batch != d.batch || layout.batch < 1) {
        return false;
      }
    }
    const auto m = operation.transposed_a == CUBLAS_OP_T ? a.columns : a.rows;
    const auto n = operation.transposed_b == CUBLAS_OP_T ? b.rows : b.columns;
    const auto k = operation.transposed_b == CUBLAS_OP_T ? b.columns : b.rows;
    const bool outputs = d.batch == 1 || d.batch_stride >= d.columns * d.stride ||
                         (d.batch_stride >= d.rows && d.stride > d.batch_stride);
    return operation.made == kMade && a.type == b.type && c.type == d.type &&
           (d.type == a.type || d.type == CUDA_R_32F) && m == d.rows && n == d.columns &&
           k == depth() && c.rows == d.rows && c.columns == d.columns && outputs;
  }

  std::uint32_t hash() const {
    std::uint32_t sum = 17;
    const auto mix = [&sum](auto value) { sum = sum * 31 + static_cast<std::uint32_t>(value); };
    for (const Layout& layout : {a, b, c, d}) {
      mix(layout.type);
      mix(layout.rows);
      mix(layout.columns);
      mix(layout.batch);
    }
    mix(operation.transposed_a);
    mix(operation.transposed_b);
    mix(operation.epilogue);
    return sum;
  }
};

Problem problem_of(cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                   cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  return {read<Operation>(operation), read<Layout>(a), read<Layout>(b), read<Layout>(c),
          read<Layout>(d)};
}

bool aligned(const void* memory, const Layout& layout, std::uint32_t alignment) {
  const auto bytes =
      static_cast<std::size_t>(layout.stride) * crossfix::size_of(*element(layout.type));
  return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0 &&
         (layout.columns == 1 || bytes % alignment == 0);
}

void multiply(const Problem& p, float alpha, const void* a, const void* b, float beta,
              const void* c, void* d) {
  const auto at = [](const Layout& l, bool transposed, std::int64_t batch, std::int64_t row,
                     std::int64_t column) {
    if (transposed) std::swap(row, column);
    return batch * l.batch_stride + column * l.stride + row;
  };
  crossfix::fake::expect_device_memory("A", a, bytes_of(p.a));
  crossfix::fake::expect_device_memory("B", b, bytes_of(p.b));
  crossfix::fake::expect_device_memory("D", d, bytes_of(p.d));
  if (beta != 0) crossfix::fake::expect_device_memory("C", c, bytes_of(p.c));
  const Dtype in = *element(p.a.type);
  const Dtype out = *element(p.d.type);
  if (p.has_bias()) {
    crossfix::fake::expect_device_memory(
        "the bias", p.operation.bias, static_cast<std::size_t>(p.d.rows) * crossfix::size_of(out));
  }
  const bool ta = p.operation.transposed_a == CUBLAS_OP_T;
  const bool tb = p.operation.transposed_b == CUBLAS_OP_T;
  for (std::int64_t batch = 0; batch < p.d.batch; ++batch) {
    for (std::int64_t column = 0; column < p.d.columns; ++column) {
      for (std::int64_t row = 0; row < p.d.rows; ++row) {
        float sum = 0;
        for (std::int64_t k = 0; k < p.depth(); ++k) {
          sum +=
              load(a, in, at(p.a, ta, batch, row, k)) * load(b, in, at(p.b, tb, batch, k, column));
        }
        sum *= alpha;
        if (beta != 0) sum += beta * load(c, out, at(p.c, false, batch, row, column));
        if (p.has_bias()) sum += load(p.operation.bias, out, row);
        if (p.has_relu() && sum < 0) sum = 0;
        store(d, out, at(p.d, false, batch, row, column), sum);
      }
    }
  }
}

}  // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported" : "an error of the stand-in";
}

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, std::size_t size,
                                                 cudaDataType type, std::uint64_t rows,
                                                 std::uint64_t columns, std::int64_t stride) {
  if (size != sizeof(*layout)) return CUBLAS_STATUS_INVALID_VALUE;
  const Layout made{
      kMade, type, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns), stride,
      0,     1};
  std::memset(layout, 0, size);
  std::memcpy(layout, &made, sizeof(made));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return set(layout, &Layout::batch, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return set(layout, &Layout::batch_stride, value, bytes);
    default:
      return CUBLAS_STATUS_INVALID_VALUE;
  }
}
cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t operation, std::size_t size,
                                               cublasComputeType_t compute, cudaDataType scale) {
  // Sums in float, without TF32.
  if (size != sizeof(*operation) || compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const Operation made{kMade, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr};
  std::memset(operation, 0, size);
  std::memcpy(operation, &made, sizeof(made));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(operation, &Operation::transposed_a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(operation, &Operation::transposed_b, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(operation, &Operation::epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(operation, &Operation::bias, value, bytes);
    default:
      return CUBLAS_STATUS_INVALID_VALUE;
  }
}
cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t preference,
                                                     std::size_t size) {
  if (size != sizeof(*preference)) return CUBLAS_STATUS_INVALID_VALUE;
  const Preference made{kMade, CUBLASLT_REDUCTION_SCHEME_MASK, 0, {256, 256, 256, 256}};
  std::memset(preference, 0, size);
  std::memcpy(preference, &made, sizeof(made));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
  Preference held = read<Preference>(preference);
  if (held.made != kMade) return CUBLAS_STATUS_INVALID_VALUE;
  const auto take = [&](auto& member) {
    if (bytes != sizeof(member)) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&member, value, bytes);
    std::memcpy(preference, &held, sizeof(held));
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return take(held.workspace);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return take(held.reduction_schemes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return take(held.alignment[0]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return take(held.alignment[1]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return take(held.alignment[2]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return take(held.alignment[3]);
    default:
      return CUBLAS_STATUS_INVALID_VALUE;
  }
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle,
                                              cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[],
                                              int* count) {
  *count = 0;
  const Problem problem = problem_of(operation, a, b, c, d);
  const auto held = read<Preference>(preference);
  if (handle == nullptr || wanted < 1 || held.made != kMade || !problem.is_valid()) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  // Partial sums may not be added up in a 16-bit output.
  constexpr auto kRounding =
      CUBLASLT_REDUCTION_SCHEME_INPLACE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
  if ((held.reduction_schemes & kRounding) != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (held.workspace < kWorkspace) return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm chosen{kMade, problem.hash(), {}};
  std::copy_n(held.alignment, 4, chosen.alignment);
  std::memset(&results[0], 0, sizeof(results[0]));
  std::memcpy(&results[0].algo, &chosen, sizeof(chosen));
  results[0].workspaceSize = kWorkspace;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                              const void* alpha, const void* a, cublasLtMatrixLayout_t a_layout,
                              const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                              const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  const Problem problem = problem_of(operation, a_layout, b_layout, c_layout, d_layout);
  const auto chosen = read<Algorithm>(algorithm);
  if (handle == nullptr || chosen.made != kMade || !problem.is_valid() ||
      chosen.hash != problem.hash() || workspace_bytes < kWorkspace) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!aligned(a, problem.a, chosen.alignment[0]) || !aligned(b, problem.b, chosen.alignment[1]) ||
      !aligned(c, problem.c, chosen.alignment[2]) || !aligned(d, problem.d, chosen.alignment[3])) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const float alpha_value = *static_cast<const float*>(alpha);
  const float beta_value = *static_cast<const float*>(beta);
  crossfix::fake::submit(stream, [=] {
    crossfix::fake::expect_device_memory("the workspace of a product", workspace, workspace_bytes);
    // The whole area is written, so anything else in it is lost.
    std::memset(workspace, 0xff, workspace_bytes);
    multiply(problem, alpha_value, a, b, beta_value, c, d);
    std::memset(workspace, 0xff, workspace_bytes);
  });
  return CUBLAS_STATUS_SUCCESS;
}
