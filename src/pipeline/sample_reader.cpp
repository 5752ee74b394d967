#include "sample_reader.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "failure.hpp"

namespace crossfix::pipeline {
namespace {

/// Calls `read`; returns why it failed, or an empty string. Running out of memory counts as a
/// failure of the image too.
template <class Read>
std::string failure_of(const Read& read) {
  try {
    read();
  } catch (const std::exception& error) {
    return failure_text(error);
  }
  return {};
}

/// `samples` share one ground image.
std::vector<SampleImages> read_group(const data::ImageSource& source,
                                     std::span<const data::Sample* const> samples) {
  std::shared_ptr<const io::Image> ground;
  const std::string failure = failure_of(
      [&] { ground = std::make_shared<const io::Image>(source.ground(*samples.front())); });
  std::vector<SampleImages> group;
  for (const data::Sample* sample : samples) {
    SampleImages& images = group.emplace_back();
    images.sample = sample;
    images.ground = ground;
    images.error = ground ? failure_of([&] { images.tile = source.tile(*sample); }) : failure;
  }
  return group;
}

}  // namespace

SampleReader::SampleReader(const data::ImageSource& source,
                           std::vector<const data::Sample*> samples, std::size_t ahead, int threads)
    : samples_(std::move(samples)),
      groups_(groups_of(samples_)),
      prefetch_(groups_.size(), groups_ahead(ahead, threads), threads,
                [this, &source](std::size_t i) { return read_group(source, groups_[i]); }) {}

std::optional<SampleImages> SampleReader::next() {
  if (returned_ == group_.size()) {
    auto group = prefetch_.next();
    if (!group) return {};
    group_ = std::move(*group);
    returned_ = 0;
  }
  return std::move(group_[returned_++]);
}

std::vector<SampleReader::Group> SampleReader::groups_of(
    const std::vector<const data::Sample*>& samples) {
  std::vector<Group> groups;
  for (auto begin = samples.begin(); begin != samples.end();) {
    // At most as many samples as a panorama has tiles, so that a group has few images.
    const auto most = std::min<std::ptrdiff_t>(data::kTilesOfPanorama, samples.end() - begin);
    const auto end = std::find_if(begin, begin + most, [&](const data::Sample* sample) {
      return sample->ground != (*begin)->ground;
    });
    groups.emplace_back(begin, end);
    begin = end;
  }
  return groups;
}

std::size_t SampleReader::groups_ahead(std::size_t ahead, int threads) const {
  const std::size_t samples = std::max<std::size_t>(samples_.size(), 1);
  return static_cast<std::size_t>(std::max(threads, 1)) +
         (ahead * groups_.size() + samples - 1) / samples;
}

}  // namespace crossfix::pipeline
