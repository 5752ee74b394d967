#include "crossfix/io/file_kind.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/io/camera_file.hpp"
#include "crossfix/io/image.hpp"
#include "io/files.hpp"
#include "io/jpeg_builder.hpp"

using namespace crossfix;
using namespace std::string_view_literals;
using io::FileKind;
using test::message_of;

namespace {

struct Beginning {
  std::string_view bytes;
  std::string_view part;  ///< of the name
  FileKind::Sort sort;
};

constexpr auto kPicture = FileKind::Sort::picture;
constexpr auto kOther = FileKind::Sort::other;

const std::vector<Beginning> kBeginnings = {
    {"GIF87a\x10\0\x10\0"sv, "GIF", kPicture},
    {"GIF89a\x10\0\x10\0"sv, "GIF", kPicture},
    {"BM\x36\x84\x03\0\0\0\0\0\x36\0\0\0\x28\0"sv, "BMP", kPicture},
    {"RIFF\x10\x20\0\0WEBPVP8 "sv, "WebP", kPicture},
    {"II*\0\x08\0\0\0"sv, "TIFF", kPicture},
    {"MM\0*\0\0\0\x08"sv, "TIFF", kPicture},
    {"II+\0\x08\0\0\0"sv, "TIFF", kPicture},
    {"\0\0\0\x0cjP  \r\n\x87\n"sv, "JPEG 2000", kPicture},
    {"\xff\x4f\xff\x51\0\x2f"sv, "JPEG 2000", kPicture},
    {"\xff\x0a\xba\x1f"sv, "JPEG XL", kPicture},
    {"P5 64 64 255\n"sv, "PNM", kPicture},
    {"P6\n# made\n64 64"sv, "PNM", kPicture},
    {"\0\0\1\0\2\0\x10\x10"sv, "icon", kPicture},
    {"\0\0\0\x1c"
     "ftypavif\0\0\0\0"sv,
     "AVIF", kPicture},
    {"\0\0\0\x1c"
     "ftypheix\0\0\0\0"sv,
     "HEIC", kPicture},
    {"\0\0\0\x18"
     "ftypmif1\0\0\0\0"sv,
     "HEIF", kPicture},
    {"\0\0\0\x18"
     "ftypisom\0\0\0\0"sv,
     "video", kOther},
    {"<svg xmlns='http://www.w3.org/2000/svg'>"sv, "SVG", kPicture},
    {"<?xml version='1.0'?>\n<!-- a -->\n<svg>"sv, "SVG", kPicture},
    {"<?xml version='1.0'?>\n<gpx>"sv, "XML", kOther},
    {"%PDF-1.7\n"sv, "PDF", kOther},
    {"  \n<HTML><head>"sv, "web page", kOther},
    {"\xef\xbb\xbf<!doctype html>"sv, "web page", kOther},
    {"version https://git-lfs.github.com/spec/v1\n"sv, "Git LFS pointer", kOther},
    {"BZh91AY&SY"sv, "bzip2", kOther},
    {"\x28\xb5\x2f\xfd\x24"sv, "zstd", kOther},
    {"\x08\x8b\0\0\0\0\0\0{\"a\":"sv, "safetensors", kOther},
    {"\x7f"
     "ELF\2\1\1"sv,
     "program", kOther},
};

}  // namespace

TEST_CASE("a file's kind by its first bytes") {
  for (const auto& [bytes, part, sort] : kBeginnings) {
    const auto kind = io::kind_of_file(bytes);
    CAPTURE(bytes);
    REQUIRE(kind);
    CHECK_THAT(std::string(kind->name), Catch::Contains(std::string(part)));
    CHECK(kind->sort == sort);
  }
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  CHECK(io::kind_of_file(tar)->text() == "a tar archive; unpack it first");
}

TEST_CASE("texts that are read, and bytes of no known kind, have none") {
  for (const auto text :
       {""sv, "ground,satellite\na.jpg,b.png\n"sv, "\xef\xbb\xbfground,satellite"sv,
        "\"ground\",\"satellite\"\n"sv, "model: pinhole\nwidth: 640\n"sv, "P1,P2\n"sv,
        "{model: fisheye, width: 640}"sv, "BM,ground\n"sv, "Version 1\n"sv, "GIF"sv, "\0\0\0\0"sv,
        "\x89PNG"sv, "<"sv}) {
    CAPTURE(text);
    CHECK_FALSE(io::kind_of_file(text));
  }
}

TEST_CASE("a picture that is neither PNG nor JPEG is named, with what to do") {
  const test::ScratchFolder folder;
  for (const auto& [bytes, part, sort] : kBeginnings) {
    test::write_text(folder / "view.jpg", std::string(bytes) + std::string(600, ' '));
    const std::string does =
        sort == kPicture ? "; convert it to PNG or JPEG" : "a PNG or JPEG image is expected";
    for (const std::string& message :
         {message_of<ImageError>([&] { io::read_image(folder / "view.jpg"); }),
          message_of<ImageError>([&] { io::read_image_size(folder / "view.jpg"); })}) {
      CHECK_THAT(message, Catch::Contains((folder / "view.jpg").string() + "' is a") &&
                              Catch::Contains(std::string(part)) && Catch::EndsWith(does));
    }
  }
}

TEST_CASE("a JPEG of a kind that is not read is not called damaged") {
  const std::string whole = test::made_jpeg(false);
  const std::size_t frame = whole.find("\xff\xc0");
  REQUIRE(frame != whole.npos);
  std::string deep = whole;
  deep[frame + 4] = 12;  // bits
  std::string lossless = whole;
  lossless[frame + 1] = '\xc3';
  std::string hierarchical = whole;
  hierarchical[frame + 1] = '\xc5';
  for (const std::string& bytes : {deep, lossless, hierarchical}) {
    const std::string message =
        message_of<ImageError>([&] { io::read_image(std::as_bytes(std::span(bytes)), "photo"); });
    CHECK_THAT(message, Catch::Contains("JPEG image 'photo' is of a rare kind") &&
                            Catch::Contains("save it as an ordinary JPEG") &&
                            !Catch::Contains("damaged"));
  }
}

TEST_CASE("a camera file of another kind is named; JSON is YAML") {
  const test::ScratchFolder folder;
  test::write_text(folder / "camera.yaml", test::made_jpeg(false));
  CHECK_THAT(message_of<DataError>([&] { io::read_camera(folder / "camera.yaml"); }),
             Catch::EndsWith("it is a JPEG image; a camera file is expected"));
  test::write_text(folder / "camera.yaml", "<!DOCTYPE html>\n<p>404</p>");
  CHECK_THAT(message_of<DataError>([&] { io::read_camera(folder / "camera.yaml"); }),
             Catch::Contains("it is a web page"));
  test::write_text(folder / "camera.yaml",
                   "{\"model\": \"pinhole\", \"width\": 640, \"height\": 480, \"hfov_deg\": 60, "
                   "\"height_m\": 1.5}\n");
  CHECK(io::read_camera(folder / "camera.yaml").mount.height == 1.5);
}
