#include "report/tables.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "crossfix/core/error.hpp"
#include "xml_check.hpp"

using namespace crossfix;
using namespace crossfix::report;

TEST_CASE("figures have the decimals of their unit, and show what they lack") {
  CHECK(figure_text(2.678, Unit::metres) == "2.68");
  CHECK(figure_text(0.5213, Unit::share) == "52.1");
  CHECK(figure_text(12'740, Unit::count) == "12\u202f740");
  CHECK(figure_text(1.23456, Unit::plain) == "1.235");
  CHECK(figure_text({}, Unit::metres) == "–");
  CHECK(figure_text(std::numeric_limits<double>::quiet_NaN(), Unit::share) == "NaN");
  CHECK(figure_text(std::numeric_limits<double>::infinity(), Unit::metres) == "∞");
}

TEST_CASE("a table in the published shape: several figures to a cell, intervals, deviations") {
  Table table;
  table.title = "Errors <m>";
  table.columns = {"same", "cross"};
  table.rows = {{"this run",
                 {{{eval::Estimate{6.72, 6.6, 6.9}, Unit::metres}, {2.68, Unit::metres}},
                  {{1.77, Unit::metres, 0.25}}},
                 true}};
  table.note = "A note.";
  const test::Document document(table_markup(table));
  CHECK(document.find("caption")[0].text == "Errors <m>");
  const auto cells = document.find("td");
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].text == "6.72 / 2.68[6.60, 6.90] / –");
  CHECK(document.find("span", "interval").size() == 1);
  CHECK(cells[1].text == "1.77 ± 0.25");
  CHECK(document.find("tr", "main").size() == 1);
  CHECK(document.find("p", "note")[0].text == "A note.");
  CHECK(text_rows(table) ==
        std::vector<std::vector<std::string>>{{"Errors <m>", "same", "cross"},
                                              {"this run", "6.72 / 2.68", "1.77 ± 0.25"}});
}

TEST_CASE("a row of another length than the columns is refused, and named") {
  Table table;
  table.title = "T";
  table.columns = {"a", "b"};
  table.rows = {{"short", {{{1.0}}}}};
  CHECK_THROWS_AS(table_markup(table), ShapeError);
  CHECK_THROWS_WITH(table_markup(table), Catch::Contains("'short'") && Catch::Contains("2"));
}

TEST_CASE("counts and texts; none of them is no table") {
  CHECK(counts_markup({}).empty());
  CHECK(texts_markup({}).empty());
  const test::Document counts(counts_markup({{"outside", 14, "skipped & counted"}}));
  CHECK(counts.find("td")[0].text == "14");
  CHECK(counts.find("td", "text")[0].text == "skipped & counted");
  const test::Document texts(texts_markup({{"root", "/data/<x>"}}));
  CHECK(texts.find("td")[0].text == "/data/<x>");
}
