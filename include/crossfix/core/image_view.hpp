#pragma once

#include <cstdint>

#include "crossfix/core/ground_satellite.hpp"
#include "crossfix/core/tensor_view.hpp"

namespace crossfix {

/// An 8-bit RGB image [height, width, 3] in host or GPU memory. A row has no gaps.
template <MemorySpace Space>
using ImageViewIn = TensorView<const std::uint8_t, 3, Space>;
using HostImageView = ImageViewIn<HostSpace>;
using DeviceImageView = ImageViewIn<DeviceSpace>;

/// The two images of a pair. An image must be converted explicitly, `GroundImage(image)`, so that
/// swapped images do not compile.
template <MemorySpace Space>
using GroundImageIn = Ground<ImageViewIn<Space>>;
template <MemorySpace Space>
using SatelliteImageIn = Satellite<ImageViewIn<Space>>;
using GroundImage = GroundImageIn<HostSpace>;
using SatelliteImage = SatelliteImageIn<HostSpace>;
using DeviceGroundImage = GroundImageIn<DeviceSpace>;
using DeviceSatelliteImage = SatelliteImageIn<DeviceSpace>;

}  // namespace crossfix
