#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/observer.hpp"

namespace crossfix::test {

/// Remembers what a run reported.
class Recorder final : public pipeline::Observer {
 public:
  void warn(const std::string& message) override { warnings.push_back(message); }
  void note(const std::string& message) override { notes.push_back(message); }
  void begin(const std::string& what, std::size_t count) override {
    begun = what;
    total = count;
  }
  void advance(std::size_t count) override { done += count; }
  void end() override { ++ended; }
  void clear_line() override {}

  std::vector<std::string> warnings;
  std::vector<std::string> notes;
  std::string begun;
  std::size_t total = 0;
  std::size_t done = 0;
  int ended = 0;
};

}  // namespace crossfix::test
