#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csetjmp>
#include <cstring>
#include <locale>
#include <sstream>
#include <string>

#include "codecs.hpp"

namespace crossfix::io {

namespace {

constexpr std::array<unsigned char, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

std::size_t big_endian_32(const std::byte* at) {
  std::size_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::size_t>(at[i]);
  return value;
}

/// Calls `take` with the type and the body of each chunk. True if they follow one another up to
/// IEND within the file, or if it is cut behind the chunks of pixels: no pixel depends on what is
/// missing. libpng stops at the last row, and would not notice that the file is truncated after it.
bool for_each_chunk(Bytes bytes, auto&& take) {
  constexpr std::size_t kFrame = 12;  // length, type, checksum
  std::size_t at = kSignature.size();
  bool has_pixels = false;
  while (bytes.size() - at >= kFrame) {
    const std::size_t length = big_endian_32(&bytes[at]);
    const std::string_view type(reinterpret_cast<const char*>(&bytes[at + 4]), 4);
    if (length > bytes.size() - at - kFrame) return has_pixels && type != "IDAT";
    if (type == "IEND") return true;
    has_pixels = has_pixels || type == "IDAT";
    take(type, bytes.subspan(at + 8, length));
    at += kFrame + length;
  }
  return has_pixels;
}

/// What zlib packed; empty if it is damaged, or larger than a packet may be.
std::string unpacked(std::string_view packed) {
  std::string text(kMaximumPacketBytes, '\0');
  uLongf size = text.size();
  const int result =
      uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  text.resize(result == Z_OK ? size : 0);
  return text;
}

/// The bytes that ImageMagick's profiles hold in text: a name, their number, hexadecimal digits.
std::string raw_profile(std::string_view text) {
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  std::string name;
  std::string count;
  in >> name >> count;
  std::string bytes;
  std::string digits;
  while (in >> digits) {
    for (std::size_t i = 0; i + 2 <= digits.size(); i += 2) {
      unsigned value = 0;
      const char* const first = digits.data() + i;
      if (std::from_chars(first, first + 2, value, 16).ptr != first + 2) return {};
      bytes += static_cast<char>(value);
    }
  }
  return bytes;
}

/// The XMP packet of a chunk of text, which begins with its keyword; empty if it is another's.
std::string xmp_of(std::string_view type, std::string_view body) {
  if (type != "tEXt" && type != "zTXt" && type != "iTXt") return {};
  const auto take = [&](std::size_t size) {
    const std::string_view field = body.substr(0, size);
    body.remove_prefix(std::min(body.size(), field.size()));
    return field;
  };
  const auto take_text = [&] {  // up to a zero
    const std::string_view field = take(body.find('\0'));
    take(1);
    return field;
  };
  const std::string_view keyword = take_text();
  const bool is_raw = keyword == "Raw profile type xmp";
  if (!is_raw && keyword != "XML:com.adobe.xmp") return {};
  bool is_packed = type == "zTXt";
  if (type == "iTXt") is_packed = take(1) == "\1";
  if (type != "tEXt") take(1);  // the method of compression
  if (type == "iTXt") {
    take_text();  // the language
    take_text();  // the keyword in it
  }
  const std::string text = is_packed ? unpacked(body) : std::string(body);
  return is_raw ? raw_profile(text) : text;
}

/// libpng's simplified reader; frees its memory.
struct PngReader {
  png_image image{};
  PngReader() { image.version = PNG_IMAGE_VERSION; }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_image_free(&image); }
};

/// libpng's writer. libpng reports errors by longjmp. Objects that a jump could skip are members
/// here and not on the stack.
struct PngWriter {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<std::byte> bytes;
  std::vector<std::uint8_t> row;
  std::string message;

  PngWriter() = default;
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }

