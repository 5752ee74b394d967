#include "data/text_lines.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <utility>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using data::TextLines;

TEST_CASE("lines are split at blanks, whatever ends them") {
  const test::ScratchFolder folder;
  test::write_text(folder / "list.txt", "a  1\r\n\n \r\nb\t2.5e1 \nc -3");
  TextLines lines(folder / "list.txt", "a list");
  REQUIRE(lines.next());
  CHECK(lines.fields() == std::vector<std::string_view>{"a", "1"});
  CHECK(lines.line() == 1);
  REQUIRE(lines.next());
  CHECK(lines.line() == 4);
  CHECK(lines.number(1, "x") == 25);
  REQUIRE(lines.next());
  CHECK(lines.line() == 5);
  CHECK(lines.number(1, "x") == -3);
  CHECK_FALSE(lines.next());
}

TEST_CASE("a byte order mark and lines that end in CR alone cost no field") {
  const test::ScratchFolder folder;
  test::write_text(folder / "list.txt", "\xEF\xBB\xBFname 1\rother +2\r");
  TextLines lines(folder / "list.txt", "a list");
  REQUIRE(lines.next());
  CHECK(lines.fields() == std::vector<std::string_view>{"name", "1"});
  REQUIRE(lines.next());
  CHECK(lines.line() == 2);
  CHECK(lines.number(1, "x") == 2);
  CHECK_FALSE(lines.next());
}

TEST_CASE("text that is not UTF-8 says so") {
  const test::ScratchFolder folder;
  for (const std::string& text : {std::string("\xFF\xFE"
                                              "a\0b\0",
                                              6),
                                  std::string("\xFE\xFF\0a\0b", 6),
                                  std::string("a\0 \0"
                                              "1\0",
                                              6)}) {
    test::write_text(folder / "list.txt", text);
    const std::string message =
        test::message_of<DataError>([&] { TextLines lines(folder / "list.txt", "a list"); });
    CHECK(message.starts_with((folder / "list.txt").string() + ": "));
    CHECK(message.find("UTF-16") != std::string::npos);
    CHECK(message.find("UTF-8") != std::string::npos);
  }
}

TEST_CASE("a field that is no number is refused with file and line") {
  const test::ScratchFolder folder;
  const std::string wrong = GENERATE("x", "1,5", "nan", "inf", "1e999", "0x10", "3m");
  test::write_text(folder / "list.txt", "\n" + wrong);
  TextLines lines(folder / "list.txt", "a list");
  REQUIRE(lines.next());
  CHECK(test::message_of<DataError>([&] { lines.number(0, "delta_row"); }) ==
        (folder / "list.txt").string() + ":2: delta_row is '" + wrong + "'; a number is expected");
}

TEST_CASE("a file that cannot be read says what it should be") {
  const test::ScratchFolder folder;
  const auto pipe = folder / "pipe.txt";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);  // is not waited for
  for (const auto& [path, why] : {std::pair{folder / "missing.txt", "cannot be opened"},
                                  {folder.path(), "it is a folder"},
                                  {pipe, "it is a pipe or a device, no regular file"}}) {
    CHECK(test::message_of<DataError>([&] { TextLines lines(path, "a list"); }) ==
          path.string() + ": " + why + "; a list is expected");
  }
}

TEST_CASE("a file that fails while it is read is named") {
  const test::ScratchFolder folder;
  // Nothing lies at its beginning: every read fails.
  std::filesystem::create_symlink("/proc/self/mem", folder / "list.txt");
  CHECK_THAT(test::message_of<DataError>([&] { TextLines(folder / "list.txt", "a list"); }),
             Catch::StartsWith((folder / "list.txt").string() + ": cannot be read: "));
}

TEST_CASE("names stay below the root, by their text") {
  const test::ScratchFolder folder;
  const auto name = [&](const std::string& text) {
    test::write_text(folder / "list.txt", "x " + text + "\n");
    TextLines lines(folder / "list.txt", "a list");
    REQUIRE(lines.next());
    return lines.name(1);
  };
  for (const char* good : {"a.png", "a/b.png", "..a/b..", "a..b", "./a", "...", "a/.../b"}) {
    CHECK(name(good) == good);
  }
  for (const char* wrong : {"..", "../a", "a/../../b", "a/..", "/etc/passwd", "//a", "./.."}) {
    CAPTURE(wrong);
    CHECK_THAT(test::message_of<DataError>([&] { name(wrong); }),
               Catch::StartsWith((folder / "list.txt").string() + ":1: '" + wrong + "' leaves "));
  }
}

TEST_CASE("a number has two bounds") {
  const test::ScratchFolder folder;
  test::write_text(folder / "list.txt", "5 -5 5.5 -1e160\n");
  TextLines lines(folder / "list.txt", "a list");
  REQUIRE(lines.next());
  CHECK(lines.number_within(0, "x", 5) == 5);
  CHECK(lines.number_within(1, "x", 5) == -5);
  CHECK(test::message_of<DataError>([&] { lines.number_within(2, "x", 5); }) ==
        (folder / "list.txt").string() + ":1: x is '5.5'; -5 to 5 is expected");
  CHECK_THROWS_AS(lines.number_within(3, "x", 5), DataError);
}
