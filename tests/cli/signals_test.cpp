#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "io/files.hpp"

using namespace crossfix;

namespace {

namespace fs = std::filesystem;

constexpr auto kEndingSignals = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                 SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU};

/// Starts a run in `folder` that makes a world and a picture of it for many seconds. With `ignored`
/// it is one that ignores that signal, as nohup starts programs.
pid_t start_world(const fs::path& folder, int ignored = 0) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child > 0) return child;
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : kEndingSignals) std::signal(signal, SIG_DFL);
  if (ignored != 0) std::signal(ignored, SIG_IGN);
  if (::chdir(folder.c_str()) == 0) {
    ::execl(CROSSFIX_PROGRAM, CROSSFIX_PROGRAM, "world", "--out", "world", "--sheet", "sheet.png",
            "--panoramas", "2000", "--threads", "2", static_cast<char*>(nullptr));
  }
  ::_exit(127);
}

/// Waits until there are the picture's temporary file and images in the world's temporary folder.
void wait_for_work(pid_t child, const fs::path& folder) {
  while (true) {
    bool sheet = false;
    bool image = false;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      sheet = sheet || (name.starts_with("sheet.png.") && name.ends_with(".tmp"));
      if (!name.starts_with("world.")) continue;
      std::error_code ignored;  // images get their names meanwhile
      for (auto at = fs::recursive_directory_iterator(entry.path(), ignored);
           at != fs::recursive_directory_iterator() && !ignored; at.increment(ignored)) {
        image = image || at->path().extension() == ".png";
      }
    }
    if (sheet && image) return;
    int status = 0;
    REQUIRE(::waitpid(child, &status, WNOHANG) == 0);  // otherwise it ended by itself
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

TEST_CASE("a signal ends the program as ever, and leaves no temporary file") {
  const test::ScratchFolder folder;
  test::write_text(folder / "sheet.png.1.0.tmp", "of somebody else");
  const int signal = GENERATE(values<int>(kEndingSignals));
  CAPTURE(signal);
  const pid_t child = start_world(folder.path());
  wait_for_work(child, folder.path());
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == signal);
  CHECK(folder.entries() == 1);
  CHECK(test::read_text(folder / "sheet.png.1.0.tmp") == "of somebody else");
}

TEST_CASE("a signal that is ignored stays so") {
  const test::ScratchFolder folder;
  const pid_t child = start_world(folder.path(), SIGHUP);
  wait_for_work(child, folder.path());
  ::kill(child, SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  int status = 0;
  CHECK(::waitpid(child, &status, WNOHANG) == 0);
  ::kill(child, SIGTERM);
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  CHECK(folder.entries() == 0);
}
