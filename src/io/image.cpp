#include "crossfix/io/image.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

#include "codecs.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/file_kind.hpp"
#include "regular_file.hpp"

namespace crossfix::io {

namespace {

/// No image within the size limit is larger than this on disk, except for padding.
constexpr std::size_t kMaximumImageBytes = std::size_t{1} << 30;

/// The first bytes of any file in which the image's size stands, behind what cameras and programs
/// put before it: EXIF with its thumbnail, colour profiles.
constexpr std::size_t kBeginningBytes = std::size_t{1} << 20;

[[noreturn]] void refuse_kind(Bytes bytes, std::string_view name) {
  const std::string quoted = "'" + std::string(name) + "'";
  const auto kind = kind_of_file(bytes);
  if (!kind) throw ImageError(quoted + " is neither a PNG nor a JPEG image");
  const bool picture = kind->sort == FileKind::Sort::picture;
  throw ImageError(quoted + " is " + kind->text() + "; " +
                   (picture ? "convert it to PNG or JPEG" : "a PNG or JPEG image is expected"));
}

constexpr ImageLimits kAnyArea{.pixels = kMaximumImageSide * kMaximumImageSide};

/// The whole file, or at least `enough` bytes of it.
std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 std::size_t enough = kMaximumImageBytes + 1) {
  const auto fail = [&](const std::string& why) {
    throw ImageError("cannot read image '" + path.string() + "': " + why);
  };
  if (const std::string why = why_not_readable(path); !why.empty()) fail(why + "; name a file");
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) fail(std::strerror(errno));
  std::vector<std::byte> bytes;
  std::size_t filled = 0;
  std::size_t got = 0;
  do {  // the size of a pipe is not known beforehand
    bytes.resize(filled + std::max<std::size_t>(filled, std::size_t{1} << 18));
    got = std::fread(bytes.data() + filled, 1, bytes.size() - filled, file.get());
    filled += got;
    if (filled > kMaximumImageBytes) fail("it is larger than 1 GiB");
    // A large file of another kind is recognised by its first bytes.
    if (!is_png(bytes) && !is_jpeg(bytes)) break;
  } while (got > 0 && filled < enough);
  if (std::ferror(file.get()) != 0) fail(std::strerror(errno));
  bytes.resize(filled);
  return bytes;
}

}  // namespace

void check_image_size(std::string_view name, Index height, Index width, const ImageLimits& limits) {
  const auto fail = [&](const std::string& expected) {
    throw ImageError("image '" + std::string(name) + "' is " + std::to_string(width) + " x " +
                     std::to_string(height) + " pixels; " + expected);
  };
  if (height < 1 || width < 1 || height > limits.side || width > limits.side) {
    fail("sides from 1 to " + std::to_string(limits.side) + " are taken");
  }
  if (height > limits.pixels / width) {
    fail("at most " + std::to_string(limits.pixels) +
         " in all are taken, as of 16384 x 8192: scale or cut it");
  }
}

void check_encodable(ImageView image) {
  if (image.extent(2) != 3) {
    throw ImageError("an image of shape " + to_string(image.shape()) +
                     " cannot be written; [height, width, 3] is taken");
  }
  check_image_size("to write", image.extent(0), image.extent(1), kAnyArea);
}

void copy_row(ImageView image, Index row, std::uint8_t* out) {
  const std::uint8_t* in = image.data() + row * image.stride(0);
  for (Index col = 0; col < image.extent(1); ++col) {
    for (Index channel = 0; channel < 3; ++channel) {
      *out++ = in[col * image.stride(1) + channel * image.stride(2)];
    }
  }
}

Image read_image(Bytes bytes, std::string_view name, const ImageLimits& limits) {
  if (bytes.empty()) throw ImageError("image '" + std::string(name) + "' is empty");
  if (is_png(bytes)) return read_png(bytes, name, limits);
  if (is_jpeg(bytes)) return read_jpeg(bytes, name, limits);
  refuse_kind(bytes, name);
}

Image read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  return read_image(read_file(path), path.string(), limits);
}

Photo read_photo(const std::filesystem::path& path, const ImageLimits& limits) {
  const std::vector<std::byte> bytes = read_file(path);
  Photo photo{read_image(bytes, path.string(), limits), {}};
  photo.tags = panorama_tags((is_png(bytes) ? png_metadata(bytes) : jpeg_metadata(bytes)).xmp);
  return photo;
}

Shape<2> read_image_size(const std::filesystem::path& path, const ImageLimits& limits) {
  const std::vector<std::byte> bytes = read_file(path, kBeginningBytes);
  const std::string name = path.string();
  if (!is_png(bytes) && !is_jpeg(bytes)) refuse_kind(bytes, name);
  const auto size = is_png(bytes) ? png_size(bytes, name) : jpeg_size(bytes, name);
  check_image_size(name, size[0], size[1], limits);
  return size;
}

void write_png(const std::filesystem::path& path, ImageView image, int compression) {
  AtomicFile file(path);
  file.write(encode_png(image, compression));
  file.commit();
}

void write_jpeg(const std::filesystem::path& path, ImageView image, int quality) {
  AtomicFile file(path);
  file.write(encode_jpeg(image, quality));
  file.commit();
}

}  // namespace crossfix::io
