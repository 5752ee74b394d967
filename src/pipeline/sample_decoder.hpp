#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crossfix/io/image.hpp"
#include "data/image_source.hpp"

namespace crossfix::pipeline {

/// The images of one sample as they were read, or why there are none.
struct DecodedSample {
  const data::Sample* sample = nullptr;
  std::shared_ptr<const io::Image> ground;  ///< neighbours may share theirs
  io::Image tile;
  std::string error;  ///< empty where both images are there
};

/// Samples that go through the network together.
using Batch = std::vector<const data::Sample*>;

/// Reads the images of batches on threads of its own, a bounded number of batches ahead
/// of whoever asks for the next. The order is that of the list, whatever the threads.
class SampleDecoder {
 public:
  /// `source` and `batches` must outlive the decoder.
  SampleDecoder(const data::ImageSource& source, const std::vector<Batch>& batches, int threads);
  SampleDecoder(const SampleDecoder&) = delete;
  SampleDecoder& operator=(const SampleDecoder&) = delete;
  ~SampleDecoder();

  /// The next batch; empty at the end of the list.
  std::optional<std::vector<DecodedSample>> next();

 private:
  void work();

  const data::ImageSource& source_;
  const std::vector<Batch>& batches_;
  std::size_t step_;   ///< batches that a thread takes at once: neighbours share ground images
  std::size_t ahead_;  ///< batches decoded before they are asked for, at most
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t taken_ = 0;  ///< batches that threads have begun with
  std::size_t given_ = 0;  ///< batches that `next` has returned
  bool stopped_ = false;
  std::map<std::size_t, std::vector<DecodedSample>> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace crossfix::pipeline
