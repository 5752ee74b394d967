#include <csetjmp>
#include <cstdio>
#include <string>
// jpeglib.h needs cstdio before it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "codecs.hpp"

namespace crossfix::io {

namespace {

/// libjpeg's error handler. Errors, and warnings that mean lost pixels, jump back to `attempt`.
struct JpegErrors {
  jpeg_error_mgr manager{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  bool at_end = false;  ///< libjpeg asked for more bytes than there are

  JpegErrors() {
    jpeg_std_error(&manager);
    manager.error_exit = [](j_common_ptr info) {
      auto* self = reinterpret_cast<JpegErrors*>(info->err);
      info->err->format_message(info, self->message.data());
      std::longjmp(self->jump, 1);
    };
    manager.emit_message = [](j_common_ptr info, int level) {
      if (level >= 0) return;
      const int code = info->err->msg_code;
      // Unusual marks and bytes between segments: no pixel depends on them.
      if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
          code == JWRN_NOT_SEQUENTIAL) {
        return;
      }
      if (code == JWRN_JPEG_EOF) {  // pixels may be missing or not: see `lacks_scans`
        reinterpret_cast<JpegErrors*>(info->err)->at_end = true;
        return;
      }
      info->err->error_exit(info);
    };
    manager.output_message = [](j_common_ptr) {};
  }

  /// Runs libjpeg calls; returns false if libjpeg jumped out of them. `calls` must not hold
  /// anything that needs a destructor.
  template <class F>
  bool attempt(F&& calls) {
    if (setjmp(jump) != 0) return false;
    calls();
    return true;
  }
};
static_assert(offsetof(JpegErrors, manager) == 0, "the handler is found from its manager");

/// Whether an error of libjpeg is of a whole file, whose kind it does not read: 12 bits, lossless,
/// hierarchical, arithmetic coding in some builds.
bool is_unsupported(int code) {
  return code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL ||
         code == JERR_CONVERSION_NOTIMPL || code == JERR_NOT_COMPILED;
}

/// Each scan passes over the whole picture, however few bytes it has. Programs write about ten. Of
/// large pictures fewer are read than of small ones.
int most_scans(const jpeg_decompress_struct& info) {
  constexpr std::int64_t kMostWork = std::int64_t{1} << 30;  // pixels of all scans
  const std::int64_t pixels = std::int64_t{info.image_width} * info.image_height;
  return static_cast<int>(std::clamp<std::int64_t>(kMostWork / pixels, 20, 100));
}

struct JpegReader {
  JpegErrors errors;
  jpeg_decompress_struct info{};
  jpeg_progress_mgr progress{};
  JpegReader() {
    info.err = &errors.manager;
    progress.progress_monitor = [](j_common_ptr common) {
      const auto& image = *reinterpret_cast<const jpeg_decompress_struct*>(common);
      if (image.input_scan_number > most_scans(image)) common->err->error_exit(common);
    };
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info); }

  /// Runs libjpeg calls. Throws ImageError where they fail.
  void attempt(std::string_view name, auto&& calls) {
    if (errors.attempt(calls)) return;
    const std::string image = "JPEG image '" + std::string(name) + "' ";
    if (info.input_scan_number > 0 && info.input_scan_number > most_scans(info)) {
      throw ImageError(image + "has more than " + std::to_string(most_scans(info)) +
                       " scans; write it anew with fewer");
    }
    if (!is_unsupported(errors.manager.msg_code)) {
      throw ImageError(image + "is damaged or cut short: " + errors.message.data());
    }
    throw ImageError(image + "is of a rare kind that is not read (" + errors.message.data() +
                     "); save it as an ordinary JPEG of 8 bits, or as PNG");
  }
  /// Reads what stands before the pixels.
  void read_header(Bytes bytes, std::string_view name) {
    attempt(name, [&] {
      jpeg_create_decompress(&info);
      info.progress = &progress;
      jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_read_header(&info, TRUE);
    });
  }
};

struct JpegWriter {
  JpegErrors errors;
  jpeg_compress_struct info{};
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  JpegWriter() { info.err = &errors.manager; }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&info);
    std::free(buffer);
  }
};

/// Whether a file that ended before its end mark may lack pixels, or their detail. Huffman-coded
/// scans warn of each by themselves where they are cut; whole scans can be missing of files that
/// have several, and arithmetic coding does not warn.
bool lacks_scans(jpeg_decompress_struct& info) {
  if (info.arith_code != 0) return true;
  if (info.progressive_mode == 0) return jpeg_has_multiple_scans(&info) != 0;
  for (int component = 0; component < info.num_components; ++component) {
    for (const int missing_bits : std::span(info.coef_bits[component], DCTSIZE2)) {
      if (missing_bits != 0) return true;
    }
  }
  return false;
}

