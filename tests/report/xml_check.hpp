#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace crossfix::test {

/// One element of a document.
struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;  ///< unescaped
  std::string text;                               ///< of it and of all elements within, unescaped
  std::vector<std::string> ancestors;             ///< names, the root first

  std::string attribute(const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? "" : found->second;
  }
};

/// A parser of the part of XML that the report uses: elements, attributes in double quotes, text,
/// five entities. Throws std::runtime_error for anything else, so whatever it accepts is
/// well-formed.
class Document {
 public:
  explicit Document(std::string_view text) : rest_(text) {
    constexpr std::string_view kDoctype = "<!DOCTYPE html>\n";
    if (rest_.starts_with(kDoctype)) rest_.remove_prefix(kDoctype.size());
    parse({});
    while (!rest_.empty()) {
      if (rest_.front() != '\n') fail("something follows the root element");
      rest_.remove_prefix(1);
    }
  }

  /// In the order in which they begin.
  const std::vector<Element>& elements() const { return elements_; }

  /// Those with a name and, if given, a class.
  std::vector<Element> find(std::string_view name, std::string_view of_class = {}) const {
    std::vector<Element> found;
    for (const Element& element : elements_) {
      const std::string classes = " " + element.attribute("class") + " ";
      const std::string wanted = " " + std::string(of_class) + " ";
      if (element.name == name && (of_class.empty() || classes.find(wanted) != std::string::npos)) {
        found.push_back(element);
      }
    }
    return found;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(what + " before '" + std::string(rest_.substr(0, 60)) + "'");
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string name() {
    const std::size_t end = std::min(
        rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"),
        rest_.size());
    if (end == 0) fail("a name is missing");
    const std::string taken(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return taken;
  }

  /// The text up to one of `ends`, with entities resolved.
  std::string characters(std::string_view ends) {
    static const std::map<std::string, char> kEntities{
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
    std::string out;
    while (!rest_.empty() && ends.find(rest_.front()) == std::string_view::npos) {
      const char c = rest_.front();
      if (c == '<') fail("an unescaped <");
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') fail("a control byte");
      rest_.remove_prefix(1);
      if (c != '&') {
        out += c;
        continue;
      }
      const std::size_t end = rest_.find(';');
      const auto entity = kEntities.find(std::string(rest_.substr(0, end)));
      if (end == std::string_view::npos || entity == kEntities.end()) fail("an unknown entity");
      out += entity->second;
      rest_.remove_prefix(end + 1);
    }
    return out;
  }

  /// One element; its index in `elements_`.
  std::size_t parse(const std::vector<std::string>& ancestors) {
    if (!take("<")) fail("an element is missing");
    const std::size_t index = elements_.size();
    const std::string tag = name();
    elements_.push_back({tag, {}, "", ancestors});
    while (take(" ")) {
      const std::string key = name();
      if (!take("=\"")) fail("an attribute without a quoted value");
      if (!elements_[index].attributes.emplace(key, characters("\"")).second)
        fail("a second " + key);
      if (!take("\"")) fail("a quote is missing");
    }
    if (take("/>")) return index;
    if (!take(">")) fail("a tag does not end");
    std::vector<std::string> within = ancestors;
    within.push_back(tag);
    std::string text;
    while (!rest_.starts_with("</")) {
      if (rest_.empty()) fail("element " + tag + " does not end");
      if (rest_.front() == '<') {
        const std::size_t child = parse(within);
        text += elements_[child].text;
      } else {
        text += characters("<");
      }
    }
    if (!take("</" + tag + ">")) fail("element " + tag + " ends as another");
    elements_[index].text = text;
    return index;
  }

  std::string_view rest_;
  std::vector<Element> elements_;
};

}  // namespace crossfix::test
