#pragma once

#include <exception>
#include <new>
#include <string>

namespace crossfix::pipeline {

/// What a report says of an exception.
inline std::string failure_text(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return "there is not enough memory for it (increase ulimit -v, or use smaller images or fewer "
           "threads)";
  }
  const std::string text = error.what();
  return text.empty() ? "unknown" : text;
}

}  // namespace crossfix::pipeline
