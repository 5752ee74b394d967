#include "picture_file.hpp"

#include <algorithm>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"

namespace crossfix::draw {

PictureType picture_type(const std::filesystem::path& path) {
  const std::string extension = lower_case(path.extension().string());
  if (extension == ".jpg" || extension == ".jpeg") return PictureType::jpeg;
  if (extension == ".png") return PictureType::png;
  throw DataError("'" + path.string() + "' should end in .png, .jpg or .jpeg");
}

PictureFile::PictureFile(const std::filesystem::path& path)
    : path_(path), type_(picture_type(path)), file_(path) {}

void PictureFile::need_size(const Shape<2>& size) const {
  if (std::max(size[0], size[1]) <= io::kMaximumImageSide) return;
  throw DataError("'" + path_.string() + "' would be " + std::to_string(size[1]) + " x " +
                  std::to_string(size[0]) + " pixels; sides up to " +
                  std::to_string(io::kMaximumImageSide) + " are written");
}

void PictureFile::write(io::ImageView picture) {
  file_.write(type_ == PictureType::jpeg ? io::encode_jpeg(picture) : io::encode_png(picture));
  file_.commit();
}

}  // namespace crossfix::draw
