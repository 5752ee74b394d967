/// Files damaged at random, the same way in every run. Each is read, or refused with an Error;
/// nothing else may happen. The sanitizers watch this.
#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/image.hpp"
#include "crossfix/io/safetensors.hpp"
#include "io/files.hpp"
#include "io/jpeg_builder.hpp"
#include "io/png_builder.hpp"
#include "io/safetensors_header.hpp"

using namespace crossfix;

namespace {

/// Bytes damaged at one to four offsets: a bit flipped, a byte replaced by one at the end of a
/// range, a piece cut out, doubled, or moved.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : state_(seed) {}

  std::string operator()(std::string bytes) {
    const std::size_t offsets = 1 + next(4);
    for (std::size_t i = 0; i < offsets && !bytes.empty(); ++i) damage(bytes);
    return bytes;
  }

 private:
  std::size_t next(std::size_t count) {  // SplitMix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return static_cast<std::size_t>((z ^ (z >> 31)) % count);
  }

  void damage(std::string& bytes) {
    static constexpr std::array<char, 12> kBorders = {0,   1,   '\x7f', '\x80', '\xff', '"',
                                                      '{', ']', '-',    '9',    ',',    'e'};
    const std::size_t at = next(bytes.size());
    const std::size_t length = 1 + next(std::min<std::size_t>(16, bytes.size() - at));
    const std::string piece = bytes.substr(at, length);
    switch (next(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << next(8)));
        break;
      case 1:
        bytes[at] = kBorders[next(kBorders.size())];
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, piece);
        break;
      default:
        bytes.erase(at, length);
        bytes.insert(next(bytes.size() + 1), piece);
        break;
    }
  }

  std::uint64_t state_;
};

/// How many of `count` damaged copies `read` refuses with an Error; other exceptions pass through.
template <class F>
int refusals(const std::string& whole, std::uint64_t seed, int count, F&& read) {
  Mutator mutate(seed);
  int refused = 0;
  for (int i = 0; i < count; ++i) {
    try {
      read(mutate(whole));
    } catch (const Error& error) {
      ++refused;
      if (std::string(error.what()).find('\n') != std::string::npos) FAIL(error.what());
    }
  }
  return refused;
}

void decode(const std::string& bytes) { io::read_image(std::as_bytes(std::span(bytes)), "made"); }

}  // namespace

TEST_CASE("damaged weights are read or refused") {
  const test::ScratchFolder folder;
  const std::array<float, 6> floats{1, 2, 3, 4, 5, 6};
  const std::array<std::uint8_t, 3> bytes{1, 2, 3};
  const auto data = [](const auto& values) {
    return reinterpret_cast<const std::byte*>(values.data());
  };
  const TensorRecords records{{"trunk.weight", {Dtype::f32, {2, 3}, data(floats)}},
                              {"trunk.bias", {Dtype::f16, {3}, data(floats)}},
                              {"count", {Dtype::u8, {3}, data(bytes)}}};
  io::write_safetensors(folder / "whole", records,
                        {{io::kConfigurationKey, R"({"heads":4,"trunk":{"blocks":[1,2,3]}})"}});
  const auto parse = [](const std::string& damaged) {
    TensorRecords tensors;
    io::Metadata metadata;
    io::parse_safetensors(std::as_bytes(std::span(damaged)), tensors, metadata);
    unsigned sum = 0;  // every byte a record claims can be read
    for (const auto& [name, record] : tensors) {
      const auto size = record.byte_count();
      for (std::size_t i = 0; i < size; ++i) sum += std::to_integer<unsigned>(record.data[i]);
    }
    CHECK(sum < 1000000);
    const auto text = metadata.find(io::kConfigurationKey);
    if (text != metadata.end()) io::parse_configuration(text->second);
  };
  const std::string whole = test::read_text(folder / "whole");
  REQUIRE_NOTHROW(parse(whole));
  const int refused = refusals(whole, 1, 4000, parse);
  CHECK(refused > 2000);
  CHECK(refused < 4000);
}

TEST_CASE("a damaged configuration is read or refused") {
  const std::string whole = io::to_json({});
  const int refused =
      refusals(whole, 2, 4000, [](const std::string& json) { io::parse_configuration(json); });
  CHECK(refused > 2000);
  CHECK(refused < 4000);
}

TEST_CASE("damaged PNG images are read or refused") {
  Tensor<std::uint8_t, 3> image({9, 13, 3});
  for (Index i = 0; i < image.size(); ++i) image.data()[i] = static_cast<std::uint8_t>(i * i);
  const auto encoded = io::encode_png(image);
  test::PngBuilder interlaced(8, 8, 8, 3, true);
  interlaced.chunk("PLTE", std::string(300, 'p')).chunk("tRNS", std::string(40, 't'));
  interlaced.chunk("gAMA", std::string("\0\0\xb1\x8f", 4));
  const std::array<std::string, 3> whole = {
      std::string(reinterpret_cast<const char*>(encoded.data()), encoded.size()),
      interlaced.data(std::string(79, '\1')).finish(),
      test::PngBuilder(5, 3, 16, 6, false).data(std::string(123, '\0')).finish()};
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    REQUIRE_NOTHROW(decode(whole[i]));
    const int refused = refusals(whole[i], 3 + i, 1500, [](const std::string& damaged) {
      decode(test::with_checksums(damaged));
    });
    CHECK(refused > 500);
    CHECK(refused < 1500);
  }
}

TEST_CASE("damaged JPEG images are read or refused") {
  for (bool progressive : {false, true}) {
    const std::string whole = test::made_jpeg(progressive);
    REQUIRE_NOTHROW(decode(whole));
    const int refused = refusals(whole, progressive ? 7 : 8, 1500, decode);
    CHECK(refused > 300);
    CHECK(refused < 1500);
  }
}
