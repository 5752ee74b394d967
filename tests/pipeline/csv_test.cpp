#include "pipeline/csv.hpp"

#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using crossfix::DataError;
using crossfix::pipeline::parse_csv;
using crossfix::test::message_of;
using Fields = std::vector<std::string>;

TEST_CASE("CSV fields, quotes and line ends") {
  const auto records =
      parse_csv("ground,satellite\r\n\n\"a, \"\"b\"\"\",c\r\n\"two\nlines\",\nlast,", "l");
  REQUIRE(records.size() == 4);
  CHECK(records[0].fields == Fields{"ground", "satellite"});
  CHECK(records[1].fields == Fields{"a, \"b\"", "c"});
  CHECK(records[1].line == 3);
  CHECK(records[2].fields == Fields{"two\nlines", ""});
  CHECK(records[3].fields == Fields{"last", ""});
  CHECK(records[3].line == 6);
  CHECK(parse_csv("", "l").empty());
  CHECK(parse_csv("\n\r\n,,\n , \t\r\n,", "l").empty());
  CHECK(parse_csv("a,b\n,,\nc,d", "l").at(1).line == 3);
}

TEST_CASE("blanks about a CSV field are no part of it, unless it is quoted") {
  const auto records = parse_csv("ground, satellite ,\tgsd\n a b ,\" c \" , 3\r\n", "l");
  REQUIRE(records.size() == 2);
  CHECK(records[0].fields == Fields{"ground", "satellite", "gsd"});
  CHECK(records[1].fields == Fields{"a b", " c ", "3"});
}

TEST_CASE("CSV that is damaged is refused with its line") {
  const auto message = [](const char* text) {
    return message_of<DataError>([&] { parse_csv(text, "list.csv"); });
  };
  CHECK(message("a,b\n\"c").find("list.csv:2: a quote that is never closed") == 0);
  CHECK(message("a\nb\"c").find("list.csv:2: a quote inside a field") == 0);
  CHECK(message("\"a\"b,c").find("list.csv:1: text after a closing quote") == 0);
}
