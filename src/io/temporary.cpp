#include "temporary.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

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

/// "NAME.PROCESS.N.tmp" beside `target`. A name that fits by itself is cut where this would not.
fs::path name_beside(const fs::path& target, unsigned number) {
  std::string name = target.filename().string();
  const std::string end = "." + std::to_string(::getpid()) + "." + std::to_string(number) + ".tmp";
  if (name.size() <= NAME_MAX && name.size() + end.size() > NAME_MAX) {
    name.resize(NAME_MAX - end.size());
  }
  return target.parent_path() / (name + end);
}

/// Calls `make` with names beside `target` until it makes what did not exist: returns 0 or more.
/// The process number keeps programs apart, the counter the names of one.
template <class Make>
TemporaryFile make_temporary(const fs::path& target, const Make& make) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  while (true) {
    TemporaryFile made{name_beside(target, all.next++), -1};
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

bool move_into_folder(const fs::path& temporary, const fs::path& folder, const std::string& last) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);  // a signal waits until all is moved
  std::error_code error;
  std::vector<fs::path> names;
  for (const fs::path& path : fs::directory_iterator(temporary, error)) {
    names.push_back(path.filename());
  }
  const auto others = std::count_if(fs::directory_iterator(folder, error), {},
                                    [&](const fs::path& path) { return path != temporary; });
  if (!error && others > 0) error = std::make_error_code(std::errc::directory_not_empty);
  std::stable_partition(names.begin(), names.end(),
                        [&](const fs::path& name) { return name != last; });
  std::size_t moved = 0;
  while (!error && moved < names.size()) {
    fs::rename(temporary / names[moved], folder / names[moved], error);
    if (!error) ++moved;
  }
  if (!error) {
    fs::remove(temporary, error);
    all.paths.erase(temporary);
    return true;
  }
  for (std::error_code ignored; moved > 0; --moved) {
    fs::rename(folder / names[moved - 1], temporary / names[moved - 1], ignored);
  }
  errno = error.value();
  return false;
}

void remove_temporary(const fs::path& temporary) noexcept {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::error_code ignored;
  if (all.paths.erase(temporary) > 0) fs::remove_all(temporary, ignored);
}

void remove_temporaries_on_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU}) {
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
