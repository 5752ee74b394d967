#include "attention_kernel.hpp"
#include "correlation_kernel.hpp"
#include "log_sum_kernel.hpp"
#include "row_kernels.hpp"
#include "simd_baseline.hpp"

namespace crossfix::cpu::kernels {

using BaselineAttention = Attention<FloatProduct<BaselineSimd>>;
using BaselineRows = RowKernels<FloatAccess<BaselineSimd>>;

const FloatKernels kBaseline = {{BaselineAttention::pack, BaselineAttention::run},
                                BaselineRows::layer_norm,
                                BaselineRows::maximum};

const CorrelationFunction kBaselineCorrelation = Correlation<BaselineSimd>::run;
const LogSumFunctions kBaselineLogSums = {LogSums<BaselineSimd>::columns,
                                          LogSums<BaselineSimd>::row};

}  // namespace crossfix::cpu::kernels
