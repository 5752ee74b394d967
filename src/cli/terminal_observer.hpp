#pragma once

#include <optional>
#include <string>

#include "pipeline/observer.hpp"
#include "progress.hpp"

namespace crossfix::cli {

/// Reports a run on standard error: lines "crossfix: ...", and a progress bar on a terminal.
class TerminalObserver final : public pipeline::Observer {
 public:
  /// `visible`: whether a bar is drawn.
  explicit TerminalObserver(bool visible) : visible_(visible) {}

  void warn(const std::string& message) override;
  void note(const std::string& message) override;
  void begin(const std::string& what, std::size_t total) override;
  void advance(std::size_t count) override;
  void end() override;
  void clear_line() override;

 private:
  bool visible_;
  std::optional<Progress> progress_;
};

}  // namespace crossfix::cli