  static void on_error(png_structp png, png_const_charp text) {
    static_cast<PngWriter*>(png_get_error_ptr(png))->message = text;
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_write(png_structp png, png_bytep data, std::size_t size) {
    std::vector<std::byte>& out = static_cast<PngWriter*>(png_get_io_ptr(png))->bytes;
    const auto* first = reinterpret_cast<const std::byte*>(data);
    out.insert(out.end(), first, first + size);
  }
};

/// Returns false if libpng jumped out; the message is in the writer.
bool write(PngWriter& writer, const ImageView& image, int compression) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  png_set_write_fn(writer.png, &writer, PngWriter::on_write, nullptr);
  png_set_compression_level(writer.png, compression);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.extent(1)),
               static_cast<png_uint_32>(image.extent(0)), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (Index row = 0; row < image.extent(0); ++row) {
    copy_row(image, row, writer.row.data());
    png_write_row(writer.png, writer.row.data());
  }
  png_write_end(writer.png, writer.info);
  return true;
}

}  // namespace

bool is_png(Bytes bytes) {
  return bytes.size() >= kSignature.size() &&
         std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

ImageMetadata png_metadata(Bytes bytes) {
  ImageMetadata found;
  for_each_chunk(bytes, [&](std::string_view type, Bytes body) {
    if (type == "eXIf") found.add_exif(body);
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    if (const std::string xmp = xmp_of(type, text); !xmp.empty()) found.add_xmp(xmp);
  });
  return found;
}

Shape<2> png_size(Bytes bytes, std::string_view name) {
  // The header is the first chunk: length, type, width, height.
  constexpr std::size_t kWidthAt = kSignature.size() + 8;
  if (bytes.size() < kWidthAt + 8 || std::memcmp(&bytes[kWidthAt - 4], "IHDR", 4) != 0) {
    throw ImageError("PNG image '" + std::string(name) + "' is damaged: it has no header");
  }
  const auto width = static_cast<Index>(big_endian_32(&bytes[kWidthAt]));
  const auto height = static_cast<Index>(big_endian_32(&bytes[kWidthAt + 4]));
  const bool transposed = is_transposed(orientation_of(png_metadata(bytes)));
  return transposed ? Shape<2>{width, height} : Shape<2>{height, width};
}

Image read_png(Bytes bytes, std::string_view name, const ImageLimits& limits) {
  PngReader reader;
  png_image& png = reader.image;
  const auto fail = [&](const char* why) {
    throw ImageError("PNG image '" + std::string(name) + "' is damaged: " + why);
  };
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) fail(png.message);
  check_image_size(name, static_cast<Index>(png.height), static_cast<Index>(png.width), limits);
  if (!for_each_chunk(bytes, [](std::string_view, Bytes) {})) fail("it is cut short");
  const int orientation = orientation_of(png_metadata(bytes));
  // Viewers take 16-bit samples without a gamma chunk as sRGB, like 8-bit samples.
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  Image image({static_cast<Index>(png.height), static_cast<Index>(png.width), 3});
  if ((png.format & PNG_FORMAT_FLAG_ALPHA) == 0) {
    png.format = PNG_FORMAT_RGB;
    if (png_image_finish_read(&png, nullptr, image.data(), 0, nullptr) == 0) fail(png.message);
    return oriented(std::move(image), orientation);
  }
  png.format = PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> rgba(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr) == 0) fail(png.message);
  std::uint8_t* out = image.data();
  for (std::size_t pixel = 0; pixel < rgba.size(); pixel += 4) {
    const int alpha = rgba[pixel + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      // Blend over white, in sRGB values as browsers do, rounded to nearest.
      *out++ = static_cast<std::uint8_t>(
          (rgba[pixel + channel] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  return oriented(std::move(image), orientation);
}

std::vector<std::byte> encode_png(ImageView image, int compression) {
  check_encodable(image);
  PngWriter writer;
  writer.row.resize(static_cast<std::size_t>(3 * image.extent(1)));
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, PngWriter::on_error,
                                       PngWriter::on_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) throw std::bad_alloc();
  if (!write(writer, image, std::clamp(compression, 0, 9))) {
    throw ImageError("an image cannot be written as PNG: " + writer.message);
  }
  return std::move(writer.bytes);
}

}  // namespace crossfix::io
