#include "crossfix/io/image.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "crossfix/io/photo.hpp"
#include "io/files.hpp"
#include "io/jpeg_builder.hpp"
#include "io/png_builder.hpp"

using namespace crossfix;
using io::Image;
using test::message_of;
using test::ScratchFolder;

namespace {

Image ramp(Index height, Index width) {
  Image image({height, width, 3});
  for (Index row = 0; row < height; ++row) {
    for (Index col = 0; col < width; ++col) {
      image(row, col, 0) = static_cast<std::uint8_t>(row * 5);
      image(row, col, 1) = static_cast<std::uint8_t>(col * 3);
      image(row, col, 2) = static_cast<std::uint8_t>(255 - row - col);
    }
  }
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.shape() == b.shape());
  int largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
  }
  return largest;
}

Image read_text(const std::string& bytes) {
  return io::read_image(std::as_bytes(std::span(bytes)), "made");
}

/// True if reading gives an ImageError whose one-line message contains the name and `part`.
bool refused(const std::filesystem::path& path, const std::string& part) {
  const std::string message = message_of<ImageError>([&] { io::read_image(path); });
  CAPTURE(message, part);
  CHECK_THAT(message, Catch::Contains(path.string()) && Catch::Contains(part));
  CHECK(message.find('\n') == std::string::npos);
  return !message.empty();
}

}  // namespace

TEST_CASE("PNG gives back the pixels it was given, at every compression") {
  const ScratchFolder folder;
  for (const auto& [height, width] : {std::pair<Index, Index>{1, 1}, {3, 7}, {48, 64}}) {
    const Image image = ramp(height, width);
    for (int compression : {0, 1, 9}) {
      io::write_png(folder / "a.png", image, compression);
      CHECK(largest_difference(io::read_image(folder / "a.png"), image) == 0);
    }
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("the same image gives the same PNG") {
  CHECK(io::encode_png(ramp(20, 30)) == io::encode_png(ramp(20, 30)));
}

TEST_CASE("JPEG gives back nearly the pixels it was given") {
  const ScratchFolder folder;
  const Image image = ramp(48, 64);
  // A smooth ramp loses little at the finest quantisation; the bound is the loss by 4:2:0.
  io::write_jpeg(folder / "named.png", image, 100);
  CHECK(largest_difference(io::read_image(folder / "named.png"), image) <= 6);
  CHECK(io::encode_jpeg(image, 30).size() < io::encode_jpeg(image, 95).size());
}

TEST_CASE("a strided view is written as it looks") {
  const Image image = ramp(12, 10);
  const io::ImageView part = image.view().slice(0, 2, 9).slice(1, 3, 8);
  const Image back = io::read_image(io::encode_png(part), "part");
  REQUIRE(back.shape() == Shape<3>{7, 5, 3});
  for (Index row = 0; row < 7; ++row) {
    for (Index col = 0; col < 5; ++col) CHECK(back(row, col, 1) == image(row + 2, col + 3, 1));
  }
}

TEST_CASE("views that are no image are refused") {
  CHECK_THROWS_AS(io::encode_png(Image({0, 4, 3})), ImageError);
  CHECK_THROWS_AS(io::encode_jpeg(Image({4, 4, 4})), ImageError);
  CHECK_THROWS_AS(io::encode_png(Image({1, io::kMaximumImageSide + 1, 3})), ImageError);
}

TEST_CASE("files that are no image are refused with their name") {
  const ScratchFolder folder;
  CHECK(refused(folder / "missing.png", "No such file"));
  CHECK(refused(folder.path(), "folder"));
  test::write_text(folder / "empty.png", "");
  CHECK(refused(folder / "empty.png", "empty"));
  test::write_text(folder / "text.jpg", "this is a letter, not a picture");
  CHECK(refused(folder / "text.jpg", "neither a PNG nor a JPEG"));
}

TEST_CASE("a PNG cut short is refused, unless its end mark alone is missing") {
  const Image image = ramp(24, 16);
  const auto bytes = io::encode_png(image);
  constexpr std::size_t kEndBytes = 12;  // of the chunk that ends the file
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size, bytes.size());
    const auto cut = std::span(bytes).first(size);
    if (size + kEndBytes < bytes.size()) {
      CHECK_THROWS_AS(io::read_image(cut, "cut"), ImageError);
    } else {  // no pixel is missing
      CHECK(largest_difference(io::read_image(cut, "cut"), image) == 0);
    }
  }
}

TEST_CASE("a PNG cut within what stands behind its pixels lacks none") {
  const std::string rows("\0\x10\x20", 3);
  const std::string head = test::PngBuilder(2, 1, 8, 0, false).data(rows).finish();
  const std::string whole =
      test::PngBuilder(2, 1, 8, 0, false).data(rows).chunk("tEXt", std::string(40, 'a')).finish();
  for (std::size_t size = head.size() - 12; size < whole.size(); ++size) {
    CAPTURE(size, whole.size());
    CHECK(int{read_text(whole.substr(0, size))(0, 1, 2)} == 0x20);
  }
  CHECK_THROWS_AS(read_text(head.substr(0, head.size() - 13)), ImageError);
  // Before them all are missing.
  const std::string early =
      test::PngBuilder(2, 1, 8, 0, false).chunk("tEXt", std::string(40, 'a')).data(rows).finish();
  CHECK_THROWS_AS(read_text(early.substr(0, 60)), ImageError);
}

