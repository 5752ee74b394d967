#include "attention_kernel.hpp"
#include "correlation_kernel.hpp"
#include "log_sum_kernel.hpp"
#include "row_kernels.hpp"
#include "simd_avx2.hpp"

namespace crossfix::cpu::kernels {

using Avx2Attention = Attention<FloatProduct<Avx2Simd>>;
using Avx2Rows = RowKernels<FloatAccess<Avx2Simd>>;

const FloatKernels kAvx2 = {
    {Avx2Attention::pack, Avx2Attention::run}, Avx2Rows::layer_norm, Avx2Rows::maximum};

const CorrelationFunction kAvx2Correlation = Correlation<Avx2Simd>::run;
const LogSumFunctions kAvx2LogSums = {LogSums<Avx2Simd>::columns, LogSums<Avx2Simd>::row};

}  // namespace crossfix::cpu::kernels
