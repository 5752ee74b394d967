#pragma once

/// Everything that a program needs to locate images.
#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/io/image.hpp"
#include "crossfix/localizer.hpp"
