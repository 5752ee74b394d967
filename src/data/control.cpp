#include "control.hpp"

#include <cmath>
#include <map>
#include <numbers>
#include <optional>

#include "crossfix/core/error.hpp"
#include "crossfix/io/georeference.hpp"

namespace crossfix::data {

namespace {

/// Which ground image each of a group's has to give way to: of n distinct ones, in their order, the
/// i-th to the (i + n/2)-th.
class Shift {
 public:
  explicit Shift(const Dataset& dataset) : groups_(dataset.groups.size()) {
    for (const Sample& sample : dataset.samples) {
      Images& images = groups_.at(sample.group);
      if (images.numbers.emplace(sample.ground, images.first.size()).second) {
        images.first.push_back({sample.ground, sample.location});
      }
    }
  }

  struct Other {
    std::string ground;
    Location location;
  };

  /// Of another camera of the sample's group; null if there is none.
  const Other* other(const Sample& sample) const {
    const Images& images = groups_.at(sample.group);
    const std::size_t count = images.first.size();
    if (count < 2) return nullptr;
    return &images.first[(images.numbers.at(sample.ground) + count / 2) % count];
  }

 private:
  struct Images {
    std::vector<Other> first;  ///< by the first sample of each
    std::map<std::string, std::size_t> numbers;
  };
  std::vector<Images> groups_;
};

/// Metres; empty if either is unknown.
std::optional<double> distance_between(const Location& from, const Location& to) {
  if (const auto* a = std::get_if<PlanePoint>(&from), *b = std::get_if<PlanePoint>(&to);
      a != nullptr && b != nullptr) {
    return std::hypot(a->east - b->east, a->north - b->north);
  }
  if (const auto* a = std::get_if<GeoPoint>(&from), *b = std::get_if<GeoPoint>(&to);
      a != nullptr && b != nullptr) {
    const PixelPoint pixel = io::world_pixel(*a);
    const PixelPoint other = io::world_pixel(*b);
    return std::hypot(pixel.row - other.row, pixel.col - other.col) *
           io::metres_per_pixel((a->latitude + b->latitude) / 2);
  }
  return {};
}

}  // namespace

void shuffle_grounds(Dataset& dataset) {
  const Shift shift(dataset);
  for (Sample& sample : dataset.samples) {
    const Shift::Other* other = shift.other(sample);
    if (other == nullptr) {
      throw DataError(dataset.groups[sample.group].name + " has one ground image alone: there is " +
                      "nothing to shuffle it with");
    }
    sample.ground = other->ground;
  }
}

std::size_t add_wrong_pairs(Dataset& dataset) {
  const Shift shift(dataset);
  const std::size_t count = dataset.samples.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Sample& right = dataset.samples[i];
    const Shift::Other* other = shift.other(right);
    if (!right.inside || other == nullptr) continue;
    const double diagonal = right.true_.side * right.true_.metres_per_pixel * std::numbers::sqrt2;
    const auto metres = distance_between(right.location, other->location);
    if (metres && *metres < diagonal) continue;
    Sample wrong = right;
    wrong.number = dataset.samples.size();
    wrong.ground = other->ground;
    wrong.wrong = true;
    dataset.samples.push_back(std::move(wrong));
  }
  return dataset.samples.size() - count;
}

}  // namespace crossfix::data
