#pragma once

#include "crossfix/ops/checks.hpp"

namespace crossfix::cpu {

using ops::check_convolution;
using ops::check_convolution_call;
using ops::check_depthwise;
using ops::check_depthwise_call;
using ops::check_linear;
using ops::check_linear_call;
using ops::check_match;
using ops::check_spatial_attention;
using ops::check_spatial_attention_call;

}  // namespace crossfix::cpu
