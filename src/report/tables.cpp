#include "tables.hpp"

#include "crossfix/core/error.hpp"
#include "markup.hpp"

namespace crossfix::report {

namespace {

void write_header(Markup& out, const std::vector<std::string>& columns) {
  out.open("thead").open("tr").element("th", "", {{"scope", "col"}});
  for (const std::string& column : columns) out.element("th", column, {{"scope", "col"}});
  out.close().close().line_break();
}

/// The figures of one cell, "6.72 / 2.68".
std::string cell_text(const std::vector<Figure>& figures) {
  std::string text;
  for (const Figure& figure : figures) {
    if (!text.empty()) text += " / ";
    const auto* estimate = std::get_if<eval::Estimate>(&figure.value);
    const auto* number = std::get_if<double>(&figure.value);
    text += estimate != nullptr ? figure_text(estimate->value, figure.unit)
            : number != nullptr ? figure_text(*number, figure.unit)
                                : figure_text({}, figure.unit);
    if (figure.deviation) text += " ± " + figure_text(figure.deviation, figure.unit);
  }
  return text;
}

/// The same, their intervals on the line below.
void write_cell(Markup& out, const std::vector<Figure>& figures) {
  std::string intervals;
  bool any = false;
  for (const Figure& figure : figures) {
    if (!intervals.empty()) intervals += " / ";
    if (const auto* estimate = std::get_if<eval::Estimate>(&figure.value)) {
      any = true;
      intervals += "[" + figure_text(estimate->low, figure.unit) + ", " +
                   figure_text(estimate->high, figure.unit) + "]";
    } else {
      intervals += "–";
    }
  }
  out.open("td").text(cell_text(figures));
  if (any) out.element("span", intervals, {{"class", "interval"}});
  out.close();
}

/// One row of a table of texts without a header.
void write_text_row(Markup& out, const std::string& name, const std::vector<std::string>& texts) {
  out.open("tr").element("th", name, {{"scope", "row"}});
  for (const std::string& text : texts) out.element("td", text, {{"class", "text"}});
  out.close().line_break();
}

void open_table(Markup& out) { out.open("div", {{"class", "wide"}}).open("table").line_break(); }

}  // namespace

std::string figure_text(const std::optional<double>& value, Unit unit) {
  if (!value) return "–";
  switch (unit) {
    case Unit::metres:
    case Unit::degrees:
    case Unit::pixels:
      return readable(*value, 2);
    case Unit::share:
      return readable(100 * *value, 1);
    case Unit::count:
      return readable(*value, 0);
    case Unit::plain:
      break;
  }
  return readable(*value, 3);
}

std::vector<std::vector<std::string>> text_rows(const Table& table) {
  std::vector<std::vector<std::string>> rows{table.columns};
  rows[0].insert(rows[0].begin(), table.title);
  for (const TableRow& row : table.rows) {
    rows.push_back({row.name});
    for (const std::vector<Figure>& cell : row.cells) rows.back().push_back(cell_text(cell));
  }
  return rows;
}

std::string table_markup(const Table& table) {
  Markup out;
  open_table(out);
  if (!table.title.empty()) out.element("caption", table.title).line_break();
  write_header(out, table.columns);
  out.open("tbody").line_break();
  for (const TableRow& row : table.rows) {
    if (row.cells.size() != table.columns.size()) {
      throw ShapeError("row '" + row.name + "' of table '" + table.title + "' has " +
                       std::to_string(row.cells.size()) + " cells; the table has " +
                       std::to_string(table.columns.size()) + " columns");
    }
    out.open("tr", {{"class", row.main ? "main" : "other"}});
    out.element("th", row.name, {{"scope", "row"}});
    for (const std::vector<Figure>& cell : row.cells) write_cell(out, cell);
    out.close().line_break();
  }
  out.close().close();
  if (!table.note.empty()) out.element("p", table.note, {{"class", "note"}});
  return out.close().line_break().take();
}

std::string counts_markup(const std::vector<NamedCount>& counts) {
  if (counts.empty()) return {};
  Markup out;
  open_table(out);
  for (const NamedCount& count : counts) {
    out.open("tr").element("th", count.name, {{"scope", "row"}});
    out.element("td", readable(static_cast<double>(count.count), 0));
    out.element("td", count.note, {{"class", "text"}}).close().line_break();
  }
  return out.close().close().line_break().take();
}

std::string texts_markup(const std::vector<NamedText>& texts) {
  if (texts.empty()) return {};
  Markup out;
  open_table(out);
  for (const NamedText& text : texts) write_text_row(out, text.name, {text.text});
  return out.close().close().line_break().take();
}

}  // namespace crossfix::report
