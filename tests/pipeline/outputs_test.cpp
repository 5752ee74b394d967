#include "pipeline/outputs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "io/files.hpp"
#include "pipeline/camera_choice.hpp"

using namespace crossfix;
using namespace crossfix::pipeline;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;

std::string refusal(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs) {
  return test::message_of<ChoiceError>([&] { check_outputs(outputs, inputs); });
}

/// Sends a stream into a file, or closes it where none is named, until the end of the scope.
class Redirected {
 public:
  Redirected(int stream, const fs::path& file) : stream_(stream), kept_(::dup(stream)) {
    ::close(stream);
    if (!file.empty()) REQUIRE(::open(file.c_str(), O_WRONLY | O_APPEND) == stream);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;
  ~Redirected() {
    ::dup2(kept_, stream_);
    ::close(kept_);
  }

 private:
  int stream_;
  int kept_;
};

}  // namespace

TEST_CASE("no stream goes into a file that is read or written") {
  const test::ScratchFolder folder;
  for (const char* name : {"log", "list.csv"}) test::write_text(folder / name, "");
  fs::create_symlink("log", folder / "link");
  const auto refused = [&](int stream, const fs::path& into, const NamedPath& output,
                           const NamedPath& input) {
    const Redirected redirected(stream, into);
    return refusal({output}, {input});
  };
  const NamedPath list{"--pairs", folder / "list.csv"};
  const NamedPath none{"--dump", ""};
  for (const char* spelled : {"log", "./log", "link"}) {
    const NamedPath dump{"--dump", folder / spelled};
    CHECK_THAT(refused(STDOUT_FILENO, folder / "log", dump, list),
               Contains("--dump '" + dump.path.string() + "' is where standard output goes"));
    CHECK_THAT(refused(STDERR_FILENO, folder / "log", dump, list),
               Contains("--dump '" + dump.path.string() + "' is where standard error goes"));
  }
  CHECK_THAT(refused(STDOUT_FILENO, folder / "list.csv", none, list),
             Contains("--pairs") && Contains("is where standard output goes"));
  const NamedPath other{"--dump", folder / "other"};
  CHECK(refused(STDOUT_FILENO, folder / "log", other, list).empty());
  CHECK(refused(STDOUT_FILENO, "/dev/null", {"--dump", "/dev/null"}, list).empty());
  CHECK(refused(STDOUT_FILENO, "", other, list).empty());  // closed
  const Redirected both(STDERR_FILENO, folder / "log");
  CHECK(refused(STDOUT_FILENO, folder / "log", other, list).empty());
}

TEST_CASE("an output is no input, however it is spelled and linked") {
  const test::ScratchFolder folder;
  test::write_text(folder / "photo.jpg", "a photo");
  fs::create_directory(folder / "below");
  fs::create_symlink("photo.jpg", folder / "soft.jpg");
  fs::create_symlink(folder.path(), folder / "below" / "up");
  fs::create_hard_link(folder / "photo.jpg", folder / "hard.jpg");
  const NamedPath input{"list.csv:3", folder / "photo.jpg"};
  for (const char* spelled : {"photo.jpg", "./photo.jpg", "below/../photo.jpg", "soft.jpg",
                              "below/up/photo.jpg", "hard.jpg"}) {
    CAPTURE(spelled);
    const std::string text = refusal({{"--dump", folder / spelled}}, {{"--ground", ""}, input});
    CHECK_THAT(text, Contains("--dump") && Contains((folder / spelled).string()) &&
                         Contains(input.path.string() + "' of list.csv:3"));
  }
  CHECK(refusal({{"--dump", folder / "other.jpg"}, {"--overlay", ""}}, {input}).empty());
}

TEST_CASE("two outputs are two files, also where neither is there") {
  const test::ScratchFolder folder;
  fs::create_symlink("new", folder / "link");
  for (const char* spelled : {"new", "./new", "link"}) {
    CAPTURE(spelled);
    CHECK_THAT(refusal({{"--report", folder / "new"}, {"--dump", folder / spelled}}, {}),
               Contains("--dump") && Contains("which --report writes"));
  }
  CHECK(refusal({{"--report", folder / "new"}, {"--dump", folder / "newer"}}, {}).empty());
  CHECK(refusal({{"--report", "/dev/null"}, {"--dump", "/dev/null"}}, {}).empty());
}

TEST_CASE("an output does not end as another kind of file, nor does what it links to") {
  const test::ScratchFolder folder;
  test::write_text(folder / "labels.txt", "labels");
  fs::create_symlink("labels.txt", folder / "link.html");
  const auto refused = [&](const std::string& name, const Endings& endings) {
    return test::message_of<ChoiceError>([&] {
      check_ending({"--report", folder / name}, endings);
    });
  };
  for (const char* good : {"r.html", "r.HTM", "a.b.html"}) {
    CAPTURE(good);
    CHECK(refused(good, kReportEndings).empty());
  }
  for (const char* wrong : {"r.pdf", "r", "r.html.gz"}) {
    CAPTURE(wrong);
    CHECK_THAT(refused(wrong, kReportEndings), Contains("should end in .html"));
  }
  CHECK_THAT(refused("link.html", kReportEndings), Contains("a link to") && Contains("labels.txt"));
  for (const char* good : {"raw", "raw.st", "raw.safetensors"}) {
    CHECK(refused(good, kDumpEndings).empty());
  }
  for (const char* wrong : {"raw.png", "raw.npz", "raw.json"}) {
    CHECK_THAT(refused(wrong, kDumpEndings), Contains("should end in .safetensors"));
  }
}

TEST_CASE("what is in a folder, and what only begins as it does") {
  const test::ScratchFolder folder;
  CHECK(is_within(folder / "w/sheet.png", folder / "w"));
  CHECK(is_within(folder / "w/sheet.png", folder / "w/"));
  CHECK(is_within(folder / "w", folder / "w"));
  CHECK_FALSE(is_within(folder / "w.png", folder / "w"));
  CHECK_FALSE(is_within(folder / "w/../sheet.png", folder / "w"));
  CHECK_FALSE(is_within("", folder / "w"));
}
