#include "crossfix/core/number_text.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <limits>

#include "support/comma_locale.hpp"

using namespace crossfix;

TEST_CASE("numbers are read whole, with blanks about them and one plus") {
  CHECK(parse_number("2.5") == 2.5);
  CHECK(parse_number(" \t-3e2\r\n") == -300);
  CHECK(parse_number("+0.1") == 0.1);
  CHECK(parse_number(" +7 ") == 7);
  for (const char* wrong :
       {"", " ", "+", "+-1", "++1", "1,5", "1 2", "3m", "0x10", "nan", "inf", "1e999", "--1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_number(wrong));
  }
}

TEST_CASE("numbers are written as in the C locale") {
  const double values[] = {0, -0.0, 0.05, 1.5, 2.5, -12.345678, 1e-7, 123456.5, 1e20, -1e300};
  for (const double value : values) {
    char text[512];
    std::snprintf(text, sizeof text, "%.6g", value);
    CHECK(general_text(value, 6) == text);
    std::snprintf(text, sizeof text, "%.4f", value);
    CHECK(fixed_text(value, 4) == text);
  }
  CHECK(general_text(std::numeric_limits<double>::quiet_NaN(), 6) == "nan");
  CHECK(fixed_text(std::numeric_limits<double>::infinity(), 2) == "inf");
}

TEST_CASE("numbers have points whatever the locale") {
  const test::CommaLocale locale;
  CHECK(fixed_text(0.5, 2) == "0.50");
  CHECK(general_text(0.25, 6) == "0.25");
  CHECK(parse_number("0.5") == 0.5);
  CHECK_FALSE(parse_number("0,5"));
}
