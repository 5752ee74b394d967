#include "report/text_table.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace crossfix::report;

TEST_CASE("columns line up, whatever the characters' bytes") {
  std::ostringstream out;
  print_table(out, {{"a", "n", "±"}, {"long", "12", "3.5 ± 1"}, {"b"}}, 1);
  CHECK(out.str() ==
        "a      n        ±\n"
        "long  12  3.5 ± 1\n"
        "b\n");
}

TEST_CASE("numbers for people") {
  CHECK(thousands(0) == "0");
  CHECK(thousands(999) == "999");
  CHECK(thousands(12740) == "12,740");
  CHECK(thousands(1234567) == "1,234,567");
  CHECK(decimals(2.345678, 2) == "2.35");
  CHECK(percent(1, 8) == "12.5 %");
  CHECK(percent(0, 0) == "-");
}
