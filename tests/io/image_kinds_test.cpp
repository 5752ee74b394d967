/// PNG and JPEG of kinds other than plain 8-bit RGB are read as a viewer shows them.
#include <catch2/catch.hpp>
#include <cstdio>
#include <string>
// jpeglib.h needs cstdio before it.
#include <jpeglib.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "crossfix/io/image.hpp"
#include "io/files.hpp"
#include "io/jpeg_builder.hpp"
#include "io/png_builder.hpp"

using namespace crossfix;
using io::Image;
using test::PngBuilder;
using Rgb = std::array<int, 3>;

namespace {

Image read_bytes(const std::string& bytes) {
  return io::read_image(std::as_bytes(std::span(bytes)), "made");
}

Rgb pixel(const Image& image, Index row, Index col) {
  return {image(row, col, 0), image(row, col, 1), image(row, col, 2)};
}

std::string bytes_of(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

bool near(const Rgb& a, const Rgb& b, int tolerance) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::abs(a[i] - b[i]) > tolerance) return false;
  }
  return true;
}

/// A JPEG of one colour with four samples a pixel: CMYK as Adobe stores it (255: no ink), or YCCK.
std::string ink_jpeg(J_COLOR_SPACE stored, std::array<unsigned char, 4> inverted) {
  return test::encoded_jpeg(
      16, 4, JCS_CMYK,
      [&](jpeg_compress_struct& info) {
        jpeg_set_colorspace(&info, stored);
        jpeg_set_quality(&info, 100, TRUE);
      },
      test::no_segments, [&](unsigned, std::size_t i) { return inverted[i % 4]; });
}

/// A TIFF structure with this orientation, as a field of this type: 1 BYTE, 3 SHORT, 4 LONG.
std::string exif_of(int orientation, bool big_endian, unsigned type = 3) {
  const auto number = [&](unsigned value, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t byte = big_endian ? size - 1 - i : i;
      text += static_cast<char>(value >> 8 * byte & 0xffU);
    }
    return text;
  };
  std::string body = big_endian ? "MM" : "II";
  body += number(42, 2) + number(8, 4) + number(2, 2);
  body += number(0x0100, 2) + number(4, 2) + number(1, 4) + number(40, 4);  // a field before it
  const std::size_t bytes = type == 3 ? 2 : type;
  body += number(0x0112, 2) + number(type, 2) + number(1, 4) +
          number(static_cast<unsigned>(orientation), bytes) + number(0, 4 - bytes) + number(0, 4);
  return body;
}

/// Inserts an EXIF segment with this orientation after the start marker.
std::string with_orientation(const std::string& jpeg, int orientation, bool big_endian) {
  return test::with_segment(jpeg, std::string("Exif\0\0", 6) + exif_of(orientation, big_endian));
}

}  // namespace

TEST_CASE("grey PNG of 1, 2, 4, 8 bits: black to white") {
  for (int depth : {1, 2, 4, 8}) {
    CAPTURE(depth);
    const int white = (1 << depth) - 1;
    const int first = white << (8 - depth);  // white, then black
    const std::string row = depth == 8 ? bytes_of({0, 255, 0}) : bytes_of({0, first});
    const Image image = read_bytes(PngBuilder(2, 1, depth, 0, false).data(row).finish());
    CHECK(pixel(image, 0, 0) == Rgb{255, 255, 255});
    CHECK(pixel(image, 0, 1) == Rgb{0, 0, 0});
  }
}

