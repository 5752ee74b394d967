#pragma once

#include <filesystem>

#include "crossfix/io/image.hpp"

namespace crossfix::draw {

/// Pairs of a data set on one sheet, two abreast: the positive tile with the camera's position
/// marked, and the panorama next to it. At most `pairs` of them, evenly chosen from the panoramas
/// in the order of the label files. Throws DataError and ImageError as reading the data set does.
io::Image draw_world_sheet(const std::filesystem::path& root, Index pairs = 10);

}  // namespace crossfix::draw
