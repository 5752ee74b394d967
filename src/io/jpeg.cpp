#include <csetjmp>
#include <cstdio>
#include <string>
// jpeglib.h needs cstdio before it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "codecs.hpp"

namespace crossfix::io {

namespace {

/// libjpeg's error handler. Errors, and warnings that mean lost pixels, jump back to `attempt`.
struct JpegErrors {
  jpeg_error_mgr manager{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};

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
      // Cameras leave bytes between segments and unusual version marks; no pixel depends on them.
      if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) {
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

struct JpegReader {
  JpegErrors errors;
  jpeg_decompress_struct info{};
  JpegReader() { info.err = &errors.manager; }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info); }

  /// Runs libjpeg calls. Throws ImageError where they fail.
  void attempt(std::string_view name, auto&& calls) {
    if (errors.attempt(calls)) return;
    throw ImageError("JPEG image '" + std::string(name) +
                     "' is damaged or cut short: " + errors.message.data());
  }
  /// Reads what stands before the pixels.
  void read_header(Bytes bytes, std::string_view name) {
    attempt(name, [&] {
      jpeg_create_decompress(&info);
      jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
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

int orientation_of(const jpeg_decompress_struct& info) {
  for (const jpeg_marker_struct* m = info.marker_list; m != nullptr; m = m->next) {
    const int orientation = exif_orientation(std::as_bytes(std::span(m->data, m->data_length)));
    if (orientation != 1) return orientation;
  }
  return 1;
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

Shape<2> jpeg_size(Bytes bytes, std::string_view name) {
  JpegReader reader;
  reader.read_header(bytes, name);
  const auto height = static_cast<Index>(reader.info.image_height);
  const auto width = static_cast<Index>(reader.info.image_width);
  return is_transposed(orientation_of(reader.info)) ? Shape<2>{width, height}
                                                    : Shape<2>{height, width};
}

Image read_jpeg(Bytes bytes, std::string_view name, Index maximum_side) {
  JpegReader reader;
  jpeg_decompress_struct& info = reader.info;
  reader.read_header(bytes, name);
  const auto height = static_cast<Index>(info.image_height);
  const auto width = static_cast<Index>(info.image_width);
  check_image_size(name, height, width, maximum_side);
  const int orientation = orientation_of(info);  // finishing frees the markers
  const bool has_ink = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = has_ink ? JCS_CMYK : JCS_RGB;
  Image image({height, width, 3});
  std::vector<std::uint8_t> ink(has_ink ? static_cast<std::size_t>(4 * width) : 0);
  reader.attempt(name, [&] {
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      std::uint8_t* out = image.data() + static_cast<Index>(info.output_scanline) * 3 * width;
      std::uint8_t* row = has_ink ? ink.data() : out;
      jpeg_read_scanlines(&info, &row, 1);
      if (has_ink) cmyk_to_rgb(ink, out);
    }
    jpeg_finish_decompress(&info);
  });
  return oriented(std::move(image), orientation);
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