TEST_CASE("palette PNG, with and without transparency") {
  const std::string palette = bytes_of({10, 20, 30, 200, 100, 0, 0, 0, 0});
  PngBuilder plain(3, 1, 8, 3, false);
  const Image opaque =
      read_bytes(plain.chunk("PLTE", palette).data(bytes_of({0, 1, 0, 2})).finish());
  CHECK(pixel(opaque, 0, 0) == Rgb{200, 100, 0});
  CHECK(pixel(opaque, 0, 1) == Rgb{10, 20, 30});
  CHECK(pixel(opaque, 0, 2) == Rgb{0, 0, 0});
  PngBuilder clear(3, 1, 8, 3, false);
  const Image over = read_bytes(clear.chunk("PLTE", palette)
                                    .chunk("tRNS", bytes_of({255, 128, 0}))
                                    .data(bytes_of({0, 1, 0, 2}))
                                    .finish());
  CHECK(pixel(over, 0, 0) == Rgb{227, 177, 127});  // (200, 100, 0) at 128 / 255 over white
  CHECK(pixel(over, 0, 1) == Rgb{10, 20, 30});
  CHECK(pixel(over, 0, 2) == Rgb{255, 255, 255});
}

TEST_CASE("16-bit PNG keeps its upper 8 bits, rounded") {
  const Image rgb = read_bytes(PngBuilder(1, 1, 16, 2, false)
                                   .data(bytes_of({0, 0x80, 0x80, 0xff, 0xff, 0x12, 0x12}))
                                   .finish());
  CHECK(pixel(rgb, 0, 0) == Rgb{0x80, 0xff, 0x12});
  const Image grey =
      read_bytes(PngBuilder(1, 1, 16, 0, false).data(bytes_of({0, 0x40, 0x40})).finish());
  CHECK(pixel(grey, 0, 0) == Rgb{0x40, 0x40, 0x40});
}

TEST_CASE("transparent PNG is laid over white") {
  const Image rgba = read_bytes(PngBuilder(3, 1, 8, 6, false)
                                    .data(bytes_of({0, 1, 2, 3, 0, 1, 2, 3, 255, 0, 100, 255, 51}))
                                    .finish());
  CHECK(pixel(rgba, 0, 0) == Rgb{255, 255, 255});
  CHECK(pixel(rgba, 0, 1) == Rgb{1, 2, 3});
  CHECK(pixel(rgba, 0, 2) == Rgb{204, 224, 255});
  const Image grey = read_bytes(PngBuilder(1, 1, 8, 4, false).data(bytes_of({0, 0, 51})).finish());
  CHECK(pixel(grey, 0, 0) == Rgb{204, 204, 204});
  PngBuilder key(2, 1, 8, 2, false);  // one colour means transparent
  const Image keyed = read_bytes(key.chunk("tRNS", bytes_of({0, 9, 0, 8, 0, 7}))
                                     .data(bytes_of({0, 9, 8, 7, 9, 8, 6}))
                                     .finish());
  CHECK(pixel(keyed, 0, 0) == Rgb{255, 255, 255});
  CHECK(pixel(keyed, 0, 1) == Rgb{9, 8, 6});
}

TEST_CASE("interlaced PNG") {
  // Adam7 of 3 x 3: pass 1 holds (0,0); pass 5 row 2; pass 6 column 1 of rows 0 and 2; 4: (0,2);
  // pass 7 row 1. Each grey value is its 10 * row + column.
  const std::string rows = bytes_of({0, 0,             // pass 1: (0, 0)
                                     0, 2,             // pass 4: (0, 2)
                                     0, 20, 22,        // pass 5: row 2, even columns
                                     0, 1, 0, 21,      // pass 6: odd columns, even rows
                                     0, 10, 11, 12});  // pass 7: odd rows
  const Image image = read_bytes(PngBuilder(3, 3, 8, 0, true).data(rows).finish());
  for (Index row = 0; row < 3; ++row) {
    for (Index col = 0; col < 3; ++col) {
      const int value = static_cast<int>(10 * row + col);
      CHECK(pixel(image, row, col) == Rgb{value, value, value});
    }
  }
}

