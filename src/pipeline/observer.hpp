#pragma once

#include <cstddef>
#include <string>

namespace crossfix::pipeline {

/// Gets the progress and the messages of a run. Called only on rank 0, by one thread.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// Something that a user may want to fix, one line.
  virtual void warn(const std::string& message) = 0;
  /// Something worth knowing, one line.
  virtual void note(const std::string& message) = 0;

  /// Work on `total` things begins ("pairs", 500); some more are done; the work is over.
  virtual void begin(const std::string& what, std::size_t total) = 0;
  virtual void advance(std::size_t count) = 0;
  virtual void end() = 0;
  /// What follows is written to standard output.
  virtual void clear_line() = 0;
};

}  // namespace crossfix::pipeline
