#include "progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "crossfix/core/number_text.hpp"

namespace crossfix::cli {

std::string progress_text(const std::string& what, std::size_t done, std::size_t total,
                          double seconds) {
  constexpr std::size_t kWidth = 30;
  const std::size_t filled = total == 0 ? kWidth : kWidth * done / total;
  std::string bar(filled, '=');
  if (filled < kWidth) bar += '>';
  bar.resize(kWidth, ' ');
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  char numbers[96];
  if (rate > 0) {
    const auto left = static_cast<long>(static_cast<double>(total - done) / rate + 0.5);
    std::snprintf(numbers, sizeof numbers, "  %s/s  %ld:%02ld left", general_text(rate, 3).c_str(),
                  left / 60, left % 60);
  } else {
    numbers[0] = '\0';
  }
  return "[" + bar + "] " + std::to_string(done) + "/" + std::to_string(total) + " " + what +
         numbers;
}

bool at_terminal() { return isatty(STDERR_FILENO) == 1; }

Progress::Progress(std::string what, std::size_t total, bool visible)
    : what_(std::move(what)),
      total_(total),
      visible_(visible),
      start_(Clock::now()),
      last_(start_) {
  if (visible_) draw(start_);
}

Progress::~Progress() { clear(); }

void Progress::advance(std::size_t count) {
  done_ += count;
  if (!visible_) return;
  const Clock::time_point now = Clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  draw(now);
}

void Progress::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

void Progress::draw(Clock::time_point now) {
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r%s\033[K", progress_text(what_, done_, total_, seconds).c_str());
  std::fflush(stderr);
}

}  // namespace crossfix::cli
