#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace crossfix::cli {

/// Whether the standard error of this process is a terminal.
bool at_terminal();

/// A progress bar on standard error, with rate and time left. One thread may use it.
class Progress {
 public:
  /// `what` is counted up to `total`, e.g. ("pairs", 500). `visible`: whether anything is drawn;
  /// usually whether standard error ends at a terminal.
  Progress(std::string what, std::size_t total, bool visible = at_terminal());
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// Some more are done. Redraws at most ten times a second.
  void advance(std::size_t count = 1);

  /// Removes the bar from its line, so that a message can be printed; the next `advance` redraws
  /// it.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now);

  std::string what_;
  std::size_t total_;
  std::size_t done_ = 0;
  bool visible_;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point last_;
};

/// "[=====>    ]  120/500 pairs  5.1/s  1:14 left": the text of the bar after `seconds` of work.
std::string progress_text(const std::string& what, std::size_t done, std::size_t total,
                          double seconds);

}  // namespace crossfix::cli
