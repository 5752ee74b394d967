#include "messages.hpp"

#include <exception>
#include <iostream>

#include "crossfix/detail/printable.hpp"

namespace crossfix::cli {

void say(const std::string& text) { std::cerr << "crossfix: " + io::printable(text) + '\n'; }

void warn(const std::string& message) { say("warning: " + message); }

void make_outputs(std::initializer_list<std::function<void()>> outputs) {
  std::exception_ptr first;
  for (const auto& output : outputs) {
    try {
      output();
    } catch (const std::exception& error) {
      if (first) warn(error.what());
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace crossfix::cli