TEST_CASE("a JPEG cut short is read if it lacks no pixel, else refused") {
  for (const bool progressive : {false, true}) {
    const std::string whole = test::made_jpeg(progressive);
    const Image image = read_text(whole);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(progressive, size, whole.size());
      if (size + 2 >= whole.size()) {  // the end mark alone is missing
        CHECK(largest_difference(read_text(whole.substr(0, size)), image) == 0);
        continue;
      }
      Image read;
      try {
        read = read_text(whole.substr(0, size));
      } catch (const ImageError&) {
        continue;
      }
      CHECK(size + 8 >= whole.size());
      CHECK(largest_difference(read, image) == 0);
    }
  }
}

TEST_CASE("a scan header with parameters of no sequential JPEG loses no pixel") {
  std::string bytes = test::made_jpeg(false);
  const Image image = read_text(bytes);
  const std::size_t scan = bytes.find("\xff\xda");
  bytes[scan + 12] = 0;  // the last coefficient of the spectrum: 63
  CHECK(largest_difference(read_text(bytes), image) == 0);
}

TEST_CASE("a damaged PNG is refused") {
  std::vector<std::byte> bytes = io::encode_png(ramp(24, 16));
  bytes[bytes.size() / 2] ^= std::byte{1};  // the checksum of IDAT no longer holds
  CHECK_THROWS_AS(io::read_image(bytes, "damaged"), ImageError);
}

TEST_CASE("a header that claims too much is refused before memory is taken") {
  const ScratchFolder folder;
  test::write_text(folder / "huge.png",
                   test::PngBuilder(100000, 100000, 8, 2, false).data("").finish());
  CHECK(refused(folder / "huge.png", "100000 x 100000"));
  test::write_text(folder / "wide.png", test::PngBuilder(16385, 1, 8, 2, false).data("").finish());
  CHECK(refused(folder / "wide.png", "16385 x 1"));
  std::vector<std::byte> jpeg = io::encode_jpeg(ramp(16, 16));
  const std::byte frame[] = {std::byte{0xff}, std::byte{0xc0}};
  const auto at = std::search(jpeg.begin(), jpeg.end(), std::begin(frame), std::end(frame));
  REQUIRE(at != jpeg.end());
  for (int i = 5; i < 9; ++i) at[i] = std::byte{0xff};  // height and width
  test::write_bytes(folder / "huge.jpg", jpeg);
  // 65535 is above the format's own limit in libjpeg, 65500.
  CHECK(refused(folder / "huge.jpg", "65500"));
  at[5] = at[7] = std::byte{0xf0};
  test::write_bytes(folder / "huge.jpg", jpeg);
  CHECK(refused(folder / "huge.jpg", "61695 x 61695"));
}

TEST_CASE("an image of more pixels than a panorama can use is refused before memory is taken") {
  const std::string large = test::PngBuilder(16384, 16384, 8, 6, false).data("").finish();
  CHECK_THAT(message_of<ImageError>([&] { read_text(large); }),
             Catch::Contains("16384 x 16384") && Catch::Contains("134217728"));
  const auto small = io::encode_png(Image({3, 5, 3}));
  CHECK_NOTHROW(io::read_image(small, "small", {.pixels = 15}));
  CHECK_THROWS_AS(io::read_image(small, "small", {.pixels = 14}), ImageError);
}

TEST_CASE("a JPEG of very many scans is refused, one of a few read") {
  for (const int scans : {1, 50, 100}) {
    CHECK(read_text(test::jpeg_of_scans(scans)).shape() == Shape<3>{16, 16, 3});
  }
  for (const int scans : {101, 190}) {
    CHECK_THAT(message_of<ImageError>([&] { read_text(test::jpeg_of_scans(scans)); }),
               Catch::Contains("more than 100 scans"));
  }
}

TEST_CASE("a pipe in a folder is refused, and not waited for") {
  const ScratchFolder folder;
  const auto pipe = folder / "pipe.png";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THAT(message_of<ImageError>([&] { io::read_image(pipe); }), Catch::Contains("pipe"));
  CHECK_THAT(message_of<ImageError>([&] { io::read_photo(pipe); }), Catch::Contains("pipe"));
  CHECK_THAT(message_of<ImageError>([&] { io::read_image_size(pipe); }), Catch::Contains("pipe"));
  CHECK_THAT(message_of<ImageError>([&] { io::read_image("/dev/zero"); }),
             Catch::Contains("device"));
  // One that the program is started with is read.
  const auto bytes = io::encode_png(Image({3, 5, 3}));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  ::close(ends[1]);
  CHECK(io::read_image("/dev/fd/" + std::to_string(ends[0])).shape() == Shape<3>{3, 5, 3});
  ::close(ends[0]);
}

TEST_CASE("a path that cannot be written leaves nothing") {
  const ScratchFolder folder;
  CHECK_THROWS_AS(io::write_png(folder / "missing/a.png", ramp(4, 4)), DataError);
  CHECK_THROWS_AS(io::write_jpeg(folder.path(), ramp(4, 4)), DataError);
  CHECK(folder.entries() == 0);
}
