#include "crossfix/io/atomic_file.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using io::AtomicFile;
using test::message_of;
using test::read_text;
using test::ScratchFolder;

namespace {

/// What fsync was called with, and what it shall say; empty of interest outside `watched_commit`.
struct Watch {
  std::filesystem::path target;
  int error_of_file = 0;
  int error_of_folder = 0;
  std::vector<std::string> calls = {};
};
Watch* watch = nullptr;

/// Commits "new" to a file, watched.
std::vector<std::string> watched_commit(Watch now) {
  AtomicFile file(now.target);
  file.write("new");
  watch = &now;
  try {
    file.commit();
  } catch (...) {
    watch = nullptr;
    throw;
  }
  watch = nullptr;
  return now.calls;
}

}  // namespace

/// In place of the C library's: a test sees what is asked of the disk, and in which order.
extern "C" int fsync(int descriptor) {
  if (watch != nullptr) {
    struct stat status = {};
    ::fstat(descriptor, &status);
    const bool folder = S_ISDIR(status.st_mode);
    watch->calls.push_back((folder ? "folder, file is " : "file, file is ") +
                           read_text(watch->target));
    errno = folder ? watch->error_of_folder : watch->error_of_file;
    if (errno != 0) return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

TEST_CASE("a file appears at commit, whole") {
  const ScratchFolder folder;
  AtomicFile file(folder / "a.txt");
  file.write("one ");
  file.write("two");
  CHECK_FALSE(std::filesystem::exists(folder / "a.txt"));
  file.commit();
  CHECK(read_text(folder / "a.txt") == "one two");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file that is never committed leaves nothing behind") {
  const ScratchFolder folder;
  test::write_text(folder / "old.txt", "old");
  {
    AtomicFile file(folder / "old.txt");
    file.write("new");
    CHECK(folder.entries() == 2);
  }
  CHECK(read_text(folder / "old.txt") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a name that somebody has is not taken, and stays") {
  const ScratchFolder folder;
  std::string name;
  {
    const AtomicFile first(folder / "a.txt");
    name = std::filesystem::directory_iterator(folder.path())->path().filename().string();
  }
  // The names of this process go on counting: what it would take next is there already.
  const std::size_t dot = name.rfind('.', name.size() - 5);
  const auto number = std::stoul(name.substr(dot + 1));
  const auto next = folder / (name.substr(0, dot + 1) + std::to_string(number + 1) + ".tmp");
  test::write_text(next, "mine");
  {
    AtomicFile file(folder / "a.txt");
    file.write("whole");
    file.commit();
  }
  CHECK(read_text(folder / "a.txt") == "whole");
  CHECK(read_text(next) == "mine");
}

TEST_CASE("a name may be as long as the file system has them, and no longer") {
  const ScratchFolder folder;
  for (const std::size_t length : {240, 250, 255}) {
    CAPTURE(length);
    const auto path = folder / (std::string(length - 4, 'n') + ".txt");
    AtomicFile file(path);
    AtomicFile beside(folder / (std::string(length - 4, 'n') + ".csv"));  // begins alike
    file.write("whole");
    file.commit();
    CHECK(read_text(path) == "whole");
  }
  CHECK(folder.entries() == 3);
  CHECK_THAT(message_of<DataError>([&] { AtomicFile(folder / std::string(256, 'n')); }),
             Catch::Contains("File name too long"));
}

TEST_CASE("a moved-from file removes and writes nothing") {
  const ScratchFolder folder;
  AtomicFile outer = [&] {
    AtomicFile inner(folder / "a.txt");
    inner.write("kept");
    return AtomicFile(std::move(inner));
  }();
  outer.commit();
  CHECK(read_text(folder / "a.txt") == "kept");
}

TEST_CASE("a committed file has the permissions of an ordinary one") {
  const ScratchFolder folder;
  test::write_text(folder / "plain", "");
  AtomicFile file(folder / "atomic");
  file.commit();
  CHECK(std::filesystem::status(folder / "atomic").permissions() ==
        std::filesystem::status(folder / "plain").permissions());
}

TEST_CASE("a path that cannot be written is known at once, with its name") {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "sub");
  test::write_text(folder / "file", "");
  for (const auto& path : {folder / "missing/a.txt", folder / "sub", folder / "sub/",
                           folder / "file/a.txt", std::filesystem::path()}) {
    CAPTURE(path);
    const std::string message = message_of<DataError>([&] { AtomicFile{path}; });
    CHECK_THAT(message, Catch::StartsWith("cannot write '" + path.string() + "': "));
  }
  CHECK(folder.entries() == 2);
}

TEST_CASE("a symbolic link stays, and its target is replaced") {
  const ScratchFolder folder;
  test::write_text(folder / "target", "old");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  AtomicFile file(folder / "link");
  file.write("new");
  file.commit();
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_text(folder / "target") == "new");
}

TEST_CASE("a file is on the disk before it has its name, and then the name is") {
  const ScratchFolder folder;
  test::write_text(folder / "a.txt", "old");
  const std::vector<std::string> expected{"file, file is old", "folder, file is new"};
  CHECK(watched_commit({folder / "a.txt"}) == expected);
  // File systems that know no such call serve as they did.
  CHECK(watched_commit({folder / "b.txt", EINVAL, ENOTSUP}).size() == 2);
  CHECK(read_text(folder / "b.txt") == "new");
}

TEST_CASE("bytes that do not reach the disk leave the old file") {
  const ScratchFolder folder;
  test::write_text(folder / "a.txt", "old");
  CHECK_THAT(message_of<DataError>([&] {
               watched_commit({folder / "a.txt", EIO});
             }),
             Catch::EndsWith("a.txt': " + std::string(std::strerror(EIO))));
  CHECK(read_text(folder / "a.txt") == "old");
  CHECK(folder.entries() == 1);
  CHECK_THROWS_AS(watched_commit({folder / "a.txt", 0, EIO}), DataError);
}

TEST_CASE("devices are written in place") {
  AtomicFile null("/dev/null");
  null.write("gone");
  null.commit();
  CHECK(std::filesystem::is_character_file("/dev/null"));
  if (std::filesystem::exists("/dev/full")) {
    AtomicFile full("/dev/full");
    CHECK_THAT(message_of<DataError>([&] { full.write("x"); }), Catch::Contains("/dev/full"));
  }
}
