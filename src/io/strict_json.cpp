#include "strict_json.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_set>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"

namespace crossfix::io {

namespace {

/// Refuses nesting and repeated names while the parser goes over the text, and builds nothing.
class Checker : public nlohmann::json_sax<Json> {
 public:
  Checker(const std::string& what, std::size_t deepest) : what_(what), deepest_(deepest) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) {
      throw WeightsError(what_ + " names " + shown(name) + " twice");
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    throw WeightsError(what_ + " is no valid JSON " + shown(error.what()));
  }

 private:
  bool open() {
    if (names_.size() >= deepest_) throw WeightsError(what_ + " is nested too deeply");
    names_.emplace_back();
    return true;
  }
  bool close() {
    names_.pop_back();
    return true;
  }

  const std::string& what_;
  std::size_t deepest_;
  /// Of the objects and lists that enclose the parser's position.
  std::vector<std::unordered_set<std::string>> names_;
};

}  // namespace

Json parse_strict(const std::string& what, std::string_view text, int deepest) {
  // Two passes: a parser that calls back while it builds goes over all names for each value.
  Checker checker(what, static_cast<std::size_t>(deepest));
  Json::sax_parse(text, &checker);
  return Json::parse(text);
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
