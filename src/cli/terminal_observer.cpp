#include "terminal_observer.hpp"

#include "messages.hpp"

namespace crossfix::cli {

void TerminalObserver::warn(const std::string& message) {
  clear_line();
  cli::warn(message);
}

void TerminalObserver::note(const std::string& message) {
  clear_line();
  say(message);
}

void TerminalObserver::begin(const std::string& what, std::size_t total) {
  progress_.emplace(what, total, visible_);
}

void TerminalObserver::advance(std::size_t count) {
  if (progress_) progress_->advance(count);
}

void TerminalObserver::end() { progress_.reset(); }

void TerminalObserver::clear_line() {
  if (progress_) progress_->clear();
}

}  // namespace crossfix::cli
