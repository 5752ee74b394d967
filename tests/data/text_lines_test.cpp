#include "data/text_lines.hpp"

#include <catch2/catch.hpp>

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
  for (const auto& path : {folder / "missing.txt", folder.path()}) {
    CHECK(test::message_of<DataError>([&] { TextLines lines(path, "a list"); }) ==
          path.string() + ": cannot be opened; a list is expected");
  }
}
