#include "world_sheet.hpp"

#include <algorithm>
#include <vector>

#include "canvas.hpp"
#include "crossfix/core/math.hpp"
#include "data/vigor.hpp"
#include "overlay.hpp"

namespace crossfix::draw {
namespace {

constexpr Index kSide = 256;  ///< of a tile on the sheet, and the height of a panorama, pixels
constexpr Index kGap = 6;     ///< between two pairs, pixels
constexpr Index kPairWidth = 3 * kSide;

std::vector<const data::Sample*> choose(const data::Dataset& set, std::size_t most) {
  std::vector<const data::Sample*> positives;
  for (const data::Sample& sample : set.samples) {
    if (sample.choice == 0) positives.push_back(&sample);
  }
  const std::size_t count = std::min(most, positives.size());
  std::vector<const data::Sample*> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(positives[i * positives.size() / count]);
  return chosen;
}

}  // namespace

io::Image draw_world_sheet(const std::filesystem::path& root, Index pairs) {
  data::VigorOptions options;
  options.root = root;
  options.world = true;
  options.area = data::Area::cross;  // the list of all panoramas
  const data::Dataset set = data::read_vigor(options);
  const auto chosen = choose(set, static_cast<std::size_t>(pairs));
  const auto count = static_cast<Index>(chosen.size());
  const Index abreast = std::min<Index>(2, count);
  const Index rows = ceil_div(count, abreast);
  io::Image sheet({rows * (kSide + kGap) - kGap, abreast * (kPairWidth + kGap) - kGap, 3});
  std::fill_n(sheet.data(), sheet.size(), std::uint8_t{255});
  const Canvas canvas(sheet);
  for (Index i = 0; i < count; ++i) {
    const data::Sample& sample = *chosen[static_cast<std::size_t>(i)];
    const Index top = i / abreast * (kSide + kGap);
    const Index left = i % abreast * (kPairWidth + kGap);
    const auto strip = sheet.view().slice(0, top, top + kSide);
    resize_into(io::read_image(root / sample.satellite), strip.slice(1, left, left + kSide));
    resize_into(io::read_image(root / sample.ground),
                strip.slice(1, left + kSide, left + kPairWidth));
    const double scale = static_cast<double>(kSide) / sample.true_.side;
    mark_truth(canvas, static_cast<double>(top) + sample.true_.pixel.row * scale,
               static_cast<double>(left) + sample.true_.pixel.col * scale, 1.5);
  }
  return sheet;
}

}  // namespace crossfix::draw
