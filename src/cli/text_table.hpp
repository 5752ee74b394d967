#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace crossfix::cli {

/// Prints rows of as many fields each, columns two blanks apart: the first `left` columns flush
/// left, the others flush right. Widths are counted in characters of UTF-8.
void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows,
                 std::size_t left);

/// "12,740".
std::string thousands(std::size_t count);

/// `value` with so many decimals.
std::string decimals(double value, int count);

/// "7.1 %": `part` of `whole`; "-" where the whole is nothing.
std::string percent(std::size_t part, std::size_t whole);

}  // namespace crossfix::cli
