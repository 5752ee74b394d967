#include "temporary.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>

namespace crossfix::io {

namespace {

namespace fs = std::filesystem;

/// The temporary files and folders that there are. Names are made, renamed and removed under the
/// lock, so that no signal finds one that exists and is not in the list, or the other way round.
struct Registry {
  std::mutex mutex;
  std::set<fs::path> paths;
  unsigned next = 0;
};

/// Never destroyed: a signal may come while the program ends.
Registry& registry() {
  static Registry& one = *new Registry;
  return one;
}

/// Calls `make` with names beside `target` until it makes what did not exist: returns 0 or more.
/// The process number keeps programs apart, the counter the names of one.
template <class Make>
TemporaryFile make_temporary(const fs::path& target, const Make& make) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  while (true) {
    TemporaryFile made{target, -1};
    made.path += "." + std::to_string(::getpid()) + "." + std::to_string(all.next++) + ".tmp";
    made.descriptor = make(made.path);
    if (made.descriptor >= 0) all.paths.insert(made.path);
    if (made.descriptor >= 0 || errno != EEXIST) return made;
  }
}

/// Ends the program by `signal` as if nothing had waited for it. Nobody makes another temporary
/// file or folder: the lock is kept.
void end_by(int signal, const sigset_t& signals) {
  Registry& all = registry();
  all.mutex.lock();
  for (const fs::path& path : all.paths) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::signal(signal, SIG_DFL);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  ::pthread_kill(::pthread_self(), signal);
}

}  // namespace

TemporaryFile make_temporary_file(const fs::path& target) {
  return make_temporary(target, [](const fs::path& path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
}

fs::path make_temporary_folder(const fs::path& target) {
  const TemporaryFile made =
      make_temporary(target, [](const fs::path& path) { return ::mkdir(path.c_str(), 0777); });
  return made.descriptor < 0 ? fs::path() : made.path;
}

bool rename_temporary(const fs::path& temporary, const fs::path& target) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  if (std::rename(temporary.c_str(), target.c_str()) != 0) return false;
  all.paths.erase(temporary);
  return true;
}

void remove_temporary(const fs::path& temporary) noexcept {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::error_code ignored;
  if (all.paths.erase(temporary) > 0) fs::remove_all(temporary, ignored);
}

void remove_temporaries_on_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action {};
    const bool known = ::sigaction(signal, nullptr, &action) == 0;
    if (known && action.sa_handler == SIG_DFL) ::sigaddset(&signals, signal);
  }
  // All later threads inherit this. So the signals come to the thread that waits for them, where
  // nothing is forbidden that is forbidden in a signal's handler.
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  try {
    std::thread([signals] {
      int signal = 0;
      if (::sigwait(&signals, &signal) == 0) end_by(signal, signals);
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had: the signals end the program at once
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }
}

}  // namespace crossfix::io
