#include "picture_file.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

namespace crossfix::cli {
namespace {

bool is_jpeg_name(const std::string& option, const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".jpg" || extension == ".jpeg") return true;
  if (extension == ".png") return false;
  throw CLI::ValidationError(option, "'" + path.string() + "' should end in .png, .jpg or .jpeg");
}

}  // namespace

PictureFile::PictureFile(const std::string& option, const std::filesystem::path& path)
    : jpeg_(is_jpeg_name(option, path)), file_(path) {}

void PictureFile::write(io::ImageView picture) {
  file_.write(jpeg_ ? io::encode_jpeg(picture) : io::encode_png(picture));
  file_.commit();
}

}  // namespace crossfix::cli
