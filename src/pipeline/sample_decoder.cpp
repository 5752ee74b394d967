#include "sample_decoder.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/math.hpp"
#include "crossfix/cpu/resize.hpp"

namespace crossfix::pipeline {

namespace {

/// Samples that a thread takes at once, at least: the four tiles of two ground images.
constexpr std::size_t kSamplesAtOnce = 8;

io::Image resized(const io::Image& image, const Shape<2>& target, cpu::ResizerCache& resizers) {
  if (element_count(target) == 0) {
    io::Image copy(image.shape());
    std::copy_n(image.data(), image.size(), copy.data());
    return copy;
  }
  cpu::Resizer& resizer = resizers.get({image.extent(0), image.extent(1)}, target);
  const io::ImageView small = resizer(image.view());
  io::Image copy({target[0], target[1], 3});
  std::copy_n(small.data(), copy.size(), copy.data());
  return copy;
}

/// One thread's state.
class Decoder {
 public:
  Decoder(const data::ImageSource& source, const SampleDecoder::Target& target)
      : source_(source), target_(target) {}

  DecodedSample decode(const data::Sample& sample) {
    DecodedSample decoded;
    decoded.sample = &sample;
    try {
      if (!ground_ || last_ != sample.ground) {
        ground_.reset();
        last_ = sample.ground;
        whole_ = source_.ground(sample);
        ground_ = std::make_shared<const io::Image>(resized(whole_, target_.ground, resizers_));
      }
      const io::Image tile = source_.tile(sample);
      try {
        target_.check(sample, whole_, tile);
      } catch (const ImageError& error) {  // names no file
        throw ImageError(sample.ground + ": " + error.what());
      }
      decoded.tile = resized(tile, target_.satellite, resizers_);
      decoded.ground = ground_;
    } catch (const std::exception& error) {  // bad_alloc too: a thread must not end in one
      decoded.error = error.what();
      if (decoded.error.empty()) decoded.error = "unknown";
    }
    return decoded;
  }

 private:
  const data::ImageSource& source_;
  const SampleDecoder::Target& target_;
  cpu::ResizerCache resizers_;
  std::string last_;  ///< name of the ground image read last
  io::Image whole_;
  std::shared_ptr<const io::Image> ground_;
};

}  // namespace

SampleDecoder::SampleDecoder(const data::ImageSource& source, const std::vector<Batch>& batches,
                             Target target, int threads)
    : source_(source), batches_(batches), target_(std::move(target)) {
  const std::size_t batch = batches.empty() ? 1 : std::max<std::size_t>(batches[0].size(), 1);
  step_ = ceil_div(kSamplesAtOnce, batch);
  const auto count = static_cast<std::size_t>(std::max(threads, 1));
  ahead_ = step_ * (count + 1);
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

SampleDecoder::~SampleDecoder() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<std::vector<DecodedSample>> SampleDecoder::next() {
  std::unique_lock lock(mutex_);
  if (given_ == batches_.size()) return {};
  changed_.wait(lock, [&] { return ready_.contains(given_); });
  auto node = ready_.extract(given_++);
  lock.unlock();
  changed_.notify_all();
  return std::move(node.mapped());
}

void SampleDecoder::work() {
  Decoder decoder(source_, target_);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || taken_ < given_ + ahead_; });
    if (stopped_ || taken_ == batches_.size()) return;
    const std::size_t begin = taken_;
    const std::size_t end = std::min(begin + step_, batches_.size());
    taken_ = end;
    for (std::size_t i = begin; i < end && !stopped_; ++i) {
      lock.unlock();
      std::vector<DecodedSample> batch;
      for (const data::Sample* sample : batches_[i]) batch.push_back(decoder.decode(*sample));
      lock.lock();
      ready_.emplace(i, std::move(batch));
      changed_.notify_all();
    }
  }
}

}  // namespace crossfix::pipeline
