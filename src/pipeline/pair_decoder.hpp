#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bounded_queue.hpp"
#include "crossfix/io/image.hpp"
#include "pair_list.hpp"

namespace crossfix::pipeline {

/// The images of one entry, or why there are none.
struct DecodedPair {
  const PairEntry* entry = nullptr;
  io::Image ground;
  io::Image satellite;
  std::string error;  ///< empty where both images are there
};

/// Reads the images of a list on a thread of its own, a bounded number of pairs ahead of whoever
/// asks for the next.
class PairDecoder {
 public:
  /// `entries` must outlive the decoder.
  PairDecoder(const std::vector<PairEntry>& entries, std::size_t ahead);
  PairDecoder(const PairDecoder&) = delete;
  PairDecoder& operator=(const PairDecoder&) = delete;
  ~PairDecoder();

  /// The next pair in the list's order; empty at its end.
  std::optional<DecodedPair> next() { return queue_.pop(); }

 private:
  BoundedQueue<DecodedPair> queue_;
  std::thread thread_;
};

}  // namespace crossfix::pipeline
