#include "report/picture.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"

using namespace crossfix;
using namespace crossfix::report;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

std::vector<std::byte> base64_bytes(std::string_view base64) {
  std::vector<std::byte> bytes;
  unsigned group = 0;
  int bits = 0;
  for (const char c : base64.substr(0, base64.find('='))) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t digit = kDigits.find(c);
    REQUIRE(digit != std::string_view::npos);
    group = (group << 6U | static_cast<unsigned>(digit)) & 0xFFFFU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::byte>(group >> static_cast<unsigned>(bits) & 0xFFU));
  }
  return bytes;
}

/// The image that a data address holds.
io::Image shown(const Picture& picture) {
  const std::string_view head = "data:image/jpeg;base64,";
  const std::string& uri = picture.data_uri();
  REQUIRE(uri.compare(0, head.size(), head) == 0);
  return io::read_image(base64_bytes(std::string_view(uri).substr(head.size())), "picture");
}

}  // namespace

TEST_CASE("base 64 is that of RFC 4648, section 10") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) CHECK(base64(bytes_of(plain)) == coded);
  CHECK(base64(bytes_of("\xff\xfb\xf0")) == "//vw");
}

TEST_CASE("a picture is shrunk to its longer side and keeps its look") {
  io::Image image({500, 1000, 3});
  for (Index i = 0; i < image.size(); ++i) image.data()[i] = i % 3 == 0 ? 200 : 40;
  const Picture picture(image.view(), "red");
  CHECK(picture.caption() == "red");
  CHECK(picture.width() == kPictureSide);
  CHECK(picture.height() == kPictureSide / 2);
  const io::Image back = shown(picture);
  REQUIRE(back.shape() == Shape<3>{picture.height(), picture.width(), 3});
  CHECK(std::abs(back(100, 100, 0) - 200) < 12);  // JPEG
  CHECK(std::abs(back(100, 100, 1) - 40) < 12);
}

TEST_CASE("a small picture keeps its size, one that does not compress becomes small enough") {
  const io::Image dot({1, 1, 3});
  CHECK(Picture(dot.view(), "").width() == 1);
  io::Image noise({900, 1400, 3});
  std::mt19937 random(1);
  for (Index i = 0; i < noise.size(); ++i) noise.data()[i] = static_cast<std::uint8_t>(random());
  const Picture picture(noise.view(), "");
  CHECK(picture.data_uri().size() <= kPictureBytes * 4 / 3 + 40);
  CHECK(shown(picture).extent(1) == picture.width());
}

TEST_CASE("an image that is none is refused") {
  CHECK_THROWS_AS(Picture(io::Image({0, 4, 3}).view(), ""), ImageError);
  CHECK_THROWS_AS(Picture(io::Image({4, 4, 1}).view(), ""), ImageError);
}
