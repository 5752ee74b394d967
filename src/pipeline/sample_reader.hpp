#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossfix/io/image.hpp"
#include "data/image_source.hpp"
#include "prefetch.hpp"

namespace crossfix::pipeline {

/// The images of one sample as they were read, or the reason why there are none.
struct SampleImages {
  const data::Sample* sample = nullptr;
  std::shared_ptr<const io::Image> ground;  ///< neighbours may share it
  io::Image tile;
  std::string error;  ///< empty if both images were read
};

/// Reads the images of samples in order, ahead of the caller and on its own threads (Prefetch). A
/// ground image that consecutive samples share is read once.
class SampleReader {
 public:
  /// Reads about `ahead` samples ahead, and one more ground image for each thread. `source` must
  /// outlive the reader.
  SampleReader(const data::ImageSource& source, std::vector<const data::Sample*> samples,
               std::size_t ahead, int threads);

  /// The next sample; empty after the last.
  std::optional<SampleImages> next();

 private:
  /// Consecutive samples with the same ground image.
  using Group = std::span<const data::Sample* const>;

  static std::vector<Group> groups_of(const std::vector<const data::Sample*>& samples);
  std::size_t groups_ahead(std::size_t ahead, int threads) const;

  std::vector<const data::Sample*> samples_;
  std::vector<Group> groups_;
  std::vector<SampleImages> group_;  ///< the group read last
  std::size_t returned_ = 0;         ///< how many of its samples `next` has returned
  Prefetch<std::vector<SampleImages>> prefetch_;
};

}  // namespace crossfix::pipeline
