#include "strict_json.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"

namespace crossfix::io {

Json parse_strict(const std::string& what, std::string_view text, int deepest) {
  // of the objects that enclose the parser's position
  std::vector<std::set<std::string, std::less<>>> names;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        if (depth >= deepest) throw WeightsError(what + " is nested too deeply");
        names.resize(static_cast<std::size_t>(depth) + 1);
        names.back().clear();
        break;
      case Json::parse_event_t::key: {
        const auto& name = value.get_ref<const std::string&>();
        if (!names[static_cast<std::size_t>(depth) - 1].insert(name).second) {
          throw WeightsError(what + " names " + shown(name) + " twice");
        }
        break;
      }
      default:
        break;
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    throw WeightsError(what + " is no valid JSON " + shown(error.what()));
  }
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::size_t end = std::min(text.size(), kLongest);
  // Not within a character.
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) {
    --end;
  }
  return "'" + printable(text.substr(0, end)) + (end < text.size() ? "...'" : "'");
}

}  // namespace crossfix::io
