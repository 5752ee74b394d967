#include "pipeline/pair_list.hpp"

#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using pipeline::read_pair_list;
using test::message_of;

TEST_CASE("a list of pairs: columns in any order, paths relative to it, truth and scale optional") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  test::write_text(file, "row,ground,col,satellite,gsd\n10.5,g.jpg,-3,t.png,0.2\n,/g,,t,\n");
  const auto entries = read_pair_list(file);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].line == 2);
  CHECK(entries[0].ground == folder / "g.jpg");
  CHECK(entries[0].satellite == folder / "t.png");
  REQUIRE(entries[0].truth);
  CHECK(entries[0].truth->row == 10.5);
  CHECK(entries[0].truth->col == -3);
  CHECK(entries[0].metres_per_pixel == 0.2);
  CHECK(entries[1].ground == "/g");
  CHECK_FALSE(entries[1].truth);
  CHECK_FALSE(entries[1].metres_per_pixel);
}

TEST_CASE("a list of pairs that is wrong names its file and line") {
  const test::ScratchFolder folder;
  const auto file = folder / "list.csv";
  const auto message = [&](const std::string& text) {
    test::write_text(file, text);
    const std::string what = message_of<DataError>([&] { read_pair_list(file); });
    const std::string prefix = file.string() + ":";
    return what.starts_with(prefix) ? what.substr(prefix.size()) : "no file named: " + what;
  };
  CHECK(message("").starts_with("1: empty"));
  CHECK(message("ground\n").starts_with("1: the header lacks"));
  CHECK(message("ground,satellite,row\n").starts_with("1: the header has one of"));
  CHECK(message("ground,satellite,height\n").starts_with("1: unknown column 'height'"));
  CHECK(message("ground,satellite,ground\n").starts_with("1: column 'ground' stands twice"));
  const std::string header = "ground,satellite,row,col,gsd\n";
  CHECK(message(header + "g,s,1,2\n").starts_with("2: 4 fields where the header has 5"));
  CHECK(message(header + "g,,1,2,\n").starts_with("2: no path under 'satellite'"));
  CHECK(message(header + "g,s,1,,\n").starts_with("2: one of 'row' and 'col' is empty"));
  CHECK(message(header + "g,s,1,2,\ng,s,1,2x,\n").starts_with("3: col is '2x'"));
  CHECK(message(header + "g,s,nan,2,\n").starts_with("2: row is 'nan'"));
  CHECK(message(header + "g,s,1,2,0\n").starts_with("2: gsd"));
  CHECK_THROWS_AS(read_pair_list(folder.path()), DataError);
  CHECK_THROWS_AS(read_pair_list(folder / "absent.csv"), DataError);
}
