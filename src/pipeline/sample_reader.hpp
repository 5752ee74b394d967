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

/// The images of one sample as they were read, or why there are none.
struct SampleImages {
  const data::Sample* sample = nullptr;
  std::shared_ptr<const io::Image> ground;  ///< neighbours may share theirs
  io::Image tile;
  std::string error;  ///< empty where both images are there
};

/// Reads the images of samples in order, ahead and on threads of its own (Prefetch). A ground image
/// that consecutive samples have in common is read once.
class SampleReader {
 public:
  /// Reads about `ahead` samples ahead, and one ground image more for each thread. `source` must
  /// outlive the reader.
  SampleReader(const data::ImageSource& source, std::vector<const data::Sample*> samples,
               std::size_t ahead, int threads);

  /// The next sample; empty after the last.
  std::optional<SampleImages> next();

 private:
  /// Consecutive samples of one ground image.
  using Group = std::span<const data::Sample* const>;

  static std::vector<Group> groups_of(const std::vector<const data::Sample*>& samples);
  std::size_t groups_ahead(std::size_t ahead, int threads) const;

  std::vector<const data::Sample*> samples_;
  std::vector<Group> groups_;
  std::vector<SampleImages> group_;  ///< read last
  std::size_t returned_ = 0;         ///< samples of it
  Prefetch<std::vector<SampleImages>> prefetch_;
};

}  // namespace crossfix::pipeline