TEST_CASE("CMYK and YCCK JPEG: ink subtracts from white") {
  // 255 is no ink. The two grey levels are for rounding to 8 bits twice and for the transform.
  for (J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    CAPTURE(stored);
    CHECK(
        near(pixel(read_bytes(ink_jpeg(stored, {255, 255, 255, 255})), 3, 3), {255, 255, 255}, 2));
    CHECK(near(pixel(read_bytes(ink_jpeg(stored, {0, 255, 255, 255})), 3, 3), {0, 255, 255}, 2));
    CHECK(near(pixel(read_bytes(ink_jpeg(stored, {255, 255, 255, 0})), 3, 3), {0, 0, 0}, 2));
    CHECK(near(pixel(read_bytes(ink_jpeg(stored, {200, 100, 50, 128})), 3, 3), {100, 50, 25}, 2));
  }
}

TEST_CASE("EXIF orientation stands a PNG up as it does a JPEG") {
  const std::string rows = bytes_of({0, 10, 20, 30, 0, 40, 50, 60});  // 3 x 2 pixels
  const test::ScratchFolder folder;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    PngBuilder png(3, 2, 8, 0, false);
    const std::string bytes =
        png.chunk("eXIf", exif_of(orientation, orientation % 2 == 0)).data(rows).finish();
    const Image image = read_bytes(bytes);
    const bool turned = orientation >= 5;
    REQUIRE(image.shape() == (turned ? Shape<3>{3, 2, 3} : Shape<3>{2, 3, 3}));
    const std::array<int, 8> upper_left{10, 30, 60, 40, 10, 40, 60, 30};
    CHECK(int{image(0, 0, 0)} == upper_left[static_cast<std::size_t>(orientation - 1)]);
    test::write_text(folder / "turned.png", bytes);
    CHECK(io::read_image_size(folder / "turned.png") == Shape<2>{image.extent(0), image.extent(1)});
  }
}

TEST_CASE("EXIF orientation stands the picture up") {
  // 16 x 32 stored pixels; quadrants red, green over blue, white.
  Image stored({16, 32, 3});
  const Rgb red{250, 10, 10};
  const Rgb green{10, 250, 10};
  const Rgb blue{10, 10, 250};
  const Rgb white{250, 250, 250};
  for (Index row = 0; row < 16; ++row) {
    for (Index col = 0; col < 32; ++col) {
      const Rgb& colour = row < 8 ? (col < 16 ? red : green) : (col < 16 ? blue : white);
      for (Index c = 0; c < 3; ++c) {
        stored(row, col, c) = static_cast<std::uint8_t>(colour[static_cast<std::size_t>(c)]);
      }
    }
  }
  const auto encoded = io::encode_jpeg(stored, 100);
  const std::string plain(reinterpret_cast<const char*>(encoded.data()), encoded.size());
  const test::ScratchFolder folder;
  // What a viewer shows: upper left, upper right, lower left, lower right. For each value the
  // standard names the visual sides of the stored first row and first column.
  const std::array<std::array<Rgb, 4>, 8> shown = {{
      {red, green, blue, white},  // 1: top, left
      {green, red, white, blue},  // 2: top, right
      {white, blue, green, red},  // 3: bottom, right
      {blue, white, red, green},  // 4: bottom, left
      {red, blue, green, white},  // 5: left, top
      {blue, red, white, green},  // 6: right, top
      {white, green, blue, red},  // 7: right, bottom
      {green, white, red, blue},  // 8: left, bottom
  }};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const std::string turned_file = with_orientation(plain, orientation, orientation % 2 == 0);
    const Image image = read_bytes(turned_file);
    const bool turned = orientation >= 5;
    REQUIRE(image.shape() == (turned ? Shape<3>{32, 16, 3} : Shape<3>{16, 32, 3}));
    test::write_text(folder / "turned.jpg", turned_file.substr(0, turned_file.size() - 40));
    const Shape<2> size = io::read_image_size(folder / "turned.jpg");
    CHECK(size == Shape<2>{image.extent(0), image.extent(1)});
    const Index bottom = image.extent(0) - 2;
    const Index right = image.extent(1) - 2;
    const auto& expected = shown[static_cast<std::size_t>(orientation - 1)];
    CHECK(near(pixel(image, 1, 1), expected[0], 20));
    CHECK(near(pixel(image, 1, right), expected[1], 20));
    CHECK(near(pixel(image, bottom, 1), expected[2], 20));
    CHECK(near(pixel(image, bottom, right), expected[3], 20));
  }
  for (int nonsense : {0, 9, 65535}) {
    CHECK(near(pixel(read_bytes(with_orientation(plain, nonsense, true)), 1, 1), red, 20));
  }
}

