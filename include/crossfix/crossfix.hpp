#pragma once

/// Everything a program that locates images needs.
#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/io/image.hpp"
#include "crossfix/localizer.hpp"