/// Converts one row of inverted CMYK (255 is no ink) to RGB.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < cmyk.size(); i += 4) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      *rgb++ = static_cast<std::uint8_t>((cmyk[i + channel] * cmyk[i + 3] + 127) / 255);
    }
  }
}

}  // namespace

bool is_jpeg(Bytes bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xd8} &&
         bytes[2] == std::byte{0xff};
}

ImageMetadata jpeg_metadata(Bytes bytes) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  // Portions of a packet that is too large for a segment, each after a sum and two numbers.
  constexpr std::string_view kMoreXmp("http://ns.adobe.com/xmp/extension/\0", 35);
  constexpr std::size_t kMoreXmpHead = kMoreXmp.size() + 32 + 4 + 4;
  constexpr int kFill = 0xff;  // before a marker, any number of times
  constexpr int kApp1 = 0xe1;
  constexpr int kStartOfScan = 0xda;
  const auto byte = [&](std::size_t at) { return std::to_integer<int>(bytes[at]); };
  ImageMetadata found;
  std::string more;
  std::size_t at = 2;  // behind the start of the image
  while (at + 4 <= bytes.size()) {
    const int marker = byte(at + 1);
    if (byte(at) != kFill || marker == kFill || marker == 0) {
      ++at;  // fill, or bytes that some cameras leave between segments
      continue;
    }
    if (marker == kStartOfScan) break;
    const auto length = static_cast<std::size_t>(byte(at + 2) << 8 | byte(at + 3));
    if (length < 2 || length > bytes.size() - at - 2) break;
    const Bytes body = bytes.subspan(at + 4, length - 2);
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    if (marker == kApp1 && text.starts_with(kExif)) found.add_exif(body);
    if (marker == kApp1 && text.starts_with(kXmp)) found.add_xmp(text.substr(kXmp.size()));
    if (marker == kApp1 && text.starts_with(kMoreXmp) && text.size() >= kMoreXmpHead) {
      more += text.substr(kMoreXmpHead);
    }
    at += 2 + length;
  }
  if (!more.empty()) found.add_xmp(more);
  return found;
}

Shape<2> jpeg_size(Bytes bytes, std::string_view name) {
  JpegReader reader;
  reader.read_header(bytes, name);
  const auto height = static_cast<Index>(reader.info.image_height);
  const auto width = static_cast<Index>(reader.info.image_width);
  const bool transposed = is_transposed(orientation_of(jpeg_metadata(bytes)));
  return transposed ? Shape<2>{width, height} : Shape<2>{height, width};
}

Image read_jpeg(Bytes bytes, std::string_view name, const ImageLimits& limits) {
  JpegReader reader;
  jpeg_decompress_struct& info = reader.info;
  reader.read_header(bytes, name);
  const auto height = static_cast<Index>(info.image_height);
  const auto width = static_cast<Index>(info.image_width);
  check_image_size(name, height, width, limits);
  const bool has_ink = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = has_ink ? JCS_CMYK : JCS_RGB;
  Image image({height, width, 3});
  std::vector<std::uint8_t> ink(has_ink ? static_cast<std::size_t>(4 * width) : 0);
  reader.attempt(name, [&] {
    jpeg_start_decompress(&info);
    if (reader.errors.at_end && lacks_scans(info)) ERREXIT(&info, JERR_INPUT_EOF);
    while (info.output_scanline < info.output_height) {
      std::uint8_t* out = image.data() + static_cast<Index>(info.output_scanline) * 3 * width;
      std::uint8_t* row = has_ink ? ink.data() : out;
      jpeg_read_scanlines(&info, &row, 1);
      if (has_ink) cmyk_to_rgb(ink, out);
    }
    jpeg_finish_decompress(&info);
  });
  return oriented(std::move(image), orientation_of(jpeg_metadata(bytes)));
}

std::vector<std::byte> encode_jpeg(ImageView image, int quality) {
  check_encodable(image);
  JpegWriter writer;
  jpeg_compress_struct& info = writer.info;
  std::vector<std::uint8_t> row(static_cast<std::size_t>(3 * image.extent(1)));
  const bool written = writer.errors.attempt([&] {
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &writer.buffer, &writer.size);
    info.image_height = static_cast<JDIMENSION>(image.extent(0));
    info.image_width = static_cast<JDIMENSION>(image.extent(1));
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, std::clamp(quality, 1, 100), TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      copy_row(image, static_cast<Index>(info.next_scanline), row.data());
      std::uint8_t* samples = row.data();
      jpeg_write_scanlines(&info, &samples, 1);
    }
    jpeg_finish_compress(&info);
  });
  if (!written) {
    throw ImageError(std::string("an image cannot be written as JPEG: ") +
                     writer.errors.message.data());
  }
  const auto* first = reinterpret_cast<const std::byte*>(writer.buffer);
  return {first, first + writer.size};
}

}  // namespace crossfix::io
