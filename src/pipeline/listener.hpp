#pragma once

#include <cstddef>
#include <string>

namespace crossfix::pipeline {

/// Who is told how a run goes. Called on rank 0 alone, by one thread.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;

  /// Something that a user may want to mend, one line.
  virtual void warn(const std::string& message) = 0;
  /// Something worth knowing, one line.
  virtual void note(const std::string& message) = 0;

  /// Work on `total` things begins ("pairs", 500); so many more are done; it is over.
  virtual void begin(const std::string& what, std::size_t total) = 0;
  virtual void advance(std::size_t count) = 0;
  virtual void end() = 0;
  /// What follows is written to standard output.
  virtual void make_way() = 0;
};

}  // namespace crossfix::pipeline
