#include "report/markup.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "crossfix/core/error.hpp"
#include "xml_check.hpp"

using namespace crossfix;
using namespace crossfix::report;

TEST_CASE("text is escaped such that a parser reads it back") {
  const std::string nasty = "<script>alert(\"a\" & 'b')</script> ]]> ä €";
  CHECK(escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  Markup out;
  out.element("p", nasty, {{"title", nasty}});
  const test::Document document(out.take());
  REQUIRE(document.elements().size() == 1);
  CHECK(document.elements()[0].text == nasty);
  CHECK(document.elements()[0].attribute("title") == nasty);
}

TEST_CASE("what is not UTF-8, or a control character, becomes a replacement character") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(escaped(std::string("a\0b", 3)) == "a" + mark + "b");
  CHECK(escaped("\x1b[1m") == mark + "[1m");
  CHECK(escaped("\x7f") == mark);
  CHECK(escaped("caf\xe9") == "caf" + mark);             // Latin-1
  CHECK(escaped("\xc3") == mark);                        // cut short
  CHECK(escaped("\xc0\xaf") == mark + mark);             // overlong
  CHECK(escaped("\xed\xa0\x80") == mark + mark + mark);  // a surrogate
  CHECK(escaped("\xc2\x85") == mark + mark);             // U+0085
  CHECK(escaped("\xef\xbf\xbf") == mark + mark + mark);  // U+FFFF
  CHECK(escaped("\xf5\x80\x80\x80") == mark + mark + mark + mark);
  CHECK(escaped("\t\n\xf0\x9f\x9b\xb0") == "\t\n\xf0\x9f\x9b\xb0");
}

TEST_CASE("coordinates are short and finite") {
  CHECK(coordinate(12.0) == "12");
  CHECK(coordinate(12.34) == "12.3");
  CHECK(coordinate(-0.01) == "0");
  CHECK(coordinate(100.0, 0) == "100");
  CHECK(coordinate(0.125, 3) == "0.125");
  CHECK_THROWS_AS(coordinate(std::numeric_limits<double>::quiet_NaN()), ShapeError);
  CHECK_THROWS_AS(coordinate(std::numeric_limits<double>::infinity()), ShapeError);
}

TEST_CASE("numbers are readable, and show what is not finite as such") {
  CHECK(readable(2.675, 1) == "2.7");
  CHECK(readable(0, 2) == "0.00");
  CHECK(readable(-0.001, 2) == "0.00");
  CHECK(readable(-1.5, 1) == "\u22121.5");
  CHECK(readable(1234, 0) == "1234");
  CHECK(readable(52605, 0) == "52\u202f605");
  CHECK(readable(1234567.5, 1) == "1\u202f234\u202f567.5");
  CHECK(readable(std::numeric_limits<double>::quiet_NaN(), 2) == "NaN");
  CHECK(readable(std::numeric_limits<double>::infinity(), 2) == "\u221e");
  CHECK(readable(-std::numeric_limits<double>::infinity(), 2) == "\u2212\u221e");
}

TEST_CASE("elements close in order, or it is an error") {
  Markup out;
  out.open("a").open("b", {{"class", "x"}}).text("1").close().leaf("c").close();
  CHECK(out.take() == "<a><b class=\"x\">1</b><c/></a>");
  CHECK_THROWS_AS(out.close(), ShapeError);
  out.open("a");
  CHECK_THROWS_AS(out.take(), ShapeError);
}