TEST_CASE("an orientation is found in every form that programs write") {
  const std::string rows = bytes_of({0, 10, 20, 30, 0, 40, 50, 60});  // 3 x 2 pixels
  const std::string mark("Exif\0\0", 6);
  const std::string xmp =
      "<a xmlns:t='http://ns.adobe.com/tiff/1.0/'><t:Orientation>8</t:Orientation></a>";
  const auto upper_left = [&](const std::string& type, const std::string& body) {
    PngBuilder png(3, 2, 8, 0, false);
    return int{read_bytes(png.chunk(type, body).data(rows).finish())(0, 0, 0)};
  };
  for (const bool big_endian : {false, true}) {
    for (const unsigned type : {1U, 3U, 4U}) {
      CAPTURE(big_endian, type);
      CHECK(upper_left("eXIf", exif_of(8, big_endian, type)) == 30);
      CHECK(upper_left("eXIf", mark + exif_of(8, big_endian, type)) == 30);
    }
  }
  CHECK(upper_left("tEXt", std::string("XML:com.adobe.xmp\0", 18) + xmp) == 30);

  std::string jpeg = test::made_jpeg(false);
  jpeg.erase(jpeg.find("\xff\xe1"), 36);  // its own EXIF
  const Image plain = read_bytes(jpeg);
  const auto turned_by = [&](const std::vector<std::string>& segments) {
    std::string bytes = jpeg;
    for (auto at = segments.rbegin(); at != segments.rend(); ++at) {
      bytes = test::with_segment(bytes, *at);
    }
    const Rgb found = pixel(read_bytes(bytes), 0, 0);
    if (found == pixel(plain, 23, 0)) return 6;
    if (found == pixel(plain, 0, 23)) return 8;
    return found == pixel(plain, 0, 0) ? 1 : 0;
  };
  const std::string packet = std::string("http://ns.adobe.com/xap/1.0/\0", 29) + xmp;
  CHECK(turned_by({}) == 1);
  CHECK(turned_by({mark, mark + exif_of(6, true)}) == 6);
  CHECK(turned_by({mark + exif_of(9, true), mark + exif_of(6, true)}) == 6);
  CHECK(turned_by({mark + exif_of(6, true), mark + exif_of(8, true)}) == 6);
  CHECK(turned_by({packet}) == 8);
  CHECK(turned_by({packet, mark + exif_of(6, false)}) == 6);  // EXIF holds
  CHECK(turned_by({packet, mark + exif_of(1, false)}) == 1);
}

TEST_CASE("an image's size is read from the beginning of its file") {
  const test::ScratchFolder folder;
  const auto path = folder / "image";
  const auto encoded = io::encode_png(Image({5, 7, 3}));
  const std::string png(reinterpret_cast<const char*>(encoded.data()), encoded.size());
  test::write_text(path, png.substr(0, 33));
  CHECK(io::read_image_size(path) == Shape<2>{5, 7});
  const auto jpeg = io::encode_jpeg(Image({5, 7, 3}));
  for (const std::string& text :
       {png.substr(0, 20), png.substr(0, 16) + std::string(17, '\0'), std::string("none"),
        std::string(), std::string(reinterpret_cast<const char*>(jpeg.data()), 30)}) {
    test::write_text(path, text);
    CHECK_THROWS_AS(io::read_image_size(path), ImageError);
  }
  CHECK_THROWS_AS(io::read_image_size(folder / "absent"), ImageError);
  CHECK_THROWS_AS(io::read_image_size(folder.path()), ImageError);
}
