#include "text_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "crossfix/core/error.hpp"

namespace crossfix::data {

std::string read_text(const std::filesystem::path& file, const std::string& what) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(file, ignored)) {
    throw DataError(file.string() + ": cannot be opened; " + what + " is expected");
  }
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw DataError(file.string() + ": UTF-16; save it as UTF-8");
  }
  if (text.find('\0') != std::string::npos) {
    throw DataError(file.string() + ": UTF-16, or no text; save it as UTF-8");
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (text.find('\n') == std::string::npos) std::replace(text.begin(), text.end(), '\r', '\n');
  return text;
}

}  // namespace crossfix::data
