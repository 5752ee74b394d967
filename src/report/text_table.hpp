#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace crossfix::report {

/// Prints rows that all have the same number of fields, with columns two blanks apart. The first
/// `left` columns are flush left, the others flush right. Widths are counted in UTF-8 characters.
/// Fields are made printable.
void print_table(std::ostream& out, std::vector<std::vector<std::string>> rows, std::size_t left);

/// For example "12,740".
std::string thousands(std::size_t count);

/// `value` with `count` decimals.
std::string decimals(double value, int count);

/// For example "7.1 %": `part` of `whole`; "-" if the whole is 0.
std::string percent(std::size_t part, std::size_t whole);

}  // namespace crossfix::report
