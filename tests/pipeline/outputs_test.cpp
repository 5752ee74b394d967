#include "pipeline/outputs.hpp"

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

}  // namespace

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
