// A PNG or JPEG file, with what it says of itself in EXIF and XMP.
#include "crossfix/io/image.hpp"

#include <cmath>

#include "crossfix/io/photo.hpp"
#include "fuzz.hpp"
#include "io/png_builder.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr Index kMaximumSide = 256;  // keeps a run fast
  const auto path = test::fuzz_folder() / "input";
  std::string bytes(test::text_of(data, size));
  // A changed chunk reaches the code behind the checksums.
  if (bytes.starts_with("\x89PNG")) bytes = test::with_checksums(std::move(bytes));
  test::write_text(path, bytes);
  test::read_or_refuse([&] {
    const io::Photo photo = io::read_photo(path, {.side = kMaximumSide});
    const Index height = photo.image.shape()[0];
    const Index width = photo.image.shape()[1];
    test::promise(height > 0 && height <= kMaximumSide && width > 0 && width <= kMaximumSide);
    test::promise(io::read_image_size(path) == Shape<2>{height, width});
    const auto heading = photo.tags.heading;
    test::promise(!heading || (*heading >= 0 && *heading < 360));
    for (const auto& angle : {photo.tags.pitch, photo.tags.roll}) {
      test::promise(!angle || std::isfinite(*angle));
    }
  });
  return 0;
}
