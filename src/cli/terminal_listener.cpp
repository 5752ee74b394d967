#include "terminal_listener.hpp"

#include <iostream>

#include "model_options.hpp"

namespace crossfix::cli {

void TerminalListener::warn(const std::string& message) {
  make_way();
  cli::warn(message);
}

void TerminalListener::note(const std::string& message) {
  make_way();
  std::cerr << "crossfix: " << message << '\n';
}

void TerminalListener::begin(const std::string& what, std::size_t total) {
  progress_.emplace(what, total, visible_);
}

void TerminalListener::advance(std::size_t count) {
  if (progress_) progress_->advance(count);
}

void TerminalListener::end() { progress_.reset(); }

void TerminalListener::make_way() {
  if (progress_) progress_->clear();
}

}  // namespace crossfix::cli
