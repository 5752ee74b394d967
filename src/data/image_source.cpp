#include "image_source.hpp"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>

#include "crossfix/core/error.hpp"
#include "map_tile.hpp"
#include "robotcar.hpp"
#include "view.hpp"

namespace crossfix::data {

namespace fs = std::filesystem;

namespace {

/// RobotCar's map is higher than any other image that is read.
constexpr io::ImageLimits kMapLimits{.side = 32768, .pixels = Index{32768} * 32768};

constexpr std::uint8_t kBlankGrey = 128;

/// The file, or the same name with another extension of an image.
fs::path on_disk(const fs::path& labelled) {
  std::error_code ignored;
  if (fs::exists(labelled, ignored)) return labelled;
  for (const char* extension :
       {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG", ".Png", ".Jpg", ".Jpeg"}) {
    fs::path other = labelled;
    other.replace_extension(extension);
    if (fs::exists(other, ignored)) return other;
  }
  return labelled;
}

}  // namespace

ImageSource ImageSource::of_vigor(const fs::path& root, const Dataset& dataset) {
  for (const Group& group : dataset.groups) {
    for (const char* view : {"panorama", "satellite"}) {
      const fs::path folder = root / group.name / view;
      if (!fs::is_directory(folder)) {
        throw DataError(folder.string() + ": no such folder, so the images of " + group.name +
                        " are missing");
      }
    }
  }
  return ImageSource(root);
}

ImageSource ImageSource::of_robotcar(const fs::path& root) {
  ImageSource source(root);
  const fs::path map = root / kRobotCarMap;
  check_map_size(map, io::read_image_size(map, kMapLimits));
  source.map_ = io::read_image(map, kMapLimits);
  return source;
}

io::Image ImageSource::ground(const Sample& sample) const {
  io::Image image = io::read_image(on_disk(root_ / sample.ground));
  if (blank_) std::fill_n(image.data(), image.size(), kBlankGrey);
  if (view_.draws()) {
    try {
      return draw_view(image, view_.camera->camera, drawn_mount(view_, noise_, sample.ground));
    } catch (const ImageError& error) {  // it does not name a file
      throw ImageError(sample.ground + ": " + error.what());
    }
  }
  if (noise_.rolls()) roll(image, heading_columns(noise_, sample.ground, image.extent(1)));
  return image;
}

io::Image ImageSource::tile(const Sample& sample) const {
  if (map_.size() == 0) return io::read_image(on_disk(root_ / sample.satellite));
  return cut_map_tile(map_, sample.window, sample.rotation_degrees);
}

}  // namespace crossfix::data
