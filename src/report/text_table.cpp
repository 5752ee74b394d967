#include "text_table.hpp"

#include <algorithm>
#include <ostream>

#include "crossfix/core/number_text.hpp"
#include "crossfix/detail/printable.hpp"

namespace crossfix::report {

namespace {

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

void print_table(std::ostream& out, std::vector<std::vector<std::string>> rows, std::size_t left) {
  std::vector<std::size_t> widths;
  for (auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = io::printable(row[i]);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      if (i > 0) line += "  ";
      line += i < left ? row[i] + blanks : blanks + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

std::string thousands(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string decimals(double value, int count) { return fixed_text(value, count); }

std::string percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "-";
  return decimals(100.0 * static_cast<double>(part) / static_cast<double>(whole), 1) + " %";
}

}  // namespace crossfix::report
