#include "pair_decoder.hpp"

#include <exception>
#include <utility>

namespace crossfix::pipeline {
namespace {

DecodedPair decode(const PairEntry& entry) {
  DecodedPair pair{&entry, {}, {}, {}};
  try {
    pair.ground = io::read_image(entry.ground);
    pair.satellite = io::read_image(entry.satellite);
  } catch (const std::exception& error) {  // bad_alloc too: a thread must not end in one
    pair.error = error.what();
  }
  return pair;
}

}  // namespace

PairDecoder::PairDecoder(const std::vector<PairEntry>& entries, std::size_t ahead)
    : queue_(ahead), thread_([this, &entries] {
        for (const PairEntry& entry : entries) {
          if (!queue_.push(decode(entry))) return;
        }
        queue_.close();
      }) {}

PairDecoder::~PairDecoder() {
  queue_.close();
  thread_.join();
}

}  // namespace crossfix::pipeline
