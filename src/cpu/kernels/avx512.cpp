#include "attention_kernel.hpp"
#include "correlation_kernel.hpp"
#include "log_sum_kernel.hpp"
#include "row_kernels.hpp"
#include "simd_avx512.hpp"

namespace crossfix::cpu::kernels {
namespace {

struct Avx512Set;
using Simd = Avx512Simd<Avx512Set>;
using Avx512Attention = Attention<FloatProduct<Simd>>;
using Avx512Rows = RowKernels<FloatAccess<Simd>>;

}  // namespace

const FloatKernels kAvx512 = {
    {Avx512Attention::pack, Avx512Attention::run}, Avx512Rows::layer_norm, Avx512Rows::maximum};

const CorrelationFunction kAvx512Correlation = Correlation<Simd>::run;
const LogSumFunctions kAvx512LogSums = {LogSums<Simd>::columns, LogSums<Simd>::row};

}  // namespace crossfix::cpu::kernels
