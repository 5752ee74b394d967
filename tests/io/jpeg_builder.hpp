/// JPEG files with metadata, of libjpeg's kinds.
#pragma once

#include <cstdio>
#include <string>
// jpeglib.h needs cstdio before it.
#include <jpeglib.h>

#include <cstdlib>
#include <vector>

namespace crossfix::test {

/// The bytes of a JPEG of `side` x `side` pixels, of `components` samples each in `space`.
/// `set_up(info)` is called after the defaults are set, `begin(info)` before the first row, and
/// `sample(row, i)` gives the i-th sample of a row.
template <class SetUp, class Begin, class Sample>
std::string encoded_jpeg(unsigned side, int components, J_COLOR_SPACE space, const SetUp& set_up,
                         const Begin& begin, const Sample& sample) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = info.image_height = side;
  info.input_components = components;
  info.in_color_space = space;
  jpeg_set_defaults(&info);
  set_up(info);
  jpeg_start_compress(&info, TRUE);
  begin(info);
  std::vector<unsigned char> row(side * static_cast<std::size_t>(components));
  while (info.next_scanline < info.image_height) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = sample(info.next_scanline, i);
    unsigned char* samples = row.data();
    jpeg_write_scanlines(&info, &samples, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(buffer), size);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return bytes;
}

/// Nothing stands before the rows.
inline void no_segments(jpeg_compress_struct&) {}

/// A coloured picture of 24 x 24 pixels, stored on its side (EXIF orientation 6).
inline std::string made_jpeg(bool progressive) {
  return encoded_jpeg(
      24, 3, JCS_RGB,
      [&](jpeg_compress_struct& info) {
        jpeg_set_quality(&info, 60, TRUE);
        if (progressive) jpeg_simple_progression(&info);
      },
      [](jpeg_compress_struct& info) {
        const std::string exif(
            "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 32);
        jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()),
                          static_cast<unsigned>(exif.size()));
      },
      [](unsigned row, std::size_t i) {
        return static_cast<unsigned char>(i * 7 + row * 31 * (i % 3));
      });
}

/// A grey picture of 16 x 16 pixels in up to 190 scans: one of the constant terms; then one of each
/// other term, without its last two bits, and two with a bit each.
inline std::string jpeg_of_scans(int count) {
  std::vector<jpeg_scan_info> scans;
  scans.push_back({1, {0, 0, 0, 0}, 0, 0, 0, 0});
  for (int i = 0; i + 1 < count; ++i) {
    const int term = 1 + i % 63;
    const int round = i / 63;
    scans.push_back({1, {0, 0, 0, 0}, term, term, round == 0 ? 0 : 3 - round, 2 - round});
  }
  return encoded_jpeg(
      16, 1, JCS_GRAYSCALE,
      [&](jpeg_compress_struct& info) {
        info.scan_info = scans.data();
        info.num_scans = static_cast<int>(scans.size());
      },
      no_segments,
      [](unsigned row, std::size_t i) { return static_cast<unsigned char>(i * 13 + row * 29); });
}

/// A JPEG with this segment after its start, of type APP1.
inline std::string with_segment(const std::string& jpeg, const std::string& body) {
  const auto size = body.size() + 2;
  return jpeg.substr(0, 2) + "\xff\xe1" + static_cast<char>(size >> 8 & 0xffU) +
         static_cast<char>(size & 0xffU) + body + jpeg.substr(2);
}

}  // namespace crossfix::test
