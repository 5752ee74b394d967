#include "image_output.hpp"

#include "crossfix/io/image.hpp"

namespace crossfix::world {

namespace {

constexpr int kCompression = 1;  // rendering is the cost, disk space is not

io::ImageView view(const Raster& image) {
  return {image.rgb.data(), {image.height, image.width, 3}};
}

}  // namespace

void save_tile(const std::filesystem::path& path, const Raster& image) {
  io::write_png(path, view(image), kCompression);
}

void save_panorama(const std::filesystem::path& path, const Raster& image, int quality) {
  io::write_jpeg(path, view(image), quality);
}

}  // namespace crossfix::world
